//! The network as a guest may use it, for other hosts.

use super::address::{IpFamily, check_remote};
use super::denied::{NetDenied, SocketAddrUse};
use super::error::SocketErrorCode;
use super::grants::NetCtx;
use super::lookup::ResolveAddressStream;
use crate::ctx::WasiCtx;
use crate::poll::Pollable as _;
use std::net::SocketAddr;

/// What a guest may use of the network, for hosts of other interfaces that use it on the guest's behalf.
#[derive(Clone, Debug)]
pub struct NetGrants(NetCtx);

impl NetGrants {
    /// Whether the guest may use an address like this. If not, the observer of denials is told.
    pub async fn allows(&self, addr: SocketAddr, usage: SocketAddrUse) -> bool {
        self.0.check(addr, usage).await.is_ok()
    }

    /// The addresses of a host that the guest may connect to with TCP, in the order of preference. `host` is a name,
    /// which is looked up with the guest's rights and limits, or an address.
    ///
    /// # Errors
    /// As the guest would see them: `invalid-argument` for what is no host, `access-denied`, and those of the lookup.
    pub async fn connect_addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, SocketErrorCode> {
        let mut stream = ResolveAddressStream::start(&self.0, host)?;
        stream.ready().await;
        let (mut allowed, mut refused) = (Vec::new(), None);
        while let Some(ip) = stream.next()? {
            let addr = SocketAddr::new(ip, port);
            check_remote(IpFamily::of(ip), addr)?;
            match self.0.allows(addr, SocketAddrUse::TcpConnect).await {
                true => allowed.push(addr),
                false => refused = Some(addr),
            }
        }
        match refused {
            Some(addr) if allowed.is_empty() => self
                .0
                .denied(&NetDenied::Address(addr, SocketAddrUse::TcpConnect)),
            _ => Ok(allowed),
        }
    }
}

impl WasiCtx {
    /// What the guest may use of the network.
    pub fn net_grants(&self) -> NetGrants {
        NetGrants(self.net.clone())
    }
}
