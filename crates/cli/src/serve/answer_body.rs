//! The body of an answer, with which a request ends.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tokio::time::Sleep;
use wharf_wasi_http::{ErrorCode, HyperOutgoingBody};

use super::guest::Running;
use super::record::{End, Record};
use super::stalled::Stall;

/// The body of an answer. With it ends what the server keeps about the request.
pub struct ResponseBody {
    inner: HyperOutgoingBody,
    record: Option<Record>,
    guest: Option<Running>,
    /// What the client does with it.
    wanted: Wanted,
    /// Whether the client takes it, in HTTP/2.
    stall: Option<Stall>,
    /// What is left of a large part, in HTTP/2.
    rest: Bytes,
    /// Why the guest broke it off, and when that is told: after what came before has been sent.
    broken: Option<(ErrorCode, Option<Pin<Box<Sleep>>>)>,
    ended: bool,
}

/// Whether the client takes a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Yes,
    /// The library leaves it out. The guest may write one.
    No,
    /// The library does not leave it out: in HTTP/2.
    NotEvenAsked,
}

/// How long what a guest wrote before it broke its answer off has to get onto its way. In HTTP/2 a reset takes the place of everything that waits.
const LAST_WORDS: Duration = Duration::from_millis(10);

/// The most that is given to HTTP/2 at once.
const PIECE: usize = 16 << 10;

impl ResponseBody {
    /// The body that a guest writes.
    pub fn of_guest(
        inner: HyperOutgoingBody,
        record: Record,
        guest: Running,
        wanted: Wanted,
    ) -> ResponseBody {
        ResponseBody::new(inner, record, Some(guest), wanted)
    }

    /// A text of the server.
    pub fn text(text: String, record: Record, wanted: Wanted) -> ResponseBody {
        let inner = Full::new(Bytes::from(text))
            .map_err(|e| match e {})
            .boxed_unsync();
        ResponseBody::new(inner, record, None, wanted)
    }

    fn new(inner: HyperOutgoingBody, record: Record, guest: Option<Running>, wanted: Wanted) -> ResponseBody {
        ResponseBody {
            inner,
            record: Some(record),
            guest,
            wanted,
            stall: Stall::current(),
            rest: Bytes::new(),
            broken: None,
            ended: false,
        }
    }

    /// Whether there is nothing more to give. With a length the connection knows that before the guest has said so.
    fn is_whole(&self) -> bool {
        self.broken.is_none()
            && self.rest.is_empty()
            && (self.inner.is_end_stream() || self.inner.size_hint().exact() == Some(0))
    }

    /// Whether the client has what it asked for, or the guest broke it off.
    pub fn is_done(&self) -> bool {
        self.ended || self.is_whole() || self.wanted != Wanted::Yes
    }

    /// The connection has everything.
    fn end(&mut self, end: Option<End>) {
        self.ended = true;
        if let (Some(record), Some(end)) = (&mut self.record, end) {
            record.end(end);
        }
        if let Some(guest) = self.guest.take() {
            guest.detach();
        }
    }

    /// The end of an answer that is whole.
    fn whole(&self) -> Option<End> {
        // That of an answer of the server is known already.
        self.guest.as_ref().map(|_| End::Answered)
    }

    /// As much of a frame as is given at once. HTTP/2 asks for a part as soon as there is room for one byte, and then keeps all of it.
    fn piece(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        if self.stall.is_none() {
            return frame;
        }
        match frame.into_data() {
            Ok(mut data) if data.len() > PIECE => {
                self.rest = data.split_off(PIECE);
                Frame::data(data)
            }
            Ok(data) => Frame::data(data),
            Err(frame) => frame,
        }
    }

    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<ErrorCode> {
        let Some((code, timer)) = &mut self.broken else {
            return Poll::Pending;
        };
        if let Some(timer) = timer {
            std::task::ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(code.clone())
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
        if this.broken.is_some() {
            let code = std::task::ready!(this.poll_broken(cx));
            if let Some(record) = &mut this.record {
                record.fail(format!("{code:?}"));
            }
            this.end(Some(End::BrokenOff));
            return Poll::Ready(Some(Err(code)));
        }
        let next = match std::mem::take(&mut this.rest) {
            rest if rest.is_empty() => Pin::new(&mut this.inner).poll_frame(cx),
            rest => Poll::Ready(Some(Ok(Frame::data(rest)))),
        };
        let frame = match next {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if let Some(stall) = &this.stall {
                    stall.wait();
                }
                return Poll::Pending;
            }
        };
        match frame {
            Some(Ok(frame)) => {
                let frame = this.piece(frame);
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(record) = &mut this.record {
                    record.sent += length;
                }
                if let Some(stall) = &this.stall {
                    stall.give();
                }
                if this.is_whole() {
                    let end = this.whole();
                    this.end(end);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(code)) => {
                let timer = this.stall.as_ref().map(|stall| {
                    stall.wait();
                    Box::pin(tokio::time::sleep(LAST_WORDS))
                });
                this.broken = Some((code, timer));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                let end = this.whole();
                this.end(end);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.wanted == Wanted::NotEvenAsked
            || (self.broken.is_none() && self.rest.is_empty() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let rest = self.rest.len() as u64;
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if self.is_whole() {
            let end = self.whole();
            return self.end(end);
        }
        // The client may have left before that was told.
        if let Some((code, _)) = self.broken.take() {
            if let Some(record) = &mut self.record {
                record.fail(format!("{code:?}"));
            }
            return self.end(Some(End::BrokenOff));
        }
        if self.wanted == Wanted::Yes {
            if let Some(record) = &mut self.record {
                record.end(End::Abandoned);
                let given_up = self.stall.as_ref().is_some_and(Stall::is_given_up);
                if given_up {
                    record.fail("the client takes nothing".to_owned());
                }
            }
        } else if let Some(guest) = self.guest.take() {
            // The guest is not to notice.
            let empty = http_body_util::Empty::new()
                .map_err(|e| match e {})
                .boxed_unsync();
            let mut inner = std::mem::replace(&mut self.inner, empty);
            let record = self.record.take().map(|mut record| {
                record.end(End::Answered);
                record
            });
            tokio::spawn(async move {
                while let Some(Ok(_)) = inner.frame().await {}
                drop(record);
                guest.detach();
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8], stall: Option<Stall>) -> ResponseBody {
        let inner = Full::new(Bytes::copy_from_slice(bytes));
        ResponseBody {
            inner: inner.map_err(|e| match e {}).boxed_unsync(),
            record: None,
            guest: None,
            wanted: Wanted::Yes,
            stall,
            rest: Bytes::new(),
            broken: None,
            ended: false,
        }
    }

    #[tokio::test]
    async fn http2_is_given_pieces() {
        let bytes: Vec<u8> = (0..PIECE * 2 + 5).map(|i| i as u8).collect();
        let mut pieces = body(&bytes, Some(Stall::default()));
        let mut all = Vec::new();
        for length in [PIECE, PIECE, 5] {
            assert_eq!(pieces.size_hint().exact(), Some((bytes.len() - all.len()) as u64));
            assert!(!pieces.is_end_stream() && !pieces.is_done());
            let frame = pieces.frame().await.unwrap().unwrap();
            let data = frame.into_data().unwrap();
            assert_eq!(data.len(), length);
            all.extend_from_slice(&data);
        }
        assert!(pieces.is_end_stream() && pieces.is_done());
        assert!(pieces.frame().await.is_none());
        assert_eq!(all, bytes);
        // In HTTP/1.1 the connection as such is what the client takes.
        let mut whole = body(&bytes, None);
        let frame = whole.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), bytes);
    }
}
