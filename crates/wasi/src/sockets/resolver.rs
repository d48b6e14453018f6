//! What finds the addresses of host names.

use super::error::SocketErrorCode;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// Something that finds the addresses of host names.
pub trait NameResolver: Send + Sync {
    /// The addresses of a name, in the order of preference. It is called on a thread where it may block; `name` is in
    /// lower case, in ASCII (IDNA), and without a dot at its end.
    ///
    /// # Errors
    /// One of the errors that `resolve-next-address` documents.
    fn resolve(&self, name: &str) -> std::result::Result<Vec<IpAddr>, SocketErrorCode>;
}

/// The resolver of the operating system.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemResolver;

impl NameResolver for SystemResolver {
    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>> {
        match (name, 0).to_socket_addrs() {
            Ok(addrs) => Ok(addrs.map(|addr| addr.ip()).collect()),
            Err(e) => Err(of_resolver(&e)),
        }
    }
}

/// The standard library passes the resolver's own codes on as text only.
fn of_resolver(error: &io::Error) -> SocketErrorCode {
    let text = error.to_string();
    let mentions = |part: &str| text.contains(part);
    if mentions("emporary failure") || mentions("Try again") || mentions("try again") {
        SocketErrorCode::TemporaryResolverFailure
    } else if mentions("Non-recoverable") || mentions("non-recoverable") {
        SocketErrorCode::PermanentResolverFailure
    } else {
        match error.kind() {
            io::ErrorKind::OutOfMemory => SocketErrorCode::OutOfMemory,
            _ => SocketErrorCode::NameUnresolvable,
        }
    }
}
