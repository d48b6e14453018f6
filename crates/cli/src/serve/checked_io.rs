//! A connection from which only requests come whose ends are beyond doubt.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::framing::{Framing, Refused};

/// What is read in the place of what is refused: an error for the HTTP library, wherever it comes. In a head it answers with 400,
/// and in any case it ends the connection.
const POISON: &[u8] = b"\0\n\0\r\n\r\n";

/// What came on a connection, for whoever does not read it.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<State>);

#[derive(Debug, Default)]
struct State {
    refused: OnceLock<Refused>,
    head: Mutex<Option<Instant>>,
    http2: AtomicBool,
    streams: AtomicU64,
}

impl Seen {
    /// Why the rest of the connection was refused, if it was.
    pub fn refused(&self) -> Option<Refused> {
        self.0.refused.get().copied()
    }

    /// Since when the head of a request is incomplete, if one is.
    pub fn head(&self) -> Option<Instant> {
        *self.0.head.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn note(&self, framing: &Framing, was_in_head: bool) {
        if framing.in_head() != was_in_head {
            let since = framing.in_head().then(Instant::now);
            *self.0.head.lock().unwrap_or_else(PoisonError::into_inner) = since;
        }
        if framing.is_http2() {
            self.0.http2.store(true, Ordering::Relaxed);
            self.0.streams.store(framing.streams(), Ordering::Relaxed);
        }
    }
}

/// Ends the connection for its reader at the first byte that [`Framing`] refuses.
pub struct CheckedIo<S> {
    stream: S,
    framing: Framing,
    seen: Seen,
    /// What is left of the poison, after which there is nothing more to read.
    poison: &'static [u8],
}

impl<S> CheckedIo<S> {
    pub fn new(stream: S) -> CheckedIo<S> {
        CheckedIo {
            stream,
            framing: Framing::new(),
            seen: Seen::default(),
            poison: POISON,
        }
    }

    /// Tells at any time what came.
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    fn read_poison(&mut self, buffer: &mut ReadBuf<'_>) {
        let (now, later) = self.poison.split_at(buffer.remaining().min(self.poison.len()));
        buffer.put_slice(now);
        self.poison = later;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.seen.refused().is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
            let new = buffer.filled().get(before..).unwrap_or_default();
            let was_in_head = this.framing.in_head();
            let followed = this.framing.follow(new);
            this.seen.note(&this.framing, was_in_head);
            let Err((good, why)) = followed else {
                return Poll::Ready(Ok(()));
            };
            buffer.set_filled(before + good);
            let _ = this.seen.0.refused.set(why);
        }
        this.read_poison(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_is_refused_is_not_read() {
        let head = "POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked";
        let bytes = format!("{head}\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
        let mut io = CheckedIo::new(bytes.as_bytes());
        let seen = io.seen();
        let mut read = Vec::new();
        let mut piece = [0; 5];
        loop {
            match io.read(&mut piece).await.unwrap() {
                0 => break,
                n => read.extend_from_slice(&piece[..n]),
            }
        }
        assert_eq!(read, [format!("{head}\r").as_bytes(), POISON].concat());
        assert_eq!(seen.refused(), Some(Refused::LengthAndChunks));
    }
}
