//! The states of a TCP socket.

use super::address::{IpFamily, check_family, check_remote, check_unicast};
use super::connection::Connection;
use super::denied::SocketAddrUse;
use super::error::SocketErrorCode;
use super::grants::NetCtx;
use super::os::Fd;
use super::tcp_streams::{TcpInput, TcpOutput};
use super::watch::Watched;
use crate::poll::Pollable;
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::Arc;

/// The length of the queue of connections, where the guest has no wish, and the longest that is passed on.
const DEFAULT_BACKLOG: u32 = 128;
const MAX_BACKLOG: u32 = 4096;

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// The `tcp-socket` resource.
#[derive(Debug)]
pub struct TcpSocket {
    family: IpFamily,
    state: State,
    backlog: u32,
}

/// Binding and listening are done when they start; what is left for their end is to tell.
#[derive(Debug)]
enum State {
    Unbound(Fd),
    BindStarted(Fd),
    Bound(Fd),
    ListenStarted(Watched),
    Listening(Watched),
    Connecting(Watched, SocketAddr),
    Connected(Arc<Connection>),
    Closed,
}

/// A connection for the guest.
pub(crate) type Streams = (TcpInput, TcpOutput);

impl TcpSocket {
    /// A socket that is not bound.
    ///
    /// # Errors
    /// `new-socket-limit`, `not-supported`; `access-denied` if there is no TCP at all.
    pub(crate) fn new(net: &NetCtx, family: IpFamily) -> Result<TcpSocket> {
        if !net.allow_tcp {
            return Err(SocketErrorCode::AccessDenied);
        }
        let fd = Fd::tcp(family, net.socket_permit()?).map_err(|e| match SocketErrorCode::from(e) {
            SocketErrorCode::InvalidArgument => SocketErrorCode::NotSupported,
            code => code,
        })?;
        Ok(TcpSocket {
            family,
            state: State::Unbound(fd),
            backlog: DEFAULT_BACKLOG,
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
            State::Unbound(fd) | State::BindStarted(fd) | State::Bound(fd) => Ok(fd),
            State::ListenStarted(socket) | State::Listening(socket) | State::Connecting(socket, _) => {
                Ok(socket.fd())
            }
            State::Connected(connection) => Ok(connection.fd()),
            State::Closed => Err(SocketErrorCode::InvalidState),
        }
    }

    /// Why an operation can't start in this state.
    fn refusal(&self) -> SocketErrorCode {
        match self.state {
            State::BindStarted(_) | State::ListenStarted(_) | State::Connecting(..) => {
                SocketErrorCode::ConcurrencyConflict
            }
            _ => SocketErrorCode::InvalidState,
        }
    }

    /// # Errors
    /// What `start-bind` documents, and `access-denied`. The socket stays unbound.
    pub(crate) async fn start_bind(&mut self, net: &NetCtx, local: SocketAddr) -> Result<()> {
        let State::Unbound(fd) = &self.state else {
            return Err(self.refusal());
        };
        check_family(self.family, local.ip())?;
        check_unicast(local.ip())?;
        net.check(local, SocketAddrUse::TcpBind).await?;
        // A port that was asked for may be bound though connections of an earlier socket linger on it. Those inherit their
        // consent to that from their listener, so one whose port the system chose gets it, too, but not before the system
        // has looked for a port of which nobody else has a share.
        if local.port() != 0 && cfg!(unix) {
            fd.reuse_address()?;
        }
        fd.bind(local)?;
        if local.port() == 0 && cfg!(unix) {
            fd.reuse_address()?;
        }
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Unbound(fd) => self.state = State::BindStarted(fd),
            other => self.state = other,
        }
        Ok(())
    }

