//! Sending on a connection of either version.

use crate::bindings::wasi::http::types::ErrorCode;
use crate::body::HyperOutgoingBody;
use crate::error::from_hyper;
use http::{Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};

/// What requests are given to.
pub(super) enum Senders {
    Http1(http1::SendRequest<HyperOutgoingBody>),
    Http2(http2::SendRequest<HyperOutgoingBody>),
}

/// Why a request was not answered.
pub(super) struct SendError {
    pub(super) code: ErrorCode,
    /// The request, when nothing of it was sent.
    pub(super) unsent: Option<Request<HyperOutgoingBody>>,
}

impl From<TrySendError<Request<HyperOutgoingBody>>> for SendError {
    fn from(mut error: TrySendError<Request<HyperOutgoingBody>>) -> SendError {
        let unsent = error.take_message();
        SendError {
            code: from_hyper(&error.into_error()),
            unsent,
        }
    }
}

impl Senders {
    /// Sends a request whose URI is in absolute form.
    pub(super) async fn send(
        &mut self,
        mut request: Request<HyperOutgoingBody>,
    ) -> Result<Response<Incoming>, SendError> {
        match self {
            Senders::Http1(sender) => {
                let absolute = request.uri().clone();
                if let Some(path) = absolute.path_and_query() {
                    *request.uri_mut() = Uri::from(path.clone());
                }
                sender.try_send_request(request).await.map_err(|error| {
                    let mut error = SendError::from(error);
                    if let Some(request) = &mut error.unsent {
                        *request.uri_mut() = absolute;
                    }
                    error
                })
            }
            Senders::Http2(sender) => {
                // The URI says it.
                let host = request.headers_mut().remove(header::HOST);
                sender.try_send_request(request).await.map_err(|error| {
                    let mut error = SendError::from(error);
                    if let (Some(request), Some(host)) = (&mut error.unsent, host) {
                        request.headers_mut().insert(header::HOST, host);
                    }
                    error
                })
            }
        }
    }
}
