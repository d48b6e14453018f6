//! Interim responses (1xx), of which a server may send any number, and which are of no use here.

use crate::body::HyperOutgoingBody;
use http::Request;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use tokio::sync::Notify;

/// The most that come before the response.
const MAX: usize = 64;

/// Those of one request. In HTTP/2 nobody tells of them; there the time for the response limits them.
#[derive(Default)]
pub(super) struct Interim(Arc<Counter>);

#[derive(Default)]
struct Counter {
    seen: AtomicUsize,
    too_many: Notify,
}

impl Interim {
    /// Counts those that will come for this request.
    pub(super) fn of(request: &mut Request<HyperOutgoingBody>) -> Interim {
        let interim = Interim::default();
        let counter = interim.0.clone();
        hyper::ext::on_informational(request, move |_| {
            if counter.seen.fetch_add(1, Ordering::Relaxed) >= MAX {
                counter.too_many.notify_one();
            }
        });
        interim
    }

    /// Waits for the response; `None` when there are too many.
    pub(super) async fn limit<T>(self, response: impl Future<Output = T>) -> Option<T> {
        let mut response = pin!(response);
        let mut too_many = pin!(self.0.too_many.notified());
        poll_fn(|cx| match response.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending => too_many.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}
