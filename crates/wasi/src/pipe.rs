//! Streams over memory, and streams that are nothing.

use crate::poll::Pollable;
use crate::stream::{InputStream, OutputStream, StreamError, StreamResult};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks without regard to a panic of another holder: the data is bytes, in order at every point.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An input stream that gives the bytes it was made of, then its end. Clones share the position.
#[derive(Clone, Debug)]
pub struct MemoryInputPipe {
    rest: Arc<Mutex<Bytes>>,
}

impl MemoryInputPipe {
    /// A stream of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> MemoryInputPipe {
        MemoryInputPipe {
            rest: Arc::new(Mutex::new(bytes.into())),
        }
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        lock(&self.rest).is_empty()
    }
}

#[async_trait]
impl Pollable for MemoryInputPipe {
    async fn ready(&mut self) {}
}

impl InputStream for MemoryInputPipe {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut rest = lock(&self.rest);
        if rest.is_empty() {
            return Err(StreamError::Closed);
        }
        let n = size.min(rest.len());
        Ok(rest.split_to(n))
    }
}

/// An output stream into memory, up to a capacity. Clones share the contents.
#[derive(Clone, Debug)]
pub struct MemoryOutputPipe {
    capacity: usize,
    buffer: Arc<Mutex<Vec<u8>>>,
}

impl MemoryOutputPipe {
    /// A stream that takes at most `capacity` bytes; then it is closed.
    pub fn new(capacity: usize) -> MemoryOutputPipe {
        MemoryOutputPipe {
            capacity,
            buffer: Arc::default(),
        }
    }

    /// A copy of what was written so far.
    pub fn contents(&self) -> Bytes {
        Bytes::copy_from_slice(&lock(&self.buffer))
    }
}

#[async_trait]
impl Pollable for MemoryOutputPipe {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for MemoryOutputPipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut buffer = lock(&self.buffer);
        if bytes.len() > self.capacity.saturating_sub(buffer.len()) {
            return Err(StreamError::trap("a write beyond the capacity of a memory pipe"));
        }
        buffer.extend_from_slice(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.capacity.saturating_sub(lock(&self.buffer).len()) {
            0 => Err(StreamError::Closed),
            room => Ok(room),
        }
    }

    async fn blocking_flush(&mut self) -> StreamResult<()> {
        // A full pipe has lost nothing.
        Ok(())
    }
}

/// An input stream that is at its end from the start.
#[derive(Copy, Clone, Debug, Default)]
pub struct ClosedInputStream;

#[async_trait]
impl Pollable for ClosedInputStream {
    async fn ready(&mut self) {}
}

impl InputStream for ClosedInputStream {
    fn read(&mut self, _size: usize) -> StreamResult<Bytes> {
        Err(StreamError::Closed)
    }
}

/// An output stream that nobody takes bytes from.
#[derive(Copy, Clone, Debug, Default)]
pub struct ClosedOutputStream;

#[async_trait]
impl Pollable for ClosedOutputStream {
    async fn ready(&mut self) {}
}

impl OutputStream for ClosedOutputStream {
    fn write(&mut self, _bytes: Bytes) -> StreamResult<()> {
        Err(StreamError::Closed)
    }
    fn flush(&mut self) -> StreamResult<()> {
        Err(StreamError::Closed)
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Err(StreamError::Closed)
    }
}

/// An output stream that forgets what is written.
#[derive(Copy, Clone, Debug, Default)]
pub struct SinkOutputStream;

#[async_trait]
impl Pollable for SinkOutputStream {
    async fn ready(&mut self) {}
}

impl OutputStream for SinkOutputStream {
    fn write(&mut self, _bytes: Bytes) -> StreamResult<()> {
        Ok(())
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::now;

    #[test]
    fn input_gives_its_bytes_in_pieces_then_closes() {
        let mut pipe = MemoryInputPipe::new("hello");
        let mut other = pipe.clone();
        assert_eq!(pipe.read(2).unwrap(), "he");
        assert_eq!(pipe.read(0).unwrap(), "");
        assert_eq!(other.skip(1).unwrap(), 1);
        assert_eq!(now(pipe.blocking_read(100)).unwrap(), "lo");
        assert!(pipe.is_empty());
        assert!(matches!(pipe.read(1), Err(StreamError::Closed)));
        assert!(matches!(now(other.blocking_skip(1)), Err(StreamError::Closed)));
    }

    #[test]
    fn output_is_closed_when_full() {
        let mut pipe = MemoryOutputPipe::new(4);
        assert_eq!(pipe.check_write().unwrap(), 4);
        pipe.write(Bytes::from_static(b"abc")).unwrap();
        assert_eq!(now(pipe.write_ready()).unwrap(), 1);
        assert!(matches!(
            pipe.write(Bytes::from_static(b"de")),
            Err(StreamError::Trap(_))
        ));
        now(pipe.blocking_write_and_flush(Bytes::from_static(b"d"))).unwrap();
        assert!(matches!(pipe.check_write(), Err(StreamError::Closed)));
        assert!(matches!(
            now(pipe.blocking_write_and_flush(Bytes::from_static(b"e"))),
            Err(StreamError::Closed)
        ));
        assert_eq!(pipe.contents(), "abcd");
    }

    #[test]
    fn closed_and_sink() {
        assert!(matches!(ClosedInputStream.read(1), Err(StreamError::Closed)));
        assert!(matches!(
            ClosedOutputStream.check_write(),
            Err(StreamError::Closed)
        ));
        assert!(ClosedOutputStream.write(Bytes::new()).is_err());
        now(SinkOutputStream.blocking_write_zeroes_and_flush(5 << 20)).unwrap();
    }
}
