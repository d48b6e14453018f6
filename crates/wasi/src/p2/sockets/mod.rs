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

#[cfg(test)]
mod tests {
    use super::network::{ErrorCode, Host as _};
    use super::*;
    use crate::WasiCtx;
    use std::io;
    use wharf::component::ResourceTable;

    #[test]
    fn errors_of_streams_tell_their_code() {
        let (mut ctx, mut table) = (WasiCtx::builder().build(), ResourceTable::new());
        let mut view = WasiCtxView {
            ctx: &mut ctx,
            table: &mut table,
        };
        let mut code = |error: Error| {
            let error = view.table.push(error).unwrap();
            view.network_error_code(Resource::new_borrow(error.rep()))
                .unwrap()
        };
        let reset = Error::host(io::Error::from(io::ErrorKind::ConnectionReset));
        assert!(matches!(code(reset), Some(ErrorCode::ConnectionReset)));
        assert!(code(Error::msg("something else")).is_none());
    }

    #[test]
    fn a_network_is_needed_but_grants_nothing() {
        use super::super::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
        use super::super::bindings::wasi::sockets::{instance_network, tcp, tcp_create_socket};
        use crate::test_util::now;
        let (mut ctx, mut table) = (WasiCtx::builder().build(), ResourceTable::new());
        let mut view = WasiCtxView {
            ctx: &mut ctx,
            table: &mut table,
        };
        let network = instance_network::Host::instance_network(&mut view).unwrap().rep();
        let socket = tcp_create_socket::Host::create_tcp_socket(&mut view, IpAddressFamily::Ipv4);
        let socket = socket.unwrap().rep();
        let remote: IpSocketAddress = std::net::SocketAddr::from(([127, 0, 0, 1], 80)).into();
        let mut connect = |network| {
            let (socket, network) = (Resource::new_borrow(socket), Resource::new_borrow(network));
            let result = now(tcp::HostTcpSocket::start_connect(
                &mut view, socket, network, remote,
            ));
            result.unwrap_err().downcast()
        };
        assert!(matches!(connect(network), Ok(ErrorCode::AccessDenied)));
        assert!(connect(network + 1000).is_err());
    }
}