    /// # Errors
    /// `not-in-progress`.
    pub(crate) fn finish_bind(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::BindStarted(fd) => {
                self.state = State::Bound(fd);
                Ok(())
            }
            other => {
                self.state = other;
                Err(SocketErrorCode::NotInProgress)
            }
        }
    }

    /// # Errors
    /// What `start-connect` documents, and `access-denied`. Unless the state was wrong, the socket is closed then.
    pub(crate) async fn start_connect(&mut self, net: &NetCtx, remote: SocketAddr) -> Result<()> {
        let fd = match std::mem::replace(&mut self.state, State::Closed) {
            State::Unbound(fd) | State::Bound(fd) => fd,
            other => {
                self.state = other;
                return Err(self.refusal());
            }
        };
        check_remote(self.family, remote)?;
        check_unicast(remote.ip())?;
        net.check(remote, SocketAddrUse::TcpConnect).await?;
        fd.connect(remote).map_err(|e| match SocketErrorCode::from(e) {
            // There is no port left to bind to.
            SocketErrorCode::AddressNotBindable => SocketErrorCode::AddressInUse,
            code => code,
        })?;
        self.state = State::Connecting(Watched::new(fd)?, remote);
        Ok(())
    }

    /// # Errors
    /// What `finish-connect` documents. Unless it would block, the socket is closed then.
    pub(crate) fn finish_connect(&mut self) -> Result<Streams> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Connecting(socket, remote) if !socket.fd().is_writable() => {
                self.state = State::Connecting(socket, remote);
                Err(SocketErrorCode::WouldBlock)
            }
            State::Connecting(socket, remote) => {
                socket.fd().take_error()?;
                Ok(self.connected(Connection::new(socket, remote)))
            }
            other => {
                self.state = other;
                Err(SocketErrorCode::NotInProgress)
            }
        }
    }

    fn connected(&mut self, connection: Arc<Connection>) -> Streams {
        let streams = (
            TcpInput::new(connection.clone()),
            TcpOutput::new(connection.clone()),
        );
        self.state = State::Connected(connection);
        streams
    }

    /// # Errors
    /// What `start-listen` documents. Unless the state was wrong, the socket is closed then.
    pub(crate) fn start_listen(&mut self) -> Result<()> {
        if !matches!(self.state, State::Bound(_)) {
            return Err(self.refusal());
        }
        if let State::Bound(fd) = std::mem::replace(&mut self.state, State::Closed) {
            fd.listen(self.backlog)?;
            self.state = State::ListenStarted(Watched::new(fd)?);
        }
        Ok(())
    }

    /// # Errors
    /// `not-in-progress`.
    pub(crate) fn finish_listen(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::ListenStarted(socket) => {
                self.state = State::Listening(socket);
                Ok(())
            }
            other => {
                self.state = other;
                Err(SocketErrorCode::NotInProgress)
            }
        }
    }

    /// # Errors
    /// What `accept` documents.
    pub(crate) fn accept(&mut self, net: &NetCtx) -> Result<(TcpSocket, Streams)> {
        let State::Listening(socket) = &self.state else {
            return Err(SocketErrorCode::InvalidState);
        };
        let (fd, peer) =
            socket
                .fd()
                .accept(net.socket_permit()?)
                .map_err(|e| match SocketErrorCode::from(e) {
                    code @ (SocketErrorCode::WouldBlock
                    | SocketErrorCode::NewSocketLimit
                    | SocketErrorCode::OutOfMemory
                    | SocketErrorCode::Unknown) => code,
                    // Some systems tell here what went wrong with the connection that was pending.
                    _ => SocketErrorCode::ConnectionAborted,
                })?;
        let mut accepted = TcpSocket {
            family: self.family,
            state: State::Closed,
            backlog: DEFAULT_BACKLOG,
        };
        let streams = accepted.connected(Connection::new(Watched::new(fd)?, peer));
        Ok((accepted, streams))
    }

    /// # Errors
    /// `invalid-state` when the socket is not bound.
    pub(crate) fn local_address(&self) -> Result<SocketAddr> {
        match &self.state {
            State::Unbound(_) | State::BindStarted(_) => Err(SocketErrorCode::InvalidState),
            _ => Ok(self.fd()?.local_addr()?),
        }
    }

    /// # Errors
    /// `invalid-state` when the socket is not connected.
    pub(crate) fn remote_address(&self) -> Result<SocketAddr> {
        match &self.state {
            State::Connected(connection) => Ok(connection.peer()),
            _ => Err(SocketErrorCode::InvalidState),
        }
    }

    pub(crate) fn is_listening(&self) -> bool {
        matches!(self.state, State::Listening(_))
    }

    /// # Errors
    /// `invalid-argument` for zero, `invalid-state` for a socket that connects or is connected or closed.
    pub(crate) fn set_listen_backlog_size(&mut self, size: u64) -> Result<()> {
        if size == 0 {
            return Err(SocketErrorCode::InvalidArgument);
        }
        let size = u32::try_from(size).unwrap_or(MAX_BACKLOG).min(MAX_BACKLOG);
        match &self.state {
            State::Connecting(..) | State::Connected(_) | State::Closed => {
                return Err(SocketErrorCode::InvalidState);
            }
            State::ListenStarted(socket) | State::Listening(socket) => {
                let changed = socket.fd().listen(size);
                changed.map_err(|_| SocketErrorCode::NotSupported)?;
            }
            State::Unbound(_) | State::BindStarted(_) | State::Bound(_) => {}
        }
        self.backlog = size;
        Ok(())
    }

    /// The connection.
    ///
    /// # Errors
    /// `invalid-state` when there is none.
    pub(crate) fn connection(&self) -> Result<&Connection> {
        match &self.state {
            State::Connected(connection) => Ok(connection),
            _ => Err(SocketErrorCode::InvalidState),
        }
    }
}

#[async_trait]
impl Pollable for TcpSocket {
    async fn ready(&mut self) {
        match &self.state {
            State::Connecting(socket, _) => socket.writable().await,
            State::Listening(socket) => socket.readable().await,
            _ => {}
        }
    }
}
