//! Sockets that are bound to the address that stands for all of the machine's, and what the two families have to do with each other.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};

pub const CASES: &[Case] = &[
    ("tcp-any-address", tcp_any),
    ("tcp-families-apart", tcp_apart),
    ("udp-any-address", udp_any),
    ("udp-families-apart", udp_apart),
];

/// The address that stands for all.
fn any(family: Family, port: u16) -> IpSocketAddress {
    match family {
        Family::Ipv4 => v4(0, 0, 0, 0, port),
        Family::Ipv6 => v6((0, 0, 0, 0, 0, 0, 0, 0), port),
    }
}

fn both() -> bool {
    families().contains(&Family::Ipv6)
}

fn tcp_any() {
    for family in families() {
        let listener = tcp(family);
        ok!(bind(&listener, any(family, 0)));
        let number = port(ok!(listener.local_address()));
        check!(number != 0);
        check_eq!(text(ok!(listener.local_address())), text(any(family, number)));
        ok!(listen(&listener));
        let client = tcp(family);
        let (input, output) = ok!(connect(&client, loopback(family, number)));
        let (server_in, server_out, server) = ok!(accept(&listener));
        // A connection has addresses of which each is one.
        check_eq!(text(ok!(server.local_address())), text(loopback(family, number)));
        check_eq!(text(ok!(server.remote_address())), text(ok!(client.local_address())));
        ok!(output.blocking_write_and_flush(b"ping"));
        check_eq!(read_exactly(&server_in, 4), b"ping");
        drop((input, output, server_in, server_out));
    }
}

fn tcp_apart() {
    if !both() {
        return;
    }
    let six = tcp(Family::Ipv6);
    ok!(bind(&six, any(Family::Ipv6, 0)));
    ok!(listen(&six));
    let number = port(ok!(six.local_address()));
    // Nobody listens there for the other family,
    check_err!(connect(&tcp(Family::Ipv4), loopback(Family::Ipv4, number)), E::ConnectionRefused);
    // so that somebody else can.
    let four = tcp(Family::Ipv4);
    ok!(bind(&four, any(Family::Ipv4, number)));
    ok!(listen(&four));
    let client = tcp(Family::Ipv4);
    let streams = ok!(connect(&client, loopback(Family::Ipv4, number)));
    let (input, output, server) = ok!(accept(&four));
    check!(server.address_family() == Family::Ipv4);
    check_err!(six.accept(), E::WouldBlock);
    drop((streams, input, output));
}

fn udp_any() {
    for family in families() {
        let (one, two) = (udp(family), bound_udp(family));
        ok!(udp_bind(&one, any(family, 0)));
        let number = port(ok!(one.local_address()));
        check_eq!(text(ok!(one.local_address())), text(any(family, number)));
        let (one_in, one_out) = ok!(one.stream(None));
        let (two_in, two_out) = ok!(two.stream(None));
        check_eq!(ok!(send(&two_out, &[(b"ping", Some(loopback(family, number)))])), 1);
        let (data, from) = receive(&one_in);
        check_eq!(data, b"ping");
        check_eq!(text(from), text(ok!(two.local_address())));
        check_eq!(ok!(send(&one_out, &[(b"pong", Some(from))])), 1);
        let (data, from) = receive(&two_in);
        check_eq!(data, b"pong");
        check_eq!(text(from), text(loopback(family, number)));
    }
}

fn udp_apart() {
    if !both() {
        return;
    }
    let (six, four) = (udp(Family::Ipv6), udp(Family::Ipv4));
    ok!(udp_bind(&six, any(Family::Ipv6, 0)));
    let number = port(ok!(six.local_address()));
    ok!(udp_bind(&four, any(Family::Ipv4, number)));
    let (six_in, _six_out) = ok!(six.stream(None));
    let (four_in, _four_out) = ok!(four.stream(None));
    let sender = bound_udp(Family::Ipv4);
    let (_incoming, outgoing) = ok!(sender.stream(None));
    check_eq!(ok!(send(&outgoing, &[(b"four", Some(loopback(Family::Ipv4, number)))])), 1);
    check_eq!(receive(&four_in).0, b"four");
    check_eq!(ok!(six_in.receive(1)).len(), 0);
}
