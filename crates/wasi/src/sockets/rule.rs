//! One grant of the network.

use super::address::IpFamily;
use super::name::{NamePattern, is_localhost};
use super::ports::Ports;
use std::net::{IpAddr, SocketAddr};

bitflags::bitflags! {
    /// What can be done on the network.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Access: u8 {
        const TCP_CONNECT = 1 << 0;
        const TCP_LISTEN = 1 << 1;
        const UDP_SEND = 1 << 2;
        const UDP_BIND = 1 << 3;
        const LOOKUP = 1 << 4;
        const TCP = Self::TCP_CONNECT.bits() | Self::TCP_LISTEN.bits();
        const UDP = Self::UDP_SEND.bits() | Self::UDP_BIND.bits();
        const ALL = 0b11111;
    }
}

/// Where a rule leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Everywhere, except to groups (multicast), which have to be named.
    Any,
    /// The addresses that share this prefix.
    Network(IpAddr, u8),
    /// Hosts with such names; `local` says that the addresses of this host and its own networks are meant as well.
    Name { pattern: NamePattern, local: bool },
}

/// A rule that grants something on the network.
///
/// Its text form is `KIND:TARGET:PORTS`, or `lookup:NAME`, or the word `all`.
///
/// - `KIND` is `tcp-connect` (connections to the target), `tcp-listen` (sockets bound to a local address), `tcp` (both),
///   `udp-send` (datagrams to the target), `udp-bind` (sockets bound to a local address) or `udp` (both).
/// - `TARGET` is an address (`127.0.0.1`, `[::1]`), a prefix (`10.0.0.0/8`, `[fd00::]/8`), a host name (`example.org`),
///   all names below one (`*.example.org`), or `*`, which is every address except multicast groups.
/// - `PORTS` is a port (`80`), a range (`8000-8010`), a list of these (`80,443`), or `*`. Port 0 is the one that lets
///   the system choose when a socket is bound, and `*` includes it.
///
/// `lookup` lets the guest look up a name, `lookup:*` every name. A rule with a name for connections or datagrams
/// includes its lookup, and applies to the addresses which the guest's own lookup of that name gave. Those never
/// include loopback, link-local, private and other addresses of local use, so that whoever controls the name can't
/// lead the guest into the host's own networks, unless `+local` stands behind the name (`db.internal+local:5432`). The
/// name `localhost` needs no `+local` for loopback addresses.
///
/// A rule for `udp-send` lets a guest also bind a socket to the unspecified address with a port of the system's
/// choice, for sending; such a socket receives datagrams only from where it may send to.
///
/// `all` is every grant at once, multicast included.
///
/// ```
/// use wharf_wasi::NetRule;
///
/// for text in ["tcp-connect:127.0.0.1:8080", "tcp-listen:[::1]:0", "udp:10.0.0.0/8:*", "tcp-connect:example.org:80,443", "lookup:*.example.org"] {
///     let rule: NetRule = text.parse().unwrap();
///     assert_eq!(rule.to_string(), text);
/// }
/// assert!("tcp-connect:example.org".parse::<NetRule>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetRule {
    pub(crate) access: Access,
    pub(crate) target: Target,
    pub(crate) ports: Ports,
}

impl NetRule {
    /// The rule that grants everything.
    pub fn all() -> NetRule {
        NetRule {
            access: Access::ALL,
            target: Target::Any,
            ports: Ports::any(),
        }
    }

