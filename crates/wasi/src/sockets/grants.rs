//! What a context grants of the network, and the questions that sockets ask it.

use super::address::IpFamily;
use super::denied::{NetDenied, SocketAddrUse};
use super::error::SocketErrorCode;
use super::policy::{NetPolicy, Resolved};
use super::resolver::{NameResolver, SystemResolver};
use super::rule::Access;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many sockets a guest may have at once, unless the builder says otherwise.
const DEFAULT_MAX_SOCKETS: usize = 1024;
/// How many lookups of a guest are under way at once, and how many there are with those that wait for their turn.
const MAX_LOOKUPS: usize = 8;
const MAX_WAITING_LOOKUPS: usize = 256;

type Check =
    dyn Fn(SocketAddr, SocketAddrUse) -> Pin<Box<dyn Future<Output = bool> + Send + Sync>> + Send + Sync;
type Observer = dyn Fn(&NetDenied) + Send + Sync;

/// How far the permission to bind a socket goes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum BindGrant {
    Full,
    /// Only so that something can be sent: what comes in is looked at.
    ForSending,
}

/// The part of a context that is about the network. Clones share what is counted and remembered.
#[derive(Clone)]
pub(crate) struct NetCtx {
    pub(crate) policy: Arc<NetPolicy>,
    pub(crate) check: Option<Arc<Check>>,
    pub(crate) observer: Option<Arc<Observer>>,
    pub(crate) allow_tcp: bool,
    pub(crate) allow_udp: bool,
    /// Every name may be looked up, and every address that comes out is shown.
    pub(crate) allow_lookup: bool,
    pub(crate) resolver: Arc<dyn NameResolver>,
    pub(crate) resolved: Arc<Mutex<Resolved>>,
    pub(crate) sockets: Arc<Semaphore>,
    pub(crate) lookups: Arc<Semaphore>,
    pub(crate) waiting_lookups: Arc<Semaphore>,
}

impl Default for NetCtx {
    fn default() -> NetCtx {
        NetCtx {
            policy: Arc::default(),
            check: None,
            observer: None,
            allow_tcp: true,
            allow_udp: true,
            allow_lookup: false,
            resolver: Arc::new(SystemResolver),
            resolved: Arc::default(),
            sockets: Arc::new(Semaphore::new(DEFAULT_MAX_SOCKETS)),
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            waiting_lookups: Arc::new(Semaphore::new(MAX_WAITING_LOOKUPS)),
        }
    }
}

impl fmt::Debug for NetCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetCtx")
            .field("policy", &self.policy)
            .field("allow_tcp", &self.allow_tcp)
            .field("allow_udp", &self.allow_udp)
            .field("allow_lookup", &self.allow_lookup)
            .finish_non_exhaustive()
    }
}

/// Locks without regard to a panic of another holder: every change of what is inside is whole.
pub(crate) fn lock(resolved: &Mutex<Resolved>) -> MutexGuard<'_, Resolved> {
    resolved.lock().unwrap_or_else(PoisonError::into_inner)
}

impl NetCtx {
    /// Room for one more socket, for as long as the permit lives.
    ///
    /// # Errors
    /// `new-socket-limit`.
    pub(crate) fn socket_permit(&self) -> Result<OwnedSemaphorePermit, SocketErrorCode> {
        let permit = self.sockets.clone().try_acquire_owned();
        permit.map_err(|_| SocketErrorCode::NewSocketLimit)
    }

    pub(super) async fn allows(&self, addr: SocketAddr, usage: SocketAddrUse) -> bool {
        let protocol = if usage.is_tcp() {
            self.allow_tcp
        } else {
            self.allow_udp
        };
        if !protocol {
            return false;
        }
        if self.policy.allows(usage.access(), addr, &lock(&self.resolved)) {
            return true;
        }
        match &self.check {
            Some(check) => check(addr, usage).await,
            None => false,
        }
    }

    pub(super) fn denied<T>(&self, denied: &NetDenied) -> Result<T, SocketErrorCode> {
        self.report(denied);
        Err(SocketErrorCode::AccessDenied)
    }

    /// Tells the observer about it.
    pub(crate) fn report(&self, denied: &NetDenied) {
        if let Some(observer) = &self.observer {
            observer(denied);
        }
    }

    /// Asks whether an address may be used.
    ///
    /// # Errors
    /// `access-denied`.
    pub(crate) async fn check(&self, addr: SocketAddr, usage: SocketAddrUse) -> Result<(), SocketErrorCode> {
        match self.allows(addr, usage).await {
            true => Ok(()),
            false => self.denied(&NetDenied::Address(addr, usage)),
        }
    }

    /// Asks whether a UDP socket may be bound to an address.
    ///
    /// # Errors
    /// `access-denied`.
    pub(crate) async fn check_udp_bind(&self, addr: SocketAddr) -> Result<BindGrant, SocketErrorCode> {
        let usage = SocketAddrUse::UdpBind;
        if self.allows(addr, usage).await {
            return Ok(BindGrant::Full);
        }
        let anywhere = addr.ip().is_unspecified() && addr.port() == 0;
        if anywhere && self.allow_udp && self.policy.may_send(IpFamily::of(addr.ip())) {
            return Ok(BindGrant::ForSending);
        }
        self.denied(&NetDenied::Address(addr, usage))
    }

