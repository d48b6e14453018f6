//! The `future-incoming-response` resource.

use super::HostIncomingResponse;
use crate::bindings::wasi::http::types::{self, ErrorCode};
use crate::body::IncomingBody;
use crate::budget::Charge;
use crate::ctx::WasiHttpCtxView;
use crate::error::internal;
use crate::handler::IncomingResponse;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::task::JoinHandle;
use wharf::Result;
use wharf::component::Resource;
use wharf_wasi::p2::{DynPollable, subscribe};
use wharf_wasi::{Pollable, async_trait};

type Outcome = std::result::Result<IncomingResponse, ErrorCode>;

/// A response that is still to come. Dropping it gives the request up.
pub struct HostFutureIncomingResponse {
    state: State,
    pub(crate) charge: Option<Charge>,
}

enum State {
    Pending(JoinHandle<Outcome>),
    Ready(Box<Outcome>),
    Taken,
}

impl fmt::Debug for HostFutureIncomingResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostFutureIncomingResponse")
            .field("pending", &matches!(self.state, State::Pending(_)))
            .finish_non_exhaustive()
    }
}

impl HostFutureIncomingResponse {
    /// The response that a task will give.
    pub fn pending(task: JoinHandle<Outcome>) -> HostFutureIncomingResponse {
        HostFutureIncomingResponse {
            state: State::Pending(task),
            charge: None,
        }
    }

    /// A response, or an error, that is there already.
    pub fn ready(outcome: Outcome) -> HostFutureIncomingResponse {
        HostFutureIncomingResponse {
            state: State::Ready(Box::new(outcome)),
            charge: None,
        }
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Pending(task) = &mut self.state else {
            return Poll::Ready(());
        };
        match Pin::new(task).poll(cx) {
            Poll::Ready(outcome) => {
                let outcome = outcome.unwrap_or_else(|_| Err(internal("the task of the request failed")));
                self.state = State::Ready(Box::new(outcome));
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for HostFutureIncomingResponse {
    fn drop(&mut self) {
        if let State::Pending(task) = &self.state {
            task.abort();
        }
    }
}

#[async_trait]
impl Pollable for HostFutureIncomingResponse {
    async fn ready(&mut self) {
        std::future::poll_fn(|cx| self.poll_ready(cx)).await;
    }
}

type Response = std::result::Result<Resource<HostIncomingResponse>, ErrorCode>;

impl types::HostFutureIncomingResponse for WasiHttpCtxView<'_> {
    fn subscribe(&mut self, future: Resource<HostFutureIncomingResponse>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, future)
    }

    fn get(
        &mut self,
        future: Resource<HostFutureIncomingResponse>,
    ) -> Result<Option<std::result::Result<Response, ()>>> {
        let future = self.table.get_mut(&future)?;
        let _ = future.poll_ready(&mut Context::from_waker(Waker::noop()));
        let outcome = match std::mem::replace(&mut future.state, State::Taken) {
            State::Ready(outcome) => *outcome,
            State::Taken => return Ok(Some(Err(()))),
            pending => {
                future.state = pending;
                return Ok(None);
            }
        };
        let charge = future.charge.take().map(Arc::new);
        let response = match outcome {
            Ok(response) => response,
            Err(code) => return Ok(Some(Ok(Err(code)))),
        };
        let (parts, body) = response.resp.into_parts();
        let headers = Arc::new(self.received_fields(&parts.headers));
        let response = HostIncomingResponse {
            status: parts.status.as_u16(),
            headers,
            body: Some(IncomingBody::new(
                body,
                Some(response.between_bytes_timeout),
                charge.clone(),
            )),
            _charge: charge,
        };
        Ok(Some(Ok(Ok(self.table.push(response)?))))
    }

    fn drop(&mut self, future: Resource<HostFutureIncomingResponse>) -> Result<()> {
        self.table.delete(future)?;
        Ok(())
    }
}
