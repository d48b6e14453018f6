//! Bodies that a guest sends: a bounded queue between the guest's stream and the connection.

use super::HyperOutgoingBody;
use crate::bindings::wasi::http::types::ErrorCode;
use crate::budget::Charge;
use crate::error::internal;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use wharf::Error;
use wharf_wasi::{OutputStream, Pollable, StreamError, StreamResult, async_trait};

/// Bytes that wait for the connection at most; then the guest has to wait.
pub(crate) const MAX_QUEUED: usize = 64 << 10;

/// Shorter writes are collected.
const SMALL: usize = 1 << 10;

/// What the body belongs to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Request,
    Response,
}

impl MessageKind {
    /// The body has another length than `content-length` says.
    fn wrong_length(self, length: u64) -> ErrorCode {
        match self {
            MessageKind::Request => ErrorCode::HttpRequestBodySize(Some(length)),
            MessageKind::Response => ErrorCode::HttpResponseBodySize(Some(length)),
        }
    }
}

/// A body without content.
pub(crate) fn empty() -> HyperOutgoingBody {
    Empty::new().map_err(|e| match e {}).boxed_unsync()
}

/// How a body ends.
enum End {
    Finished(Option<HeaderMap>),
    Broken(ErrorCode),
}

struct State {
    queue: VecDeque<Bytes>,
    /// Short writes behind the queue.
    small: BytesMut,
    /// Bytes in both.
    queued: usize,
    written: u64,
    /// What `content-length` says.
    expected: Option<u64>,
    kind: MessageKind,
    end: Option<End>,
    /// Nobody takes bytes any more, although there should be more.
    reader_gone: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    _charge: Option<Charge>,
}

impl State {
    fn room(&self) -> usize {
        MAX_QUEUED - self.queued.min(MAX_QUEUED)
    }

    fn end(&mut self, end: End) {
        self.end.get_or_insert(end);
        wake(&mut self.reader);
    }

    fn seal(&mut self) {
        if !self.small.is_empty() {
            let small = self.small.split().freeze();
            self.queue.push_back(small);
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// Makes `waker` the one of this task.
fn remember(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *waker = Some(cx.waker().clone()),
    }
}

type Shared = Arc<Mutex<State>>;

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The guest's end of a body. Dropped before it was finished, it breaks the body off.
pub(crate) struct OutgoingBody(Shared);

impl OutgoingBody {
    /// Both ends of a body that shall have `expected` bytes.
    pub(crate) fn new(
        kind: MessageKind,
        expected: Option<u64>,
        charge: Option<Charge>,
    ) -> (OutgoingBody, HyperOutgoingBody) {
        let shared = Arc::new(Mutex::new(State {
            queue: VecDeque::new(),
            small: BytesMut::new(),
            queued: 0,
            written: 0,
            expected,
            kind,
            end: None,
            reader_gone: false,
            reader: None,
            writer: None,
            _charge: charge,
        }));
        let reader = Reader(shared.clone()).boxed_unsync();
        (OutgoingBody(shared), reader)
    }

    /// The stream to write into.
    pub(crate) fn stream(&self) -> Box<dyn OutputStream> {
        Box::new(Stream(self.0.clone()))
    }

    /// Ends the body.
    ///
    /// # Errors
    /// When it has less bytes than it shall have; it is broken off then.
    pub(crate) fn finish(self, trailers: Option<HeaderMap>) -> Result<(), ErrorCode> {
        let mut state = lock(&self.0);
        match state.expected {
            Some(expected) if expected != state.written => {
                let code = state.kind.wrong_length(state.written);
                state.end(End::Broken(code.clone()));
                Err(code)
            }
            _ => {
                state.end(End::Finished(trailers));
                Ok(())
            }
        }
    }

    /// Breaks the body off.
    pub(crate) fn abort(self, code: ErrorCode) {
        lock(&self.0).end(End::Broken(code));
    }
}

impl Drop for OutgoingBody {
    fn drop(&mut self) {
        // Without effect on a body that has its end.
        lock(&self.0).end(End::Broken(internal(
            "the body was dropped before it was finished",
        )));
    }
}

/// The guest's stream.
struct Stream(Shared);

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| {
            let mut state = lock(&self.0);
            if state.reader_gone || state.end.is_some() || state.room() > 0 {
                return Poll::Ready(());
            }
            remember(&mut state.writer, cx);
            Poll::Pending
        })
        .await;
    }
}

