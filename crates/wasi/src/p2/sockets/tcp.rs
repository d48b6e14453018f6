//! `wasi:sockets/tcp` and `wasi:sockets/tcp-create-socket`.

use super::convert::option_error;
use super::{Network, SocketResult};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::bindings::wasi::sockets::{tcp, tcp_create_socket};
use crate::p2::poll::subscribe;
use crate::sockets::TcpSocket;
use crate::stream::{DynInputStream, DynOutputStream, InputStream, OutputStream};
use wharf::Result;
use wharf::component::Resource;

impl tcp_create_socket::Host for WasiCtxView<'_> {
    fn create_tcp_socket(&mut self, address_family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        let socket = TcpSocket::new(&self.ctx.net, address_family.into())?;
        Ok(self.table.push(socket)?)
    }
}

impl tcp::Host for WasiCtxView<'_> {}

impl WasiCtxView<'_> {
    /// The resources of a connection's two directions. They work without its socket, too.
    fn push_streams(
        &mut self,
        (input, output): (impl InputStream, impl OutputStream),
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let input = self.table.push(Box::new(input) as DynInputStream)?;
        let output = self.table.push(Box::new(output) as DynOutputStream)?;
        Ok((input, output))
    }
}

impl tcp::HostTcpSocket for WasiCtxView<'_> {
    async fn start_bind(
        &mut self,
        socket: Resource<TcpSocket>,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        Ok(socket.start_bind(&self.ctx.net, local_address.into()).await?)
    }

    fn finish_bind(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        Ok(self.table.get_mut(&socket)?.finish_bind()?)
    }

    async fn start_connect(
        &mut self,
        socket: Resource<TcpSocket>,
        network: Resource<Network>,
        remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        Ok(socket.start_connect(&self.ctx.net, remote_address.into()).await?)
    }

    fn finish_connect(
        &mut self,
        socket: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let streams = self.table.get_mut(&socket)?.finish_connect()?;
        self.push_streams(streams)
    }

    fn start_listen(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        Ok(self.table.get_mut(&socket)?.start_listen()?)
    }

    fn finish_listen(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        Ok(self.table.get_mut(&socket)?.finish_listen()?)
    }

    fn accept(
        &mut self,
        socket: Resource<TcpSocket>,
    ) -> SocketResult<(
        Resource<TcpSocket>,
        Resource<DynInputStream>,
        Resource<DynOutputStream>,
    )> {
        let (accepted, streams) = self.table.get_mut(&socket)?.accept(&self.ctx.net)?;
        let accepted = self.table.push(accepted)?;
        let (input, output) = self.push_streams(streams)?;
        Ok((accepted, input, output))
    }

    fn local_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        Ok(self.table.get(&socket)?.local_address()?.into())
    }

    fn remote_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        Ok(self.table.get(&socket)?.remote_address()?.into())
    }

    fn is_listening(&mut self, socket: Resource<TcpSocket>) -> Result<bool> {
        Ok(self.table.get(&socket)?.is_listening())
    }

    fn address_family(&mut self, socket: Resource<TcpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.family().into())
    }

    fn set_listen_backlog_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get_mut(&socket)?.set_listen_backlog_size(value)?)
    }

    fn keep_alive_enabled(&mut self, socket: Resource<TcpSocket>) -> SocketResult<bool> {
        self.table.get(&socket)?.fd()?.keep_alive().map_err(option_error)
    }

    fn set_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>, value: bool) -> SocketResult<()> {
        let fd = self.table.get(&socket)?.fd()?;
        fd.set_keep_alive(value).map_err(option_error)
    }

    fn keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.keep_alive_idle_time()?)
    }

    fn set_keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_keep_alive_idle_time(value)?)
    }

    fn keep_alive_interval(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.keep_alive_interval()?)
    }

    fn set_keep_alive_interval(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_keep_alive_interval(value)?)
    }

    fn keep_alive_count(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u32> {
        self.table.get(&socket)?.fd()?.keep_count().map_err(option_error)
    }

    fn set_keep_alive_count(&mut self, socket: Resource<TcpSocket>, value: u32) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_keep_alive_count(value)?)
    }

    fn hop_limit(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u8> {
        let socket = self.table.get(&socket)?;
        socket.fd()?.hop_limit(socket.family()).map_err(option_error)
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocket>, value: u8) -> SocketResult<()> {
        let socket = self.table.get(&socket)?;
        Ok(socket.fd()?.set_hops(socket.family(), value)?)
    }

    fn receive_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.receive_buffer_size()?)
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_receive_buffer_size(value)?)
    }

    fn send_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.send_buffer_size()?)
    }

    fn set_send_buffer_size(&mut self, socket: Resource<TcpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_send_buffer_size(value)?)
    }

    fn subscribe(&mut self, socket: Resource<TcpSocket>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn shutdown(
        &mut self,
        socket: Resource<TcpSocket>,
        shutdown_type: tcp::ShutdownType,
    ) -> SocketResult<()> {
        let connection = self.table.get(&socket)?.connection()?;
        match shutdown_type {
            tcp::ShutdownType::Receive => connection.shut_receive()?,
            tcp::ShutdownType::Send => connection.shut_send()?,
            tcp::ShutdownType::Both => {
                let received = connection.shut_receive();
                connection.shut_send()?;
                received?;
            }
        }
        Ok(())
    }

    fn drop(&mut self, socket: Resource<TcpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}
