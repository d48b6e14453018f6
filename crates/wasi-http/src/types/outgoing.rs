//! The `outgoing-request`, `outgoing-response` and `response-outparam` resources.

use super::incoming::wit_method;
use super::{HostFields, HostOutgoingBody};
use crate::bindings::wasi::http::types::{self, ErrorCode, Method, Scheme};
use crate::body::{HyperOutgoingBody, MAX_QUEUED, MessageKind, OutgoingBody, empty};
use crate::budget::Charge;
use crate::ctx::WasiHttpCtxView;
use crate::fields::FieldMap;
use http::uri::{Authority, PathAndQuery};
use http::{Response, StatusCode};
use std::fmt;
use std::sync::Arc;
use tokio::sync::oneshot;
use wharf::Result;
use wharf::component::Resource;

/// A request by the guest.
pub struct HostOutgoingRequest {
    pub(crate) method: http::Method,
    pub(crate) path_with_query: Option<String>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Arc<FieldMap>,
    /// The connection's end of the body, once the guest has taken the other.
    pub(crate) body: Option<HyperOutgoingBody>,
    _charge: Charge,
}

/// A response by the guest.
pub struct HostOutgoingResponse {
    status: StatusCode,
    headers: Arc<FieldMap>,
    /// The connection's end of the body, once the guest has taken the other.
    body: Option<HyperOutgoingBody>,
    _charge: Charge,
}

/// Where a handler puts its response.
pub struct HostResponseOutparam {
    pub(crate) sender: oneshot::Sender<std::result::Result<Response<HyperOutgoingBody>, ErrorCode>>,
}

impl fmt::Debug for HostOutgoingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostOutgoingRequest")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HostOutgoingResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostOutgoingResponse")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for HostResponseOutparam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostResponseOutparam").finish_non_exhaustive()
    }
}

/// The longest that parts of a request's target may be.
const MAX_METHOD: usize = 256;
const MAX_SCHEME: usize = 64;
const MAX_AUTHORITY: usize = 1 << 10;
const MAX_PATH: usize = 64 << 10;

fn http_method(method: Method) -> Option<http::Method> {
    Some(match method {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        Method::Connect => http::Method::CONNECT,
        Method::Options => http::Method::OPTIONS,
        Method::Trace => http::Method::TRACE,
        Method::Patch => http::Method::PATCH,
        Method::Other(name) if name.len() <= MAX_METHOD => http::Method::from_bytes(name.as_bytes()).ok()?,
        Method::Other(_) => return None,
    })
}

fn is_path(path: &str) -> bool {
    // A fragment would be cut off silently.
    if path.len() > MAX_PATH || path.contains('#') {
        return false;
    }
    match path.bytes().next() {
        // The `/` is added when the request is sent.
        None => true,
        Some(b'?') => format!("/{path}").parse::<PathAndQuery>().is_ok(),
        Some(b'/') => path.parse::<PathAndQuery>().is_ok(),
        Some(_) => path == "*",
    }
}

fn is_scheme(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::Http | Scheme::Https => true,
        Scheme::Other(name) => {
            // RFC 3986, section 3.1.
            let rest = |c: u8| c.is_ascii_alphanumeric() || b"+-.".contains(&c);
            name.len() <= MAX_SCHEME
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(rest)
        }
    }
}

fn is_authority(authority: &str) -> bool {
    // Names and passwords have no place in requests.
    if authority.len() > MAX_AUTHORITY || authority.contains('@') {
        return false;
    }
    let Ok(parsed) = authority.parse::<Authority>() else {
        return false;
    };
    // What is behind the host is a port.
    let rest = authority.strip_prefix(parsed.host()).unwrap_or_default();
    !parsed.host().is_empty() && (rest.is_empty() || parsed.port_u16().is_some())
}

/// Sets a part of a request's target, if it is valid.
fn set<T>(place: &mut T, value: T, valid: bool) -> std::result::Result<(), ()> {
    if valid {
        *place = value;
    }
    valid.then_some(()).ok_or(())
}

impl WasiHttpCtxView<'_> {
    /// Both ends of a body; the guest's is a resource.
    fn new_body(
        &mut self,
        kind: MessageKind,
        headers: &FieldMap,
    ) -> Result<(Resource<HostOutgoingBody>, HyperOutgoingBody)> {
        // A length that is not one is found when the message is sent.
        let expected = headers.content_length().unwrap_or(None);
        let charge = self.ctx.budget.charge(MAX_QUEUED)?;
        let (body, reader) = OutgoingBody::new(kind, expected, Some(charge));
        Ok((self.table.push(HostOutgoingBody::new(body))?, reader))
    }
}

type Request = Resource<HostOutgoingRequest>;

