//! `wasi:sockets/tcp` and `wasi:sockets/tcp-create-socket`.

use super::{Network, SocketResult, TcpSocket, denied};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::bindings::wasi::sockets::{tcp, tcp_create_socket};
use crate::stream::{DynInputStream, DynOutputStream};
use wharf::Result;
use wharf::component::Resource;

impl tcp_create_socket::Host for WasiCtxView<'_> {
    fn create_tcp_socket(&mut self, _address_family: IpAddressFamily) -> SocketResult<Resource<TcpSocket>> {
        denied()
    }
}

impl tcp::Host for WasiCtxView<'_> {}

impl tcp::HostTcpSocket for WasiCtxView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<TcpSocket>,
        _network: Resource<Network>,
        _local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn finish_bind(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn start_connect(
        &mut self,
        socket: Resource<TcpSocket>,
        _network: Resource<Network>,
        _remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn finish_connect(
        &mut self,
        socket: Resource<TcpSocket>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        match *self.table.get(&socket)? {}
    }

    fn start_listen(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn finish_listen(&mut self, socket: Resource<TcpSocket>) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn accept(
        &mut self,
        socket: Resource<TcpSocket>,
    ) -> SocketResult<(
        Resource<TcpSocket>,
        Resource<DynInputStream>,
        Resource<DynOutputStream>,
    )> {
        match *self.table.get(&socket)? {}
    }

    fn local_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        match *self.table.get(&socket)? {}
    }

    fn remote_address(&mut self, socket: Resource<TcpSocket>) -> SocketResult<IpSocketAddress> {
        match *self.table.get(&socket)? {}
    }

    fn is_listening(&mut self, socket: Resource<TcpSocket>) -> Result<bool> {
        match *self.table.get(&socket)? {}
    }

    fn address_family(&mut self, socket: Resource<TcpSocket>) -> Result<IpAddressFamily> {
        match *self.table.get(&socket)? {}
    }

    fn set_listen_backlog_size(&mut self, socket: Resource<TcpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn keep_alive_enabled(&mut self, socket: Resource<TcpSocket>) -> SocketResult<bool> {
        match *self.table.get(&socket)? {}
    }

    fn set_keep_alive_enabled(&mut self, socket: Resource<TcpSocket>, _value: bool) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_keep_alive_idle_time(&mut self, socket: Resource<TcpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn keep_alive_interval(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_keep_alive_interval(&mut self, socket: Resource<TcpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn keep_alive_count(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u32> {
        match *self.table.get(&socket)? {}
    }

    fn set_keep_alive_count(&mut self, socket: Resource<TcpSocket>, _value: u32) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn hop_limit(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u8> {
        match *self.table.get(&socket)? {}
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocket>, _value: u8) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn receive_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<TcpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn send_buffer_size(&mut self, socket: Resource<TcpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_send_buffer_size(&mut self, socket: Resource<TcpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn subscribe(&mut self, socket: Resource<TcpSocket>) -> Result<Resource<DynPollable>> {
        match *self.table.get(&socket)? {}
    }

    fn shutdown(
        &mut self,
        socket: Resource<TcpSocket>,
        _shutdown_type: tcp::ShutdownType,
    ) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn drop(&mut self, socket: Resource<TcpSocket>) -> Result<()> {
        match self.table.delete(socket)? {}
    }
}