    /// The rule for exactly this address and port.
    pub(crate) fn exact(access: Access, addr: SocketAddr) -> NetRule {
        let prefix = match addr.ip() {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        NetRule {
            access,
            target: Target::Network(addr.ip(), prefix),
            ports: Ports::one(addr.port()),
        }
    }

    /// The rule for looking up exactly this name, which is in its canonical spelling.
    pub(crate) fn lookup(name: &str) -> Option<NetRule> {
        Some(NetRule {
            access: Access::LOOKUP,
            target: Target::Name {
                pattern: name.parse().ok()?,
                local: false,
            },
            ports: Ports::any(),
        })
    }

    pub(super) fn is_all(&self) -> bool {
        self.access == Access::ALL
    }

    /// Whether the rule grants this use of an address by the address alone.
    pub(crate) fn grants_address(&self, access: Access, addr: SocketAddr) -> bool {
        self.access.contains(access) && self.ports.contains(addr.port()) && self.covers(addr.ip())
    }

    /// Whether the rule's target includes the address by itself.
    pub(crate) fn covers(&self, ip: IpAddr) -> bool {
        match self.target {
            Target::Any => self.is_all() || !ip.is_multicast(),
            // A group has to be named: a prefix that also has other addresses does not do that.
            Target::Network(base, prefix) => {
                same_prefix(base, ip, prefix) && (!ip.is_multicast() || base.is_multicast() && prefix >= 4)
            }
            Target::Name { .. } => false,
        }
    }

    /// Whether the rule grants this use of an address that looking up `name` gave.
    pub(crate) fn grants_resolved(&self, access: Access, addr: SocketAddr, name: &str, local: bool) -> bool {
        let Target::Name {
            pattern,
            local: named,
        } = &self.target
        else {
            return false;
        };
        self.access.contains(access)
            && self.ports.contains(addr.port())
            && pattern.matches(name)
            && (!local || *named || (is_localhost(name) && addr.ip().is_loopback()))
    }

    /// Whether the rule lets a guest send something with this family of addresses.
    pub(crate) fn may_send(&self, family: IpFamily) -> bool {
        self.access.contains(Access::UDP_SEND)
            && match self.target {
                Target::Network(base, _) => IpFamily::of(base) == family,
                Target::Any | Target::Name { .. } => true,
            }
    }
}

/// Whether both addresses begin with the same `prefix` bits.
fn same_prefix(a: IpAddr, b: IpAddr, prefix: u8) -> bool {
    let (a, b, width) = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits().into(), b.to_bits().into(), 32u32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    let dropped = width.saturating_sub(prefix.into());
    let high = |bits: u128| bits.checked_shr(dropped).unwrap_or(0);
    high(a) == high(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> NetRule {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn address_rules_cover_their_prefix() {
        let grants =
            |text: &str, access, addr: &str| rule(text).grants_address(access, addr.parse().unwrap());
        let connect = Access::TCP_CONNECT;
        assert!(grants("tcp-connect:10.0.0.0/8:80", connect, "10.255.0.1:80"));
        assert!(!grants("tcp-connect:10.0.0.0/8:80", connect, "11.0.0.1:80"));
        assert!(!grants("tcp-connect:10.0.0.0/8:80", connect, "10.0.0.1:81"));
        assert!(!grants(
            "tcp-connect:10.0.0.0/8:80",
            Access::TCP_LISTEN,
            "10.0.0.1:80"
        ));
        assert!(grants("tcp-connect:0.0.0.0/0:*", connect, "1.2.3.4:1"));
        assert!(!grants("tcp-connect:0.0.0.0/0:*", connect, "[::1]:1"));
        assert!(grants("tcp:[::]/0:*", connect, "[::1]:1"));
        assert!(grants("tcp-connect:10.1.2.3/8:80", connect, "10.0.0.1:80"));
        assert!(!grants("tcp-connect:example.org:80", connect, "1.2.3.4:80"));
        assert!(grants(
            "tcp-listen:*:8000-8010",
            Access::TCP_LISTEN,
            "0.0.0.0:8010"
        ));
        assert!(!grants("tcp-listen:*:8000-8010", Access::TCP_LISTEN, "0.0.0.0:0"));
        assert!(grants("tcp-listen:*:*", Access::TCP_LISTEN, "[::]:0"));
    }

    #[test]
    fn groups_have_to_be_named() {
        let sends =
            |text: &str, addr: &str| rule(text).grants_address(Access::UDP_SEND, addr.parse().unwrap());
        for text in ["udp:*:*", "udp:0.0.0.0/0:*", "udp:128.0.0.0/1:*"] {
            assert!(!sends(text, "224.0.0.251:5353"), "{text}");
        }
        assert!(!sends("udp:[::]/0:*", "[ff02::fb]:5353"));
        assert!(sends("udp:224.0.0.0/24:5353", "224.0.0.251:5353"));
        assert!(sends("udp:[ff02::fb]:5353", "[ff02::fb]:5353"));
        assert!(sends("all", "224.0.0.251:5353"));
    }

    #[test]
    fn names_reach_local_addresses_only_if_they_say_so() {
        let grants = |text: &str, addr: &str, name: &str, local| {
            rule(text).grants_resolved(Access::TCP_CONNECT, addr.parse().unwrap(), name, local)
        };
        assert!(grants(
            "tcp-connect:example.org:80",
            "1.1.1.1:80",
            "example.org",
            false
        ));
        assert!(!grants(
            "tcp-connect:example.org:80",
            "1.1.1.1:80",
            "example.com",
            false
        ));
        assert!(!grants(
            "tcp-connect:example.org:80",
            "127.0.0.1:80",
            "example.org",
            true
        ));
        assert!(grants(
            "tcp-connect:example.org+local:80",
            "127.0.0.1:80",
            "example.org",
            true
        ));
        assert!(grants(
            "tcp-connect:localhost:80",
            "127.0.0.1:80",
            "localhost",
            true
        ));
        assert!(!grants(
            "tcp-connect:localhost:80",
            "10.0.0.1:80",
            "localhost",
            true
        ));
    }
}
