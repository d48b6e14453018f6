//! `wasi:sockets`.

mod convert;
mod lookup;
mod tcp;
mod udp;

use super::bindings::wasi::sockets::{instance_network, network};
use crate::ctx::WasiCtxView;
use crate::error::TrappableError;
use crate::sockets::SocketErrorCode;
use wharf::component::{Resource, ResourceTableError};
use wharf::{Error, Result};

/// The error of the functions of `wasi:sockets`: an `error-code`, or a trap.
pub type SocketError = TrappableError<network::ErrorCode>;

type SocketResult<T> = std::result::Result<T, SocketError>;

/// The `network` resource: the network that the context grants.
#[derive(Debug)]
pub struct Network(());

impl From<ResourceTableError> for SocketError {
    fn from(error: ResourceTableError) -> SocketError {
        TrappableError::trap(error)
    }
}

impl network::Host for WasiCtxView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<network::ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<Error>) -> Result<Option<network::ErrorCode>> {
        let error = self.table.get(&error)?.downcast_ref::<std::io::Error>();
        Ok(error.map(|e| SocketErrorCode::from(e).into()))
    }
}

impl network::HostNetwork for WasiCtxView<'_> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        self.table.delete(network)?;
        Ok(())
    }
}

impl instance_network::Host for WasiCtxView<'_> {
    fn instance_network(&mut self) -> Result<Resource<Network>> {
        Ok(self.table.push(Network(()))?)
    }
}
