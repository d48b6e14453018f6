//! The `incoming-request` and `incoming-response` resources.

use super::{HostFields, HostIncomingBody};
use crate::bindings::wasi::http::types::{self, Method, Scheme};
use crate::body::IncomingBody;
use crate::budget::Charge;
use crate::ctx::WasiHttpCtxView;
use crate::fields::FieldMap;
use std::sync::Arc;
use wharf::Result;
use wharf::component::Resource;

/// A request to the guest.
#[derive(Debug)]
pub struct HostIncomingRequest {
    pub(crate) method: http::Method,
    pub(crate) path_with_query: Option<String>,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Arc<FieldMap>,
    /// Until the guest takes it.
    pub(crate) body: Option<IncomingBody>,
}

/// A response to the guest.
#[derive(Debug)]
pub struct HostIncomingResponse {
    pub(crate) status: u16,
    pub(crate) headers: Arc<FieldMap>,
    /// Until the guest takes it.
    pub(crate) body: Option<IncomingBody>,
    pub(crate) _charge: Option<Arc<Charge>>,
}

/// The method as WIT has it.
pub(crate) fn wit_method(method: &http::Method) -> Method {
    match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}

impl WasiHttpCtxView<'_> {
    fn take_body(&mut self, body: Option<IncomingBody>) -> Result<Result<Resource<HostIncomingBody>, ()>> {
        Ok(match body {
            Some(body) => Ok(self.table.push(HostIncomingBody {
                body,
                streamed: false,
            })?),
            None => Err(()),
        })
    }
}

impl types::HostIncomingRequest for WasiHttpCtxView<'_> {
    fn method(&mut self, request: Resource<HostIncomingRequest>) -> Result<Method> {
        Ok(wit_method(&self.table.get(&request)?.method))
    }

    fn path_with_query(&mut self, request: Resource<HostIncomingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.path_with_query.clone())
    }

    fn scheme(&mut self, request: Resource<HostIncomingRequest>) -> Result<Option<Scheme>> {
        Ok(Some(self.table.get(&request)?.scheme.clone()))
    }

    fn authority(&mut self, request: Resource<HostIncomingRequest>) -> Result<Option<String>> {
        Ok(self.table.get(&request)?.authority.clone())
    }

    fn headers(&mut self, request: Resource<HostIncomingRequest>) -> Result<Resource<HostFields>> {
        let headers = self.table.get(&request)?.headers.clone();
        Ok(self.table.push_child(HostFields::immutable(headers), &request)?)
    }

    fn consume(
        &mut self,
        request: Resource<HostIncomingRequest>,
    ) -> Result<Result<Resource<HostIncomingBody>, ()>> {
        let body = self.table.get_mut(&request)?.body.take();
        self.take_body(body)
    }

    fn drop(&mut self, request: Resource<HostIncomingRequest>) -> Result<()> {
        self.table.delete(request)?;
        Ok(())
    }
}

impl types::HostIncomingResponse for WasiHttpCtxView<'_> {
    fn status(&mut self, response: Resource<HostIncomingResponse>) -> Result<u16> {
        Ok(self.table.get(&response)?.status)
    }

    fn headers(&mut self, response: Resource<HostIncomingResponse>) -> Result<Resource<HostFields>> {
        let headers = self.table.get(&response)?.headers.clone();
        Ok(self.table.push_child(HostFields::immutable(headers), &response)?)
    }

    fn consume(
        &mut self,
        response: Resource<HostIncomingResponse>,
    ) -> Result<Result<Resource<HostIncomingBody>, ()>> {
        let body = self.table.get_mut(&response)?.body.take();
        self.take_body(body)
    }

    fn drop(&mut self, response: Resource<HostIncomingResponse>) -> Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
