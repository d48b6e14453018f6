//! `wasi:sockets/ip-name-lookup`.

use super::{Network, SocketResult};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::ip_name_lookup;
use crate::p2::bindings::wasi::sockets::network::IpAddress;
use crate::p2::poll::subscribe;
use crate::sockets::ResolveAddressStream;
use wharf::Result;
use wharf::component::Resource;

impl ip_name_lookup::Host for WasiCtxView<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.table.get(&network)?;
        let stream = ResolveAddressStream::start(&self.ctx.net, &name)?;
        Ok(self.table.push(stream)?)
    }
}

impl ip_name_lookup::HostResolveAddressStream for WasiCtxView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        Ok(self.table.get_mut(&stream)?.next()?.map(IpAddress::from))
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