#[async_trait]
impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut state = lock(&self.0);
        if state.reader_gone || state.end.is_some() {
            return Err(StreamError::Closed);
        }
        if bytes.len() > state.room() {
            return Err(StreamError::trap(
                "a write of more bytes than check-write permits",
            ));
        }
        let written = state.written.saturating_add(bytes.len() as u64);
        if state.expected.is_some_and(|expected| written > expected) {
            let code = state.kind.wrong_length(written);
            state.end(End::Broken(code.clone()));
            return Err(StreamError::LastOperationFailed(Error::host(code)));
        }
        state.written = written;
        state.queued += bytes.len();
        if bytes.len() < SMALL {
            state.small.extend_from_slice(&bytes);
        } else {
            state.seal();
            state.queue.push_back(bytes);
        }
        wake(&mut state.reader);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        // The connection takes what there is by itself. Before the message is sent nobody does, so that a guest that
        // waited for it here would wait forever.
        self.check_write().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let state = lock(&self.0);
        match state.reader_gone || state.end.is_some() {
            true => Err(StreamError::Closed),
            false => Ok(state.room()),
        }
    }

    async fn blocking_flush(&mut self) -> StreamResult<()> {
        self.flush()
    }
}

/// The connection's end.
struct Reader(Shared);

impl Body for Reader {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let mut state = lock(&self.0);
        if state.queue.is_empty() {
            state.seal();
        }
        if let Some(bytes) = state.queue.pop_front() {
            state.queued -= bytes.len();
            wake(&mut state.writer);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match &mut state.end {
            Some(End::Finished(trailers)) => Poll::Ready(trailers.take().map(|t| Ok(Frame::trailers(t)))),
            // Its receiver shall not take it for the whole.
            Some(End::Broken(code)) => {
                let code = code.clone();
                state.end = Some(End::Finished(None));
                Poll::Ready(Some(Err(code)))
            }
            None => {
                remember(&mut state.reader, cx);
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let state = lock(&self.0);
        state.queued == 0 && matches!(state.end, Some(End::Finished(None)))
    }

    fn size_hint(&self) -> SizeHint {
        let state = lock(&self.0);
        let sent = state.written - state.queued as u64;
        match (state.expected, &state.end) {
            (Some(expected), _) => SizeHint::with_exact(expected.saturating_sub(sent)),
            // Short bodies that are complete before they are sent need no chunks.
            (None, Some(End::Finished(None))) => SizeHint::with_exact(state.queued as u64),
            (None, _) => SizeHint::default(),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        // A connection has no use for a body of which it has everything that shall come. Its writer is not to take that for a failure.
        let has_all = state.queued == 0 && state.expected == Some(state.written);
        state.reader_gone = !has_all;
        state.queue.clear();
        state.small = BytesMut::new();
        state.queued = 0;
        wake(&mut state.writer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(expected: Option<u64>) -> (OutgoingBody, HyperOutgoingBody) {
        OutgoingBody::new(MessageKind::Response, expected, None)
    }

    /// Everything that the connection sees.
    async fn collect(body: HyperOutgoingBody) -> Result<(Bytes, Option<HeaderMap>), ErrorCode> {
        let collected = body.collect().await?;
        let trailers = collected.trailers().cloned();
        Ok((collected.to_bytes(), trailers))
    }

    #[tokio::test]
    async fn bytes_and_trailers_arrive_in_order() {
        let (body, reader) = pair(None);
        let mut stream = body.stream();
        let long = Bytes::from(vec![b'x'; 2000]);
        for part in [
            Bytes::from_static(b"a"),
            Bytes::from_static(b"b"),
            long,
            Bytes::from_static(b"c"),
        ] {
            stream.write(part).unwrap();
        }
        drop(stream);
        let mut trailers = HeaderMap::new();
        trailers.insert("t", "v".parse().unwrap());
        body.finish(Some(trailers)).unwrap();
        assert!(!reader.is_end_stream());
        let (bytes, trailers) = collect(reader).await.unwrap();
        assert_eq!(bytes.len(), 2003);
        assert!(bytes.starts_with(b"abx") && bytes.ends_with(b"xc"));
        assert_eq!(trailers.unwrap()["t"], "v");
    }

    #[tokio::test]
    async fn the_guest_waits_for_the_connection() {
        let (body, reader) = pair(None);
        let mut stream = body.stream();
        let sent = tokio::spawn(async move {
            for _ in 0..100 {
                stream
                    .blocking_write_and_flush(vec![7; 4096].into())
                    .await
                    .unwrap();
            }
            drop(stream);
            body.finish(None).unwrap();
        });
        let (bytes, _) = collect(reader).await.unwrap();
        assert_eq!(bytes.len(), 100 * 4096);
        sent.await.unwrap();
    }

    #[test]
    fn the_queue_is_bounded() {
        let (body, _reader) = pair(None);
        let mut stream = body.stream();
        let permit = stream.check_write().unwrap();
        assert_eq!(permit, MAX_QUEUED);
        stream.write(vec![0; permit].into()).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0);
        assert!(matches!(
            stream.write(Bytes::from_static(b"x")),
            Err(StreamError::Trap(_))
        ));
    }

    #[tokio::test]
    async fn too_many_bytes_are_an_error() {
        let (body, reader) = pair(Some(3));
        let mut stream = body.stream();
        stream.write(Bytes::from_static(b"ab")).unwrap();
        let Err(StreamError::LastOperationFailed(error)) = stream.write(Bytes::from_static(b"cd")) else {
            panic!("no error")
        };
        assert_eq!(
            error.downcast_ref(),
            Some(&ErrorCode::HttpResponseBodySize(Some(4)))
        );
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
        assert!(collect(reader).await.is_err());
    }

    #[tokio::test]
    async fn too_few_bytes_are_an_error() {
        let (body, reader) = pair(Some(3));
        body.stream().write(Bytes::from_static(b"ab")).unwrap();
        assert_eq!(
            body.finish(None).unwrap_err(),
            ErrorCode::HttpResponseBodySize(Some(2))
        );
        assert!(collect(reader).await.is_err());
        let (body, reader) = pair(Some(0));
        body.finish(None).unwrap();
        assert_eq!(collect(reader).await.unwrap().0, "");
    }

    #[tokio::test]
    async fn a_dropped_body_is_broken_off() {
        let (body, reader) = pair(None);
        body.stream().write(Bytes::from_static(b"ab")).unwrap();
        drop(body);
        assert!(matches!(collect(reader).await, Err(ErrorCode::InternalError(_))));
    }

    #[tokio::test]
    async fn a_connection_that_has_everything_closes_nothing() {
        let (body, mut reader) = pair(Some(3));
        let mut stream = body.stream();
        stream.write(Bytes::from_static(b"abc")).unwrap();
        assert_eq!(reader.frame().await.unwrap().unwrap().into_data().unwrap(), "abc");
        drop(reader);
        stream.flush().unwrap();
        assert!(stream.check_write().unwrap() > 0);
        // There can't be more.
        assert!(matches!(
            stream.write(Bytes::from_static(b"d")),
            Err(StreamError::LastOperationFailed(_))
        ));
    }

    #[tokio::test]
    async fn a_lost_connection_closes_the_stream() {
        let (body, reader) = pair(None);
        let mut stream = body.stream();
        stream.write(vec![0; MAX_QUEUED].into()).unwrap();
        let waiting =
            tokio::spawn(async move { stream.blocking_write_and_flush(Bytes::from_static(b"x")).await });
        tokio::task::yield_now().await;
        drop(reader);
        assert!(matches!(waiting.await.unwrap(), Err(StreamError::Closed)));
        // The guest did its part.
        body.finish(None).unwrap();
    }
}
