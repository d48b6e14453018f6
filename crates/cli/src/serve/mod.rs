//! `wharf serve`: answers HTTP requests with a component.
//!
//! Connections and guests have threads of their own, so that guests that compute do not keep the server from accepting, answering
//! and stopping. A guest that waits has no thread, and one that computes gives its thread to others again and again.

mod activity;
mod admission;
mod answer_body;
mod app;
pub mod args;
mod body;
mod checked_io;
mod connection;
mod frames;
mod framing;
mod guest;
mod guest_output;
mod host;
mod log;
mod metrics;
mod metrics_server;
mod otlp;
mod patience;
mod record;
mod reload;
mod seen;
mod service;
mod shutdown;
mod stalled;
mod timed_io;
mod trace;
mod turns;
mod watcher;

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use wharf::Engine;

use crate::engine::{config, find_secret};
use crate::failure::Failure;
use crate::folder_limits;
use crate::load::is_artifact;
use admission::Admission;
use app::{App, Loader};
use args::ServeArgs;
use host::Grants;
use metrics::Metrics;
use shutdown::Signals;

/// What all requests share.
pub struct Server {
    args: Arc<ServeArgs>,
    grants: Grants,
    admission: Admission,
    metrics: Metrics,
    /// The threads for connections and for what guests wait for.
    connections: Handle,
    /// The threads on which guests run.
    guests: Handle,
    turns: turns::Turns,
    spans: Option<Arc<otlp::Exporter>>,
    app: RwLock<Arc<App>>,
    /// Whether somebody waits for changes in stores.
    watching: AtomicBool,
}

impl Server {
    /// The component for new requests.
    fn app(&self) -> Arc<App> {
        self.app.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_app(&self, app: App) {
        *self.app.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(app);
    }
}

/// Serves until a signal says to end, and gives the exit status of the process.
pub fn serve(args: ServeArgs) -> Result<u8, Failure> {
    let args = Arc::new(args);
    let secret = match is_artifact(&args.file) {
        true => find_secret(args.artifact_key.as_deref())?,
        false => None,
    };
    let mut config = config(&args.engine, secret)?;
    config.epoch_interruption(true);
    let engine = Engine::new(&config).map_err(|e| Failure::new(e.to_string()))?;
    let grants = Grants::new(args.clone())?;
    let _shared = folder_limits::share(&args.grants, &grants.cloud.policy);
    let loader = Loader::new(args.clone(), engine.clone(), &grants)?;
    let app = loader.load()?;
    let cores = std::thread::available_parallelism().map_or(2, Into::into);
    let connections = runtime("wharf-http", cores, Builder::enable_all)?;
    let spans = match &args.otlp {
        Some(endpoint) => Some(Arc::new(otlp::Exporter::new(
            endpoint,
            connections.handle().clone(),
        )?)),
        None => None,
    };
    let threads = args.guest_threads.map_or(cores * 4, Into::into);
    // Requests come from other threads, and must not wait until guests that compute had many turns each.
    let guests = runtime("wharf-guest", threads, |builder| builder.global_queue_interval(2))?;
    let server = Arc::new(Server {
        grants,
        admission: Admission::new(args.max_concurrent.get(), args.max_waiting),
        metrics: Metrics::default(),
        connections: connections.handle().clone(),
        guests: guests.handle().clone(),
        turns: turns::Turns::default(),
        spans,
        app: RwLock::new(Arc::new(app)),
        watching: AtomicBool::new(false),
        args,
    });
    tick(engine.clone())?;
    let ended = connections.block_on(run(server, Arc::new(loader)));
    // What is still running has had its time.
    connections.shutdown_background();
    guests.shutdown_background();
    // Without a cache the next start compiles again.
    let _ = engine.save_cache();
    ended
}

fn runtime(
    name: &str,
    threads: usize,
    drivers: impl FnOnce(&mut Builder) -> &mut Builder,
) -> Result<Runtime, Failure> {
    let mut builder = Builder::new_multi_thread();
    drivers(builder.worker_threads(threads).thread_name(name))
        .build()
        .map_err(|e| Failure::new(format!("no threads: {e}")))
}

/// Moves the epoch on, by which guests that compute let others run, and are stopped when their time is over.
fn tick(engine: Engine) -> Result<(), Failure> {
    let run = move || {
        loop {
            std::thread::sleep(guest::TICK);
            engine.increment_epoch();
        }
    };
    std::thread::Builder::new()
        .name("wharf-epoch".to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|e| Failure::new(format!("no threads: {e}")))
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failure = |e: std::io::Error| Failure::new(format!("{address}: {e}"));
    let listener = TcpListener::bind(address).await.map_err(failure)?;
    let bound = listener.local_addr().map_err(failure)?;
    Ok((listener, bound))
}

async fn run(server: Arc<Server>, loader: Arc<Loader>) -> Result<u8, Failure> {
    let mut signals =
        Signals::new().map_err(|e| Failure::new(format!("signals can't be waited for: {e}")))?;
    let (listener, address) = listen(server.args.addr).await?;
    if let Some(address) = server.args.metrics_addr {
        let (listener, address) = listen(address).await?;
        log::message(format_args!("metrics on http://{address}/metrics"));
        tokio::spawn(metrics_server::serve(server.clone(), listener));
    }
    reload::on_hangup(server.clone(), loader.clone())
        .map_err(|e| Failure::new(format!("SIGHUP can't be waited for: {e}")))?;
    if server.args.watch {
        tokio::spawn(reload::watch(server.clone(), loader.clone()));
    }
    watcher::start(&server).await;
    let (stop, stopped) = watch::channel(false);
    log::message(format_args!(
        "serving {} on http://{address}",
        loader.file().display()
    ));
    let accepting = connection::accept(server.clone(), listener, stopped);
    tokio::pin!(accepting);
    tokio::select! {
        _ = &mut accepting => {}
        () = signals.next() => {
            log::message("ending; requests that are under way may finish");
            let _ = stop.send(true);
            let ending = async {
                if !accepting.await {
                    log::message("some requests took too long and were broken off");
                }
                if let Some(spans) = server.spans.clone() {
                    let _ = tokio::task::spawn_blocking(move || spans.shutdown()).await;
                }
            };
            tokio::select! {
                () = ending => {}
                // Once more: at once.
                () = signals.next() => {}
            }
        }
    }
    Ok(0)
}
