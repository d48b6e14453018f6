//! Waiting for sockets where there are none yet.

use super::os::Fd;
use std::io;

/// A socket that can be waited for, of which there are none.
#[derive(Debug)]
pub(crate) struct Watched(Fd);

impl Watched {
    pub(crate) fn new(fd: Fd) -> io::Result<Watched> {
        Ok(Watched(fd))
    }

    pub(crate) fn fd(&self) -> &Fd {
        &self.0
    }

    pub(crate) async fn readable(&self) {}

    pub(crate) async fn writable(&self) {}
}
