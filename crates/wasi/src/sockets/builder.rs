//! The builder's grants of the network.

use super::denied::{NetDenied, SocketAddrUse};
use super::policy::NetPolicy;
use super::resolver::NameResolver;
use super::rule::NetRule;
use crate::ctx::WasiCtxBuilder;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The network. Without any of these nothing is granted: sockets can be made, but neither bound nor connected nor sent
/// from, and no name can be looked up.
impl WasiCtxBuilder {
    /// Grants what a rule says.
    pub fn net_rule(&mut self, rule: NetRule) -> &mut Self {
        Arc::make_mut(&mut self.ctx.net.policy).add(rule);
        self
    }

    /// Grants what the rules of a policy say, instead of those so far.
    pub fn net_policy(&mut self, policy: NetPolicy) -> &mut Self {
        self.ctx.net.policy = Arc::new(policy);
        self
    }

    /// Grants every address for every use, but not the lookup of names.
    pub fn inherit_network(&mut self) -> &mut Self {
        self.socket_addr_check(|_, _| Box::pin(std::future::ready(true)))
    }

    /// Grants the lookup of every name or takes that back. Rules for lookups are not affected.
    pub fn allow_ip_name_lookup(&mut self, enable: bool) -> &mut Self {
        self.ctx.net.allow_lookup = enable;
        self
    }

    /// Whether TCP may be used at all, by whatever grants it. It may unless this says otherwise.
    pub fn allow_tcp(&mut self, enable: bool) -> &mut Self {
        self.ctx.net.allow_tcp = enable;
        self
    }

    /// Whether UDP may be used at all, by whatever grants it. It may unless this says otherwise.
    pub fn allow_udp(&mut self, enable: bool) -> &mut Self {
        self.ctx.net.allow_udp = enable;
        self
    }

    /// Grants the uses of addresses for which `check` gives true. It is asked where no rule grants the use.
    ///
    /// Datagrams that come in on a socket which a rule for sending allowed to be bound are measured by the rules only.
    pub fn socket_addr_check<F>(&mut self, check: F) -> &mut Self
    where
        F: Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>>
            + Send
            + Sync
            + 'static,
    {
        self.ctx.net.check = Some(Arc::new(check));
        self
    }

    /// Replaces the resolver of the operating system.
    pub fn name_resolver(&mut self, resolver: impl NameResolver + 'static) -> &mut Self {
        self.ctx.net.resolver = Arc::new(resolver);
        self
    }

    /// Is told of everything that is denied, on any thread.
    pub fn on_network_denied(&mut self, observer: impl Fn(&NetDenied) + Send + Sync + 'static) -> &mut Self {
        self.ctx.net.observer = Some(Arc::new(observer));
        self
    }

    /// How many sockets the guest may have at once; 1024 unless set.
    pub fn max_sockets(&mut self, count: usize) -> &mut Self {
        self.ctx.net.sockets = Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        self
    }
}
