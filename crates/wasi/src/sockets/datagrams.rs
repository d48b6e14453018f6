//! The two directions of a UDP socket.

use super::address::check_remote;
use super::bound::{Bound, Received};
use super::denied::SocketAddrUse;
use super::error::SocketErrorCode;
use super::grants::NetCtx;
use crate::poll::Pollable;
use async_trait::async_trait;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;

/// How many datagrams one call takes or sends.
const MAX_DATAGRAMS: usize = 16;
/// The longest datagram there can be.
const MAX_LEN: usize = 64 << 10;
/// How many datagrams of others are thrown away before someone else has a turn.
const MAX_DISCARDS: usize = 64;

type Result<T> = std::result::Result<T, SocketErrorCode>;

/// The `incoming-datagram-stream` resource.
#[derive(Debug)]
pub struct IncomingDatagramStream {
    bound: Arc<Bound>,
    generation: u64,
    remote: Option<SocketAddr>,
}

impl IncomingDatagramStream {
    pub(crate) fn new(bound: Arc<Bound>, generation: u64, remote: Option<SocketAddr>) -> Self {
        IncomingDatagramStream {
            bound,
            generation,
            remote,
        }
    }

    /// Whether the guest may have a datagram of this sender.
    fn wants(&self, from: SocketAddr) -> bool {
        match self.remote {
            // The system sees to that too, but not for what it had received before.
            Some(remote) => remote.ip() == from.ip() && remote.port() == from.port(),
            None => self
                .bound
                .senders
                .as_ref()
                .is_none_or(|senders| senders.include(from)),
        }
    }

    /// Forgets what the streams before were told of: others' datagrams, and errors.
    pub(crate) fn start_anew(&self) {
        let _ = self.bound.socket.fd().take_error();
        let mut found = self.bound.found();
        if !matches!(&*found, Some(Ok(received)) if self.wants(received.from)) {
            *found = None;
        }
    }

    /// The next datagram for the guest, or nothing when there is none yet or too many were others'.
    fn poll(&self, buffer: &mut Vec<u8>) -> Result<Option<Received>> {
        match self.bound.found().take() {
            Some(Ok(received)) if !self.wants(received.from) => {}
            Some(found) => return found.map(Some),
            None => {}
        }
        for _ in 0..MAX_DISCARDS {
            buffer.clear();
            match self.bound.socket.fd().recv_from(buffer) {
                Ok(from) if self.wants(from) => {
                    return Ok(Some(Received {
                        data: buffer.as_slice().to_vec(),
                        from,
                    }));
                }
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(e) => return Err(of_peer(e)),
            }
        }
        Ok(None)
    }

    /// # Errors
    /// What `receive` documents; `invalid-state` when there is a newer pair of streams.
    pub(crate) fn receive(&self, max: u64) -> Result<Vec<Received>> {
        if !self.bound.is_current(self.generation) {
            return Err(SocketErrorCode::InvalidState);
        }
        let max = usize::try_from(max).unwrap_or(MAX_DATAGRAMS).min(MAX_DATAGRAMS);
        let mut all = Vec::new();
        // Not kept: a guest may have many streams.
        let mut buffer = Vec::with_capacity(if max == 0 { 0 } else { MAX_LEN });
        while all.len() < max {
            match self.poll(&mut buffer) {
                Ok(Some(received)) => all.push(received),
                Ok(None) => break,
                Err(e) if all.is_empty() => return Err(e),
                Err(e) => {
                    *self.bound.found() = Some(Err(e));
                    break;
                }
            }
        }
        Ok(all)
    }
}

#[async_trait]
impl Pollable for IncomingDatagramStream {
    async fn ready(&mut self) {
        while self.bound.is_current(self.generation) && self.bound.found().is_none() {
            self.bound.socket.readable().await;
            let found = self.poll(&mut Vec::with_capacity(MAX_LEN)).transpose();
            if found.is_some() {
                *self.bound.found() = found;
            } else {
                yield_now().await;
            }
        }
    }
}

/// Lets whoever polls do something else first.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The `outgoing-datagram-stream` resource.
#[derive(Debug)]
pub struct OutgoingDatagramStream {
    bound: Arc<Bound>,
    generation: u64,
    remote: Option<SocketAddr>,
    /// What the last `check-send` permitted.
    permits: usize,
}

/// More datagrams than `check-send` had permitted.
#[derive(Debug)]
pub(crate) struct Unpermitted {
    pub(crate) asked: usize,
    pub(crate) permitted: usize,
}

/// A datagram that a guest wants to send.
pub(crate) struct ToSend {
    pub(crate) data: Vec<u8>,
    pub(crate) to: Option<SocketAddr>,
}

impl OutgoingDatagramStream {
    pub(crate) fn new(bound: Arc<Bound>, generation: u64, remote: Option<SocketAddr>) -> Self {
        OutgoingDatagramStream {
            bound,
            generation,
            remote,
            permits: 0,
        }
    }

    /// # Errors
    /// `invalid-state` when there is a newer pair of streams.
    pub(crate) fn check_send(&mut self) -> Result<usize> {
        if !self.bound.is_current(self.generation) {
            return Err(SocketErrorCode::InvalidState);
        }
        self.permits = if self.bound.socket.fd().is_writable() {
            MAX_DATAGRAMS
        } else {
            0
        };
        Ok(self.permits)
    }

    /// Uses up what `check-send` permitted.
    ///
    /// # Errors
    /// If that was less.
    pub(crate) fn take_permit(&mut self, count: usize) -> std::result::Result<(), Unpermitted> {
        if count == 0 {
            return Ok(());
        }
        let permitted = std::mem::take(&mut self.permits);
        if count > permitted {
            return Err(Unpermitted {
                asked: count,
                permitted,
            });
        }
        Ok(())
    }

    /// Sends datagrams and says how many it were.
    ///
    /// # Errors
    /// What `send` documents for the first datagram, and `access-denied`.
    pub(crate) async fn send(&mut self, net: &NetCtx, datagrams: &[ToSend]) -> Result<u64> {
        if !self.bound.is_current(self.generation) {
            return Err(SocketErrorCode::InvalidState);
        }
        let mut sent = 0;
        for datagram in datagrams {
            match self.send_one(net, datagram).await {
                Ok(true) => sent += 1,
                Ok(false) => break,
                Err(e) if sent == 0 => return Err(e),
                Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Whether the system has taken it.
    async fn send_one(&self, net: &NetCtx, datagram: &ToSend) -> Result<bool> {
        let to = match (self.remote, datagram.to) {
            (Some(remote), Some(to)) if remote != to => return Err(SocketErrorCode::InvalidArgument),
            (Some(_), _) => None,
            (None, None) => return Err(SocketErrorCode::InvalidArgument),
            (None, Some(to)) => {
                check_remote(self.bound.family, to)?;
                net.check(to, SocketAddrUse::UdpOutgoingDatagram).await?;
                Some(to)
            }
        };
        match self.bound.socket.fd().send_to(&datagram.data, to) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(of_peer(e)),
        }
    }
}

#[async_trait]
impl Pollable for OutgoingDatagramStream {
    async fn ready(&mut self) {
        if self.bound.is_current(self.generation) {
            self.bound.socket.writable().await;
        }
    }
}

/// What a peer's or a router's answer to an earlier datagram, or a call's own failure, means here.
fn of_peer(error: io::Error) -> SocketErrorCode {
    match SocketErrorCode::from(error) {
        SocketErrorCode::ConnectionReset => SocketErrorCode::RemoteUnreachable,
        code => code,
    }
}
