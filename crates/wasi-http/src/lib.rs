//! WASI HTTP 0.2 hosts for Wharf: what a guest may do with the requests that it gets, and which requests it may send.
//!
//! A [`WasiHttpCtx`] grants nothing by itself. Requests go out through an [`HttpClient`], whose [`HttpPolicy`] names the
//! hosts that may be reached; requests come in through [`WasiHttpCtxView::new_incoming_request`] and
//! [`WasiHttpCtxView::new_response_outparam`].
//!
//! ```no_run
//! use wharf::component::{Component, Linker, ResourceTable};
//! use wharf::{Engine, Store};
//! use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};
//! use wharf_wasi_http::{HttpClient, HttpPolicy, WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};
//!
//! struct State {
//!     ctx: WasiCtx,
//!     http: WasiHttpCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
//!     }
//! }
//!
//! impl WasiHttpView for State {
//!     fn http(&mut self) -> WasiHttpCtxView<'_> {
//!         WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: default_hooks() }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::default();
//! let mut linker = Linker::<State>::new(&engine);
//! wharf_wasi_http::add_to_linker(&mut linker)?;
//! let policy = HttpPolicy::new().allow("https://api.example.org")?;
//! let http = WasiHttpCtx::with_client(HttpClient::builder().policy(policy).build()?);
//! let ctx = WasiCtx::builder().build();
//! let store = Store::new(&engine, State { ctx, http, table: ResourceTable::new() });
//! # let _ = store;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod address;
pub mod bindings;
mod body;
mod budget;
mod client;
mod ctx;
mod error;
mod fields;
mod handler;
mod incoming;
mod policy;
mod types;

pub use bindings::wasi::http::types::ErrorCode;
pub use bindings::{Proxy, ProxyPre};
pub use body::{HyperIncomingBody, HyperOutgoingBody};
pub use client::{HttpClient, HttpClientBuilder, HttpClientError, Resolve, SystemResolver, TlsRoots};
pub use ctx::{
    DEFAULT_FORBIDDEN_HEADERS, HasWasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    default_hooks,
};
pub use error::{HeaderError, HttpError, HttpResult};
pub use fields::{FieldMap, FieldMapError};
pub use handler::{IncomingResponse, OutgoingRequestConfig, default_send_request};
pub use incoming::{IntoErrorCode, ResponseReceiver, response_channel};
pub use policy::{HttpPolicy, HttpRule, RuleError, Scheme};
pub use types::{
    HostFields, HostFutureIncomingResponse, HostFutureTrailers, HostIncomingBody, HostIncomingRequest,
    HostIncomingResponse, HostOutgoingBody, HostOutgoingRequest, HostOutgoingResponse, HostRequestOptions,
    HostResponseOutparam,
};

use wharf::Result;
use wharf::component::Linker;
use wharf_wasi::WasiView;

/// Adds every import of the world `wasi:http/proxy`, and those of `wasi:cli/command`, which real guests have as well.
///
/// # Errors
/// If the linker has one of them already and does not allow that.
pub fn add_to_linker<T: WasiView + WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    wharf_wasi::p2::add_to_linker(linker)?;
    add_only_http_to_linker(linker)
}

/// Adds `wasi:http` alone.
///
/// # Errors
/// If the linker has it already and does not allow that.
pub fn add_only_http_to_linker<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    Proxy::add_to_linker::<T, HasWasiHttp>(linker, T::http)
}
