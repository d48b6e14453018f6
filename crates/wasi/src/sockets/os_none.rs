//! Sockets where there are none yet: making one fails, so that nothing else is ever called.

use super::address::IpFamily;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A socket of the operating system, of which there are none.
#[derive(Debug)]
pub(crate) struct Fd(Infallible);

/// Which directions of a connection end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Receive,
    Send,
}

fn unsupported() -> io::Result<Fd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Methods that can't be reached.
macro_rules! unreachable_methods {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)+) => {
        impl Fd {
            $(pub(crate) fn $name(&self $(, $arg: $ty)*) -> $out {
                $(let _ = $arg;)*
                match self.0 {}
            })+
        }
    };
}

impl Fd {
    pub(crate) fn tcp(_: IpFamily, _: OwnedSemaphorePermit) -> io::Result<Fd> {
        unsupported()
    }

    pub(crate) fn udp(_: IpFamily, _: OwnedSemaphorePermit) -> io::Result<Fd> {
        unsupported()
    }
}

unreachable_methods! {
    bind(addr: SocketAddr) -> io::Result<()>;
    reuse_address() -> io::Result<()>;
    connect(addr: SocketAddr) -> io::Result<()>;
    disconnect() -> io::Result<()>;
    listen(backlog: u32) -> io::Result<()>;
    accept(permit: OwnedSemaphorePermit) -> io::Result<(Fd, SocketAddr)>;
    shutdown(direction: Direction) -> io::Result<()>;
    local_addr() -> io::Result<SocketAddr>;
    peer_addr() -> io::Result<SocketAddr>;
    take_error() -> io::Result<()>;
    recv(buffer: &mut Vec<u8>) -> io::Result<usize>;
    send(bytes: &[u8]) -> io::Result<usize>;
    recv_from(buffer: &mut Vec<u8>) -> io::Result<SocketAddr>;
    send_to(bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()>;
    is_writable() -> bool;
    keep_alive() -> io::Result<bool>;
    set_keep_alive(on: bool) -> io::Result<()>;
    keep_idle() -> io::Result<Duration>;
    set_keep_idle(time: Duration) -> io::Result<()>;
    keep_interval() -> io::Result<Duration>;
    set_keep_interval(time: Duration) -> io::Result<()>;
    keep_count() -> io::Result<u32>;
    set_keep_count(count: u32) -> io::Result<()>;
    set_no_delay() -> io::Result<()>;
    hop_limit(family: IpFamily) -> io::Result<u8>;
    set_hop_limit(family: IpFamily, hops: u8) -> io::Result<()>;
    recv_buffer() -> io::Result<usize>;
    set_recv_buffer(size: usize) -> io::Result<()>;
    send_buffer() -> io::Result<usize>;
    set_send_buffer(size: usize) -> io::Result<()>;
}
