//! What was asked for, and refused.

use super::rule::{Access, NetRule};
use std::fmt;
use std::net::SocketAddr;

/// What an address is wanted for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum SocketAddrUse {
    /// A TCP socket is bound to it.
    TcpBind,
    /// A TCP socket connects to it.
    TcpConnect,
    /// A UDP socket is bound to it.
    UdpBind,
    /// A UDP socket is limited to it as its peer.
    UdpConnect,
    /// A datagram is sent to it.
    UdpOutgoingDatagram,
}

impl SocketAddrUse {
    pub(super) fn access(self) -> Access {
        match self {
            SocketAddrUse::TcpBind => Access::TCP_LISTEN,
            SocketAddrUse::TcpConnect => Access::TCP_CONNECT,
            SocketAddrUse::UdpBind => Access::UDP_BIND,
            SocketAddrUse::UdpConnect | SocketAddrUse::UdpOutgoingDatagram => Access::UDP_SEND,
        }
    }

    pub(super) fn is_tcp(self) -> bool {
        matches!(self, SocketAddrUse::TcpBind | SocketAddrUse::TcpConnect)
    }
}

/// Something on the network that a guest was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetDenied {
    /// The use of an address.
    Address(SocketAddr, SocketAddrUse),
    /// The lookup of a name.
    Lookup(String),
    /// An address that the lookup of a name gave, and which is hidden because it is of local use.
    LocalAddress(String),
}

impl NetDenied {
    /// The smallest rule that would have allowed it, if one can.
    pub fn rule(&self) -> Option<NetRule> {
        match self {
            // The system refuses that to sockets for which nobody has switched it on, which WASI has no way to do.
            NetDenied::Address(SocketAddr::V4(addr), _) if addr.ip().is_broadcast() => None,
            NetDenied::Address(addr, usage) => Some(NetRule::exact(usage.access(), *addr)),
            NetDenied::Lookup(name) => NetRule::lookup(name),
            NetDenied::LocalAddress(name) => format!("lookup:{name}+local").parse().ok(),
        }
    }
}

impl fmt::Display for NetDenied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetDenied::Address(addr, SocketAddrUse::TcpBind) => write!(f, "listening with TCP on {addr}"),
            NetDenied::Address(addr, SocketAddrUse::TcpConnect) => write!(f, "connecting with TCP to {addr}"),
            NetDenied::Address(addr, SocketAddrUse::UdpBind) => write!(f, "receiving with UDP on {addr}"),
            NetDenied::Address(addr, _) => write!(f, "sending with UDP to {addr}"),
            NetDenied::Lookup(name) => write!(f, "looking up {name}"),
            NetDenied::LocalAddress(name) => write!(f, "seeing an address of local use behind {name}"),
        }
    }
}
