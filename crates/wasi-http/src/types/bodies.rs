//! The `incoming-body`, `future-trailers` and `outgoing-body` resources.

use super::HostFields;
use crate::bindings::wasi::http::types::{self, ErrorCode};
use crate::body::{IncomingBody, OutgoingBody};
use crate::ctx::WasiHttpCtxView;
use crate::error::HttpResult;
use std::fmt;
use std::sync::Arc;
use wharf::Result;
use wharf::component::Resource;
use wharf_wasi::p2::{DynPollable, subscribe};
use wharf_wasi::{DynInputStream, DynOutputStream, Pollable, async_trait};

/// A body that arrives.
#[derive(Debug)]
pub struct HostIncomingBody {
    pub(crate) body: IncomingBody,
    /// The guest has had the stream.
    pub(crate) streamed: bool,
}

/// The trailers of a body that arrives.
#[derive(Debug)]
pub struct HostFutureTrailers {
    body: IncomingBody,
    /// The guest has them.
    taken: bool,
}

/// A body that the guest sends.
pub struct HostOutgoingBody {
    body: OutgoingBody,
    /// The guest has had the stream.
    streamed: bool,
}

impl HostOutgoingBody {
    pub(crate) fn new(body: OutgoingBody) -> HostOutgoingBody {
        HostOutgoingBody {
            body,
            streamed: false,
        }
    }
}

impl fmt::Debug for HostOutgoingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostOutgoingBody").finish_non_exhaustive()
    }
}

impl types::HostIncomingBody for WasiHttpCtxView<'_> {
    fn stream(
        &mut self,
        body: Resource<HostIncomingBody>,
    ) -> Result<std::result::Result<Resource<DynInputStream>, ()>> {
        let entry = self.table.get_mut(&body)?;
        if std::mem::replace(&mut entry.streamed, true) {
            return Ok(Err(()));
        }
        let stream: DynInputStream = entry.body.stream();
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(&mut self, body: Resource<HostIncomingBody>) -> Result<Resource<HostFutureTrailers>> {
        // Not possible, and so a trap, while the stream lives: it is a child of the body.
        let body = self.table.delete(body)?.body;
        Ok(self.table.push(HostFutureTrailers { body, taken: false })?)
    }

    fn drop(&mut self, body: Resource<HostIncomingBody>) -> Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}

#[async_trait]
impl Pollable for HostFutureTrailers {
    async fn ready(&mut self) {
        self.body.ended().await;
    }
}

type Trailers = std::result::Result<Option<Resource<HostFields>>, ErrorCode>;

impl types::HostFutureTrailers for WasiHttpCtxView<'_> {
    fn subscribe(&mut self, trailers: Resource<HostFutureTrailers>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, trailers)
    }

    fn get(
        &mut self,
        trailers: Resource<HostFutureTrailers>,
    ) -> Result<Option<std::result::Result<Trailers, ()>>> {
        let future = self.table.get_mut(&trailers)?;
        if future.taken {
            return Ok(Some(Err(())));
        }
        let Some(end) = future.body.end() else {
            return Ok(None);
        };
        future.taken = true;
        Ok(Some(Ok(match end {
            Ok(Some(headers)) => {
                let fields = HostFields::immutable(Arc::new(self.received_fields(&headers)));
                Ok(Some(self.table.push(fields)?))
            }
            Ok(None) => Ok(None),
            Err(code) => Err(code),
        })))
    }

    fn drop(&mut self, trailers: Resource<HostFutureTrailers>) -> Result<()> {
        self.table.delete(trailers)?;
        Ok(())
    }
}

impl types::HostOutgoingBody for WasiHttpCtxView<'_> {
    fn write(
        &mut self,
        body: Resource<HostOutgoingBody>,
    ) -> Result<std::result::Result<Resource<DynOutputStream>, ()>> {
        let entry = self.table.get_mut(&body)?;
        if std::mem::replace(&mut entry.streamed, true) {
            return Ok(Err(()));
        }
        let stream: DynOutputStream = entry.body.stream();
        Ok(Ok(self.table.push_child(stream, &body)?))
    }

    fn finish(
        &mut self,
        body: Resource<HostOutgoingBody>,
        trailers: Option<Resource<HostFields>>,
    ) -> HttpResult<()> {
        // Not possible, and so a trap, while the stream lives: it is a child of the body.
        let body = self.table.delete(body)?.body;
        match self.take_trailers(trailers) {
            Ok(trailers) => Ok(body.finish(trailers)?),
            Err(error) => {
                if let Some(code) = error.downcast_ref() {
                    body.abort(code.clone());
                }
                Err(error)
            }
        }
    }

    fn drop(&mut self, body: Resource<HostOutgoingBody>) -> Result<()> {
        self.table.delete(body)?;
        Ok(())
    }
}
