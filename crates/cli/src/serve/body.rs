//! The body of a request: limits for what comes in.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;
use wharf_wasi_http::{ErrorCode, IntoErrorCode};

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
    /// It ended before its end.
    broken_off: AtomicBool,
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

    /// Whether the client ended it before its end.
    pub fn is_broken_off(&self) -> bool {
        self.broken_off.load(Ordering::Relaxed)
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
                    match is_malformed(&e) {
                        true => this.state.set(Fault::Malformed),
                        false => this.state.broken_off.store(true, Ordering::Relaxed),
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
