//! Sockets of the operating system: never blocking, closed when they go, counted.

use super::address::IpFamily;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    self, AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrAny, SocketFlags, SocketType, sockopt,
};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

/// A socket of the operating system.
#[derive(Debug)]
pub(crate) struct Fd {
    fd: Descriptor,
    /// Its place in the number of sockets that the guest may have.
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
enum Descriptor {
    Plain(OwnedFd),
    /// One that the reactor knows. Of tokio's type nothing is used but that: it stands for sockets of every kind.
    Watched(TcpStream),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Plain(fd) => fd.as_fd(),
            Descriptor::Watched(stream) => stream.as_fd(),
        }
    }
}

/// Which directions of a connection end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Receive,
    Send,
}

/// How many times a call that a signal interrupts is made again before that counts as its error.
const RETRIES: usize = 16;

/// Makes a system call, again if a signal interrupts it.
fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    for _ in 0..RETRIES {
        match call() {
            Err(Errno::INTR) => {}
            result => return Ok(result?),
        }
    }
    Ok(call()?)
}

#[cfg(not(target_vendor = "apple"))]
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);
#[cfg(target_vendor = "apple")]
const FLAGS: SocketFlags = SocketFlags::empty();

#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::empty();

/// Does by hand what [`FLAGS`] can't say everywhere.
fn prepare(fd: OwnedFd, permit: OwnedSemaphorePermit) -> io::Result<Fd> {
    #[cfg(target_vendor = "apple")]
    {
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        sockopt::set_socket_nosigpipe(&fd, true)?;
    }
    Ok(Fd {
        fd: Descriptor::Plain(fd),
        _permit: permit,
    })
}

fn family_of(family: IpFamily) -> AddressFamily {
    match family {
        IpFamily::V4 => AddressFamily::INET,
        IpFamily::V6 => AddressFamily::INET6,
    }
}

fn address(any: SocketAddrAny) -> io::Result<SocketAddr> {
    Ok(SocketAddr::try_from(any)?)
}

impl Fd {
    fn open(family: IpFamily, kind: SocketType, permit: OwnedSemaphorePermit) -> io::Result<Fd> {
        let fd = net::socket_with(family_of(family), kind, FLAGS, None)?;
        let fd = prepare(fd, permit)?;
        if family == IpFamily::V6 {
            sockopt::set_ipv6_v6only(&fd.fd, true)?;
        }
        Ok(fd)
    }

    pub(crate) fn tcp(family: IpFamily, permit: OwnedSemaphorePermit) -> io::Result<Fd> {
        Fd::open(family, SocketType::STREAM, permit)
    }

    pub(crate) fn udp(family: IpFamily, permit: OwnedSemaphorePermit) -> io::Result<Fd> {
        Fd::open(family, SocketType::DGRAM, permit)
    }

    pub(crate) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        Ok(net::bind(&self.fd, &addr)?)
    }

    /// Lets a later socket have the local address while connections of this one are still being closed.
    pub(crate) fn reuse_address(&self) -> io::Result<()> {
        Ok(sockopt::set_socket_reuseaddr(&self.fd, true)?)
    }

    /// Starts to connect; a datagram socket is connected at once.
    pub(crate) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        match net::connect(&self.fd, &addr) {
            // Interrupted or not, it goes on in the background.
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Takes a datagram socket's peer away.
    pub(crate) fn disconnect(&self) -> io::Result<()> {
        match net::connect_unspec(&self.fd) {
            // Some systems report what they do anyway.
            Ok(()) | Err(Errno::AFNOSUPPORT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        Ok(net::listen(&self.fd, i32::try_from(backlog).unwrap_or(i32::MAX))?)
    }

    /// The next connection, and where it comes from.
    pub(crate) fn accept(&self, permit: OwnedSemaphorePermit) -> io::Result<(Fd, SocketAddr)> {
        #[cfg(not(target_vendor = "apple"))]
        let (fd, from) = retry(|| net::acceptfrom_with(&self.fd, FLAGS))?;
        #[cfg(target_vendor = "apple")]
        let (fd, from) = retry(|| net::acceptfrom(&self.fd))?;
        // A connection without an address has ended already.
        let from = address(from.ok_or(Errno::CONNABORTED)?).map_err(|_| Errno::CONNABORTED)?;
        Ok((prepare(fd, permit)?, from))
    }

    pub(crate) fn shutdown(&self, direction: Direction) -> io::Result<()> {
        let how = match direction {
            Direction::Receive => Shutdown::Read,
            Direction::Send => Shutdown::Write,
        };
        Ok(net::shutdown(&self.fd, how)?)
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        address(net::getsockname(&self.fd)?)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        address(net::getpeername(&self.fd)?.ok_or(Errno::NOTCONN)?)
    }

    /// The error that waits on the socket; it is gone then.
    pub(crate) fn take_error(&self) -> io::Result<()> {
        Ok(sockopt::socket_error(&self.fd)??)
    }

    /// Adds at most the spare room of `buffer`; 0 is the end.
    pub(crate) fn recv(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let flags = RecvFlags::empty();
        retry(|| net::recv(&self.fd, rustix::buffer::spare_capacity(buffer), flags).map(|(n, _)| n))
    }

    /// Sends some of the bytes.
    pub(crate) fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        retry(|| net::send(&self.fd, bytes, SEND_FLAGS))
    }

    /// Receives a datagram into the spare room of `buffer`, which cuts it off.
    pub(crate) fn recv_from(&self, buffer: &mut Vec<u8>) -> io::Result<SocketAddr> {
        let flags = RecvFlags::empty();
        let (_, _, from) = retry(|| net::recvfrom(&self.fd, rustix::buffer::spare_capacity(buffer), flags))?;
        address(from.ok_or(Errno::NOTCONN)?)
    }

    /// Sends a datagram, to the socket's peer if there is no address.
    pub(crate) fn send_to(&self, bytes: &[u8], to: Option<SocketAddr>) -> io::Result<()> {
        match to {
            Some(to) => retry(|| net::sendto(&self.fd, bytes, SEND_FLAGS, &to))?,
            None => self.send(bytes)?,
        };
        Ok(())
    }

    /// Makes the socket known to the reactor of a runtime.
    ///
    /// # Errors
    /// When the system has no room for one more.
    pub(super) fn watch(self, reactor: &Handle) -> io::Result<Fd> {
        let _entered = reactor.enter();
        let fd = match self.fd {
            Descriptor::Plain(fd) => TcpStream::from_std(fd.into())?,
            Descriptor::Watched(stream) => stream,
        };
        Ok(Fd {
            fd: Descriptor::Watched(fd),
            _permit: self._permit,
        })
    }

    /// What the reactor watches, if it does.
    pub(super) fn watched(&self) -> Option<&TcpStream> {
        match &self.fd {
            Descriptor::Plain(_) => None,
            Descriptor::Watched(stream) => Some(stream),
        }
    }

    fn has(&self, event: PollFlags) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(self.fd.as_fd(), event)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // What can't be asked is taken for ready: the call that follows tells what is wrong.
        retry(|| poll(&mut fds, Some(&now))).map_or(true, |ready| ready > 0)
    }

    /// Whether receiving or accepting has an answer now, be it an error.
    pub(crate) fn is_readable(&self) -> bool {
        self.has(PollFlags::IN)
    }

    /// Whether sending or connecting has an answer now, be it an error.
    pub(crate) fn is_writable(&self) -> bool {
        self.has(PollFlags::OUT)
    }
}

