//! A connection from which only requests come whose ends are beyond doubt.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::framing::{Framing, Refused};

/// What is read in the place of what is refused: an error for the HTTP library, wherever it comes. In a head it answers with 400,
/// and in any case it ends the connection.
const POISON: &[u8] = b"\0\n\0\r\n\r\n";

/// Why the rest of a connection was refused, if it was.
#[derive(Clone, Debug, Default)]
pub struct Verdict(Arc<OnceLock<Refused>>);

impl Verdict {
    /// The reason.
    pub fn get(&self) -> Option<Refused> {
        self.0.get().copied()
    }
}

/// Ends the connection for its reader at the first byte that [`Framing`] refuses.
pub struct CheckedIo<S> {
    stream: S,
    framing: Framing,
    verdict: Verdict,
    /// What is left of the poison, after which there is nothing more to read.
    poison: &'static [u8],
}

impl<S> CheckedIo<S> {
    pub fn new(stream: S) -> CheckedIo<S> {
        CheckedIo {
            stream,
            framing: Framing::new(),
            verdict: Verdict::default(),
            poison: POISON,
        }
    }

    /// Tells later what became of the connection.
    pub fn verdict(&self) -> Verdict {
        self.verdict.clone()
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
        if this.verdict.get().is_none() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
            let new = buffer.filled().get(before..).unwrap_or_default();
            let Err((good, why)) = this.framing.follow(new) else {
                return Poll::Ready(Ok(()));
            };
            buffer.set_filled(before + good);
            let _ = this.verdict.0.set(why);
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
        let verdict = io.verdict();
        let mut read = Vec::new();
        let mut piece = [0; 5];
        loop {
            match io.read(&mut piece).await.unwrap() {
                0 => break,
                n => read.extend_from_slice(&piece[..n]),
            }
        }
        assert_eq!(read, [format!("{head}\r").as_bytes(), POISON].concat());
        assert_eq!(verdict.get(), Some(Refused::LengthAndChunks));
    }
}
