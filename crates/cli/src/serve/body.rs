//! Bodies on their way: limits for what comes in, and the end of a request with what goes out.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::time::Sleep;
use wharf_wasi_http::{ErrorCode, HyperOutgoingBody, IntoErrorCode};

use super::guest::Running;
use super::record::Record;

/// What the server found wrong with the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    TooLarge,
    TooSlow,
    /// Its chunks are none.
    Malformed,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::TooLarge => "the body is too large",
            Fault::TooSlow => "the body comes too slowly",
            Fault::Malformed => "the body is malformed",
        })
    }
}

/// What both ends of a request know about its body.
#[derive(Debug, Default)]
pub struct BodyState {
    fault: AtomicU8,
    pub received: AtomicU64,
}

impl BodyState {
    /// What is wrong, if something is.
    pub fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::TooLarge),
            2 => Some(Fault::TooSlow),
            _ => Some(Fault::Malformed),
        }
    }

    fn set(&self, fault: Fault) {
        let value = match fault {
            Fault::TooLarge => 1,
            Fault::TooSlow => 2,
            Fault::Malformed => 3,
        };
        self.fault.store(value, Ordering::Relaxed);
    }
}

/// The body of a request, of limited length and with limited pauses.
pub struct RequestBody {
    inner: Incoming,
    left: u64,
    limit: u64,
    pause: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    state: Arc<BodyState>,
}

impl RequestBody {
    pub fn new(inner: Incoming, limit: u64, pause: Duration, state: Arc<BodyState>) -> RequestBody {
        RequestBody {
            inner,
            left: limit,
            limit,
            pause,
            timer: None,
            state,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.timer = None;
                let Some(frame) = frame else {
                    return Poll::Ready(None);
                };
                let frame = frame.map_err(|e| {
                    if is_malformed(&e) {
                        this.state.set(Fault::Malformed);
                    }
                    e.into_error_code()
                })?;
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                this.state.received.fetch_add(length, Ordering::Relaxed);
                match this.left.checked_sub(length) {
                    Some(left) => {
                        this.left = left;
                        Poll::Ready(Some(Ok(frame)))
                    }
                    None => {
                        this.state.set(Fault::TooLarge);
                        Poll::Ready(Some(Err(ErrorCode::HttpRequestBodySize(Some(this.limit)))))
                    }
                }
            }
            Poll::Pending => {
                let pause = this.pause;
                let timer = this
                    .timer
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
                match timer.as_mut().poll(cx) {
                    Poll::Ready(()) => {
                        this.state.set(Fault::TooSlow);
                        Poll::Ready(Some(Err(ErrorCode::ConnectionReadTimeout)))
                    }
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether a body of HTTP/1.1 is not what its head said, apart from its end being missing.
fn is_malformed(error: &hyper::Error) -> bool {
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|e| matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

/// The body of an answer. With it ends what the server keeps about the request.
pub struct ResponseBody {
    inner: HyperOutgoingBody,
    record: Option<Record>,
    guest: Option<Running>,
    /// The client takes no body, but the guest may write one.
    unwanted: bool,
    ended: bool,
}

impl ResponseBody {
    /// The body that a guest writes.
    pub fn of_guest(
        inner: HyperOutgoingBody,
        record: Record,
        guest: Running,
        unwanted: bool,
    ) -> ResponseBody {
        ResponseBody {
            inner,
            record: Some(record),
            guest: Some(guest),
            unwanted,
            ended: false,
        }
    }

    /// A text of the server.
    pub fn text(text: String, record: Option<Record>) -> ResponseBody {
        ResponseBody {
            inner: Full::new(Bytes::from(text))
                .map_err(|e| match e {})
                .boxed_unsync(),
            record,
            guest: None,
            unwanted: false,
            ended: false,
        }
    }

    /// Whether there is nothing more to give. With a length the connection knows that before the guest has said so.
    fn is_whole(&self) -> bool {
        self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0)
    }

    /// The connection has everything.
    fn end(&mut self) {
        self.ended = true;
        if let Some(guest) = self.guest.take() {
            guest.detach();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let this = &mut *self;
        let frame = std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx));
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(record) = &mut this.record {
                    record.sent += length;
                }
            }
            Some(Err(code)) => {
                if let Some(record) = &mut this.record {
                    record.fail(format!("{code:?}"));
                }
                this.end();
            }
            None => this.end(),
        }
        if this.is_whole() {
            this.end();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.ended || self.is_whole() {
            return self.end();
        }
        if self.guest.is_none() {
            return;
        }
        if self.unwanted {
            // The guest is not to notice.
            let empty = http_body_util::Empty::new()
                .map_err(|e| match e {})
                .boxed_unsync();
            let mut inner = std::mem::replace(&mut self.inner, empty);
            let guest = self.guest.take();
            let record = self.record.take();
            tokio::spawn(async move {
                while let Some(Ok(_)) = inner.frame().await {}
                drop(record);
                if let Some(guest) = guest {
                    guest.detach();
                }
            });
        } else if let Some(record) = &mut self.record {
            record.fail("the client is gone".to_owned());
        }
    }
}
