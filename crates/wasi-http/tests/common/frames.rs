//! Bodies of given frames, for the tests of this crate and of the command.

use bytes::Bytes;
use http_body::Frame;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives these frames.
pub struct Frames<E>(pub Vec<Result<Frame<Bytes>, E>>);

impl<E: Unpin> http_body::Body for Frames<E> {
    type Data = Bytes;
    type Error = E;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready((!self.0.is_empty()).then(|| self.0.remove(0)))
    }
}
