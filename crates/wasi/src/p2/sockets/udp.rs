//! `wasi:sockets/udp` and `wasi:sockets/udp-create-socket`.

use super::{IncomingDatagramStream, Network, OutgoingDatagramStream, SocketResult, UdpSocket, denied};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::bindings::wasi::sockets::{udp, udp_create_socket};
use wharf::Result;
use wharf::component::Resource;

impl udp_create_socket::Host for WasiCtxView<'_> {
    fn create_udp_socket(&mut self, _address_family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        denied()
    }
}

impl udp::Host for WasiCtxView<'_> {}

impl udp::HostUdpSocket for WasiCtxView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<UdpSocket>,
        _network: Resource<Network>,
        _local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn finish_bind(&mut self, socket: Resource<UdpSocket>) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn stream(
        &mut self,
        socket: Resource<UdpSocket>,
        _remote_address: Option<IpSocketAddress>,
    ) -> SocketResult<(Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>)> {
        match *self.table.get(&socket)? {}
    }

    fn local_address(&mut self, socket: Resource<UdpSocket>) -> SocketResult<IpSocketAddress> {
        match *self.table.get(&socket)? {}
    }

    fn remote_address(&mut self, socket: Resource<UdpSocket>) -> SocketResult<IpSocketAddress> {
        match *self.table.get(&socket)? {}
    }

    fn address_family(&mut self, socket: Resource<UdpSocket>) -> Result<IpAddressFamily> {
        match *self.table.get(&socket)? {}
    }

    fn unicast_hop_limit(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u8> {
        match *self.table.get(&socket)? {}
    }

    fn set_unicast_hop_limit(&mut self, socket: Resource<UdpSocket>, _value: u8) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn receive_buffer_size(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<UdpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn send_buffer_size(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u64> {
        match *self.table.get(&socket)? {}
    }

    fn set_send_buffer_size(&mut self, socket: Resource<UdpSocket>, _value: u64) -> SocketResult<()> {
        match *self.table.get(&socket)? {}
    }

    fn subscribe(&mut self, socket: Resource<UdpSocket>) -> Result<Resource<DynPollable>> {
        match *self.table.get(&socket)? {}
    }

    fn drop(&mut self, socket: Resource<UdpSocket>) -> Result<()> {
        match self.table.delete(socket)? {}
    }
}

impl udp::HostIncomingDatagramStream for WasiCtxView<'_> {
    fn receive(
        &mut self,
        stream: Resource<IncomingDatagramStream>,
        _max_results: u64,
    ) -> SocketResult<Vec<udp::IncomingDatagram>> {
        match *self.table.get(&stream)? {}
    }

    fn subscribe(&mut self, stream: Resource<IncomingDatagramStream>) -> Result<Resource<DynPollable>> {
        match *self.table.get(&stream)? {}
    }

    fn drop(&mut self, stream: Resource<IncomingDatagramStream>) -> Result<()> {
        match self.table.delete(stream)? {}
    }
}

impl udp::HostOutgoingDatagramStream for WasiCtxView<'_> {
    fn check_send(&mut self, stream: Resource<OutgoingDatagramStream>) -> SocketResult<u64> {
        match *self.table.get(&stream)? {}
    }

    fn send(
        &mut self,
        stream: Resource<OutgoingDatagramStream>,
        _datagrams: Vec<udp::OutgoingDatagram>,
    ) -> SocketResult<u64> {
        match *self.table.get(&stream)? {}
    }

    fn subscribe(&mut self, stream: Resource<OutgoingDatagramStream>) -> Result<Resource<DynPollable>> {
        match *self.table.get(&stream)? {}
    }

    fn drop(&mut self, stream: Resource<OutgoingDatagramStream>) -> Result<()> {
        match self.table.delete(stream)? {}
    }
}
