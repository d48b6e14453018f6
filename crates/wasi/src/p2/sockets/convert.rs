//! Between the types of the WIT and those of the standard library.

use super::SocketError;
use crate::p2::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress,
};
use crate::sockets::{IpFamily, SocketErrorCode};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

macro_rules! same_codes {
    ($($case:ident),+ $(,)?) => {
        impl From<SocketErrorCode> for ErrorCode {
            fn from(code: SocketErrorCode) -> ErrorCode {
                match code {
                    $(SocketErrorCode::$case => ErrorCode::$case,)+
                }
            }
        }
    };
}

same_codes! {
    Unknown, AccessDenied, NotSupported, InvalidArgument, OutOfMemory, Timeout, ConcurrencyConflict, NotInProgress,
    WouldBlock, InvalidState, NewSocketLimit, AddressNotBindable, AddressInUse, RemoteUnreachable, ConnectionRefused,
    ConnectionReset, ConnectionAborted, DatagramTooLarge, NameUnresolvable, TemporaryResolverFailure,
    PermanentResolverFailure,
}

impl From<SocketErrorCode> for SocketError {
    fn from(code: SocketErrorCode) -> SocketError {
        ErrorCode::from(code).into()
    }
}

/// What the system said of an option.
pub(super) fn option_error(error: std::io::Error) -> SocketError {
    SocketErrorCode::from(error).into()
}

impl From<IpAddressFamily> for IpFamily {
    fn from(family: IpAddressFamily) -> IpFamily {
        match family {
            IpAddressFamily::Ipv4 => IpFamily::V4,
            IpAddressFamily::Ipv6 => IpFamily::V6,
        }
    }
}

impl From<IpFamily> for IpAddressFamily {
    fn from(family: IpFamily) -> IpAddressFamily {
        match family {
            IpFamily::V4 => IpAddressFamily::Ipv4,
            IpFamily::V6 => IpAddressFamily::Ipv6,
        }
    }
}

impl From<IpAddr> for IpAddress {
    fn from(ip: IpAddr) -> IpAddress {
        match ip {
            IpAddr::V4(ip) => IpAddress::Ipv4(ip.octets().into()),
            IpAddr::V6(ip) => IpAddress::Ipv6(ip.segments().into()),
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(addr: SocketAddr) -> IpSocketAddress {
        match addr {
            SocketAddr::V4(addr) => IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: addr.port(),
                address: addr.ip().octets().into(),
            }),
            SocketAddr::V6(addr) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: addr.port(),
                flow_info: addr.flowinfo(),
                address: addr.ip().segments().into(),
                scope_id: addr.scope_id(),
            }),
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(addr: IpSocketAddress) -> SocketAddr {
        match addr {
            IpSocketAddress::Ipv4(addr) => {
                SocketAddrV4::new(Ipv4Addr::from(<[u8; 4]>::from(addr.address)), addr.port).into()
            }
            IpSocketAddress::Ipv6(addr) => SocketAddrV6::new(
                Ipv6Addr::from(<[u16; 8]>::from(addr.address)),
                addr.port,
                addr.flow_info,
                addr.scope_id,
            )
            .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_both_ways() {
        let scoped = SocketAddrV6::new("fe80::1:2".parse().unwrap(), 9, 7, 3);
        for addr in [
            "1.2.3.4:5".parse().unwrap(),
            "[2001:db8::1]:80".parse().unwrap(),
            scoped.into(),
        ] {
            assert_eq!(SocketAddr::from(IpSocketAddress::from(addr)), addr);
        }
        assert!(matches!(
            IpAddress::from(IpAddr::from([1, 2, 3, 4])),
            IpAddress::Ipv4((1, 2, 3, 4))
        ));
    }
}
