//! Sockets that can be waited for.

use super::os::Fd;
use crate::runtime;
use std::io;
use std::time::Duration;
use tokio::io::Interest;

/// How long to wait before asking again, where the reactor can't tell.
const PAUSE: Duration = Duration::from_millis(1);

/// A socket that the reactor of this crate's runtime watches.
///
/// The reactor only says when to look: whether a socket is ready is asked of the system each time, so that nothing
/// depends on how the calls in between went.
#[derive(Debug)]
pub(crate) struct Watched {
    fd: Fd,
}

impl Watched {
    /// Watches a socket that is connected, connecting, listening or bound to datagrams. Others are always "closed" in
    /// the eyes of the system, and would stay so.
    ///
    /// # Errors
    /// When there is no runtime, or the system has no room for one more.
    pub(crate) fn new(fd: Fd) -> io::Result<Watched> {
        Ok(Watched {
            fd: fd.watch(&runtime::reactor()?)?,
        })
    }

    pub(crate) fn fd(&self) -> &Fd {
        &self.fd
    }

    /// Waits until receiving or accepting has an answer.
    pub(crate) async fn readable(&self) {
        self.wait(Interest::READABLE, Fd::is_readable).await;
    }

    /// Waits until sending or connecting has an answer.
    pub(crate) async fn writable(&self) {
        self.wait(Interest::WRITABLE, Fd::is_writable).await;
    }

    async fn wait(&self, interest: Interest, is_ready: fn(&Fd) -> bool) {
        while !is_ready(&self.fd) {
            // Without a reactor nobody will tell: the next call has to.
            let Some(watched) = self.fd.watched() else { return };
            let Ok(told) = watched.ready(interest).await else {
                return;
            };
            // If it is not so after all, the reactor has to tell again.
            let looked = watched.try_io(interest, || match is_ready(&self.fd) {
                true => Ok(()),
                false => Err(io::ErrorKind::WouldBlock.into()),
            });
            if looked.is_ok() {
                return;
            }
            // An error that was reported to a datagram socket looks like its end, for good.
            if told.is_read_closed() || told.is_write_closed() {
                runtime::sleep(PAUSE).await;
            }
        }
    }
}
