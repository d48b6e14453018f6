//! A TCP connection, shared by its socket, its two streams and what is still to be sent.

use super::error::SocketErrorCode;
use super::os::{Direction, Fd};
use super::watch::Watched;
use crate::runtime;
use crate::stream::{StreamError, StreamResult};
use bytes::{Buf, Bytes};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How much a stream takes at once.
pub(super) const WRITE_CHUNK: usize = 64 << 10;
/// How long bytes that were taken are still being sent after nobody can ask about them any more.
const LINGER: Duration = Duration::from_secs(10);

/// A connection.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Watched,
    /// The address of the other side, which the system forgets when the connection ends.
    peer: SocketAddr,
    /// The receiving direction was shut down from this side.
    receive_shut: AtomicBool,
    sending: Mutex<Sending>,
    /// Told when the sending direction is no longer busy.
    sent: Notify,
}

/// The sending direction.
#[derive(Debug)]
enum Sending {
    /// Everything that was taken is in the hands of the system.
    Idle,
    /// A task sends the rest of what was taken, and then shuts the direction down if that was asked for.
    Busy {
        task: AbortHandle,
        then_shut: bool,
    },
    /// An error that the guest has not seen.
    Failed(io::Error),
    Shut,
}

impl Connection {
    /// A connection over a socket that is connected.
    pub(crate) fn new(socket: Watched, peer: SocketAddr) -> Arc<Connection> {
        // WASI has no option for this, and its streams have an explicit flush.
        let _ = socket.fd().set_no_delay();
        Arc::new(Connection {
            socket,
            peer,
            receive_shut: AtomicBool::new(false),
            sending: Mutex::new(Sending::Idle),
            sent: Notify::new(),
        })
    }

    pub(crate) fn fd(&self) -> &Fd {
        self.socket.fd()
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn sending(&self) -> MutexGuard<'_, Sending> {
        self.sending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_receive_shut(&self) -> bool {
        self.receive_shut.load(Ordering::Relaxed)
    }

    /// Ends the receiving direction. Doing so again changes nothing.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn shut_receive(&self) -> Result<(), SocketErrorCode> {
        match self.receive_shut.swap(true, Ordering::Relaxed) {
            true => Ok(()),
            false => shut(self.fd(), Direction::Receive),
        }
    }

    /// Ends the sending direction behind what was taken. Doing so again changes nothing.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn shut_send(&self) -> Result<(), SocketErrorCode> {
        let mut sending = self.sending();
        match &mut *sending {
            Sending::Busy { then_shut, .. } => {
                *then_shut = true;
                Ok(())
            }
            Sending::Shut => Ok(()),
            Sending::Idle | Sending::Failed(_) => {
                *sending = Sending::Shut;
                shut(self.fd(), Direction::Send)
            }
        }
    }

    /// Takes bytes to be sent.
    pub(super) fn send(self: &Arc<Self>, mut bytes: Bytes) -> StreamResult<()> {
        let mut sending = self.sending();
        match std::mem::replace(&mut *sending, Sending::Idle) {
            Sending::Idle => {}
            busy @ Sending::Busy { .. } => {
                *sending = busy;
                return Err(StreamError::trap("a write that check-write does not permit"));
            }
            Sending::Failed(error) => {
                *sending = Sending::Shut;
                return Err(error.into());
            }
            Sending::Shut => {
                *sending = Sending::Shut;
                return Err(StreamError::Closed);
            }
        }
        if let Err(error) = send_some(self.fd(), &mut bytes) {
            *sending = Sending::Shut;
            return Err(error.into());
        }
        if bytes.is_empty() {
            return Ok(());
        }
        match runtime::reactor() {
            Ok(handle) => {
                let task = handle.spawn(self.clone().send_rest(bytes)).abort_handle();
                *sending = Sending::Busy {
                    task,
                    then_shut: false,
                };
                Ok(())
            }
            Err(error) => {
                *sending = Sending::Shut;
                Err(error.into())
            }
        }
    }

    /// Sends what the system did not take at once.
    async fn send_rest(self: Arc<Self>, mut bytes: Bytes) {
        let mut result = Ok(());
        while result.is_ok() && !bytes.is_empty() {
            self.socket.writable().await;
            result = send_some(self.fd(), &mut bytes);
        }
        let mut sending = self.sending();
        let shut = matches!(*sending, Sending::Busy { then_shut: true, .. });
        *sending = match result {
            Err(error) if !shut => Sending::Failed(error),
            Ok(()) if !shut => Sending::Idle,
            // Nobody asks how it went any more.
            _ => {
                let _ = self.fd().shutdown(Direction::Send);
                Sending::Shut
            }
        };
        drop(sending);
        self.sent.notify_waiters();
    }

    /// How many bytes can be taken now. What was permitted before, and is not used yet, stays so.
    pub(super) fn check_send(&self, permitted: bool) -> StreamResult<usize> {
        let mut sending = self.sending();
        match &*sending {
            Sending::Idle if permitted || self.fd().is_writable() => Ok(WRITE_CHUNK),
            Sending::Idle => Ok(0),
            Sending::Busy { then_shut: false, .. } => Ok(0),
            Sending::Busy { .. } | Sending::Shut => Err(StreamError::Closed),
            Sending::Failed(_) => match std::mem::replace(&mut *sending, Sending::Shut) {
                Sending::Failed(error) => Err(error.into()),
                _ => Err(StreamError::Closed),
            },
        }
    }

    /// Waits until [`Connection::check_send`] permits something or fails.
    pub(super) async fn send_ready(&self) {
        loop {
            let mut sent = std::pin::pin!(self.sent.notified());
            // From here on nothing is missed.
            sent.as_mut().enable();
            let idle = match &*self.sending() {
                Sending::Busy { then_shut: false, .. } => None,
                Sending::Idle => Some(true),
                Sending::Busy { .. } | Sending::Failed(_) | Sending::Shut => Some(false),
            };
            match idle {
                None => sent.await,
                Some(true) => return self.socket.writable().await,
                Some(false) => return,
            }
        }
    }

    /// Waits until receiving has an answer.
    pub(super) async fn receive_ready(&self) {
        if !self.is_receive_shut() {
            self.socket.readable().await;
        }
    }

    /// Ends the sending direction because nobody can send any more. What was taken before has some time left.
    pub(super) fn abandon_send(self: &Arc<Self>) {
        let _ = self.shut_send();
        let Sending::Busy { task, .. } = &*self.sending() else {
            return;
        };
        let (task, connection) = (task.clone(), Arc::downgrade(self));
        match runtime::reactor() {
            Ok(handle) => drop(handle.spawn(async move {
                tokio::time::sleep(LINGER).await;
                task.abort();
                if let Some(connection) = connection.upgrade() {
                    let _ = connection.fd().shutdown(Direction::Send);
                }
            })),
            Err(_) => task.abort(),
        }
    }
}

/// Ends a direction. A connection that has ended by itself, which the guest can't know yet, is no error: C libraries
/// take `invalid-state` here for a mistake of their own and abort.
fn shut(fd: &Fd, direction: Direction) -> Result<(), SocketErrorCode> {
    match fd.shutdown(direction) {
        Err(e) if e.kind() != io::ErrorKind::NotConnected => Err(e.into()),
        _ => Ok(()),
    }
}

/// Sends until the system takes no more.
fn send_some(fd: &Fd, bytes: &mut Bytes) -> io::Result<()> {
    while !bytes.is_empty() {
        match fd.send(bytes) {
            Ok(n) => bytes.advance(n.min(bytes.len())),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
