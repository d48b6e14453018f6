//! `wasi:http/types`: the resources, and what the host does for them.

mod bodies;
mod fields;
mod incoming;
mod options;
mod outgoing;
mod response_future;

pub use bodies::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
pub use fields::HostFields;
pub use incoming::{HostIncomingRequest, HostIncomingResponse};
pub use options::HostRequestOptions;
pub use outgoing::{HostOutgoingRequest, HostOutgoingResponse, HostResponseOutparam};
pub use response_future::HostFutureIncomingResponse;

use crate::bindings::wasi::http::types::{self, ErrorCode};
use crate::ctx::WasiHttpCtxView;
use crate::error::{HeaderError, HttpError};
use wharf::component::Resource;
use wharf::{Error, Result};

impl types::Host for WasiHttpCtxView<'_> {
    fn http_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<ErrorCode>().cloned())
    }

    fn convert_error_code(&mut self, error: HttpError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn convert_header_error(&mut self, error: HeaderError) -> Result<types::HeaderError> {
        error.downcast()
    }
}
