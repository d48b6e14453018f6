//! Looking up host names.

use super::denied::NetDenied;
use super::error::SocketErrorCode;
use super::grants::{NetCtx, lock};
use super::name::Host;
use crate::poll::Pollable;
use crate::runtime;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::task::JoinHandle;

/// How many addresses of one name a guest gets.
const MAX_ADDRESSES: usize = 64;

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// The `resolve-address-stream` resource. Dropping it gives up the lookup.
#[derive(Debug)]
pub struct ResolveAddressStream {
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting(JoinHandle<Result<Vec<IpAddr>>>),
    Done(VecDeque<IpAddr>),
    Failed(SocketErrorCode),
}

impl ResolveAddressStream {
    /// Starts a lookup.
    ///
    /// # Errors
    /// `invalid-argument` for what is neither a name nor an address, `access-denied`.
    pub(crate) fn start(net: &NetCtx, text: &str) -> Result<ResolveAddressStream> {
        let state = match text.parse()? {
            // Nothing has to be asked for that, and it grants nothing.
            Host::Address(ip) => State::Done(VecDeque::from([ip])),
            Host::Name(name) => {
                net.check_lookup(&name)?;
                State::Waiting(spawn(net, name)?)
            }
        };
        Ok(ResolveAddressStream { state })
    }

    fn settle(&mut self, result: std::result::Result<Result<Vec<IpAddr>>, tokio::task::JoinError>) {
        self.state = match result {
            Ok(Ok(ips)) => State::Done(ips.into()),
            Ok(Err(code)) => State::Failed(code),
            Err(_) => State::Failed(SocketErrorCode::PermanentResolverFailure),
        };
    }

    /// The next address, or `None` at the end.
    ///
    /// # Errors
    /// What `resolve-next-address` documents.
    pub(crate) fn next(&mut self) -> Result<Option<IpAddr>> {
        if let State::Waiting(task) = &mut self.state
            && let Poll::Ready(result) = poll_now(task)
        {
            self.settle(result);
        }
        match &mut self.state {
            State::Waiting(_) => Err(SocketErrorCode::WouldBlock),
            State::Done(ips) => Ok(ips.pop_front()),
            State::Failed(code) => Err(*code),
        }
    }
}

fn poll_now<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[async_trait]
impl Pollable for ResolveAddressStream {
    async fn ready(&mut self) {
        if let State::Waiting(task) = &mut self.state {
            let result = task.await;
            self.settle(result);
        }
    }
}

impl Drop for ResolveAddressStream {
    fn drop(&mut self) {
        if let State::Waiting(task) = &self.state {
            task.abort();
        }
    }
}

/// Starts a task that waits for its turn, asks the resolver, and sorts out what the guest may see.
fn spawn(net: &NetCtx, name: String) -> Result<JoinHandle<Result<Vec<IpAddr>>>> {
    let handle = runtime::reactor()?;
    let place = net.waiting_lookups.clone().try_acquire_owned();
    let place = place.map_err(|_| SocketErrorCode::TemporaryResolverFailure)?;
    let (lookups, resolver) = (net.lookups.clone(), net.resolver.clone());
    let (policy, resolved) = (net.policy.clone(), net.resolved.clone());
    let (all, observer) = (net.allow_lookup, net.observer.clone());
    Ok(handle.spawn(async move {
        let _place = place;
        let Ok(turn) = lookups.acquire_owned().await else {
            return Err(SocketErrorCode::PermanentResolverFailure);
        };
        let asked = name.clone();
        let lookup = tokio::task::spawn_blocking(move || {
            // A lookup that was given up keeps its place until the resolver is back.
            let _turn = turn;
            resolver.resolve(&asked)
        });
        let found = lookup
            .await
            .map_err(|_| SocketErrorCode::PermanentResolverFailure)??;
        let mut ips = Vec::new();
        let mut hidden = false;
        for ip in found.into_iter().map(|ip| ip.to_canonical()) {
            if !all && !policy.reveals(&name, ip) {
                hidden = true;
            } else if !ips.contains(&ip) && ips.len() < MAX_ADDRESSES {
                ips.push(ip);
            }
        }
        if ips.is_empty() {
            if !hidden {
                return Err(SocketErrorCode::NameUnresolvable);
            }
            if let Some(observer) = observer {
                observer(&NetDenied::LocalAddress(name));
            }
            return Err(SocketErrorCode::AccessDenied);
        }
        lock(&resolved).record(&name, &ips);
        Ok(ips)
    }))
}
