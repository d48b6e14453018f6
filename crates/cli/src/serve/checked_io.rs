//! A connection from which only requests come whose ends are beyond doubt.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::framing::Framing;
use super::seen::Seen;

/// What is read in the place of what is refused: an error for the HTTP library, wherever it comes. In a head it answers with 400,
/// and in any case it ends the connection.
const POISON: &[u8] = b"\0\n\0\r\n\r\n";

/// Ends the connection for its reader at the first byte that [`Framing`] refuses.
pub struct CheckedIo<S> {
    stream: S,
    framing: Framing,
    /// What is sent, in HTTP/2.
    sent: Frames,
    seen: Seen,
    /// What is left of the poison, after which there is nothing more to read.
    poison: &'static [u8],
}

impl<S> CheckedIo<S> {
    pub fn new(stream: S) -> CheckedIo<S> {
        CheckedIo {
            stream,
            framing: Framing::new(),
            sent: Frames::default(),
            seen: Seen::default(),
            poison: POISON,
        }
    }

    /// Tells at any time what came and went.
    pub fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// Some of these bytes have been written. Whether something of an answer was among them: much of HTTP/2 is about the connection itself.
    fn wrote<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>, mut written: usize) {
        if !self.framing.is_http2() {
            return self.seen.note_sent();
        }
        let before = self.sent.data;
        for part in parts {
            let part = part.get(..written).unwrap_or(part);
            self.sent.follow(part);
            written -= part.len();
        }
        if self.sent.data != before {
            self.seen.note_sent();
        }
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
            let followed = this.framing.follow(new);
            this.seen.note(&this.framing);
            let Err((good, why)) = followed else {
                return Poll::Ready(Ok(()));
            };
            buffer.set_filled(before + good);
            this.seen.refuse(why);
        }
        this.read_poison(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedIo<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        self.wrote([bytes].into_iter(), written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, parts))?;
        self.wrote(parts.iter().map(|part| &**part), written);
        Poll::Ready(Ok(written))
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
    use crate::serve::framing::Refused;
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
