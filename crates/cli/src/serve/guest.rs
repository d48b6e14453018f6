//! One request in a guest.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Request;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use wharf::TrapCode;
use wharf_wasi_http::bindings::wasi::http::types::Scheme;
use wharf_wasi_http::{ErrorCode, HyperOutgoingBody, WasiHttpView};

use super::body::RequestBody;
use super::metrics::{Metrics, count};
use super::{Server, log};

/// How often the epoch of the engine moves on: how long guests compute before others have their turn.
pub const TICK: Duration = Duration::from_millis(10);

/// How a guest's work on a request ended.
#[derive(Debug)]
pub enum Outcome {
    /// It returned.
    Returned,
    /// It was stopped: its time was over.
    TimedOut,
    /// It trapped, or could not be started.
    Failed,
}

/// What a guest gets.
pub struct Job {
    pub request: Request<RequestBody>,
    pub response: oneshot::Sender<Result<http::Response<HyperOutgoingBody>, ErrorCode>>,
    pub trace_id: String,
    pub deadline: Instant,
    /// Held while the guest works.
    pub permit: OwnedSemaphorePermit,
}

/// Counts a guest while it is there.
struct Counted<'a>(&'a Metrics);

impl<'a> Counted<'a> {
    fn new(metrics: &'a Metrics) -> Counted<'a> {
        metrics.guests.fetch_add(1, Ordering::Relaxed);
        Counted(metrics)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.guests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A guest at work. Dropping it stops the guest: when it waits at once, when it computes at the end of its slice of time.
pub struct Running(State);

enum State {
    Ended(Option<Outcome>),
    Going(Option<JoinHandle<Outcome>>),
}

impl Running {
    /// Lets a guest work: its first turn here, if turns are short, all others on the threads for guests.
    pub fn start(server: &Arc<Server>, job: Job) -> Running {
        let mut guest = Box::pin(work(server.clone(), job));
        if server.turns.are_short()
            && let Some(outcome) = first_turn(server, guest.as_mut())
        {
            return Running(State::Ended(Some(outcome)));
        }
        Running(State::Going(Some(on_guest_threads(server, guest))))
    }

    /// Waits for the end.
    pub async fn outcome(&mut self) -> Outcome {
        match &mut self.0 {
            State::Going(Some(task)) => task.await.unwrap_or(Outcome::Failed),
            State::Going(None) => Outcome::Returned,
            State::Ended(outcome) => outcome.take().unwrap_or(Outcome::Returned),
        }
    }

    /// Lets the guest go on by itself.
    pub fn detach(mut self) {
        if let State::Going(task) = &mut self.0 {
            *task = None;
        }
    }
}

/// Lets a guest work until it waits. `None` unless that was all; then whoever polls it next says whom to wake.
fn first_turn(server: &Server, guest: Pin<&mut impl Future<Output = Outcome>>) -> Option<Outcome> {
    let begun = Instant::now();
    let poll = || guest.poll(&mut Context::from_waker(Waker::noop()));
    // As for tasks: a panic is that of one request.
    let poll = catch_unwind(AssertUnwindSafe(poll));
    server.turns.note(begun.elapsed());
    match poll {
        Ok(Poll::Ready(outcome)) => Some(outcome),
        Ok(Poll::Pending) => None,
        Err(_) => Some(Outcome::Failed),
    }
}

/// Lets a future that runs a guest work on the threads for guests.
pub fn on_guest_threads<T: Send + 'static>(
    server: &Arc<Server>,
    mut guest: Pin<Box<dyn Future<Output = T> + Send>>,
) -> JoinHandle<T> {
    let server = server.clone();
    let threads = server.guests.clone();
    // Timers, sockets and tasks of the guest belong to the threads for connections, which never run guests for long: a guest that
    // computes could be on the very thread that wakes others.
    let guest = std::future::poll_fn(move |cx| {
        let _entered = server.connections.enter();
        let begun = Instant::now();
        let poll = guest.as_mut().poll(cx);
        server.turns.note(begun.elapsed());
        poll
    });
    threads.spawn(guest)
}

impl Drop for Running {
    fn drop(&mut self) {
        if let State::Going(Some(task)) = &self.0 {
            task.abort();
        }
    }
}

async fn work(server: Arc<Server>, job: Job) -> Outcome {
    let _counted = Counted::new(&server.metrics);
    let trace_id = job.trace_id.clone();
    let deadline = job.deadline;
    let error = match timeout_at(deadline, call(&server, job)).await {
        Ok(Ok(())) => return Outcome::Returned,
        Ok(Err(error)) => error,
        Err(_) => {
            count(&server.metrics.timeouts);
            log::message(format_args!(
                "[{trace_id}] the guest took too long and was stopped"
            ));
            return Outcome::TimedOut;
        }
    };
    if error.trap_code() == Some(TrapCode::Interrupt) {
        count(&server.metrics.timeouts);
        log::message(format_args!(
            "[{trace_id}] the guest ran for too long and was stopped"
        ));
        return Outcome::TimedOut;
    }
    count(&server.metrics.traps);
    let mut text = format!("[{trace_id}] {error}");
    if let Some(backtrace) = error.backtrace() {
        text.push_str(&format!("\n{backtrace}"));
    }
    log::message(text);
    Outcome::Failed
}

async fn call(server: &Server, job: Job) -> Result<(), wharf::Error> {
    let _permit = job.permit;
    let app = server.app();
    let mut instance = app
        .instance(&server.grants, &server.metrics, job.deadline)
        .await?;
    let host = instance.store.data_mut();
    host.output.belongs_to(&job.trace_id);
    let request = host.http().new_incoming_request(Scheme::Http, job.request)?;
    let outparam = host.http().new_response_outparam(job.response)?;
    instance
        .proxy
        .wasi_http_incoming_handler()
        .call_handle(&mut instance.store, request, outparam)
        .await?;
    app.give_back(instance).await
}