impl types::HostOutgoingRequest for WasiHttpCtxView<'_> {
    fn new(&mut self, headers: Resource<HostFields>) -> Result<Request> {
        let (headers, charge) = self.take_fields(headers)?;
        Ok(self.table.push(HostOutgoingRequest {
            method: http::Method::GET,
            path_with_query: None,
            scheme: None,
            authority: None,
            headers,
            body: None,
            _charge: charge,
        })?)
    }

    fn body(&mut self, request: Request) -> Result<std::result::Result<Resource<HostOutgoingBody>, ()>> {
        let entry = self.table.get(&request)?;
        if entry.body.is_some() {
            return Ok(Err(()));
        }
        let headers = entry.headers.clone();
        let (body, reader) = self.new_body(MessageKind::Request, &headers)?;
        self.table.get_mut(&request)?.body = Some(reader);
        Ok(Ok(body))
    }

    fn method(&mut self, request: Request) -> Result<Method> {
        Ok(wit_method(&self.table.get(&request)?.method))
    }

    fn set_method(&mut self, request: Request, method: Method) -> Result<std::result::Result<(), ()>> {
        let request = self.table.get_mut(&request)?;
        Ok(match http_method(method) {
            Some(method) => set(&mut request.method, method, true),
            None => Err(()),
        })
    }

    fn path_with_query(&mut self, request: Request) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.path_with_query.clone())
    }

    fn set_path_with_query(
        &mut self,
        request: Request,
        path: Option<String>,
    ) -> Result<std::result::Result<(), ()>> {
        let request = self.table.get_mut(&request)?;
        let valid = path.as_deref().is_none_or(is_path);
        Ok(set(&mut request.path_with_query, path, valid))
    }

    fn scheme(&mut self, request: Request) -> Result<Option<Scheme>> {
        Ok(self.table.get(&request)?.scheme.clone())
    }

    fn set_scheme(
        &mut self,
        request: Request,
        scheme: Option<Scheme>,
    ) -> Result<std::result::Result<(), ()>> {
        let request = self.table.get_mut(&request)?;
        let valid = scheme.as_ref().is_none_or(is_scheme);
        Ok(set(&mut request.scheme, scheme, valid))
    }

    fn authority(&mut self, request: Request) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn set_authority(
        &mut self,
        request: Request,
        authority: Option<String>,
    ) -> Result<std::result::Result<(), ()>> {
        let request = self.table.get_mut(&request)?;
        let valid = authority.as_deref().is_none_or(is_authority);
        Ok(set(&mut request.authority, authority, valid))
    }

    fn headers(&mut self, request: Request) -> Result<Resource<HostFields>> {
        let headers = self.table.get(&request)?.headers.clone();
        Ok(self.table.push_child(HostFields::immutable(headers), &request)?)
    }

    fn drop(&mut self, request: Request) -> Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl types::HostOutgoingResponse for WasiHttpCtxView<'_> {
    fn new(&mut self, headers: Resource<HostFields>) -> Result<Resource<HostOutgoingResponse>> {
        let (headers, charge) = self.take_fields(headers)?;
        Ok(self.table.push(HostOutgoingResponse {
            status: StatusCode::OK,
            headers,
            body: None,
            _charge: charge,
        })?)
    }

    fn status_code(&mut self, response: Resource<HostOutgoingResponse>) -> Result<u16> {
        Ok(self.table.get(&response)?.status.as_u16())
    }

    fn set_status_code(
        &mut self,
        response: Resource<HostOutgoingResponse>,
        status: u16,
    ) -> Result<std::result::Result<(), ()>> {
        let response = self.table.get_mut(&response)?;
        Ok(match StatusCode::from_u16(status) {
            Ok(code) if status < 600 => set(&mut response.status, code, true),
            _ => Err(()),
        })
    }

    fn headers(&mut self, response: Resource<HostOutgoingResponse>) -> Result<Resource<HostFields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push_child(HostFields::immutable(headers), &response)?)
    }

    fn body(
        &mut self,
        response: Resource<HostOutgoingResponse>,
    ) -> Result<std::result::Result<Resource<HostOutgoingBody>, ()>> {
        let entry = self.table.get(&response)?;
        if entry.body.is_some() {
            return Ok(Err(()));
        }
        let headers = entry.headers.clone();
        let (body, reader) = self.new_body(MessageKind::Response, &headers)?;
        self.table.get_mut(&response)?.body = Some(reader);
        Ok(Ok(body))
    }

    fn drop(&mut self, response: Resource<HostOutgoingResponse>) -> Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}

impl HostOutgoingResponse {
    /// The response as it is to be sent.
    fn into_message(self) -> std::result::Result<Response<HyperOutgoingBody>, ErrorCode> {
        if self.status.is_informational() {
            return Err(crate::error::internal(
                "a response with an interim status is not the last",
            ));
        }
        let body = match (self.body, self.headers.content_length()?) {
            (Some(body), _) => body,
            (None, None | Some(0)) => empty(),
            // Right for an answer to HEAD, whose body is not sent; otherwise broken.
            (None, Some(length)) => {
                let (body, reader) = OutgoingBody::new(MessageKind::Response, Some(length), None);
                body.abort(ErrorCode::HttpResponseBodySize(Some(0)));
                reader
            }
        };
        let mut message = Response::new(body);
        *message.status_mut() = self.status;
        *message.headers_mut() = self.headers.to_headers()?;
        Ok(message)
    }
}

impl types::HostResponseOutparam for WasiHttpCtxView<'_> {
    fn set(
        &mut self,
        outparam: Resource<HostResponseOutparam>,
        response: std::result::Result<Resource<HostOutgoingResponse>, ErrorCode>,
    ) -> Result<()> {
        let message = match response {
            Ok(response) => self.table.delete(response)?.into_message(),
            Err(code) => Err(code),
        };
        let outparam = self.table.delete(outparam)?;
        // A client that is gone is no error of the handler.
        let _ = outparam.sender.send(message);
        Ok(())
    }

    fn drop(&mut self, outparam: Resource<HostResponseOutparam>) -> Result<()> {
        // The receiver finds out that there is no response.
        self.table.delete(outparam)?;
        Ok(())
    }
}
