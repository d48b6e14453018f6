//! What a guest may do with HTTP: flags that several commands have, and the client that keeps to them.

use std::path::{Path, PathBuf};

use clap::Args;
use http::Request;
use wharf_wasi_http::{
    ErrorCode, HostFutureIncomingResponse, HttpClient, HttpPolicy, HttpResult, HttpRule, HyperOutgoingBody,
    OutgoingRequestConfig, TlsRoots, WasiHttpCtx, WasiHttpHooks, default_send_request,
};

use crate::denied::{self, quoted};
use crate::failure::Failure;

/// The flags for requests that a guest sends.
#[derive(Debug, Default, Args)]
pub struct HttpArgs {
    /// Let the guest send requests to a host: `https://api.example.org`, `https://*.example.org`, `http://127.0.0.1:8080`. Names lead to public
    /// addresses only, unless the rule ends with `::private`
    #[arg(long = "http", value_name = "SCHEME://HOST[:PORT]")]
    pub http: Vec<HttpRule>,

    /// Trust only the certificate authorities in this PEM file (default: Mozilla's list), for stores in rediss: as well
    #[arg(long, value_name = "FILE", conflicts_with = "http_system_ca")]
    pub http_ca: Option<PathBuf>,

    /// Trust the certificate authorities of the operating system
    #[arg(long)]
    pub http_system_ca: bool,
}

impl HttpArgs {
    /// The certificate authorities that are trusted.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn roots(&self) -> Result<TlsRoots, Failure> {
        Ok(match &self.http_ca {
            Some(path) => TlsRoots::Pem(read(path)?),
            None if self.http_system_ca => TlsRoots::System,
            None => TlsRoots::Bundled,
        })
    }
}

/// Tells what was denied.
pub struct TellDenied;

impl WasiHttpHooks for TellDenied {
    fn send_request(
        &mut self,
        ctx: &WasiHttpCtx,
        request: Request<HyperOutgoingBody>,
        config: OutgoingRequestConfig,
    ) -> HttpResult<HostFutureIncomingResponse> {
        let scheme = if config.use_tls { "https" } else { "http" };
        let uri = request.uri().clone();
        let sent = default_send_request(ctx, request, config);
        if let Err(error) = &sent
            && let Some(ErrorCode::HttpRequestDenied) = error.downcast_ref()
            && let Some(authority) = uri.authority()
        {
            let rule: String = format!("{scheme}://{authority}").chars().take(300).collect();
            denied::tell(format!(
                "a request to {rule}; `--http {}` allows it",
                quoted(&rule)
            ));
        }
        sent
    }
}

/// Sends the requests that guests may send.
#[derive(Clone, Debug, Default)]
pub struct Http {
    /// None where nothing is granted.
    client: Option<HttpClient>,
}

impl Http {
    /// A client for what the flags and further rules grant.
    ///
    /// # Errors
    /// When the certificates can't be read.
    pub fn new(args: &HttpArgs, rules: Vec<HttpRule>) -> Result<Http, Failure> {
        let mut rules = rules.into_iter().chain(args.http.iter().cloned()).peekable();
        if rules.peek().is_none() {
            return Ok(Http::default());
        }
        let policy = rules.fold(HttpPolicy::new(), HttpPolicy::rule);
        let client = HttpClient::builder()
            .policy(policy)
            .roots(args.roots()?)
            .build()
            .map_err(|e| Failure::new(format!("--http: {e}")))?;
        Ok(Http { client: Some(client) })
    }

    /// The context of an instance: with a memory limit of its own, while connections are shared.
    pub fn ctx(&self) -> WasiHttpCtx {
        match &self.client {
            Some(client) => WasiHttpCtx::with_client(client.clone()),
            None => WasiHttpCtx::new(),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}
