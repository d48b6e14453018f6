//! A UDP socket that is bound, and what it received.

use super::address::IpFamily;
use super::error::SocketErrorCode;
use super::grants::Senders;
use super::watch::Watched;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// A datagram, and where it came from.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) data: Vec<u8>,
    pub(crate) from: SocketAddr,
}

/// A bound socket, shared with its streams.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) socket: Watched,
    pub(crate) family: IpFamily,
    /// Whose datagrams are taken, where not everybody's are.
    pub(crate) senders: Option<Senders>,
    /// Counts the pairs of streams; only the latest works.
    pub(super) generation: AtomicU64,
    /// What was found while someone waited. It is here so that there is one for the socket, not one for each stream.
    pub(super) found: Mutex<Option<Result<Received>>>,
}

impl Bound {
    pub(super) fn found(&self) -> MutexGuard<'_, Option<Result<Received>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Relaxed) == generation
    }
}
