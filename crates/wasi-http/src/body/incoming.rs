//! Bodies that arrive: a stream of bytes, then trailers.

use super::HyperIncomingBody;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::budget::Charge;
use crate::error::internal;
use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Sleep;
use wharf::Error;
use wharf_wasi::{InputStream, Pollable, StreamError, StreamResult, async_trait};

/// Frames that one poll takes at most; a peer can send any number of empty ones.
const FRAMES_PER_POLL: usize = 64;

/// What came behind the bytes: trailers or nothing, or why the body broke off.
pub(crate) type End = Result<Option<HeaderMap>, ErrorCode>;

/// A body that arrives. Clones are the same body.
#[derive(Clone)]
pub(crate) struct IncomingBody(Arc<Mutex<State>>);

struct State {
    /// Until it is at its end.
    body: Option<HyperIncomingBody>,
    buffer: Bytes,
    end: Option<End>,
    /// The stream has told how the body broke off.
    told: bool,
    /// How long a pause may be.
    between_bytes: Option<Duration>,
    /// Runs during a pause that someone waits in.
    timer: Option<Pin<Box<Sleep>>>,
    _charge: Option<Arc<Charge>>,
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncomingBody").finish_non_exhaustive()
    }
}

impl IncomingBody {
    /// A body in which pauses of `between_bytes` are errors.
    pub(crate) fn new(
        body: HyperIncomingBody,
        between_bytes: Option<Duration>,
        charge: Option<Arc<Charge>>,
    ) -> IncomingBody {
        IncomingBody(Arc::new(Mutex::new(State {
            body: Some(body),
            buffer: Bytes::new(),
            end: None,
            told: false,
            between_bytes,
            timer: None,
            _charge: charge,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of its bytes.
    pub(crate) fn stream(&self) -> Box<dyn InputStream> {
        Box::new(Stream(self.clone()))
    }

    /// Waits for the end; bytes that nobody read are thrown away.
    pub(crate) async fn ended(&self) {
        std::future::poll_fn(|cx| self.poll_end(cx)).await;
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<End> {
        let _ = self.poll_end(&mut Context::from_waker(Waker::noop()));
        self.lock().end.clone()
    }

    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        for _ in 0..FRAMES_PER_POLL {
            if state.poll_data(cx).is_pending() {
                return Poll::Pending;
            }
            if state.end.is_some() {
                return Poll::Ready(());
            }
            state.buffer.clear();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl State {
    /// Ready when there are bytes, or the end is reached.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..FRAMES_PER_POLL {
            if !self.buffer.is_empty() || self.end.is_some() {
                return Poll::Ready(());
            }
            let Some(body) = &mut self.body else {
                self.finish(Ok(None));
                continue;
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.timer = None;
                    match frame.into_data() {
                        Ok(data) => self.buffer = data,
                        Err(frame) => self.finish(Ok(frame.into_trailers().ok())),
                    }
                }
                Poll::Ready(Some(Err(code))) => self.finish(Err(code)),
                Poll::Ready(None) => self.finish(Ok(None)),
                Poll::Pending => match self.poll_timer(cx) {
                    Poll::Ready(code) => self.finish(Err(code)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when the pause has been too long.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<ErrorCode> {
        let Some(limit) = self.between_bytes else {
            return Poll::Pending;
        };
        let runtime = match wharf_wasi::runtime::reactor() {
            Ok(runtime) => runtime,
            Err(e) => return Poll::Ready(internal(e)),
        };
        let _entered = runtime.enter();
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(cx).map(|()| ErrorCode::ConnectionReadTimeout)
    }

    fn finish(&mut self, end: End) {
        self.end = Some(end);
        self.body = None;
        self.timer = None;
    }
}

/// The stream of a body's bytes.
struct Stream(IncomingBody);

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.0.lock().poll_data(cx)).await;
    }
}

impl InputStream for Stream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut state = self.0.lock();
        // Who only ever asks, without waiting, makes progress too.
        let _ = state.poll_data(&mut Context::from_waker(Waker::noop()));
        if !state.buffer.is_empty() {
            let n = size.min(state.buffer.len());
            return Ok(state.buffer.split_to(n));
        }
        match &state.end {
            None => Ok(Bytes::new()),
            Some(Err(code)) if !state.told => {
                let error = Error::host(code.clone());
                state.told = true;
                Err(StreamError::LastOperationFailed(error))
            }
            Some(_) => Err(StreamError::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::{BodyExt, Full};
    use std::collections::VecDeque;

    /// Gives what is queued, then waits.
    struct Queue(VecDeque<Result<Frame<Bytes>, ErrorCode>>);

    impl Body for Queue {
        type Data = Bytes;
        type Error = ErrorCode;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
            match self.0.pop_front() {
                Some(frame) => Poll::Ready(Some(frame)),
                None => Poll::Pending,
            }
        }
    }

    fn queue(frames: impl IntoIterator<Item = Result<Frame<Bytes>, ErrorCode>>) -> IncomingBody {
        let body = Queue(frames.into_iter().collect());
        IncomingBody::new(body.boxed_unsync(), Some(Duration::from_millis(1)), None)
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, ErrorCode> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn bytes_then_the_end() {
        let body = Full::new(Bytes::from_static(b"hello"))
            .map_err(|e| match e {})
            .boxed_unsync();
        let body = IncomingBody::new(body, None, None);
        let mut stream = body.stream();
        assert_eq!(stream.read(2).unwrap(), "he");
        assert_eq!(stream.read(0).unwrap(), "");
        assert_eq!(stream.read(100).unwrap(), "llo");
        assert!(matches!(stream.read(1), Err(StreamError::Closed)));
        assert!(matches!(body.end(), Some(Ok(None))));
    }

    #[test]
    fn trailers_come_last_and_rest_is_thrown_away() {
        let mut trailers = HeaderMap::new();
        trailers.insert("x", "y".parse().unwrap());
        let body = queue([data("abc"), data(""), data("def"), Ok(Frame::trailers(trailers))]);
        let mut stream = body.stream();
        assert_eq!(stream.read(1).unwrap(), "a");
        drop(stream);
        let Some(Ok(Some(trailers))) = body.end() else {
            panic!("no trailers")
        };
        assert_eq!(trailers["x"], "y");
    }

    #[test]
    fn an_error_is_told_once_and_kept_for_the_trailers() {
        let body = queue([data("a"), Err(ErrorCode::ConnectionTerminated)]);
        let mut stream = body.stream();
        assert_eq!(stream.read(9).unwrap(), "a");
        let Err(StreamError::LastOperationFailed(error)) = stream.read(9) else {
            panic!("no error")
        };
        assert_eq!(
            error.downcast_ref::<ErrorCode>(),
            Some(&ErrorCode::ConnectionTerminated)
        );
        assert!(matches!(stream.read(9), Err(StreamError::Closed)));
        assert_eq!(body.end().unwrap().unwrap_err(), ErrorCode::ConnectionTerminated);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_long_pause_is_an_error() {
        let body = queue([data("a")]);
        let mut stream = body.stream();
        assert_eq!(stream.blocking_read(9).await.unwrap(), "a");
        assert_eq!(stream.read(9).unwrap(), "");
        let Err(StreamError::LastOperationFailed(error)) = stream.blocking_read(9).await else {
            panic!("no error")
        };
        assert_eq!(
            error.downcast_ref::<ErrorCode>(),
            Some(&ErrorCode::ConnectionReadTimeout)
        );
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn empty_frames_without_end_do_not_hold_the_thread() {
        struct Endless;
        impl Body for Endless {
            type Data = Bytes;
            type Error = ErrorCode;
            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
                Poll::Ready(Some(Ok(Frame::data(Bytes::new()))))
            }
        }
        let body = IncomingBody::new(Endless.boxed_unsync(), None, None);
        let mut stream = body.stream();
        assert_eq!(stream.read(1).unwrap(), "");
        assert!(body.end().is_none());
        let waited = tokio::time::timeout(Duration::from_millis(20), body.ended()).await;
        assert!(waited.is_err());
    }
}
