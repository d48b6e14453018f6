//! Bodies that arrive and bodies that are sent.

mod incoming;
mod outgoing;

use crate::bindings::wasi::http::types::ErrorCode;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

pub(crate) use incoming::IncomingBody;
pub(crate) use outgoing::{MAX_QUEUED, MessageKind, OutgoingBody, empty};

/// A body that arrives, as the host gives it to a guest.
pub type HyperIncomingBody = UnsyncBoxBody<Bytes, ErrorCode>;

/// A body that a guest sends, as the host takes it.
pub type HyperOutgoingBody = UnsyncBoxBody<Bytes, ErrorCode>;
