//! The states of a UDP socket.

use super::address::{IpFamily, check_family, check_remote};
use super::bound::Bound;
use super::datagrams::{IncomingDatagramStream, OutgoingDatagramStream};
use super::denied::SocketAddrUse;
use super::error::SocketErrorCode;
use super::grants::{BindGrant, NetCtx};
use super::os::Fd;
use super::watch::Watched;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// The `udp-socket` resource.
#[derive(Debug)]
pub struct UdpSocket {
    family: IpFamily,
    state: State,
}

#[derive(Debug)]
enum State {
    Unbound(Fd),
    BindStarted(Arc<Bound>),
    Bound(Arc<Bound>),
    /// Something went wrong that leaves no way back.
    Closed,
}

impl UdpSocket {
    /// A socket that is not bound.
    ///
    /// # Errors
    /// `new-socket-limit`, `not-supported`; `access-denied` if there is no UDP at all.
    pub(crate) fn new(net: &NetCtx, family: IpFamily) -> Result<UdpSocket> {
        if !net.allow_udp {
            return Err(SocketErrorCode::AccessDenied);
        }
        let fd = Fd::udp(family, net.socket_permit()?).map_err(|e| match SocketErrorCode::from(e) {
            SocketErrorCode::InvalidArgument => SocketErrorCode::NotSupported,
            code => code,
        })?;
        Ok(UdpSocket {
            family,
            state: State::Unbound(fd),
        })
    }

    pub(crate) fn family(&self) -> IpFamily {
        self.family
    }

    /// The socket of the system.
    ///
    /// # Errors
    /// `invalid-state` when the socket is closed.
    pub(crate) fn fd(&self) -> Result<&Fd> {
        match &self.state {
            State::Unbound(fd) => Ok(fd),
            State::BindStarted(bound) | State::Bound(bound) => Ok(bound.socket.fd()),
            State::Closed => Err(SocketErrorCode::InvalidState),
        }
    }

    /// # Errors
    /// What `start-bind` documents, and `access-denied`.
    pub(crate) async fn start_bind(&mut self, net: &NetCtx, local: SocketAddr) -> Result<()> {
        let fd = match &self.state {
            State::Unbound(fd) => fd,
            State::BindStarted(_) => return Err(SocketErrorCode::ConcurrencyConflict),
            State::Bound(_) | State::Closed => return Err(SocketErrorCode::InvalidState),
        };
        check_family(self.family, local.ip())?;
        let grant = net.check_udp_bind(local).await?;
        fd.bind(local)?;
        if let State::Unbound(fd) = std::mem::replace(&mut self.state, State::Closed) {
            self.state = State::BindStarted(Arc::new(Bound {
                socket: Watched::new(fd)?,
                family: self.family,
                senders: (grant == BindGrant::ForSending).then(|| net.senders()),
                generation: AtomicU64::new(0),
                found: Mutex::default(),
            }));
        }
        Ok(())
    }

    /// # Errors
    /// `not-in-progress`.
    pub(crate) fn finish_bind(&mut self) -> Result<()> {
        match &self.state {
            State::BindStarted(bound) => {
                self.state = State::Bound(bound.clone());
                Ok(())
            }
            _ => Err(SocketErrorCode::NotInProgress),
        }
    }

    fn bound(&self) -> Result<&Arc<Bound>> {
        match &self.state {
            State::Bound(bound) => Ok(bound),
            _ => Err(SocketErrorCode::InvalidState),
        }
    }

    /// A new pair of streams; those before no longer work.
    ///
    /// # Errors
    /// What `stream` documents, and `access-denied`. The streams before still work then, except after an error of the
    /// system.
    pub(crate) async fn stream(
        &mut self,
        net: &NetCtx,
        remote: Option<SocketAddr>,
    ) -> Result<(IncomingDatagramStream, OutgoingDatagramStream)> {
        let bound = self.bound()?.clone();
        if let Some(remote) = remote {
            check_remote(self.family, remote)?;
            net.check(remote, SocketAddrUse::UdpConnect).await?;
        }
        let generation = bound.generation.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let fd = bound.socket.fd();
        if fd.peer_addr().is_ok() {
            disconnect(fd)?;
        }
        if let Some(remote) = remote {
            fd.connect(remote).map_err(|e| match SocketErrorCode::from(e) {
                SocketErrorCode::AddressNotBindable => SocketErrorCode::AddressInUse,
                code => code,
            })?;
        }
        let incoming = IncomingDatagramStream::new(bound.clone(), generation, remote);
        incoming.start_anew();
        Ok((incoming, OutgoingDatagramStream::new(bound, generation, remote)))
    }

    /// # Errors
    /// `invalid-state` when the socket is not bound.
    pub(crate) fn local_address(&self) -> Result<SocketAddr> {
        Ok(self.bound()?.socket.fd().local_addr()?)
    }

    /// # Errors
    /// `invalid-state` when there is no peer.
    pub(crate) fn remote_address(&self) -> Result<SocketAddr> {
        Ok(self.bound()?.socket.fd().peer_addr()?)
    }
}

/// Takes the peer away but leaves the port, which the system gives back if it was the one who chose it.
fn disconnect(fd: &Fd) -> Result<()> {
    let before = fd.local_addr()?;
    fd.disconnect()?;
    let mut after = fd.local_addr()?;
    if after.port() == 0 {
        after.set_port(before.port());
        fd.bind(after)?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl crate::poll::Pollable for UdpSocket {
    /// Binding does not wait, and the streams are waited for themselves.
    async fn ready(&mut self) {}
}
