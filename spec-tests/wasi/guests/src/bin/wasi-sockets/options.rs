//! Socket options.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};

pub const CASES: &[Case] = &[
    ("tcp-options", tcp_options),
    ("tcp-options-zero", tcp_zero),
    ("tcp-options-clamped", tcp_clamped),
    ("tcp-options-inherited", inherited),
    ("tcp-backlog", backlog),
    ("udp-options", udp_options),
];

const SECOND: u64 = 1_000_000_000;

fn tcp_options() {
    for family in families() {
        let socket = tcp(family);
        check_eq!(ok!(socket.keep_alive_enabled()), false);
        ok!(socket.set_keep_alive_enabled(true));
        check_eq!(ok!(socket.keep_alive_enabled()), true);
        ok!(socket.set_keep_alive_enabled(false));
        ok!(socket.set_keep_alive_idle_time(42 * SECOND));
        check_eq!(ok!(socket.keep_alive_idle_time()), 42 * SECOND);
        ok!(socket.set_keep_alive_interval(21 * SECOND));
        check_eq!(ok!(socket.keep_alive_interval()), 21 * SECOND);
        ok!(socket.set_keep_alive_count(7));
        check_eq!(ok!(socket.keep_alive_count()), 7);
        ok!(socket.set_hop_limit(42));
        check_eq!(ok!(socket.hop_limit()), 42);
        ok!(socket.set_receive_buffer_size(0x10000));
        check_eq!(ok!(socket.receive_buffer_size()), 0x10000);
        ok!(socket.set_send_buffer_size(0x10000));
        check_eq!(ok!(socket.send_buffer_size()), 0x10000);
    }
}

fn tcp_zero() {
    let socket = tcp(Family::Ipv4);
    check_err!(socket.set_listen_backlog_size(0), E::InvalidArgument);
    check_err!(socket.set_keep_alive_idle_time(0), E::InvalidArgument);
    check_err!(socket.set_keep_alive_interval(0), E::InvalidArgument);
    check_err!(socket.set_keep_alive_count(0), E::InvalidArgument);
    check_err!(socket.set_hop_limit(0), E::InvalidArgument);
    check_err!(socket.set_receive_buffer_size(0), E::InvalidArgument);
    check_err!(socket.set_send_buffer_size(0), E::InvalidArgument);
}

fn tcp_clamped() {
    let socket = tcp(Family::Ipv4);
    // No value but zero is refused.
    for value in [1, u64::MAX] {
        ok!(socket.set_listen_backlog_size(value));
        ok!(socket.set_keep_alive_idle_time(value));
        check!(ok!(socket.keep_alive_idle_time()) > 0);
        ok!(socket.set_keep_alive_interval(value));
        check!(ok!(socket.keep_alive_interval()) > 0);
        ok!(socket.set_receive_buffer_size(value));
        check!(ok!(socket.receive_buffer_size()) > 0);
        ok!(socket.set_send_buffer_size(value));
        check!(ok!(socket.send_buffer_size()) > 0);
    }
    for value in [1, u32::MAX] {
        ok!(socket.set_keep_alive_count(value));
        check!(ok!(socket.keep_alive_count()) > 0);
    }
    for value in [1, 255] {
        ok!(socket.set_hop_limit(value));
        check_eq!(ok!(socket.hop_limit()), value);
    }
}

fn inherited() {
    let socket = tcp(Family::Ipv4);
    ok!(socket.set_keep_alive_enabled(true));
    ok!(socket.set_keep_alive_idle_time(42 * SECOND));
    ok!(socket.set_keep_alive_interval(21 * SECOND));
    ok!(socket.set_keep_alive_count(7));
    ok!(socket.set_hop_limit(42));
    ok!(socket.set_receive_buffer_size(0x10000));
    ok!(socket.set_send_buffer_size(0x10000));
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    ok!(listen(&socket));
    let client = tcp(Family::Ipv4);
    let _streams = ok!(connect(&client, ok!(socket.local_address())));
    let accepted = ok!(accept(&socket));
    let accepted = &accepted.2;
    check_eq!(ok!(accepted.keep_alive_enabled()), true);
    check_eq!(ok!(accepted.keep_alive_idle_time()), 42 * SECOND);
    check_eq!(ok!(accepted.keep_alive_interval()), 21 * SECOND);
    check_eq!(ok!(accepted.keep_alive_count()), 7);
    check_eq!(ok!(accepted.hop_limit()), 42);
    check_eq!(ok!(accepted.receive_buffer_size()), ok!(socket.receive_buffer_size()));
    check_eq!(ok!(accepted.send_buffer_size()), ok!(socket.send_buffer_size()));
}

fn backlog() {
    let socket = tcp(Family::Ipv4);
    ok!(socket.set_listen_backlog_size(1));
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    ok!(socket.set_listen_backlog_size(10));
    ok!(listen(&socket));
    match socket.set_listen_backlog_size(20) {
        Err(E::NotSupported) => {}
        changed => ok!(changed),
    }
    check_err!(socket.set_listen_backlog_size(0), E::InvalidArgument);
    let clients: Vec<_> = (0..5).map(|_| tcp(Family::Ipv4)).collect();
    let streams: Vec<_> = clients.iter().map(|client| ok!(connect(client, ok!(socket.local_address())))).collect();
    for _ in &clients {
        drop(ok!(accept(&socket)));
    }
    drop(streams);
}

fn udp_options() {
    for family in families() {
        let socket = udp(family);
        ok!(socket.set_unicast_hop_limit(42));
        check_eq!(ok!(socket.unicast_hop_limit()), 42);
        check_err!(socket.set_unicast_hop_limit(0), E::InvalidArgument);
        ok!(socket.set_receive_buffer_size(0x10000));
        check_eq!(ok!(socket.receive_buffer_size()), 0x10000);
        ok!(socket.set_send_buffer_size(0x10000));
        check_eq!(ok!(socket.send_buffer_size()), 0x10000);
        check_err!(socket.set_receive_buffer_size(0), E::InvalidArgument);
        check_err!(socket.set_send_buffer_size(0), E::InvalidArgument);
        for value in [1, u64::MAX] {
            ok!(socket.set_receive_buffer_size(value));
            ok!(socket.set_send_buffer_size(value));
            check!(ok!(socket.receive_buffer_size()) > 0 && ok!(socket.send_buffer_size()) > 0);
        }
    }
}
