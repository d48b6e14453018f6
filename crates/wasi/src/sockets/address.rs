//! Kinds of addresses: what a socket may be bound or sent to at all, and what no name on the internet should lead to.

use super::error::SocketErrorCode;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The version of IP that a socket is made for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum IpFamily {
    V4,
    V6,
}

impl IpFamily {
    pub(crate) fn of(ip: IpAddr) -> IpFamily {
        match ip {
            IpAddr::V4(_) => IpFamily::V4,
            IpAddr::V6(_) => IpFamily::V6,
        }
    }
}

/// The IPv4 address that an IPv6 address of the forms `::ffff:a.b.c.d` and `::a.b.c.d` stands for.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] => {
            let [.., a, b, c, d] = ip.octets();
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

/// An address of the socket's own family that is not another family's in disguise.
///
/// # Errors
/// `invalid-argument`.
pub(crate) fn check_family(family: IpFamily, ip: IpAddr) -> Result<(), SocketErrorCode> {
    let disguised = matches!(ip, IpAddr::V6(v6) if embedded_v4(v6).is_some());
    if IpFamily::of(ip) == family && !disguised {
        Ok(())
    } else {
        Err(SocketErrorCode::InvalidArgument)
    }
}

/// An address of one peer.
///
/// # Errors
/// `invalid-argument`.
pub(crate) fn check_unicast(ip: IpAddr) -> Result<(), SocketErrorCode> {
    let unicast = match ip {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_multicast(),
    };
    unicast.then_some(()).ok_or(SocketErrorCode::InvalidArgument)
}

/// An address that something can be sent to.
///
/// # Errors
/// `invalid-argument`.
pub(crate) fn check_remote(family: IpFamily, addr: SocketAddr) -> Result<(), SocketErrorCode> {
    check_family(family, addr.ip())?;
    if addr.ip().is_unspecified() || addr.port() == 0 {
        return Err(SocketErrorCode::InvalidArgument);
    }
    Ok(())
}

/// Whether an address belongs to this host, a network of its own, or to nobody, so that no name of the internet should
/// lead there: loopback, link-local, private, shared and reserved ones, also where IPv6 wraps them.
pub(crate) fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_local_v4(v4),
        IpAddr::V6(v6) => is_local_v6(v6),
    }
}

fn is_local_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_multicast()
        || a == 0
        // Shared between a provider and its customers.
        || (a == 100 && b & 0xc0 == 64)
        // Assigned to protocols, benchmarks and examples.
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 198 && b & 0xfe == 18)
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        // Reserved; the last one is the broadcast address.
        || a >= 240
}

fn is_local_v6(ip: Ipv6Addr) -> bool {
    let high = |at: usize| {
        let o = ip.octets();
        let byte = |i: usize| o.get(at + i).copied().unwrap_or(0);
        Ipv4Addr::new(byte(0), byte(1), byte(2), byte(3))
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => true,
        // Mapped, compatible and translated addresses.
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => is_local_v4(high(12)),
        // NAT64, and its prefix for local use.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_local_v4(high(12)),
        [0x64, 0xff9b, 1, ..] => true,
        // 6to4.
        [0x2002, ..] => is_local_v4(high(2)),
        // Teredo, benchmarks and other protocols; examples.
        [0x2001, b, ..] if b < 0x200 => true,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Discard-only, unique local, link-local, site-local, multicast.
        [0x100, 0, 0, 0, ..] => true,
        [a, ..] => a & 0xfe00 == 0xfc00 || a & 0xff80 == 0xfe80 || a & 0xff00 == 0xff00,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn other_families_are_refused_in_any_disguise() {
        assert!(check_family(IpFamily::V4, ip("1.2.3.4")).is_ok());
        assert!(check_family(IpFamily::V6, ip("::1")).is_ok());
        assert!(check_family(IpFamily::V6, ip("::")).is_ok());
        for text in ["1.2.3.4", "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:0", "::2"] {
            assert!(check_family(IpFamily::V6, ip(text)).is_err(), "{text}");
        }
        assert!(check_family(IpFamily::V4, ip("::1")).is_err());
    }

    #[test]
    fn groups_are_not_peers() {
        for text in ["224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"] {
            assert!(check_unicast(ip(text)).is_err(), "{text}");
        }
        assert!(check_unicast(ip("0.0.0.0")).is_ok());
        assert!(check_remote(IpFamily::V4, "0.0.0.0:1".parse().unwrap()).is_err());
        assert!(check_remote(IpFamily::V4, "1.2.3.4:0".parse().unwrap()).is_err());
        assert!(check_remote(IpFamily::V6, "[::]:1".parse().unwrap()).is_err());
        assert!(check_remote(IpFamily::V6, "[::1]:1".parse().unwrap()).is_ok());
    }

    #[test]
    fn local_addresses_are_known_in_every_form() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001:db8::1",
        ] {
            assert!(is_local(ip(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "93.184.215.14",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1",
            "2a00::1",
            "64:ff9b::101:101",
            "2002:101:101::",
            "::ffff:1.1.1.1",
            "2001:4860::8888",
        ] {
            assert!(!is_local(ip(text)), "{text}");
        }
    }
}
