//! Sockets against peers on the loopback interface.

mod any_order;
mod lookup;
mod tcp;
mod tcp_streams;
mod udp;

use super::grants::NetCtx;
use std::net::SocketAddr;
use std::sync::Arc;

pub(super) fn net(rules: &[&str]) -> NetCtx {
    NetCtx {
        policy: Arc::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()),
        ..NetCtx::default()
    }
}

pub(super) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// The loopback addresses that this machine has, with a port that the system chooses.
pub(super) fn loopbacks() -> Vec<SocketAddr> {
    ["127.0.0.1:0", "[::1]:0"]
        .into_iter()
        .map(addr)
        .filter(|addr| std::net::UdpSocket::bind(addr).is_ok())
        .collect()
}
