//! Connections that wait for their next request.

use super::senders::Senders;
use super::{Connection, Key};
use hyper::client::conn::http2;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a connection waits at most.
const IDLE: Duration = Duration::from_secs(30);

/// Connections to one host that wait, at most.
const MAX_IDLE: usize = 16;

/// The connections of one client.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    next: u64,
    hosts: HashMap<Key, Vec<Idle>>,
}

struct Idle {
    id: u64,
    used: Instant,
    connection: Connection,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A connection that is usable as far as is known.
    pub(super) fn take(&self, key: &Key) -> Option<Connection> {
        let mut state = lock(&self.0);
        let idle = state.hosts.get_mut(key)?;
        let mut found = None;
        while let Some(at) = idle.len().checked_sub(1) {
            let entry = idle.get_mut(at)?;
            found = match &entry.connection.senders {
                // The one that was used last is the one that lives longest.
                Senders::Http1(sender) if sender.is_ready() => idle.pop().map(|entry| entry.connection),
                // Others use it at the same time.
                Senders::Http2(sender) if sender.is_ready() => {
                    let sender = sender.clone();
                    entry.used = Instant::now();
                    Some(Connection::new(Senders::Http2(sender)))
                }
                _ => {
                    idle.pop();
                    continue;
                }
            };
            break;
        }
        if idle.is_empty() {
            state.hosts.remove(key);
        }
        found
    }

    /// Keeps a connection for later, once it is done with what it does now.
    pub(super) fn give_back(&self, key: Key, connection: Connection) {
        let pool = Arc::downgrade(&self.0);
        match connection.senders {
            Senders::Http1(mut sender) => {
                tokio::spawn(async move {
                    if sender.ready().await.is_ok() {
                        keep(&pool, key, Senders::Http1(sender)).await;
                    }
                });
            }
            Senders::Http2(sender) => self.share(key, sender),
        }
    }

    /// Lets others use a connection.
    fn share(&self, key: Key, sender: http2::SendRequest<crate::HyperOutgoingBody>) {
        let known = lock(&self.0).hosts.get(&key).is_some_and(|idle| {
            idle.iter()
                .any(|entry| matches!(entry.connection.senders, Senders::Http2(_)))
        });
        if !known {
            let pool = Arc::downgrade(&self.0);
            tokio::spawn(async move { keep(&pool, key, Senders::Http2(sender)).await });
        }
    }

    /// Gives up all connections that wait.
    pub(super) fn clear(&self) {
        lock(&self.0).hosts.clear();
    }
}

/// Puts a connection into the pool, and takes it out again when it has not been used for long.
async fn keep(pool: &Weak<Mutex<State>>, key: Key, senders: Senders) {
    let id = {
        let Some(pool) = pool.upgrade() else { return };
        let mut state = lock(&pool);
        let id = state.next;
        state.next += 1;
        let idle = state.hosts.entry(key.clone()).or_default();
        if idle.len() >= MAX_IDLE {
            return;
        }
        idle.push(Idle {
            id,
            used: Instant::now(),
            connection: Connection::new(senders),
        });
        id
    };
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut state = lock(&pool);
        let Some(idle) = state.hosts.get_mut(&key) else {
            return;
        };
        let Some(at) = idle.iter().position(|entry| entry.id == id) else {
            return;
        };
        if idle.get(at).is_some_and(|entry| entry.used.elapsed() >= IDLE) {
            idle.swap_remove(at);
            if idle.is_empty() {
                state.hosts.remove(&key);
            }
            return;
        }
    }
}
