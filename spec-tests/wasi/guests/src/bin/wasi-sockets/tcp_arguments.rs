//! Addresses that TCP sockets are bound to and connected with.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::sockets::instance_network::instance_network;

pub const CASES: &[Case] = &[
    ("tcp-bind-arguments", bind_arguments),
    ("tcp-bind-in-use", bind_in_use),
    ("tcp-bind-again", bind_again),
    ("tcp-bind-after-use", bind_after_use),
    ("tcp-connect-arguments", connect_arguments),
    ("tcp-connect-refused", connect_refused),
    ("tcp-connect-from-a-bound-socket", connect_bound),
];

/// `::ffff:127.0.0.1`
fn mapped(port: u16) -> IpSocketAddress {
    v6((0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), port)
}

fn bind_arguments() {
    let four = tcp(Family::Ipv4);
    check_err!(bind(&four, loopback(Family::Ipv6, 0)), E::InvalidArgument);
    check_err!(bind(&four, v4(224, 0, 0, 1, 0)), E::InvalidArgument);
    check_err!(bind(&four, v4(255, 255, 255, 255, 0)), E::InvalidArgument);
    // What failed leaves the socket as it was.
    ok!(bind(&four, loopback(Family::Ipv4, 0)));
    if families().contains(&Family::Ipv6) {
        let six = tcp(Family::Ipv6);
        check_err!(bind(&six, loopback(Family::Ipv4, 0)), E::InvalidArgument);
        check_err!(bind(&six, mapped(0)), E::InvalidArgument);
        check_err!(bind(&six, v6((0xff02, 0, 0, 0, 0, 0, 0, 1), 0)), E::InvalidArgument);
        ok!(bind(&six, loopback(Family::Ipv6, 0)));
    }
}

fn bind_in_use() {
    let listener = listener(Family::Ipv4);
    let socket = tcp(Family::Ipv4);
    check_err!(bind(&socket, ok!(listener.local_address())), E::AddressInUse);
}

fn bind_again() {
    let listener = listener(Family::Ipv4);
    let socket = tcp(Family::Ipv4);
    check_err!(bind(&socket, ok!(listener.local_address())), E::AddressInUse);
    // A bind that failed may be followed by another.
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    check!(port(ok!(socket.local_address())) != port(ok!(listener.local_address())));
    ok!(listen(&socket));
}

fn bind_after_use() {
    // Connections that linger on a port do not keep a new listener from it.
    let listener = listener(Family::Ipv4);
    let address = ok!(listener.local_address());
    let client = tcp(Family::Ipv4);
    let (input, output) = ok!(connect(&client, address));
    let (server_in, server_out, server) = ok!(accept(&listener));
    // The server ends the connection, so that its side waits.
    ok!(server.shutdown(ShutdownType::Both));
    drop((server_in, server_out));
    drop(server);
    check_eq!(read_exactly(&input, 1), b"");
    drop((input, output));
    drop(client);
    drop(listener);
    let again = tcp(Family::Ipv4);
    ok!(bind(&again, address));
    ok!(listen(&again));
}

fn connect_arguments() {
    let bad = [
        v4(0, 0, 0, 0, 80),
        v4(127, 0, 0, 1, 0),
        v4(224, 0, 0, 1, 80),
        v4(255, 255, 255, 255, 80),
        loopback(Family::Ipv6, 80),
    ];
    for address in bad {
        let socket = tcp(Family::Ipv4);
        check_err!(connect(&socket, address), E::InvalidArgument);
    }
    if families().contains(&Family::Ipv6) {
        let bad = [
            v6((0, 0, 0, 0, 0, 0, 0, 0), 80),
            loopback(Family::Ipv6, 0),
            v6((0xff02, 0, 0, 0, 0, 0, 0, 1), 80),
            mapped(80),
            loopback(Family::Ipv4, 80),
        ];
        for address in bad {
            let socket = tcp(Family::Ipv6);
            check_err!(connect(&socket, address), E::InvalidArgument);
        }
    }
}

fn connect_refused() {
    for family in families() {
        let nobody = {
            let socket = tcp(family);
            ok!(bind(&socket, loopback(family, 0)));
            ok!(socket.local_address())
        };
        let socket = tcp(family);
        check_err!(connect(&socket, nobody), E::ConnectionRefused);
    }
}

fn connect_bound() {
    let listener = listener(Family::Ipv4);
    let socket = tcp(Family::Ipv4);
    ok!(bind(&socket, loopback(Family::Ipv4, 0)));
    let local = ok!(socket.local_address());
    let network = instance_network();
    ok!(socket.start_connect(&network, ok!(listener.local_address())));
    let _streams = ok!(wait(&socket, || socket.finish_connect()));
    check_eq!(text(ok!(socket.local_address())), text(local));
    let accepted = ok!(accept(&listener));
    let accepted = &accepted.2;
    check_eq!(text(ok!(accepted.remote_address())), text(local));
}
