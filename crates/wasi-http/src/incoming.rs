//! Requests that arrive: what the host gives to a handler, and what it gets back.

use crate::bindings::wasi::http::types::{ErrorCode, Scheme};
use crate::body::{HyperOutgoingBody, IncomingBody};
use crate::ctx::WasiHttpCtxView;
use crate::error::from_body;
use crate::fields::FieldMap;
use crate::types::{HostIncomingRequest, HostResponseOutparam};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response, header};
use http_body::Body;
use http_body_util::BodyExt;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::oneshot;
use wharf::Result;
use wharf::component::Resource;

/// Gets what a handler puts into its `response-outparam`. Ends with an error when the handler is gone without having
/// done so, which is to be answered with status 500.
pub type ResponseReceiver = oneshot::Receiver<std::result::Result<Response<HyperOutgoingBody>, ErrorCode>>;

/// The sending half, for [`WasiHttpCtxView::new_response_outparam`], and the receiving one.
pub fn response_channel() -> (
    oneshot::Sender<std::result::Result<Response<HyperOutgoingBody>, ErrorCode>>,
    ResponseReceiver,
) {
    oneshot::channel()
}

impl WasiHttpCtxView<'_> {
    /// The resource for a request that arrived.
    ///
    /// Fields that belong to the connection are left out: those that [`WasiHttpHooks`](crate::WasiHttpHooks) forbids and those that
    /// the field `connection` names. The authority is that of the URI, else the field `host`.
    ///
    /// # Errors
    /// When the table is full.
    pub fn new_incoming_request<B>(
        &mut self,
        scheme: Scheme,
        request: Request<B>,
    ) -> Result<Resource<HostIncomingRequest>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: IntoErrorCode,
    {
        let (parts, body) = request.into_parts();
        let authority = match parts.uri.authority() {
            Some(authority) => Some(authority.as_str().to_owned()),
            None => parts
                .headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok())
                .map(ToOwned::to_owned),
        };
        let fields = self.received_fields(&parts.headers);
        let body = body.map_err(IntoErrorCode::into_error_code).boxed_unsync();
        Ok(self.table.push(HostIncomingRequest {
            method: parts.method,
            path_with_query: parts.uri.path_and_query().map(|p| p.as_str().to_owned()),
            scheme,
            authority,
            headers: Arc::new(fields),
            body: Some(IncomingBody::new(body, None, None)),
        })?)
    }

    /// The resource into which a handler puts its response.
    ///
    /// # Errors
    /// When the table is full.
    pub fn new_response_outparam(
        &mut self,
        sender: oneshot::Sender<std::result::Result<Response<HyperOutgoingBody>, ErrorCode>>,
    ) -> Result<Resource<HostResponseOutparam>> {
        Ok(self.table.push(HostResponseOutparam { sender })?)
    }

    /// The fields of a message, without those of the connection.
    pub(crate) fn received_fields(&mut self, headers: &HeaderMap) -> FieldMap {
        // Only those that are there: the others could be very many.
        let named: HashSet<HeaderName> = headers
            .get_all(header::CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
            .filter(|name| headers.contains_key(name))
            .collect();
        FieldMap::from_headers(headers, |name| {
            !named.contains(name) && !self.hooks.is_forbidden_header(name)
        })
    }
}

/// Errors of bodies that can be given to a guest.
pub trait IntoErrorCode {
    /// The error for the guest.
    fn into_error_code(self) -> ErrorCode;
}

impl IntoErrorCode for ErrorCode {
    fn into_error_code(self) -> ErrorCode {
        self
    }
}

impl IntoErrorCode for hyper::Error {
    fn into_error_code(self) -> ErrorCode {
        match from_body(&self) {
            // The names of the codes are those of responses.
            ErrorCode::HttpResponseIncomplete => ErrorCode::ConnectionTerminated,
            ErrorCode::HttpResponseHeaderSectionSize(_) => ErrorCode::HttpRequestTrailerSectionSize(None),
            code => code,
        }
    }
}

impl IntoErrorCode for std::convert::Infallible {
    fn into_error_code(self) -> ErrorCode {
        match self {}
    }
}
