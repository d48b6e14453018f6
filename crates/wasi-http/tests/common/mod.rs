//! The guests `http-hello` and `http-client`, and servers for them to talk to.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod authority;
pub mod frames;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use wharf::component::{Component, InstancePre, Linker, ResourceTable};
use wharf::{Config, Engine, Store, Tier};
use wharf_wasi::p2::{AsyncCommandPre, CommandPre};
use wharf_wasi::{MemoryOutputPipe, WasiCtx, WasiCtxView, WasiView};
use wharf_wasi_http::bindings::wasi::http::types::Scheme;
use wharf_wasi_http::{
    ErrorCode, HttpClient, HttpPolicy, HyperOutgoingBody, ProxyPre, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView, default_hooks, response_channel,
};

pub struct State {
    pub ctx: WasiCtx,
    pub http: WasiHttpCtx,
    pub table: ResourceTable,
    pub hooks: Option<Box<dyn WasiHttpHooks>>,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: match &mut self.hooks {
                Some(hooks) => &mut **hooks,
                None => default_hooks(),
            },
        }
    }
}

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(Config::new().tier(Tier::Off).lazy_validation(true)).unwrap())
}

fn pre(guest: &str) -> InstancePre<State> {
    let path = format!(
        "{}/../../examples/guests/{guest}/{guest}.wasm",
        env!("CARGO_MANIFEST_DIR")
    );
    let component = Component::new(engine(), std::fs::read(path).unwrap()).unwrap();
    let mut linker = Linker::new(engine());
    wharf_wasi_http::add_to_linker(&mut linker).unwrap();
    linker.instantiate_pre(&component).unwrap()
}

/// What a handler made of a request.
pub enum Answer {
    Response(Response<HyperOutgoingBody>),
    Error(ErrorCode),
    None,
}

impl Answer {
    /// Status and body, which must be whole.
    pub async fn text(self) -> (u16, String) {
        match self {
            Answer::Response(response) => {
                let status = response.status().as_u16();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                (status, String::from_utf8(body.to_vec()).unwrap())
            }
            Answer::Error(code) => panic!("{code:?}"),
            Answer::None => panic!("no response"),
        }
    }
}

/// Gives a request to `http-hello`. The guest goes on in the task whose handle is given.
pub async fn hello<B>(
    request: Request<B>,
    setup: impl FnOnce(&mut State),
) -> (Answer, tokio::task::JoinHandle<wharf::Result<State>>)
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: wharf_wasi_http::IntoErrorCode,
{
    static PRE: OnceLock<ProxyPre<State>> = OnceLock::new();
    let pre = PRE.get_or_init(|| ProxyPre::new(pre("http-hello")).unwrap());
    let mut state = State {
        ctx: WasiCtx::builder().build(),
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
        hooks: None,
    };
    setup(&mut state);
    let mut store = Store::new(engine(), state);
    let (sender, receiver) = response_channel();
    let request = store
        .data_mut()
        .http()
        .new_incoming_request(Scheme::Http, request)
        .unwrap();
    let outparam = store.data_mut().http().new_response_outparam(sender).unwrap();
    let task = tokio::spawn(async move {
        let proxy = pre.instantiate_async(&mut store).await?;
        let handler = proxy.wasi_http_incoming_handler();
        handler.call_handle(&mut store, request, outparam).await?;
        Ok(store.into_data())
    });
    let answer = match receiver.await {
        Ok(Ok(response)) => Answer::Response(response),
        Ok(Err(code)) => Answer::Error(code),
        Err(_) => Answer::None,
    };
    (answer, task)
}

/// A `GET` request without body.
pub fn get(target: &str) -> Request<Full<Bytes>> {
    Request::get(target).body(Full::default()).unwrap()
}

fn client_pre() -> &'static InstancePre<State> {
    static PRE: OnceLock<InstancePre<State>> = OnceLock::new();
    PRE.get_or_init(|| pre("http-client"))
}

/// A store for `http-client`, and what it will print.
fn client_store(args: &[&str], setup: impl FnOnce(&mut State)) -> (Store<State>, MemoryOutputPipe) {
    let out = MemoryOutputPipe::new(1 << 20);
    let mut ctx = WasiCtx::builder();
    ctx.arg("http-client").args(args).stdout(out.clone());
    let mut state = State {
        ctx: ctx.build(),
        http: WasiHttpCtx::new(),
        table: ResourceTable::new(),
        hooks: None,
    };
    setup(&mut state);
    (Store::new(engine(), state), out)
}

fn printed(out: &MemoryOutputPipe) -> String {
    String::from_utf8(out.contents().to_vec()).unwrap()
}

/// Runs `http-client` and gives what it prints.
pub async fn client(args: &[&str], setup: impl FnOnce(&mut State)) -> String {
    let (mut store, out) = client_store(args, setup);
    let pre = AsyncCommandPre::new(client_pre().clone()).unwrap();
    let command = pre.instantiate_async(&mut store).await.unwrap();
    let _ = command.wasi_cli_run().call_run(&mut store).await.unwrap();
    printed(&out)
}

/// The same, without a runtime.
pub fn client_sync(args: &[&str], setup: impl FnOnce(&mut State)) -> String {
    let (mut store, out) = client_store(args, setup);
    let pre = CommandPre::new(client_pre().clone()).unwrap();
    let command = pre.instantiate(&mut store).unwrap();
    let _ = command.wasi_cli_run().call_run(&mut store).unwrap();
    printed(&out)
}

/// A client that may send what these rules allow.
pub fn allow(rules: &[&str]) -> HttpClient {
    let mut policy = HttpPolicy::new();
    for rule in rules {
        policy = policy.allow(rule).unwrap();
    }
    HttpClient::builder().policy(policy).build().unwrap()
}

/// Lets `each` have every connection to the address that it gives.
pub async fn listen<F>(each: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(each(stream));
        }
    });
    address
}

pub type Reply = Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>;

/// Serves one connection with HTTP/1.1.
pub async fn serve1<S, F>(
    stream: S,
    answer: impl Fn(Request<hyper::body::Incoming>) -> F + Send + Sync + 'static,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let answer = Arc::new(answer);
    let service = hyper::service::service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer(request).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Serves one connection with HTTP/2.
pub async fn serve2<S, F>(
    stream: S,
    answer: impl Fn(Request<hyper::body::Incoming>) -> F + Send + Sync + 'static,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let answer = Arc::new(answer);
    let service = hyper::service::service_fn(move |request| {
        let answer = answer.clone();
        async move { Ok::<_, Infallible>(answer(request).await) }
    });
    let _ = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Tells about a request: method, target, host, some headers, length of the body, trailers.
pub async fn describe(request: Request<hyper::body::Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected
        .trailers()
        .map(|t| format!(" trailers {t:?}"))
        .unwrap_or_default();
    let host = parts
        .headers
        .get("host")
        .map(|h| h.to_str().unwrap().to_owned())
        .or(parts.uri.authority().map(|a| a.to_string()));
    let text = format!(
        "{} {} {} {} {}{trailers}",
        parts.method,
        parts.uri.path_and_query().unwrap(),
        host.unwrap_or_default(),
        parts.headers.get("x-test").map_or("-", |v| v.to_str().unwrap()),
        collected.to_bytes().len(),
    );
    Response::new(Full::new(Bytes::from(text)).boxed_unsync())
}
