//! Sockets and names, independent of generated bindings: what may be done ([`NetPolicy`]), and how it is done.
//!
//! All sockets are non-blocking. Calls go to the system directly; what has to be waited for is watched by the reactor
//! of this crate's own runtime.

mod address;
mod bound;
mod builder;
mod connection;
mod datagrams;
mod denied;
mod error;
mod grants;
mod lookup;
mod name;
mod net_grants;
mod options;
#[cfg_attr(not(unix), path = "os_none.rs")]
mod os;
mod policy;
mod ports;
mod resolver;
mod rule;
mod rule_text;
mod tcp;
mod tcp_streams;
#[cfg(all(test, unix))]
mod tests;
mod udp;
#[cfg_attr(not(unix), path = "watch_none.rs")]
mod watch;

pub use datagrams::{IncomingDatagramStream, OutgoingDatagramStream};
pub use denied::{NetDenied, SocketAddrUse};
pub use error::SocketErrorCode;
pub use lookup::ResolveAddressStream;
pub use net_grants::NetGrants;
pub use policy::NetPolicy;
pub use resolver::{NameResolver, SystemResolver};
pub use rule::NetRule;
pub use rule_text::NetRuleError;
pub use tcp::TcpSocket;
pub use udp::UdpSocket;

pub(crate) use address::IpFamily;
pub(crate) use datagrams::{ToSend, Unpermitted};
pub(crate) use grants::NetCtx;
