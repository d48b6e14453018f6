//! Connections: accepting them, their limits, and their end.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until};
use wharf_wasi_http::ErrorCode;

use super::activity::{Activity, Busy};
use super::answer_body::ResponseBody;
use super::checked_io::CheckedIo;
use super::metrics::count;
use super::patience::MAX_GIVEN_UP;
use super::record::Record;
use super::service::answer;
use super::stalled::StreamExecutor;
use super::timed_io::TimedIo;
use super::{Server, log};

/// The largest head of a request, and the most fields in it.
const MAX_HEAD: usize = 64 << 10;
const MAX_FIELDS: usize = 128;

/// Requests of one HTTP/2 connection at a time.
const MAX_STREAMS: u32 = 128;

/// Streams of one HTTP/2 connection that the client resets before anybody looked at them.
const MAX_RESETS: usize = 64;

/// Streams of one HTTP/2 connection that the server has to reset. They are counted as long as it lasts, and a client that sends bodies to a
/// server that has too much to do causes some as well.
const MAX_OWN_RESETS: usize = 1024;

/// How long a connection that is to be closed has to say so.
const LAST_WORDS: Duration = Duration::from_millis(100);

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

async fn serve(server: Arc<Server>, stream: TcpStream, remote: SocketAddr, mut stop: watch::Receiver<bool>) {
    server.metrics.connections.fetch_add(1, Ordering::Relaxed);
    // Answers are written in few pieces; a delay of the last gains nothing.
    let _ = stream.set_nodelay(true);
    let io = CheckedIo::new(TimedIo::new(stream, server.args.body_timeout));
    let activity = Arc::new(Activity::new(io.seen()));
    let service = service_fn(|request| {
        let server = server.clone();
        let mut busy = Busy::new(&activity);
        async move {
            let response = answer(server, remote, request, &mut busy).await;
            busy.answered();
            Ok::<_, Infallible>(response.map(|body| KeepBusy { body, busy }))
        }
    });
    let builder = builder(&server);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let mut stopping = *stop.borrow();
    if stopping {
        connection.as_mut().graceful_shutdown();
    }
    let mut overdone = false;
    let error = loop {
        let now = Instant::now();
        tokio::select! {
            ended = connection.as_mut() => break ended.err(),
            () = stopped(&mut stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            () = activity.overdone() => {
                log::message(format_args!(
                    "{remote}: the client gave up {MAX_GIVEN_UP} requests more than it let finish; the connection is closed"
                ));
                (overdone, stopping) = (true, true);
                // What others asked for through this connection goes on.
                connection.as_mut().graceful_shutdown();
                continue;
            }
            () = sleep_until(activity.look_again(&server.args, now)) => {
                if activity.deadline(&server.args).is_none_or(|deadline| Instant::now() < deadline) {
                    continue;
                }
            }
        }
        stopping = true;
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = tokio::time::timeout(LAST_WORDS, connection.as_mut()).await {
            break ended.err();
        }
        // A request may have been on its way when the client was told.
        if activity.is_over(&server.args) {
            activity.cut();
            break None;
        }
    };
    if overdone || error.is_some() {
        count(&server.metrics.connection_errors);
    }
    tell(&server, remote, &activity, stopping, error.as_deref());
    server.metrics.connections.fetch_sub(1, Ordering::Relaxed);
}

/// Logs the requests that began on a connection and did not get as far as to be answered by [`answer`], which logs all others.
fn tell(
    server: &Arc<Server>,
    remote: SocketAddr,
    activity: &Activity,
    stopping: bool,
    error: Option<&(dyn Error + Send + Sync + 'static)>,
) {
    let seen = activity.seen();
    let refused = |status: u16, version, why: String| Record::refused(server, remote, status, version, why);
    if seen.is_http2() {
        // One whose head is not complete is not refused yet.
        let lost = seen.streams() - u64::from(seen.head().is_some()).min(seen.streams());
        if let Some(lost @ 1..) = lost.checked_sub(activity.begun()) {
            let (status, text) = match error.filter(|e| !stopping && !is_io(*e)) {
                Some(error) => {
                    let why = describe(error);
                    (
                        400,
                        format!("the HTTP library refused {lost} of the connection's requests: {why}"),
                    )
                }
                // The library does not say which of these it was.
                None => (
                    0,
                    format!(
                        "{lost} requests were not taken: refused by the HTTP library, too many at a time, or sent while the connection was ending"
                    ),
                ),
            };
            refused(status, "2", text);
            server.metrics.more_untaken(status, lost - 1);
        }
    } else if let Some(status) = error.and_then(answered) {
        let why = match seen.refused() {
            Some(why) => why.to_string(),
            None => error.map(describe).unwrap_or_default(),
        };
        return refused(status.as_u16(), "1.1", why);
    }
    if let Some(since) = seen.head() {
        let version = if seen.is_http2() { "2" } else { "1.1" };
        let why = match since.max(activity.idle_since()) + server.args.header_timeout <= Instant::now() {
            true => "the head of the request came too slowly",
            false => "the connection ended within the head of the request",
        };
        refused(0, version, why.to_owned());
    }
}

/// An error with its causes.
fn describe(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Whether reading or writing failed, or the client closed the connection or does not live any more: nobody broke a rule.
fn is_io(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(|e| e.is_incomplete_message() || e.is_timeout())
}

/// The status with which the HTTP library answered what it could not read.
fn answered(error: &(dyn Error + Send + Sync + 'static)) -> Option<StatusCode> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else {
        error.is_parse().then_some(StatusCode::BAD_REQUEST)
    }
}

fn builder(server: &Server) -> auto::Builder<StreamExecutor> {
    let mut builder = auto::Builder::new(StreamExecutor {
        limit: server.args.body_timeout,
    });
    builder
        .http1()
        .timer(TokioTimer::new())
        // What holds in any case; it is minded here as well, and more exactly.
        .header_read_timeout(server.args.header_timeout.max(server.args.idle_timeout))
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD as u32)
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_OWN_RESETS)
        .initial_stream_window_size(64 << 10)
        .initial_connection_window_size(1 << 20)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(server.args.idle_timeout)
        .keep_alive_timeout(server.args.header_timeout);
    builder
}

/// An answer's body that makes its connection busy.
struct KeepBusy {
    body: ResponseBody,
    busy: Busy,
}

impl http_body::Body for KeepBusy {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, ErrorCode>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for KeepBusy {
    fn drop(&mut self) {
        self.busy.is_done = self.body.is_done();
    }
}
