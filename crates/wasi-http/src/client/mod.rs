//! The client that sends requests of guests.

mod connect;
mod interim;
mod pool;
mod senders;
mod tls;

pub use connect::{Resolve, SystemResolver};
pub use tls::{HttpClientError, TlsRoots};

use crate::bindings::wasi::http::types::ErrorCode;
use crate::body::HyperOutgoingBody;
use crate::error::from_body;
use crate::handler::{IncomingResponse, OutgoingRequestConfig};
use crate::policy::{Grant, HttpPolicy, Scheme};
use http::{Request, StatusCode, Uri};
use http_body::Body;
use http_body_util::BodyExt;
use interim::Interim;
use pool::Pool;
use rustls::ClientConfig;
use senders::{SendError, Senders};
use std::fmt;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Connections that a client has at a time, unless set.
const DEFAULT_MAX_CONNECTIONS: usize = 256;

/// Sends requests as far as a policy allows. Clones are the same client and share its connections, so that those who may
/// not see one another's connections need clients of their own.
///
/// HTTP/1.1 and, where a TLS server offers it, HTTP/2. Nothing is followed or decoded. A request is tried on a new
/// connection when a kept one turns out to be closed, if nothing of it was sent, or if it has no body and its method is
/// one of those that may be repeated.
#[derive(Clone)]
pub struct HttpClient(Arc<Inner>);

struct Inner {
    policy: HttpPolicy,
    tls: Arc<ClientConfig>,
    resolver: Arc<dyn Resolve>,
    connections: Arc<Semaphore>,
    pool: Pool,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("policy", &self.0.policy)
            .finish_non_exhaustive()
    }
}

/// Makes an [`HttpClient`].
pub struct HttpClientBuilder {
    policy: HttpPolicy,
    roots: TlsRoots,
    resolver: Arc<dyn Resolve>,
    max_connections: usize,
}

impl fmt::Debug for HttpClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClientBuilder")
            .field("policy", &self.policy)
            .field("roots", &self.roots)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl HttpClientBuilder {
    /// What may be sent. Nothing unless set.
    #[must_use]
    pub fn policy(mut self, policy: HttpPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Which certificate authorities are trusted.
    #[must_use]
    pub fn roots(mut self, roots: TlsRoots) -> Self {
        self.roots = roots;
        self
    }

    /// Replaces the way in which names are looked up.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// How many connections there may be at a time, those that wait for their next request included. 256 unless set.
    #[must_use]
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// When the certificate authorities can't be had.
    pub fn build(self) -> Result<HttpClient, HttpClientError> {
        Ok(HttpClient(Arc::new(Inner {
            policy: self.policy,
            tls: tls::config(&self.roots)?,
            resolver: self.resolver,
            connections: Arc::new(Semaphore::new(self.max_connections)),
            pool: Pool::default(),
        })))
    }
}

/// What connections have to have in common to be used for the same requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    scheme: Scheme,
    host: String,
    port: u16,
}

/// Where a request goes to, and what the policy says about it.
#[derive(Debug)]
pub(crate) struct Target {
    scheme: Scheme,
    host: String,
    port: u16,
    grant: Grant,
}

/// A connection that can take a request.
pub(crate) struct Connection {
    senders: Senders,
}

impl Connection {
    fn new(senders: Senders) -> Connection {
        Connection { senders }
    }
}

