//! What came and went on a connection, for whoever does not read it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::time::Instant;

use super::framing::{Framing, Refused};

/// What came and went on a connection.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<State>);

#[derive(Debug, Default)]
struct State {
    refused: OnceLock<Refused>,
    head: Mutex<Option<Instant>>,
    sent: Mutex<Option<Instant>>,
    http2: AtomicBool,
    streams: AtomicU64,
}

impl Seen {
    /// Why the rest of the connection was refused, if it was.
    pub fn refused(&self) -> Option<Refused> {
        self.0.refused.get().copied()
    }

    /// The rest of the connection is refused.
    pub fn refuse(&self, why: Refused) {
        let _ = self.0.refused.set(why);
    }

    /// Since when the head of a request is incomplete, if one is.
    pub fn head(&self) -> Option<Instant> {
        *self.0.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something of an answer was sent last.
    pub fn sent(&self) -> Option<Instant> {
        *self.0.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something of an answer is sent now.
    pub fn note_sent(&self) {
        *self.0.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether this is HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.0.http2.load(Ordering::Relaxed)
    }

    /// How many requests of HTTP/2 have begun, whatever became of them.
    pub fn streams(&self) -> u64 {
        self.0.streams.load(Ordering::Relaxed)
    }

    /// Takes down where the connection is now.
    pub fn note(&self, framing: &Framing) {
        let mut head = self.0.head.lock().unwrap_or_else(PoisonError::into_inner);
        // Another one in HTTP/2, if one has begun since.
        let is_new = framing.streams() != self.streams();
        if !framing.in_head() {
            *head = None;
        } else if head.is_none() || is_new {
            *head = Some(Instant::now());
        }
        if framing.is_http2() {
            self.0.http2.store(true, Ordering::Relaxed);
            self.0.streams.store(framing.streams(), Ordering::Relaxed);
        }
    }
}
