//! `wasi:sockets/udp` and `wasi:sockets/udp-create-socket`.

use super::{Network, SocketError, SocketResult};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::bindings::wasi::sockets::{udp, udp_create_socket};
use crate::p2::poll::subscribe;
use crate::sockets::{IncomingDatagramStream, OutgoingDatagramStream, ToSend, UdpSocket, Unpermitted};
use wharf::component::Resource;
use wharf::{Error, Result};

impl From<Unpermitted> for SocketError {
    fn from(unpermitted: Unpermitted) -> SocketError {
        let Unpermitted { asked, permitted } = unpermitted;
        SocketError::trap(Error::msg(format!(
            "sending {asked} datagrams where check-send permits {permitted}"
        )))
    }
}

impl udp_create_socket::Host for WasiCtxView<'_> {
    fn create_udp_socket(&mut self, address_family: IpAddressFamily) -> SocketResult<Resource<UdpSocket>> {
        let socket = UdpSocket::new(&self.ctx.net, address_family.into())?;
        Ok(self.table.push(socket)?)
    }
}

impl udp::Host for WasiCtxView<'_> {}

impl udp::HostUdpSocket for WasiCtxView<'_> {
    async fn start_bind(
        &mut self,
        socket: Resource<UdpSocket>,
        network: Resource<Network>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        self.table.get(&network)?;
        let socket = self.table.get_mut(&socket)?;
        Ok(socket.start_bind(&self.ctx.net, local_address.into()).await?)
    }

    fn finish_bind(&mut self, socket: Resource<UdpSocket>) -> SocketResult<()> {
        Ok(self.table.get_mut(&socket)?.finish_bind()?)
    }

    async fn stream(
        &mut self,
        socket: Resource<UdpSocket>,
        remote_address: Option<IpSocketAddress>,
    ) -> SocketResult<(Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>)> {
        let socket = self.table.get_mut(&socket)?;
        let remote = remote_address.map(Into::into);
        let (incoming, outgoing) = socket.stream(&self.ctx.net, remote).await?;
        Ok((self.table.push(incoming)?, self.table.push(outgoing)?))
    }

    fn local_address(&mut self, socket: Resource<UdpSocket>) -> SocketResult<IpSocketAddress> {
        Ok(self.table.get(&socket)?.local_address()?.into())
    }

    fn remote_address(&mut self, socket: Resource<UdpSocket>) -> SocketResult<IpSocketAddress> {
        Ok(self.table.get(&socket)?.remote_address()?.into())
    }

    fn address_family(&mut self, socket: Resource<UdpSocket>) -> Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.family().into())
    }

    fn unicast_hop_limit(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u8> {
        let socket = self.table.get(&socket)?;
        let limit = socket.fd()?.hop_limit(socket.family());
        limit.map_err(super::convert::option_error)
    }

    fn set_unicast_hop_limit(&mut self, socket: Resource<UdpSocket>, value: u8) -> SocketResult<()> {
        let socket = self.table.get(&socket)?;
        Ok(socket.fd()?.set_hops(socket.family(), value)?)
    }

    fn receive_buffer_size(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.receive_buffer_size()?)
    }

    fn set_receive_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_receive_buffer_size(value)?)
    }

    fn send_buffer_size(&mut self, socket: Resource<UdpSocket>) -> SocketResult<u64> {
        Ok(self.table.get(&socket)?.fd()?.send_buffer_size()?)
    }

    fn set_send_buffer_size(&mut self, socket: Resource<UdpSocket>, value: u64) -> SocketResult<()> {
        Ok(self.table.get(&socket)?.fd()?.set_send_buffer_size(value)?)
    }

    fn subscribe(&mut self, socket: Resource<UdpSocket>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn drop(&mut self, socket: Resource<UdpSocket>) -> Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

impl udp::HostIncomingDatagramStream for WasiCtxView<'_> {
    fn receive(
        &mut self,
        stream: Resource<IncomingDatagramStream>,
        max_results: u64,
    ) -> SocketResult<Vec<udp::IncomingDatagram>> {
        let received = self.table.get_mut(&stream)?.receive(max_results)?;
        Ok(received
            .into_iter()
            .map(|datagram| udp::IncomingDatagram {
                data: datagram.data,
                remote_address: datagram.from.into(),
            })
            .collect())
    }

    fn subscribe(&mut self, stream: Resource<IncomingDatagramStream>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<IncomingDatagramStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl udp::HostOutgoingDatagramStream for WasiCtxView<'_> {
    fn check_send(&mut self, stream: Resource<OutgoingDatagramStream>) -> SocketResult<u64> {
        Ok(self.table.get_mut(&stream)?.check_send()? as u64)
    }

    async fn send(
        &mut self,
        stream: Resource<OutgoingDatagramStream>,
        datagrams: Vec<udp::OutgoingDatagram>,
    ) -> SocketResult<u64> {
        let stream = self.table.get_mut(&stream)?;
        stream.take_permit(datagrams.len())?;
        let datagrams: Vec<_> = datagrams
            .into_iter()
            .map(|datagram| ToSend {
                data: datagram.data,
                to: datagram.remote_address.map(Into::into),
            })
            .collect();
        Ok(stream.send(&self.ctx.net, &datagrams).await?)
    }

    fn subscribe(&mut self, stream: Resource<OutgoingDatagramStream>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<OutgoingDatagramStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