    /// What decides about the senders of datagrams that come to a socket which was bound only for sending.
    pub(crate) fn senders(&self) -> Senders {
        Senders {
            policy: self.policy.clone(),
            resolved: self.resolved.clone(),
        }
    }

    /// Asks whether a name may be looked up, which is in its canonical spelling.
    ///
    /// # Errors
    /// `access-denied`.
    pub(crate) fn check_lookup(&self, name: &str) -> Result<(), SocketErrorCode> {
        if self.allow_lookup || self.policy.allows_lookup(name) {
            return Ok(());
        }
        self.denied(&NetDenied::Lookup(name.to_owned()))
    }
}

/// Whose datagrams a socket takes that may only send.
#[derive(Clone, Debug)]
pub(crate) struct Senders {
    policy: Arc<NetPolicy>,
    resolved: Arc<Mutex<Resolved>>,
}

impl Senders {
    pub(crate) fn include(&self, addr: SocketAddr) -> bool {
        self.policy.allows(Access::UDP_SEND, addr, &lock(&self.resolved))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::now;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn net(rules: &[&str]) -> NetCtx {
        NetCtx {
            policy: Arc::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()),
            ..NetCtx::default()
        }
    }

    #[test]
    fn what_is_denied_names_the_rule_that_would_allow_it() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let mut ctx = net(&[]);
        let sink = seen.clone();
        ctx.observer = Some(Arc::new(move |denied: &NetDenied| {
            sink.lock().unwrap().push(denied.clone());
        }));
        for (usage, text) in [
            (SocketAddrUse::TcpBind, "tcp-listen:[::1]:0"),
            (SocketAddrUse::TcpConnect, "tcp-connect:[::1]:0"),
            (SocketAddrUse::UdpConnect, "udp-send:[::1]:0"),
            (SocketAddrUse::UdpOutgoingDatagram, "udp-send:[::1]:0"),
        ] {
            assert_eq!(
                now(ctx.check(addr("[::1]:0"), usage)),
                Err(SocketErrorCode::AccessDenied)
            );
            let denied = seen.lock().unwrap().pop().unwrap();
            assert_eq!(denied.rule().unwrap().to_string(), text);
        }
        assert!(now(ctx.check_udp_bind(addr("0.0.0.0:0"))).is_err());
        assert!(ctx.check_lookup("example.org").is_err());
        let denied = std::mem::take(&mut *seen.lock().unwrap());
        let rules: Vec<_> = denied.iter().map(|d| d.rule().unwrap().to_string()).collect();
        assert_eq!(rules, ["udp-bind:0.0.0.0:0", "lookup:example.org"]);
        let broadcast = NetDenied::Address(addr("255.255.255.255:9"), SocketAddrUse::UdpOutgoingDatagram);
        assert_eq!(broadcast.rule(), None);
        assert_eq!(denied[0].to_string(), "receiving with UDP on 0.0.0.0:0");
    }

    #[test]
    fn protocols_can_be_switched_off() {
        let mut ctx = net(&["all"]);
        assert!(now(ctx.check(addr("1.2.3.4:1"), SocketAddrUse::TcpConnect)).is_ok());
        ctx.allow_tcp = false;
        assert!(now(ctx.check(addr("1.2.3.4:1"), SocketAddrUse::TcpConnect)).is_err());
        assert!(now(ctx.check_udp_bind(addr("0.0.0.0:0"))).is_ok());
        ctx.allow_udp = false;
        assert!(now(ctx.check_udp_bind(addr("0.0.0.0:0"))).is_err());
    }

    #[test]
    fn a_check_of_the_embedder_grants_too() {
        let mut ctx = net(&[]);
        ctx.check = Some(Arc::new(|addr, usage| {
            Box::pin(async move { addr.port() == 80 && usage == SocketAddrUse::TcpConnect })
        }));
        assert!(now(ctx.check(addr("1.2.3.4:80"), SocketAddrUse::TcpConnect)).is_ok());
        assert!(now(ctx.check(addr("1.2.3.4:81"), SocketAddrUse::TcpConnect)).is_err());
    }

    #[test]
    fn who_may_send_may_bind_for_that() {
        let ctx = net(&["udp-send:10.0.0.0/8:53"]);
        assert_eq!(
            now(ctx.check_udp_bind(addr("0.0.0.0:0"))),
            Ok(BindGrant::ForSending)
        );
        for text in ["0.0.0.0:53", "127.0.0.1:0", "[::]:0"] {
            assert!(now(ctx.check_udp_bind(addr(text))).is_err(), "{text}");
        }
        let senders = ctx.senders();
        assert!(senders.include(addr("10.0.0.1:53")) && !senders.include(addr("10.0.0.1:54")));
        let full = net(&["udp:*:*"]);
        assert_eq!(now(full.check_udp_bind(addr("0.0.0.0:0"))), Ok(BindGrant::Full));
    }

    #[test]
    fn sockets_are_counted() {
        let ctx = NetCtx {
            sockets: Arc::new(Semaphore::new(1)),
            ..NetCtx::default()
        };
        let permit = ctx.socket_permit().unwrap();
        assert_eq!(ctx.socket_permit().unwrap_err(), SocketErrorCode::NewSocketLimit);
        drop(permit);
        assert!(ctx.socket_permit().is_ok());
    }
}
