//! One request in a guest.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use wharf::TrapCode;
use wharf_wasi_http::bindings::wasi::http::types::Scheme;
use wharf_wasi_http::{ErrorCode, HyperOutgoingBody, WasiHttpView};

use super::body::RequestBody;
use super::metrics::count;
use super::{Server, log};

/// How often the epoch of the engine moves on.
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

/// A guest at work. Dropping it stops the guest.
pub struct Running(Option<JoinHandle<Outcome>>);

impl Running {
    /// Lets a guest work on the threads for guests.
    pub fn start(server: &Arc<Server>, job: Job) -> Running {
        let connections = server.connections.clone();
        let mut guest = Box::pin(work(server.clone(), job));
        // Timers, sockets and tasks of the guest belong to the threads for connections, which never run guests: a guest that
        // computes could be on the very thread that wakes others.
        let guest = std::future::poll_fn(move |cx| {
            let _entered = connections.enter();
            guest.as_mut().poll(cx)
        });
        Running(Some(server.guests.spawn(guest)))
    }

    /// Waits for the end.
    pub async fn outcome(&mut self) -> Outcome {
        match &mut self.0 {
            Some(task) => task.await.unwrap_or(Outcome::Failed),
            None => Outcome::Returned,
        }
    }

    /// Lets the guest go on by itself.
    pub fn detach(mut self) {
        self.0 = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn work(server: Arc<Server>, job: Job) -> Outcome {
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
    let left = job.deadline.saturating_duration_since(Instant::now());
    let ticks = u64::try_from(left.as_millis() / TICK.as_millis()).unwrap_or(u64::MAX - 2) + 2;
    let app = server.app();
    let mut instance = app.instance(&server.grants, &server.metrics, ticks).await?;
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
