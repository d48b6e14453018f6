//! An input stream over a blocking reader, by means of a thread.

use crate::poll::Pollable;
use crate::stream::{InputStream, StreamError, StreamResult};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How much the thread reads at once.
const CHUNK: usize = 64 << 10;

/// Reads a blocking [`Read`] on a thread of its own. Clones share the position.
///
/// The thread starts at the first read, and reads only when a guest wants bytes and none are buffered.
#[derive(Clone)]
pub struct BackgroundReader {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    wanted: Condvar,
    thread_name: &'static str,
}

enum Source {
    /// Not started.
    Idle(Box<dyn Read + Send>),
    /// A thread reads it.
    Running,
    /// At its end, or failed for good.
    Ended,
}

struct State {
    source: Source,
    /// Someone wants bytes; the thread waits for this.
    want: bool,
    buffer: Bytes,
    /// An error that no guest has seen.
    error: Option<io::Error>,
    /// Those who wait for the thread, by number.
    waiting: HashMap<u64, Waker>,
    next_number: u64,
}

/// Someone who waits for the thread, until dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    number: Option<u64>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.shared.lock().waiting.remove(&number);
        }
    }
}

impl fmt::Debug for BackgroundReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundReader")
            .field("thread_name", &self.shared.thread_name)
            .finish_non_exhaustive()
    }
}

impl BackgroundReader {
    /// A stream of what `source` gives; `thread_name` is the name of the thread that reads it.
    pub fn new(thread_name: &'static str, source: impl Read + Send + 'static) -> BackgroundReader {
        let state = State {
            source: Source::Idle(Box::new(source)),
            want: false,
            buffer: Bytes::new(),
            error: None,
            waiting: HashMap::new(),
            next_number: 0,
        };
        BackgroundReader {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                wanted: Condvar::new(),
                thread_name,
            }),
        }
    }

    /// Lets the thread read the next bytes, starting it if necessary.
    fn request(&self, state: &mut State) {
        state.want = true;
        match std::mem::replace(&mut state.source, Source::Running) {
            Source::Idle(reader) => {
                let shared = self.shared.clone();
                let spawned = std::thread::Builder::new()
                    .name(self.shared.thread_name.to_owned())
                    .spawn(move || shared.run(reader));
                if let Err(e) = spawned {
                    state.source = Source::Ended;
                    state.error = Some(e);
                }
            }
            Source::Running => self.shared.wanted.notify_one(),
            Source::Ended => state.source = Source::Ended,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn run(&self, mut reader: Box<dyn Read + Send>) {
        let mut chunk = vec![0; CHUNK];
        loop {
            let mut state = self.lock();
            while !state.want {
                state = self.wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            let result = loop {
                match reader.read(&mut chunk) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            let mut state = self.lock();
            state.want = false;
            match result {
                Ok(n) if n > 0 => state.buffer = Bytes::copy_from_slice(chunk.get(..n).unwrap_or_default()),
                Ok(_) => state.source = Source::Ended,
                Err(e) => {
                    state.source = Source::Ended;
                    state.error = Some(e);
                }
            }
            let waiting = std::mem::take(&mut state.waiting);
            let ended = matches!(state.source, Source::Ended);
            drop(state);
            waiting.into_values().for_each(Waker::wake);
            if ended {
                return;
            }
        }
    }
}

impl State {
    /// Whether a read has something to say.
    fn is_ready(&self) -> bool {
        !self.buffer.is_empty() || self.error.is_some() || matches!(self.source, Source::Ended)
    }
}

#[async_trait]
impl Pollable for BackgroundReader {
    async fn ready(&mut self) {
        let mut waiting = Waiting {
            shared: &self.shared,
            number: None,
        };
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let mut state = self.shared.lock();
            if !state.is_ready() {
                self.request(&mut state);
            }
            if state.is_ready() {
                return Poll::Ready(());
            }
            let number = *waiting.number.get_or_insert_with(|| {
                state.next_number += 1;
                state.next_number
            });
            state.waiting.insert(number, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl InputStream for BackgroundReader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut state = self.shared.lock();
        if !state.buffer.is_empty() {
            let n = size.min(state.buffer.len());
            return Ok(state.buffer.split_to(n));
        }
        if let Some(error) = state.error.take() {
            return Err(StreamError::from(error));
        }
        if matches!(state.source, Source::Ended) {
            return Err(StreamError::Closed);
        }
        if size > 0 {
            self.request(&mut state);
        }
        Ok(Bytes::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::block_on;
    use std::sync::mpsc;

    /// Reads what is sent over a channel; errors too.
    struct Channel(mpsc::Receiver<io::Result<Vec<u8>>>);

    impl Read for Channel {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Ok(message) = self.0.recv() else { return Ok(0) };
            let bytes = message?;
            buf[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    #[test]
    fn bytes_come_in_order_and_end() {
        let (send, receive) = mpsc::channel();
        let mut stream = BackgroundReader::new("test", Channel(receive));
        let mut other = stream.clone();
        assert!(stream.read(10).unwrap().is_empty());
        send.send(Ok(b"hello".to_vec())).unwrap();
        assert_eq!(block_on(stream.blocking_read(2)).unwrap(), "he");
        assert_eq!(other.read(1).unwrap(), "l");
        assert_eq!(block_on(other.blocking_skip(10)).unwrap(), 2);
        send.send(Err(io::ErrorKind::Interrupted.into())).unwrap();
        send.send(Ok(b"x".to_vec())).unwrap();
        block_on(stream.ready());
        assert_eq!(stream.read(1).unwrap(), "x");
        drop(send);
        assert!(matches!(
            block_on(stream.blocking_read(1)),
            Err(StreamError::Closed)
        ));
        block_on(other.ready());
        assert!(matches!(other.read(1), Err(StreamError::Closed)));
    }

    #[test]
    fn an_error_is_seen_once() {
        let (send, receive) = mpsc::channel();
        let mut stream = BackgroundReader::new("test", Channel(receive));
        send.send(Err(io::ErrorKind::ConnectionReset.into())).unwrap();
        assert!(matches!(
            block_on(stream.blocking_read(1)),
            Err(StreamError::LastOperationFailed(_))
        ));
        assert!(matches!(stream.read(1), Err(StreamError::Closed)));
    }

    #[test]
    fn who_gives_up_waiting_is_forgotten() {
        let (send, receive) = mpsc::channel();
        let mut stream = BackgroundReader::new("test", Channel(receive));
        for _ in 0..100 {
            let mut ready = stream.ready();
            let mut cx = Context::from_waker(Waker::noop());
            assert!(ready.as_mut().poll(&mut cx).is_pending());
            assert!(ready.as_mut().poll(&mut cx).is_pending());
        }
        assert!(stream.shared.lock().waiting.is_empty());
        drop(send);
        block_on(stream.ready());
    }

    #[test]
    fn nothing_is_read_before_it_is_wanted() {
        struct Never;
        impl Read for Never {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("read without need")
            }
        }
        let mut stream = BackgroundReader::new("test", Never);
        assert!(stream.read(0).unwrap().is_empty());
        assert!(matches!(stream.shared.lock().source, Source::Idle(_)));
    }
}
