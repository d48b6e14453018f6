//! Answers requests with a component on Wharf, in this process.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use wharf::component::InstancePre;
use wharf::{Engine, Store};
use wharf_wasi::WasiCtx;
use wharf_wasi_http::bindings::wasi::http::types::Scheme;
use wharf_wasi_http::{HyperOutgoingBody, ProxyPre, WasiHttpCtx, WasiHttpView, response_channel};

use super::host::Host;
use super::served::{Answer, exchange};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends a request to a server that has one connection, and gives the answer.
///
/// # Errors
/// If there is none.
pub(super) fn answer(engine: &Engine, pre: &Arc<InstancePre<Host>>, request: &str) -> Result<Answer, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let pre = ProxyPre::new((**pre).clone()).map_err(|e| e.to_string())?;
    let (engine, request) = (engine.clone(), request.to_string());
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|e| e.to_string())?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let client = tokio::task::spawn_blocking(move || exchange(address, &request, TIMEOUT));
        let (stream, _) = listener.accept().await.map_err(|e| e.to_string())?;
        let service = service_fn(move |request| {
            let response = respond(engine.clone(), pre.clone(), request);
            async move { Ok::<_, Infallible>(response.await) }
        });
        // How the connection ends is seen at the other side.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
        client
            .await
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())
    })
}

async fn respond(
    engine: Engine,
    pre: ProxyPre<Host>,
    request: Request<Incoming>,
) -> Response<HyperOutgoingBody> {
    let failed = || {
        let empty = http_body_util::Empty::new().map_err(|e| match e {});
        let mut response = Response::new(empty.boxed_unsync());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    };
    let (sender, receiver) = response_channel();
    tokio::spawn(async move {
        let host = Host::new(WasiCtx::builder().build(), WasiHttpCtx::new(), &BTreeMap::new());
        let mut store = Store::new(&engine, host);
        let request = store
            .data_mut()
            .http()
            .new_incoming_request(Scheme::Http, request)?;
        let outparam = store.data_mut().http().new_response_outparam(sender)?;
        let proxy = pre.instantiate_async(&mut store).await?;
        let handler = proxy.wasi_http_incoming_handler();
        handler.call_handle(&mut store, request, outparam).await
    });
    match receiver.await {
        Ok(answer) => answer.unwrap_or_else(|_| failed()),
        // The guest is gone, or returned without an answer.
        Err(_) => failed(),
    }
}
