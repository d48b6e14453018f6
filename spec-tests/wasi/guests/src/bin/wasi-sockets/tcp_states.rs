//! What the functions of TCP sockets answer in each state.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::sockets::instance_network::instance_network;

pub const CASES: &[Case] = &[
    ("tcp-unbound", unbound),
    ("tcp-bind-in-progress", bind_in_progress),
    ("tcp-bound", bound),
    ("tcp-listen-in-progress", listen_in_progress),
    ("tcp-listening", listening),
    ("tcp-connect-in-progress", connect_in_progress),
    ("tcp-connected", connected),
    ("tcp-closed", closed),
    ("tcp-one-pollable", one_pollable),
    ("tcp-ipv6", ipv6),
    ("tcp-many-sockets", many),
];

fn nothing_in_progress(socket: &TcpSocket) {
    check_err!(socket.finish_bind(), E::NotInProgress | E::InvalidState);
    check_err!(socket.finish_listen(), E::NotInProgress | E::InvalidState);
    check_err!(socket.finish_connect(), E::NotInProgress | E::InvalidState);
}

fn unbound() {
    let socket = tcp(Family::Ipv4);
    check_err!(socket.finish_bind(), E::NotInProgress);
    check_err!(socket.finish_listen(), E::NotInProgress);
    check_err!(socket.finish_connect(), E::NotInProgress);
    check_err!(socket.local_address(), E::InvalidState);
    check_err!(socket.remote_address(), E::InvalidState);
    check_err!(socket.start_listen(), E::InvalidState);
    check_err!(socket.accept(), E::InvalidState);
    check_err!(socket.shutdown(ShutdownType::Both), E::InvalidState);
    check!(!socket.is_listening());
    check!(socket.address_family() == Family::Ipv4);
}

fn bind_in_progress() {
    let socket = tcp(Family::Ipv4);
    ok!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)));
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_listen(), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_connect(&instance_network(), loopback(Family::Ipv4, 9)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.finish_listen(), E::NotInProgress);
    check_err!(socket.finish_connect(), E::NotInProgress);
    check_err!(socket.accept(), E::InvalidState | E::ConcurrencyConflict);
    check_err!(socket.local_address(), E::InvalidState);
    ok!(wait(&socket, || socket.finish_bind()));
    ok!(socket.local_address());
}

fn bound() {
    let socket = tcp(Family::Ipv4);
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    nothing_in_progress(&socket);
    let local = ok!(socket.local_address());
    check!(port(local) != 0);
    check_eq!(text(local), text(loopback(Family::Ipv4, port(local))));
    check_err!(socket.remote_address(), E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::InvalidState);
    check_err!(socket.accept(), E::InvalidState);
    check_err!(socket.shutdown(ShutdownType::Send), E::InvalidState);
    check!(!socket.is_listening());
    check_eq!(text(ok!(socket.local_address())), text(local));
}

fn listen_in_progress() {
    let socket = tcp(Family::Ipv4);
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    ok!(socket.start_listen());
    check_err!(socket.start_listen(), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_connect(&instance_network(), loopback(Family::Ipv4, 9)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.finish_bind(), E::NotInProgress);
    check_err!(socket.finish_connect(), E::NotInProgress);
    ok!(socket.local_address());
    ok!(wait(&socket, || socket.finish_listen()));
    check!(socket.is_listening());
}

fn listening() {
    let socket = listener(Family::Ipv4);
    nothing_in_progress(&socket);
    check!(socket.is_listening());
    check_err!(socket.accept(), E::WouldBlock);
    check!(!socket.subscribe().ready());
    check_err!(socket.start_listen(), E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::InvalidState);
    check_err!(socket.start_connect(&instance_network(), loopback(Family::Ipv4, 9)), E::InvalidState);
    check_err!(socket.remote_address(), E::InvalidState);
    check_err!(socket.shutdown(ShutdownType::Both), E::InvalidState);
    // It goes on after an accept.
    for _ in 0..3 {
        let client = tcp(Family::Ipv4);
        let streams = ok!(connect(&client, ok!(socket.local_address())));
        let (input, output, accepted) = ok!(accept(&socket));
        check_eq!(text(ok!(accepted.remote_address())), text(ok!(client.local_address())));
        check_eq!(text(ok!(accepted.local_address())), text(ok!(socket.local_address())));
        check!(socket.is_listening() && !accepted.is_listening());
        drop((streams, input, output));
    }
    check_err!(socket.accept(), E::WouldBlock);
}

fn connect_in_progress() {
    let listener = listener(Family::Ipv4);
    let socket = tcp(Family::Ipv4);
    ok!(socket.start_connect(&instance_network(), ok!(listener.local_address())));
    check_err!(socket.start_connect(&instance_network(), ok!(listener.local_address())), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.start_listen(), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.finish_bind(), E::NotInProgress);
    check_err!(socket.finish_listen(), E::NotInProgress);
    check_err!(socket.shutdown(ShutdownType::Both), E::InvalidState);
    check_err!(socket.set_listen_backlog_size(5), E::InvalidState);
    let _streams = ok!(wait(&socket, || socket.finish_connect()));
    check_err!(socket.finish_connect(), E::NotInProgress | E::InvalidState);
}

fn connected() {
    let pair = pair();
    for socket in [&pair.client, &pair.server] {
        nothing_in_progress(socket);
        check_err!(socket.start_connect(&instance_network(), loopback(Family::Ipv4, 9)), E::InvalidState);
        check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::InvalidState);
        check_err!(socket.start_listen(), E::InvalidState);
        check_err!(socket.accept(), E::InvalidState);
        check_err!(socket.set_listen_backlog_size(5), E::InvalidState);
        check!(!socket.is_listening());
        check!(socket.address_family() == Family::Ipv4);
    }
    check_eq!(text(ok!(pair.client.remote_address())), text(ok!(pair.server.local_address())));
    check_eq!(text(ok!(pair.server.remote_address())), text(ok!(pair.client.local_address())));
}

