//! `wasi:sockets`, as far as it can be without any network: there is a network resource, and everything that would
//! make a socket or resolve a name fails with `access-denied`.
//!
//! The resource types of sockets have no values, so what works on one can't be reached; it becomes code when the
//! types become structs.

mod lookup;
mod tcp;
mod udp;

use super::bindings::wasi::sockets::{instance_network, network};
use crate::ctx::WasiCtxView;
use crate::error::TrappableError;
use wharf::Result;
use wharf::component::{Resource, ResourceTableError};

/// The error of the functions of `wasi:sockets`: an `error-code`, or a trap.
pub type SocketError = TrappableError<network::ErrorCode>;

type SocketResult<T> = std::result::Result<T, SocketError>;

/// The `network` resource.
#[derive(Debug)]
pub struct Network(());

/// The `tcp-socket` resource, of which there are none.
#[derive(Debug)]
pub enum TcpSocket {}

/// The `udp-socket` resource, of which there are none.
#[derive(Debug)]
pub enum UdpSocket {}

/// The `incoming-datagram-stream` resource, of which there are none.
#[derive(Debug)]
pub enum IncomingDatagramStream {}

/// The `outgoing-datagram-stream` resource, of which there are none.
#[derive(Debug)]
pub enum OutgoingDatagramStream {}

/// The `resolve-address-stream` resource, of which there are none.
#[derive(Debug)]
pub enum ResolveAddressStream {}

impl From<ResourceTableError> for SocketError {
    fn from(error: ResourceTableError) -> SocketError {
        TrappableError::trap(error)
    }
}

impl network::Host for WasiCtxView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<network::ErrorCode> {
        error.downcast()
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

/// What is answered to a request for something that reaches the network.
fn denied<T>() -> SocketResult<T> {
    Err(network::ErrorCode::AccessDenied.into())
}
