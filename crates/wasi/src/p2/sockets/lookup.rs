//! `wasi:sockets/ip-name-lookup`.

use super::{Network, ResolveAddressStream, SocketResult, denied};
use crate::ctx::WasiCtxView;
use crate::p2::DynPollable;
use crate::p2::bindings::wasi::sockets::ip_name_lookup;
use crate::p2::bindings::wasi::sockets::network::IpAddress;
use wharf::Result;
use wharf::component::Resource;

impl ip_name_lookup::Host for WasiCtxView<'_> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        _name: String,
    ) -> SocketResult<Resource<ResolveAddressStream>> {
        self.table.get(&network)?;
        denied()
    }
}

impl ip_name_lookup::HostResolveAddressStream for WasiCtxView<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ResolveAddressStream>,
    ) -> SocketResult<Option<IpAddress>> {
        match *self.table.get(&stream)? {}
    }

    fn subscribe(&mut self, stream: Resource<ResolveAddressStream>) -> Result<Resource<DynPollable>> {
        match *self.table.get(&stream)? {}
    }

    fn drop(&mut self, stream: Resource<ResolveAddressStream>) -> Result<()> {
        match self.table.delete(stream)? {}
    }
}