impl HttpClient {
    /// A builder of a client that may send nothing yet.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder {
            policy: HttpPolicy::new(),
            roots: TlsRoots::default(),
            resolver: Arc::new(SystemResolver),
            max_connections: DEFAULT_MAX_CONNECTIONS,
        }
    }

    /// What may be sent.
    pub fn policy(&self) -> &HttpPolicy {
        &self.0.policy
    }

    /// Sends a request with an absolute URI and waits for the head of the response. Has to be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// `HTTP-request-denied` when the policy does not allow it; otherwise what went wrong.
    pub async fn send(
        &self,
        request: Request<HyperOutgoingBody>,
        config: OutgoingRequestConfig,
    ) -> Result<IncomingResponse, ErrorCode> {
        let target = self.check(request.uri(), config.use_tls)?;
        self.send_to(target, request, config).await
    }

    /// What the policy says about a request.
    pub(crate) fn check(&self, uri: &Uri, use_tls: bool) -> Result<Target, ErrorCode> {
        let scheme = if use_tls { Scheme::Https } else { Scheme::Http };
        let host = uri
            .host()
            .ok_or(ErrorCode::HttpRequestUriInvalid)?
            .to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(scheme.default_port());
        let grant = self
            .0
            .policy
            .check(scheme, &host, port)
            .ok_or(ErrorCode::HttpRequestDenied)?;
        Ok(Target {
            scheme,
            host,
            port,
            grant,
        })
    }

    pub(crate) async fn send_to(
        &self,
        target: Target,
        mut request: Request<HyperOutgoingBody>,
        config: OutgoingRequestConfig,
    ) -> Result<IncomingResponse, ErrorCode> {
        let key = Key {
            scheme: target.scheme,
            host: target.host.clone(),
            port: target.port,
        };
        let mut reused = self.0.pool.take(&key);
        loop {
            let is_reused = reused.is_some();
            let mut connection = match reused.take() {
                Some(connection) => connection,
                None => self.connect(&target, &config).await?,
            };
            let again = is_reused.then(|| repeatable(&request)).flatten();
            let interim = Interim::of(&mut request);
            let sent = interim.limit(connection.senders.send(request));
            let first_byte = after(config.first_byte_timeout);
            let response = match timeout_at(first_byte, sent).await {
                Ok(None) => return Err(ErrorCode::HttpProtocolError),
                Ok(Some(Ok(response))) => response,
                // A kept connection may have been closed meanwhile.
                Ok(Some(Err(SendError {
                    unsent: Some(unsent), ..
                }))) if is_reused => {
                    request = unsent;
                    continue;
                }
                // Or it was closed just now, when the request was on its way.
                Ok(Some(Err(SendError {
                    code: ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete,
                    ..
                }))) if let Some(again) = again => {
                    request = again;
                    continue;
                }
                Ok(Some(Err(error))) => return Err(error.code),
                Err(_) => return Err(ErrorCode::ConnectionReadTimeout),
            };
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                return Err(ErrorCode::HttpUpgradeFailed);
            }
            self.0.pool.give_back(key, connection);
            return Ok(IncomingResponse {
                resp: response.map(|body| body.map_err(|e| from_body(&e)).boxed_unsync()),
                between_bytes_timeout: config.between_bytes_timeout,
            });
        }
    }

    /// Makes a new connection.
    async fn connect(
        &self,
        target: &Target,
        config: &OutgoingRequestConfig,
    ) -> Result<Connection, ErrorCode> {
        let deadline = after(config.connect_timeout);
        let connections = &self.0.connections;
        if connections.available_permits() == 0 {
            self.0.pool.clear();
        }
        let permit = timeout_at(deadline, connections.clone().acquire_owned())
            .await
            .map_err(|_| ErrorCode::ConnectionLimitReached)?
            .map_err(|_| ErrorCode::ConnectionLimitReached)?;
        timeout_at(deadline, connect::connect(&self.0, target, permit))
            .await
            .map_err(|_| ErrorCode::ConnectionTimeout)?
    }
}

/// The request once more, if it may be sent twice.
fn repeatable(request: &Request<HyperOutgoingBody>) -> Option<Request<HyperOutgoingBody>> {
    if !request.method().is_idempotent() || !request.body().is_end_stream() {
        return None;
    }
    let mut again = Request::new(crate::body::empty());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}

/// The time after this long; far away when that can't be told.
fn after(duration: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration)
        .unwrap_or_else(|| now + std::time::Duration::from_secs(365 * 24 * 3600))
}
