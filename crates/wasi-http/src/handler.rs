//! `wasi:http/outgoing-handler`.

use crate::bindings::wasi::http::outgoing_handler;
use crate::bindings::wasi::http::types::{ErrorCode, Scheme};
use crate::body::{HyperIncomingBody, HyperOutgoingBody, MAX_QUEUED};
use crate::ctx::{WasiHttpCtx, WasiHttpCtxView};
use crate::error::{HttpResult, internal};
use crate::types::{HostFutureIncomingResponse, HostOutgoingRequest, HostRequestOptions};
use http::{Request, Response, Uri, header};
use std::time::Duration;
use wharf::component::Resource;

/// How a request is to be sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OutgoingRequestConfig {
    /// Over TLS: the scheme is `https`.
    pub use_tls: bool,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long it may take from then to the head of the response.
    pub first_byte_timeout: Duration,
    /// How long a pause in the response may be.
    pub between_bytes_timeout: Duration,
}

impl OutgoingRequestConfig {
    /// The same limit for each part of the time that a request takes.
    pub fn new(use_tls: bool, limit: Duration) -> OutgoingRequestConfig {
        OutgoingRequestConfig {
            use_tls,
            connect_timeout: limit,
            first_byte_timeout: limit,
            between_bytes_timeout: limit,
        }
    }
}

/// A response that has arrived, apart from its body.
#[derive(Debug)]
pub struct IncomingResponse {
    /// The response.
    pub resp: Response<HyperIncomingBody>,
    /// How long a pause in the body may be.
    pub between_bytes_timeout: Duration,
}

/// Sends a request with the client of the context.
///
/// # Errors
/// `HTTP-request-denied` when there is none, or its policy does not allow the request.
pub fn default_send_request(
    ctx: &WasiHttpCtx,
    request: Request<HyperOutgoingBody>,
    config: OutgoingRequestConfig,
) -> HttpResult<HostFutureIncomingResponse> {
    let client = ctx.client.clone().ok_or(ErrorCode::HttpRequestDenied)?;
    // What is not allowed fails at once.
    let target = client.check(request.uri(), config.use_tls)?;
    let runtime = wharf_wasi::runtime::reactor().map_err(internal)?;
    let task = runtime.spawn(async move { client.send_to(target, request, config).await });
    Ok(HostFutureIncomingResponse::pending(task))
}

impl outgoing_handler::Host for WasiHttpCtxView<'_> {
    fn handle(
        &mut self,
        request: Resource<HostOutgoingRequest>,
        options: Option<Resource<HostRequestOptions>>,
    ) -> HttpResult<Resource<HostFutureIncomingResponse>> {
        let options = match options {
            Some(options) => self.table.delete(options)?,
            None => HostRequestOptions::default(),
        };
        let request = self.table.delete(request)?;
        let use_tls = match request.scheme {
            Some(Scheme::Http) => false,
            Some(Scheme::Https) | None => true,
            Some(Scheme::Other(_)) => return Err(ErrorCode::HttpProtocolError.into()),
        };
        let config = OutgoingRequestConfig {
            use_tls,
            connect_timeout: options.connect.unwrap_or(self.ctx.connect_timeout),
            first_byte_timeout: options.first_byte.unwrap_or(self.ctx.first_byte_timeout),
            between_bytes_timeout: options.between_bytes.unwrap_or(self.ctx.between_bytes_timeout),
        };
        let charge = self.ctx.budget.charge(MAX_QUEUED)?;
        let request = to_message(request, use_tls)?;
        let mut future = self.hooks.send_request(self.ctx, request, config)?;
        future.charge = Some(charge);
        Ok(self.table.push(future)?)
    }
}

/// The request as it is to be sent.
fn to_message(request: HostOutgoingRequest, use_tls: bool) -> Result<Request<HyperOutgoingBody>, ErrorCode> {
    let authority = request.authority.ok_or(ErrorCode::HttpRequestUriInvalid)?;
    // A tunnel is no request for something.
    if request.method == http::Method::CONNECT {
        return Err(ErrorCode::HttpRequestMethodInvalid);
    }
    let path = match request.path_with_query {
        None => "/".to_owned(),
        Some(path) if path.is_empty() || path.starts_with('?') => format!("/{path}"),
        Some(path) => path,
    };
    let uri = Uri::builder()
        .scheme(if use_tls { "https" } else { "http" })
        .authority(authority.as_str())
        .path_and_query(path)
        .build()
        .map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    let mut headers = request.headers.to_headers()?;
    let length = request
        .headers
        .content_length()
        .map_err(|_| ErrorCode::HttpRequestBodySize(None))?;
    if request.body.is_none() && length.is_some_and(|length| length > 0) {
        return Err(ErrorCode::HttpRequestBodySize(Some(0)));
    }
    let host = authority.parse().map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
    headers.insert(header::HOST, host);
    let mut message = Request::new(request.body.unwrap_or_else(crate::body::empty));
    *message.method_mut() = request.method;
    *message.uri_mut() = uri;
    *message.headers_mut() = headers;
    Ok(message)
}
