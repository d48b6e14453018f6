//! What a guest is given: [`WasiHttpCtx`], and how hosts are found in a store's data.

use crate::body::HyperOutgoingBody;
use crate::budget::Budget;
use crate::client::HttpClient;
use crate::error::HttpResult;
use crate::handler::{OutgoingRequestConfig, default_send_request};
use crate::types::HostFutureIncomingResponse;
use http::{HeaderName, Request, header};
use std::fmt;
use std::time::Duration;
use wharf::component::{HasData, ResourceTable};

/// Fields that only the host may set: they belong to the connection.
pub static DEFAULT_FORBIDDEN_HEADERS: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    HeaderName::from_static("http2-settings"),
];

/// The most bytes that one set of fields may have, unless [`WasiHttpCtx::set_field_size_limit`] says otherwise.
const DEFAULT_FIELD_SIZE_LIMIT: usize = 128 << 10;

/// The host memory for a guest's messages, unless [`WasiHttpCtx::set_memory_limit`] says otherwise.
const DEFAULT_MEMORY_LIMIT: usize = 32 << 20;

/// What a guest may do with HTTP. It may answer requests; without a client it can send none.
#[derive(Clone)]
pub struct WasiHttpCtx {
    pub(crate) client: Option<HttpClient>,
    pub(crate) field_size_limit: usize,
    pub(crate) budget: Budget,
    pub(crate) connect_timeout: Duration,
    pub(crate) first_byte_timeout: Duration,
    pub(crate) between_bytes_timeout: Duration,
}

impl fmt::Debug for WasiHttpCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiHttpCtx")
            .field("client", &self.client)
            .field("field_size_limit", &self.field_size_limit)
            .finish_non_exhaustive()
    }
}

impl Default for WasiHttpCtx {
    fn default() -> WasiHttpCtx {
        WasiHttpCtx::new()
    }
}

impl WasiHttpCtx {
    /// A context whose guest can send no requests.
    pub fn new() -> WasiHttpCtx {
        WasiHttpCtx {
            client: None,
            field_size_limit: DEFAULT_FIELD_SIZE_LIMIT,
            budget: Budget::new(DEFAULT_MEMORY_LIMIT),
            connect_timeout: Duration::from_secs(30),
            first_byte_timeout: Duration::from_secs(600),
            between_bytes_timeout: Duration::from_secs(600),
        }
    }

    /// A context whose guest sends requests through this client, as far as its policy allows.
    pub fn with_client(client: HttpClient) -> WasiHttpCtx {
        WasiHttpCtx {
            client: Some(client),
            ..WasiHttpCtx::new()
        }
    }

    /// The client, if there is one.
    pub fn client(&self) -> Option<&HttpClient> {
        self.client.as_ref()
    }

    /// The most bytes that one set of fields may have: names, values and 32 per field. 128 KiB unless set.
    pub fn set_field_size_limit(&mut self, bytes: usize) -> &mut Self {
        self.field_size_limit = bytes;
        self
    }

    /// The host memory that all messages of the guest may take at a time; what goes beyond traps. 32 MiB unless set.
    pub fn set_memory_limit(&mut self, bytes: usize) -> &mut Self {
        self.budget = Budget::new(bytes);
        self
    }

    /// How long connecting may take where the guest does not say: 30 seconds unless set.
    pub fn set_connect_timeout(&mut self, limit: Duration) -> &mut Self {
        self.connect_timeout = limit;
        self
    }

    /// How long the head of a response may take where the guest does not say: 10 minutes unless set.
    pub fn set_first_byte_timeout(&mut self, limit: Duration) -> &mut Self {
        self.first_byte_timeout = limit;
        self
    }

    /// How long a pause in a response may be where the guest does not say: 10 minutes unless set.
    pub fn set_between_bytes_timeout(&mut self, limit: Duration) -> &mut Self {
        self.between_bytes_timeout = limit;
        self
    }
}

/// What an embedder can do differently.
pub trait WasiHttpHooks: Send {
    /// Sends a request of the guest. What the method and the URI say has been checked for form, not against a policy;
    /// [`default_send_request`] does that, and sends the request with the client of the context.
    ///
    /// # Errors
    /// Errors that the guest gets at once, or traps.
    fn send_request(
        &mut self,
        ctx: &WasiHttpCtx,
        request: Request<HyperOutgoingBody>,
        config: OutgoingRequestConfig,
    ) -> HttpResult<HostFutureIncomingResponse> {
        default_send_request(ctx, request, config)
    }

    /// Whether a guest may not set this field, nor see it on messages that arrive.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        DEFAULT_FORBIDDEN_HEADERS.contains(name)
    }
}

struct DefaultHooks;

impl WasiHttpHooks for DefaultHooks {}

/// Hooks that do what [`WasiHttpHooks`] does by itself.
pub fn default_hooks() -> &'static mut dyn WasiHttpHooks {
    // Nothing is leaked: the type has no size.
    Box::leak(Box::new(DefaultHooks))
}

/// The data of a store that gives guests access to WASI HTTP.
pub trait WasiHttpView: Send {
    /// The context, the table that its resources are kept in, and the hooks.
    fn http(&mut self) -> WasiHttpCtxView<'_>;
}

impl<T: WasiHttpView + ?Sized> WasiHttpView for &mut T {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        T::http(self)
    }
}

impl<T: WasiHttpView + ?Sized> WasiHttpView for Box<T> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        T::http(self)
    }
}

/// What the hosts of WASI HTTP work on. They are implemented for this type.
pub struct WasiHttpCtxView<'a> {
    /// What the guest may do.
    pub ctx: &'a mut WasiHttpCtx,
    /// The resources that the guest has handles of; the same as that of `WasiCtxView`.
    pub table: &'a mut ResourceTable,
    /// What the embedder does differently: [`default_hooks`] if nothing.
    pub hooks: &'a mut dyn WasiHttpHooks,
}

impl fmt::Debug for WasiHttpCtxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiHttpCtxView")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

/// Stands for [`WasiHttpCtxView`] in the signatures of generated functions.
#[derive(Debug)]
pub struct HasWasiHttp(());

impl HasData for HasWasiHttp {
    type Data<'a> = WasiHttpCtxView<'a>;
}