/// A port on which nobody listens.
fn nobody() -> IpSocketAddress {
    let socket = tcp(Family::Ipv4);
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    ok!(socket.local_address())
}

fn closed() {
    let socket = tcp(Family::Ipv4);
    check_err!(connect(&socket, nobody()), E::ConnectionRefused);
    // There is no second attempt.
    check_err!(socket.start_connect(&instance_network(), nobody()), E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(Family::Ipv4, 0)), E::InvalidState);
    check_err!(socket.start_listen(), E::InvalidState);
    check_err!(socket.finish_connect(), E::NotInProgress | E::InvalidState);
    check_err!(socket.accept(), E::InvalidState);
    check_err!(socket.remote_address(), E::InvalidState);
    check_err!(socket.shutdown(ShutdownType::Both), E::InvalidState);
    check!(!socket.is_listening());
    check!(socket.address_family() == Family::Ipv4);
}

fn one_pollable() {
    // Each socket has one, from its beginning on, and it serves for all that the socket does.
    let network = instance_network();
    let (server, client) = (tcp(Family::Ipv4), tcp(Family::Ipv4));
    let (server_ready, client_ready) = (server.subscribe(), client.subscribe());
    ok!(server.start_bind(&network, loopback(Family::Ipv4, 0)));
    server_ready.block();
    ok!(server.finish_bind());
    ok!(server.start_listen());
    server_ready.block();
    ok!(server.finish_listen());
    check!(!server_ready.ready());
    ok!(client.start_connect(&network, ok!(server.local_address())));
    client_ready.block();
    let _streams = ok!(client.finish_connect());
    server_ready.block();
    let (accepted, input, output) = ok!(server.accept());
    drop((input, output));
    drop(accepted);
    check_err!(server.accept(), E::WouldBlock);
    check!(!server_ready.ready());
    drop((server_ready, client_ready));
}

fn ipv6() {
    if !families().contains(&Family::Ipv6) {
        return;
    }
    let pair = pair_of(Family::Ipv6);
    check!(pair.client.address_family() == Family::Ipv6 && pair.server.address_family() == Family::Ipv6);
    check!(matches!(ok!(pair.client.remote_address()), IpSocketAddress::Ipv6(_)));
    ok!(pair.client_out.blocking_write_and_flush(b"six"));
    check_eq!(read_exactly(&pair.server_in, 3), b"six");
}

fn many() {
    let listener = listener(Family::Ipv4);
    let address = ok!(listener.local_address());
    let pairs: Vec<_> = (0..40u8)
        .map(|i| {
            let client = tcp(Family::Ipv4);
            let streams = ok!(connect(&client, address));
            ok!(streams.1.blocking_write_and_flush(&[i]));
            (streams, ok!(accept(&listener)), client)
        })
        .collect();
    for (i, (_, (input, _, _), _)) in pairs.iter().enumerate() {
        check_eq!(read_exactly(input, 1), [i as u8]);
    }
}
