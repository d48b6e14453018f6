//! The traits behind the `input-stream` and `output-stream` resources.

use crate::Error;
use crate::poll::Pollable;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::io;

/// Why a stream operation did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The stream is at its end; nothing more can be done with it.
    Closed,
    /// An operation failed. The guest gets the error as an `error` resource.
    LastOperationFailed(Error),
    /// The guest broke a rule of the interface: its call traps.
    Trap(Error),
}

/// Result of a stream operation.
pub type StreamResult<T> = Result<T, StreamError>;

impl StreamError {
    /// A trap with this message.
    pub fn trap(message: &str) -> StreamError {
        StreamError::Trap(Error::msg(message))
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StreamError::Closed => f.write_str("the stream is closed"),
            StreamError::LastOperationFailed(e) => write!(f, "the last operation on the stream failed: {e}"),
            StreamError::Trap(e) => write!(f, "{e}"),
        }
    }
}

impl std::error::Error for StreamError {}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> StreamError {
        StreamError::LastOperationFailed(Error::host(error))
    }
}

/// The most bytes that one call of `read`, `skip` or `splice` moves, whatever the guest asks for. Streams may return
/// less anyway; this bounds host memory.
pub(crate) const MAX_CHUNK: usize = 1 << 20;

/// How much the blocking forms of `write` take at once (documented in the WIT of `wasi:io/streams`).
pub(crate) const MAX_BLOCKING_WRITE: usize = 4096;

/// Zeros that `write-zeroes` is cut from.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// The host side of an `input-stream`.
///
/// [`Pollable::ready`] completes when a read would give bytes, an error or the end of the stream.
#[async_trait]
pub trait InputStream: Pollable {
    /// Reads at most `size` bytes without waiting. No bytes means that none are there yet.
    ///
    /// # Errors
    /// [`StreamError::Closed`] at the end of the stream.
    fn read(&mut self, size: usize) -> StreamResult<Bytes>;

    /// [`InputStream::read`], but waits for at least one byte, an error or the end.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return self.read(size);
        }
        loop {
            let bytes = self.read(size)?;
            if !bytes.is_empty() {
                return Ok(bytes);
            }
            self.ready().await;
        }
    }

    /// Drops at most `count` bytes without waiting and says how many it were.
    ///
    /// # Errors
    /// As [`InputStream::read`].
    fn skip(&mut self, count: usize) -> StreamResult<usize> {
        Ok(self.read(count)?.len())
    }

    /// [`InputStream::skip`], but waits for at least one byte, an error or the end.
    async fn blocking_skip(&mut self, count: usize) -> StreamResult<usize> {
        Ok(self.blocking_read(count).await?.len())
    }
}

/// The host side of an `output-stream`.
///
/// [`Pollable::ready`] completes when [`OutputStream::check_write`] would give a permit above zero or an error.
#[async_trait]
pub trait OutputStream: Pollable {
    /// Takes bytes, at most as many as the last [`OutputStream::check_write`] permitted, without waiting.
    ///
    /// # Errors
    /// [`StreamError::Closed`] when nobody takes the bytes any more, [`StreamError::LastOperationFailed`] when an
    /// earlier write failed or this one does, [`StreamError::Trap`] when there are more bytes than permitted.
    fn write(&mut self, bytes: Bytes) -> StreamResult<()>;

    /// Asks for what was written to be brought to where others see it. Until that is done
    /// [`OutputStream::check_write`] permits nothing.
    ///
    /// # Errors
    /// As [`OutputStream::write`].
    fn flush(&mut self) -> StreamResult<()>;

    /// How many bytes can be written now; zero while the stream is busy.
    ///
    /// # Errors
    /// As [`OutputStream::write`].
    fn check_write(&mut self) -> StreamResult<usize>;

    /// Waits until something can be written, and says how much.
    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.ready().await;
        self.check_write()
    }

    /// Writes all of `bytes`, waiting as often as necessary, and waits until they are flushed.
    async fn blocking_write_and_flush(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let permit = wait_for_permit(self).await?;
            let chunk = bytes.split_to(permit.min(bytes.len()));
            self.write(chunk)?;
        }
        self.blocking_flush().await
    }

    /// Flushes and waits until that is done.
    async fn blocking_flush(&mut self) -> StreamResult<()> {
        self.flush()?;
        wait_for_permit(self).await.map(drop)
    }

    /// Writes `count` zero bytes, at most as many as the last [`OutputStream::check_write`] permitted.
    ///
    /// # Errors
    /// As [`OutputStream::write`].
    fn write_zeroes(&mut self, mut count: usize) -> StreamResult<()> {
        while count > 0 {
            let n = count.min(ZEROS.len());
            self.write(Bytes::from_static(&ZEROS).slice(..n))?;
            count -= n;
        }
        Ok(())
    }

    /// Writes `count` zero bytes, waiting as often as necessary, and waits until they are flushed.
    async fn blocking_write_zeroes_and_flush(&mut self, mut count: usize) -> StreamResult<()> {
        while count > 0 {
            let n = wait_for_permit(self).await?.min(count);
            self.write_zeroes(n)?;
            count -= n;
        }
        self.blocking_flush().await
    }
}

/// Waits for a permit above zero.
async fn wait_for_permit<S: OutputStream + ?Sized>(stream: &mut S) -> StreamResult<usize> {
    loop {
        match stream.check_write()? {
            0 => stream.ready().await,
            permit => return Ok(permit),
        }
    }
}

#[async_trait]
impl Pollable for Box<dyn InputStream> {
    async fn ready(&mut self) {
        (**self).ready().await;
    }
}

#[async_trait]
impl Pollable for Box<dyn OutputStream> {
    async fn ready(&mut self) {
        (**self).ready().await;
    }
}

/// The resource type of an `input-stream`.
pub type DynInputStream = Box<dyn InputStream>;

/// The resource type of an `output-stream`.
pub type DynOutputStream = Box<dyn OutputStream>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::MemoryOutputPipe;
    use crate::test_util::now;

    /// Takes three bytes at a time and wants to be waited for in between.
    #[derive(Default)]
    struct Slow {
        taken: Vec<u8>,
        busy: bool,
        waits: usize,
    }

    #[async_trait]
    impl Pollable for Slow {
        async fn ready(&mut self) {
            self.waits += 1;
            self.busy = false;
        }
    }

    impl OutputStream for Slow {
        fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
            if bytes.len() > 3 || self.busy {
                return Err(StreamError::trap("more than permitted"));
            }
            self.busy = true;
            self.taken.extend_from_slice(&bytes);
            Ok(())
        }
        fn flush(&mut self) -> StreamResult<()> {
            self.busy = true;
            Ok(())
        }
        fn check_write(&mut self) -> StreamResult<usize> {
            Ok(if self.busy { 0 } else { 3 })
        }
    }

    #[test]
    fn blocking_write_respects_back_pressure() {
        let mut slow = Slow::default();
        now(slow.blocking_write_and_flush(Bytes::from_static(b"12345678"))).unwrap();
        assert_eq!(slow.taken, b"12345678");
        assert_eq!(slow.waits, 3);
        now(slow.blocking_write_zeroes_and_flush(4)).unwrap();
        assert_eq!(slow.taken, b"12345678\0\0\0\0");
    }

    #[test]
    fn zeroes_longer_than_the_block_they_are_cut_from() {
        let mut out = MemoryOutputPipe::new(1 << 20);
        out.write_zeroes(ZEROS.len() * 2 + 5).unwrap();
        let all = out.contents();
        assert_eq!(all.len(), ZEROS.len() * 2 + 5);
        assert!(all.iter().all(|b| *b == 0));
    }
}
