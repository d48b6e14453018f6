//! Connections: accepting them, their limits, and their end.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::checked_io::CheckedIo;
use super::metrics::count;
use super::record::Record;
use super::service::answer;
use super::timed_io::TimedIo;
use super::{Server, log};

/// The largest head of a request, and the most fields in it.
const MAX_HEAD: usize = 64 << 10;
const MAX_FIELDS: usize = 128;

/// Requests of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 256;

/// Accepts connections until `stop` says so, then waits for those that are open. Says whether all came to their end.
pub async fn accept(server: Arc<Server>, listener: TcpListener, mut stop: watch::Receiver<bool>) -> bool {
    let max = u32::try_from(server.args.max_connections.get()).unwrap_or(u32::MAX >> 4);
    let slots = Arc::new(Semaphore::new(max as usize));
    loop {
        let slot = tokio::select! {
            slot = slots.clone().acquire_owned() => slot,
            () = stopped(&mut stop) => break,
        };
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, remote)) => {
                let (server, stop) = (server.clone(), stop.clone());
                tokio::spawn(async move {
                    serve(server, stream, remote, stop).await;
                    drop(slot);
                });
            }
            Err(e) => {
                log::message(format_args!("a connection can't be accepted: {e}"));
                // Out of file descriptors, most likely: others have to end first.
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let ended = slots.acquire_many(max);
    tokio::time::timeout(server.args.shutdown_timeout, ended)
        .await
        .is_ok()
}

/// Waits until the server is to end.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who could say so is gone: the same.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a connection does at present.
struct Activity {
    requests: AtomicUsize,
    /// Since when it does nothing, and whether it has ever had a request.
    since: Mutex<(Instant, bool)>,
}

impl Activity {
    fn new() -> Activity {
        Activity {
            requests: AtomicUsize::new(0),
            since: Mutex::new((Instant::now(), false)),
        }
    }

    /// When the connection is to be closed, if nothing happens until then.
    fn deadline(&self, server: &Server) -> Instant {
        let (since, used) = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if self.requests.load(Ordering::Relaxed) > 0 {
            return Instant::now() + server.args.idle_timeout;
        }
        since
            + match used {
                true => server.args.idle_timeout,
                false => server.args.header_timeout,
            }
    }
}

/// A request of a connection.
struct Busy(Arc<Activity>);

impl Busy {
    fn new(activity: &Arc<Activity>) -> Busy {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        Busy(activity.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), true);
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(server: Arc<Server>, stream: TcpStream, remote: SocketAddr, mut stop: watch::Receiver<bool>) {
    server.metrics.connections.fetch_add(1, Ordering::Relaxed);
    // Answers are written in few pieces; a delay of the last gains nothing.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::new());
    let service = service_fn(|request| {
        let server = server.clone();
        let busy = Busy::new(&activity);
        async move {
            let response = answer(server, remote, request).await;
            Ok::<_, Infallible>(response.map(|body| KeepBusy { body, _busy: busy }))
        }
    });
    let builder = builder(&server);
    let io = CheckedIo::new(TimedIo::new(stream, server.args.body_timeout));
    let verdict = io.verdict();
    let io = TokioIo::new(io);
    let mut connection = pin!(builder.serve_connection(io, service));
    let mut stopping = *stop.borrow();
    if stopping {
        connection.as_mut().graceful_shutdown();
    }
    loop {
        let deadline = activity.deadline(&server);
        tokio::select! {
            ended = connection.as_mut() => {
                // Errors are those of clients, or of guests, which were logged.
                if let Err(error) = ended {
                    count(&server.metrics.connection_errors);
                    if let Some(status) = refused(&*error) {
                        let why = verdict.get().map_or_else(|| error.to_string(), |why| why.to_string());
                        Record::refused(&server, remote, status, why);
                    }
                }
                break;
            }
            () = stopped(&mut stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = sleep_until(deadline) => {
                if activity.deadline(&server) <= Instant::now() {
                    connection.as_mut().graceful_shutdown();
                    // Who has no request under way needs no time to end it.
                    let _ = tokio::time::timeout(Duration::from_millis(100), connection.as_mut()).await;
                    break;
                }
            }
        }
    }
    server.metrics.connections.fetch_sub(1, Ordering::Relaxed);
}

/// The status with which the HTTP library answered what it could not read.
fn refused(error: &(dyn Error + 'static)) -> Option<StatusCode> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        error.is_parse().then_some(StatusCode::BAD_REQUEST)
    }
}

fn builder(server: &Server) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Between requests the longer limit for connections that do nothing holds.
        .header_read_timeout(server.args.header_timeout.max(server.args.idle_timeout))
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD as u32)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(1 << 20)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(server.args.idle_timeout)
        .keep_alive_timeout(server.args.header_timeout);
    builder
}

/// A body that makes its connection busy.
struct KeepBusy<B> {
    body: B,
    _busy: Busy,
}

impl<B: http_body::Body + Unpin> http_body::Body for KeepBusy<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
