//! Standard input, output and error.

use crate::pipe::{
    ClosedInputStream, ClosedOutputStream, MemoryInputPipe, MemoryOutputPipe, SinkOutputStream,
};
use crate::poll::Pollable;
use crate::reader::BackgroundReader;
use crate::stream::{InputStream, OutputStream, StreamResult};
use async_trait::async_trait;
use bytes::Bytes;
use std::io::{self, Write};
use std::sync::OnceLock;

/// Whether a standard stream is a terminal.
pub trait IsTerminal {
    /// `true` lets the guest know that it talks with a person.
    fn is_terminal(&self) -> bool;
}

/// What a guest's standard input can be connected with.
pub trait StdinStream: IsTerminal + Send {
    /// A stream for the guest. Each call of `get-stdin` asks for one; they share the position.
    fn p2_stream(&self) -> Box<dyn InputStream>;
}

/// What a guest's standard output or error can be connected with.
pub trait StdoutStream: IsTerminal + Send {
    /// A stream for the guest. Each call of `get-stdout` asks for one.
    fn p2_stream(&self) -> Box<dyn OutputStream>;
}

/// A stream type that can be handed out again and again by cloning it.
macro_rules! cloned {
    ($trait:ident, $stream:ident: $($ty:ty),+) => {$(
        impl IsTerminal for $ty {
            fn is_terminal(&self) -> bool {
                false
            }
        }
        impl $trait for $ty {
            fn p2_stream(&self) -> Box<dyn $stream> {
                Box::new(self.clone())
            }
        }
    )+};
}
cloned!(StdinStream, InputStream: MemoryInputPipe, ClosedInputStream, BackgroundReader);
cloned!(StdoutStream, OutputStream: MemoryOutputPipe, ClosedOutputStream, SinkOutputStream);

/// The standard input of this process.
///
/// It is read by a thread of its own, started when a guest first reads, because a wait for it can't be combined with
/// other waits or be given up otherwise. The thread reads only when a guest asks; what it has read and no guest took
/// is there for the next guest.
#[derive(Copy, Clone, Debug, Default)]
pub struct Stdin;

impl IsTerminal for Stdin {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdin())
    }
}

impl StdinStream for Stdin {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        static READER: OnceLock<BackgroundReader> = OnceLock::new();
        Box::new(
            READER
                .get_or_init(|| BackgroundReader::new("wharf-stdin", io::stdin()))
                .clone(),
        )
    }
}

/// The standard output of this process.
#[derive(Copy, Clone, Debug, Default)]
pub struct Stdout;

impl IsTerminal for Stdout {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdout())
    }
}

impl StdoutStream for Stdout {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Direct(|bytes: &[u8]| {
            let mut out = io::stdout().lock();
            // What the host itself printed comes first; the line buffer is bypassed so that a write of the guest is
            // one system call.
            out.flush()?;
            write_through(&mut out, bytes)
        }))
    }
}

/// The standard error of this process.
#[derive(Copy, Clone, Debug, Default)]
pub struct Stderr;

impl IsTerminal for Stderr {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stderr())
    }
}

impl StdoutStream for Stderr {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Direct(|bytes: &[u8]| io::stderr().lock().write_all(bytes)))
    }
}

#[cfg(unix)]
fn write_through(out: &mut io::StdoutLock<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&*out, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                // Someone made the descriptor non-blocking: wait as a blocking one would have.
                let mut fds = [rustix::event::PollFd::new(&*out, rustix::event::PollFlags::OUT)];
                rustix::event::poll(&mut fds, None)?;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn write_through(out: &mut io::StdoutLock<'_>, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}

/// An output stream that writes at once, on the calling thread.
struct Direct<F>(F);

#[async_trait]
impl<F: Send + 'static> Pollable for Direct<F> {
    async fn ready(&mut self) {}
}

impl<F: FnMut(&[u8]) -> io::Result<()> + Send + 'static> OutputStream for Direct<F> {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Ok((self.0)(&bytes)?)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 20)
    }
}

/// Standard output or error into any writer: a file, a buffer with a lock, a channel.
///
/// Each write of the guest is passed on at once, on the calling thread.
pub struct WriterStream<W>(std::sync::Arc<std::sync::Mutex<W>>);

impl<W: Write + Send + 'static> WriterStream<W> {
    /// Writes to `writer`.
    pub fn new(writer: W) -> WriterStream<W> {
        WriterStream(std::sync::Arc::new(std::sync::Mutex::new(writer)))
    }
}

impl<W> IsTerminal for WriterStream<W> {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl<W: Write + Send + 'static> StdoutStream for WriterStream<W> {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        let writer = self.0.clone();
        Box::new(Direct(move |bytes: &[u8]| {
            let mut writer = writer
                .lock()
                .map_err(|_| io::Error::other("the writer panicked"))?;
            writer.write_all(bytes)?;
            writer.flush()
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::StreamError;
    use crate::test_util::now;

    #[test]
    fn a_writer_gets_the_bytes_and_its_errors_come_back() {
        struct Limited(Vec<u8>);
        impl Write for Limited {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                if self.0.len() + buf.len() > 5 {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.0.extend_from_slice(buf);
                Ok(buf.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let out = WriterStream::new(Limited(Vec::new()));
        now(out
            .p2_stream()
            .blocking_write_and_flush(Bytes::from_static(b"abc")))
        .unwrap();
        let failed = out.p2_stream().write(Bytes::from_static(b"def"));
        assert!(matches!(failed, Err(StreamError::LastOperationFailed(_))));
        assert_eq!(out.0.lock().unwrap().0, b"abc");
    }

    #[test]
    fn streams_of_one_pipe_share_it() {
        let stdin = MemoryInputPipe::new("ab");
        let (mut a, mut b) = (stdin.p2_stream(), stdin.p2_stream());
        assert_eq!(a.read(1).unwrap(), "a");
        assert_eq!(b.read(1).unwrap(), "b");
        assert!(!IsTerminal::is_terminal(&stdin));
    }
}