/// Options of sockets. Values are in the range that the system takes.
impl Fd {
    pub(crate) fn keep_alive(&self) -> io::Result<bool> {
        Ok(sockopt::socket_keepalive(&self.fd)?)
    }

    pub(crate) fn set_keep_alive(&self, on: bool) -> io::Result<()> {
        Ok(sockopt::set_socket_keepalive(&self.fd, on)?)
    }

    pub(crate) fn keep_idle(&self) -> io::Result<Duration> {
        Ok(sockopt::tcp_keepidle(&self.fd)?)
    }

    pub(crate) fn set_keep_idle(&self, time: Duration) -> io::Result<()> {
        Ok(sockopt::set_tcp_keepidle(&self.fd, time)?)
    }

    pub(crate) fn keep_interval(&self) -> io::Result<Duration> {
        Ok(sockopt::tcp_keepintvl(&self.fd)?)
    }

    pub(crate) fn set_keep_interval(&self, time: Duration) -> io::Result<()> {
        Ok(sockopt::set_tcp_keepintvl(&self.fd, time)?)
    }

    pub(crate) fn keep_count(&self) -> io::Result<u32> {
        Ok(sockopt::tcp_keepcnt(&self.fd)?)
    }

    pub(crate) fn set_keep_count(&self, count: u32) -> io::Result<()> {
        Ok(sockopt::set_tcp_keepcnt(&self.fd, count)?)
    }

    pub(crate) fn set_no_delay(&self) -> io::Result<()> {
        Ok(sockopt::set_tcp_nodelay(&self.fd, true)?)
    }

    pub(crate) fn hop_limit(&self, family: IpFamily) -> io::Result<u8> {
        match family {
            IpFamily::V4 => Ok(u8::try_from(sockopt::ip_ttl(&self.fd)?).unwrap_or(u8::MAX)),
            IpFamily::V6 => Ok(sockopt::ipv6_unicast_hops(&self.fd)?),
        }
    }

    pub(crate) fn set_hop_limit(&self, family: IpFamily, hops: u8) -> io::Result<()> {
        match family {
            IpFamily::V4 => sockopt::set_ip_ttl(&self.fd, hops.into())?,
            IpFamily::V6 => sockopt::set_ipv6_unicast_hops(&self.fd, Some(hops))?,
        }
        Ok(())
    }

    pub(crate) fn recv_buffer(&self) -> io::Result<usize> {
        Ok(sockopt::socket_recv_buffer_size(&self.fd)?)
    }

    pub(crate) fn set_recv_buffer(&self, size: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_recv_buffer_size(&self.fd, size)?)
    }

    pub(crate) fn send_buffer(&self) -> io::Result<usize> {
        Ok(sockopt::socket_send_buffer_size(&self.fd)?)
    }

    pub(crate) fn set_send_buffer(&self, size: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_send_buffer_size(&self.fd, size)?)
    }
}
