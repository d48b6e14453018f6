//! One grant of the network, and its text form.

use super::address::IpFamily;
use super::name::{NamePattern, is_localhost};
use super::ports::Ports;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

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

/// The words that rules begin with.
const KINDS: [(&str, Access); 7] = [
    ("tcp-connect", Access::TCP_CONNECT),
    ("tcp-listen", Access::TCP_LISTEN),
    ("tcp", Access::TCP),
    ("udp-send", Access::UDP_SEND),
    ("udp-bind", Access::UDP_BIND),
    ("udp", Access::UDP),
    ("lookup", Access::LOOKUP),
];

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

    fn is_all(&self) -> bool {
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

/// The text of a rule is not of the form that [`NetRule`] documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetRuleError(String);

impl fmt::Display for NetRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NetRuleError {}

fn wrong<T>(message: impl Into<String>) -> Result<T, NetRuleError> {
    Err(NetRuleError(message.into()))
}

impl FromStr for NetRule {
    type Err = NetRuleError;

    fn from_str(text: &str) -> Result<NetRule, NetRuleError> {
        if text == "all" {
            return Ok(NetRule::all());
        }
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        let Some((_, access)) = KINDS.iter().find(|(name, _)| *name == kind) else {
            let kinds: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            return wrong(format!(
                "expected `all`, or one of {} and a colon",
                kinds.join(", ")
            ));
        };
        if *access == Access::LOOKUP {
            let target = match rest {
                "*" => Target::Any,
                name => name_target(name)?,
            };
            return Ok(NetRule {
                access: *access,
                target,
                ports: Ports::any(),
            });
        }
        let Some((host, ports)) = rest.rsplit_once(':') else {
            return wrong("expected a port behind the address, such as :80, :8000-8010 or :*");
        };
        let target = parse_target(host)?;
        let ports = ports.parse().map_err(NetRuleError)?;
        Ok(NetRule {
            access: *access,
            target,
            ports,
        })
    }
}

fn parse_target(host: &str) -> Result<Target, NetRuleError> {
    if host == "*" {
        return Ok(Target::Any);
    }
    if let Some(rest) = host.strip_prefix('[') {
        let Some((ip, prefix)) = rest.split_once(']') else {
            return wrong("expected ] behind the IPv6 address");
        };
        let Ok(ip) = ip.parse::<Ipv6Addr>() else {
            return wrong(format!("{ip} is not an IPv6 address"));
        };
        if ip.to_ipv4_mapped().is_some() {
            return wrong("IPv4 addresses are written as such, not as IPv6 addresses");
        }
        return network(ip.into(), prefix, 128);
    }
    if host.contains(':') {
        return wrong("expected brackets around the IPv6 address, such as [::1]:80");
    }
    let (ip, prefix) = match host.find('/') {
        Some(at) => host.split_at(at),
        None => (host, ""),
    };
    match ip.parse::<Ipv4Addr>() {
        Ok(ip) => network(ip.into(), prefix, 32),
        Err(_) => name_target(host),
    }
}

/// The addresses that share a prefix: `prefix` is empty, or `/` and the number of bits.
fn network(ip: IpAddr, prefix: &str, width: u8) -> Result<Target, NetRuleError> {
    let bits = match prefix.strip_prefix('/') {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= width),
        None => prefix.is_empty().then_some(width),
    };
    match bits {
        Some(bits) => Ok(Target::Network(ip, bits)),
        None => wrong(format!(
            "expected /BITS with at most {width} bits behind the address"
        )),
    }
}

fn name_target(text: &str) -> Result<Target, NetRuleError> {
    let (name, local) = match text.strip_suffix("+local") {
        Some(name) => (name, true),
        None => (text, false),
    };
    match name.parse() {
        Ok(pattern) => Ok(Target::Name { pattern, local }),
        Err(_) => wrong(format!("{name:?} is neither an address nor a host name")),
    }
}

impl fmt::Display for NetRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("all");
        }
        let kind = KINDS.iter().find(|(_, access)| *access == self.access);
        write!(f, "{}:", kind.map_or("", |(name, _)| name))?;
        match &self.target {
            Target::Any => f.write_str("*")?,
            Target::Network(IpAddr::V4(ip), 32) => write!(f, "{ip}")?,
            Target::Network(IpAddr::V4(ip), bits) => write!(f, "{ip}/{bits}")?,
            Target::Network(IpAddr::V6(ip), 128) => write!(f, "[{ip}]")?,
            Target::Network(IpAddr::V6(ip), bits) => write!(f, "[{ip}]/{bits}")?,
            Target::Name { pattern, local } => {
                write!(f, "{pattern}{}", if *local { "+local" } else { "" })?;
            }
        }
        if self.access == Access::LOOKUP {
            return Ok(());
        }
        write!(f, ":{}", self.ports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> NetRule {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn text_form_and_back() {
        for text in [
            "tcp-connect:127.0.0.1:8080",
            "tcp-listen:[::1]:0",
            "udp:10.0.0.0/8:*",
            "udp-send:[fd00::]/8:53",
            "tcp-connect:example.org:443",
            "tcp:*:1-1023",
            "udp-bind:*:*",
            "lookup:example.org",
            "lookup:*",
            "lookup:*.example.org",
            "tcp-connect:db.internal+local:5432",
            "tcp-connect:*.example.org:80,443,8000-8010",
            "all",
            "tcp-connect:0.0.0.0/0:80",
        ] {
            assert_eq!(rule(text).to_string(), text);
        }
        assert_eq!(
            rule("tcp-connect:EXAMPLE.org.:80").to_string(),
            "tcp-connect:example.org:80"
        );
    }

    #[test]
    fn malformed_rules_say_what_was_expected() {
        for (text, expected) in [
            ("", "tcp-connect"),
            ("tcp-connect", "port"),
            ("ftp:1.2.3.4:1", "tcp-listen"),
            ("tcp-connect:example.org", "port"),
            ("tcp-connect:1.2.3.4:", "port"),
            ("tcp-connect:1.2.3.4:70000", "port"),
            ("tcp-connect:1.2.3.4:2-1", "range"),
            ("tcp-connect:1.2.3.4/33:1", "32 bits"),
            ("tcp-connect:1.2.3.4/:1", "32 bits"),
            ("tcp-connect:[::1]/129:1", "128 bits"),
            ("tcp-connect:[::1]x:1", "128 bits"),
            ("tcp-connect:[::1:1", "]"),
            ("tcp-connect:::1:1", "brackets"),
            ("tcp-connect:[::ffff:1.2.3.4]:1", "IPv4"),
            ("tcp-connect:a b:1", "host name"),
            ("tcp-connect:1.2.3:1", "host name"),
            ("lookup:", "host name"),
            ("lookup:example.org:80", "host name"),
            ("lookup:1.2.3.4", "host name"),
        ] {
            let error = text.parse::<NetRule>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
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
