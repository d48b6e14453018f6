//! UDP sockets and their streams.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, check_traps, ok};
use wasip2::sockets::instance_network::instance_network;

pub const CASES: &[Case] = &[
    ("udp-unbound", unbound),
    ("udp-bind", bind),
    ("udp-bind-arguments", bind_arguments),
    ("udp-bind-in-use", bind_in_use),
    ("udp-datagrams", datagrams),
    ("udp-to-one-peer", to_one_peer),
    ("udp-stream-arguments", stream_arguments),
    ("udp-send-arguments", send_arguments),
    ("udp-send-partly", send_partly),
    ("udp-too-large", too_large),
    ("udp-receive-bounds", receive_bounds),
    ("udp-new-streams", new_streams),
    ("udp-ipv6", ipv6),
    ("udp-send-without-permit", without_permit),
    ("udp-send-more-than-permitted", more_than_permitted),
];

const V4: Family = Family::Ipv4;

fn unbound() {
    let socket = udp(V4);
    check_err!(socket.finish_bind(), E::NotInProgress);
    check_err!(socket.local_address(), E::InvalidState);
    check_err!(socket.remote_address(), E::InvalidState);
    check_err!(socket.stream(None), E::InvalidState);
    check_err!(socket.stream(Some(loopback(V4, 9))), E::InvalidState);
    check!(socket.address_family() == V4);
}

fn bind() {
    let socket = udp(V4);
    ok!(socket.start_bind(&instance_network(), loopback(V4, 0)));
    check_err!(socket.start_bind(&instance_network(), loopback(V4, 0)), E::ConcurrencyConflict | E::InvalidState);
    check_err!(socket.local_address(), E::InvalidState);
    loop {
        match socket.finish_bind() {
            Err(E::WouldBlock) => socket.subscribe().block(),
            bound => break ok!(bound),
        }
    }
    check_err!(socket.finish_bind(), E::NotInProgress | E::InvalidState);
    check_err!(socket.start_bind(&instance_network(), loopback(V4, 0)), E::InvalidState);
    let local = ok!(socket.local_address());
    check!(port(local) != 0);
    check_eq!(text(local), text(loopback(V4, port(local))));
    check_err!(socket.remote_address(), E::InvalidState);
}

fn bind_arguments() {
    let socket = udp(V4);
    check_err!(udp_bind(&socket, loopback(Family::Ipv6, 0)), E::InvalidArgument);
    ok!(udp_bind(&socket, loopback(V4, 0)));
    if families().contains(&Family::Ipv6) {
        let socket = udp(Family::Ipv6);
        check_err!(udp_bind(&socket, loopback(V4, 0)), E::InvalidArgument);
        ok!(udp_bind(&socket, loopback(Family::Ipv6, 0)));
    }
}

fn bind_in_use() {
    let one = bound_udp(V4);
    let two = udp(V4);
    check_err!(udp_bind(&two, ok!(one.local_address())), E::AddressInUse);
    ok!(udp_bind(&two, loopback(V4, 0)));
}

fn datagrams() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (to_one, to_two) = (ok!(one.local_address()), ok!(two.local_address()));
    let (one_in, one_out) = ok!(one.stream(None));
    let (two_in, two_out) = ok!(two.stream(None));
    check_eq!(ok!(one_in.receive(5)).len(), 0);
    check!(!one_in.subscribe().ready());
    check_eq!(ok!(send(&one_out, &[(b"first", Some(to_two)), (b"", Some(to_two)), (b"third", Some(to_two))])), 3);
    for expected in [&b"first"[..], b"", b"third"] {
        let (data, from) = receive(&two_in);
        check_eq!(data, expected);
        check_eq!(text(from), text(to_one));
    }
    check_eq!(ok!(two_in.receive(5)).len(), 0);
    check_eq!(ok!(send(&two_out, &[(b"reply", Some(to_one))])), 1);
    check_eq!(receive(&one_in).0, b"reply");
    check_err!(one.remote_address(), E::InvalidState);
}

fn to_one_peer() {
    let (one, two, other) = (bound_udp(V4), bound_udp(V4), bound_udp(V4));
    let (to_one, to_two, to_other) = (ok!(one.local_address()), ok!(two.local_address()), ok!(other.local_address()));
    let (one_in, one_out) = ok!(one.stream(Some(to_two)));
    check_eq!(text(ok!(one.remote_address())), text(to_two));
    let (two_in, two_out) = ok!(two.stream(None));
    let (_other_in, other_out) = ok!(other.stream(None));
    check_eq!(ok!(send(&one_out, &[(b"a", None), (b"b", Some(to_two))])), 2);
    check_eq!(receive(&two_in).0, b"a");
    check_eq!(receive(&two_in).0, b"b");
    check_err!(send(&one_out, &[(b"x", Some(to_other))]), E::InvalidArgument);
    // Nobody else's datagrams come in.
    check_eq!(ok!(send(&other_out, &[(b"not wanted", Some(to_one))])), 1);
    check_eq!(ok!(send(&two_out, &[(b"wanted", Some(to_one))])), 1);
    let (data, from) = receive(&one_in);
    check_eq!(data, b"wanted");
    check_eq!(text(from), text(to_two));
    check_eq!(ok!(one_in.receive(5)).len(), 0);
}

fn stream_arguments() {
    let socket = bound_udp(V4);
    check_err!(socket.stream(Some(v4(0, 0, 0, 0, 80))), E::InvalidArgument);
    check_err!(socket.stream(Some(loopback(V4, 0))), E::InvalidArgument);
    check_err!(socket.stream(Some(loopback(Family::Ipv6, 80))), E::InvalidArgument);
    ok!(socket.stream(None));
}

fn send_arguments() {
    let socket = bound_udp(V4);
    let (_incoming, outgoing) = ok!(socket.stream(None));
    check_eq!(ok!(send(&outgoing, &[])), 0);
    check_err!(send(&outgoing, &[(b"x", None)]), E::InvalidArgument);
    check_err!(send(&outgoing, &[(b"x", Some(v4(0, 0, 0, 0, 80)))]), E::InvalidArgument);
    check_err!(send(&outgoing, &[(b"x", Some(loopback(V4, 0)))]), E::InvalidArgument);
    check_err!(send(&outgoing, &[(b"x", Some(loopback(Family::Ipv6, 80)))]), E::InvalidArgument);
}

fn send_partly() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (_one_in, one_out) = ok!(one.stream(None));
    let (two_in, _two_out) = ok!(two.stream(None));
    let to = ok!(two.local_address());
    // Once one is sent, a later failure is no error of the call.
    check_eq!(ok!(send(&one_out, &[(b"a", Some(to)), (b"b", None), (b"c", Some(to))])), 1);
    check_eq!(receive(&two_in).0, b"a");
    check_eq!(ok!(two_in.receive(5)).len(), 0);
}

fn too_large() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (_one_in, one_out) = ok!(one.stream(None));
    let (two_in, _two_out) = ok!(two.stream(None));
    let to = Some(ok!(two.local_address()));
    let data = vec![7; 65_536];
    check_err!(send(&one_out, &[(&data, to)]), E::DatagramTooLarge);
    check_err!(send(&one_out, &[(&data[..65_508], to)]), E::DatagramTooLarge);
    // The largest that IPv4 has.
    check_eq!(ok!(send(&one_out, &[(&data[..65_507], to)])), 1);
    check_eq!(receive(&two_in).0.len(), 65_507);
}

fn receive_bounds() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (_one_in, one_out) = ok!(one.stream(None));
    let (two_in, _two_out) = ok!(two.stream(None));
    let to = Some(ok!(two.local_address()));
    for i in 0..6u8 {
        check_eq!(ok!(send(&one_out, &[(&[i], to)])), 1);
    }
    check_eq!(ok!(two_in.receive(0)).len(), 0);
    let mut got = Vec::new();
    for max in [1, 2, u64::MAX, u64::MAX, u64::MAX, u64::MAX] {
        if got.len() == 6 {
            break;
        }
        two_in.subscribe().block();
        let datagrams = ok!(two_in.receive(max));
        check!(datagrams.len() as u64 <= max);
        got.extend(datagrams.into_iter().flat_map(|datagram| datagram.data));
    }
    check_eq!(got, [0, 1, 2, 3, 4, 5]);
}

fn new_streams() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (to_one, to_two) = (ok!(one.local_address()), ok!(two.local_address()));
    let (two_in, two_out) = ok!(two.stream(None));
    // From everybody to one peer and back.
    drop(ok!(one.stream(None)));
    check_eq!(text(ok!(one.local_address())), text(to_one));
    drop(ok!(one.stream(Some(to_two))));
    check_eq!(text(ok!(one.local_address())), text(to_one));
    let (one_in, one_out) = ok!(one.stream(None));
    check_err!(one.remote_address(), E::InvalidState);
    // Some systems take the port away together with the peer.
    check_eq!(ok!(send(&one_out, &[(b"a", Some(to_two))])), 1);
    let (data, from) = receive(&two_in);
    check_eq!(data, b"a");
    check_eq!(ok!(send(&two_out, &[(b"b", Some(from))])), 1);
    check_eq!(receive(&one_in).0, b"b");
}

fn ipv6() {
    if !families().contains(&Family::Ipv6) {
        return;
    }
    let (one, two) = (bound_udp(Family::Ipv6), bound_udp(Family::Ipv6));
    let (_one_in, one_out) = ok!(one.stream(Some(ok!(two.local_address()))));
    let (two_in, _two_out) = ok!(two.stream(None));
    check_eq!(ok!(send(&one_out, &[(b"six", None)])), 1);
    let (data, from) = receive(&two_in);
    check_eq!(data, b"six");
    check_eq!(text(from), text(ok!(one.local_address())));
}

fn without_permit() {
    let socket = bound_udp(V4);
    let (_incoming, outgoing) = ok!(socket.stream(None));
    let datagram = OutgoingDatagram { data: b"x".to_vec(), remote_address: Some(ok!(socket.local_address())) };
    check_traps!(outgoing.send(&[datagram]));
}

fn more_than_permitted() {
    let socket = bound_udp(V4);
    let (_incoming, outgoing) = ok!(socket.stream(None));
    let to = Some(ok!(socket.local_address()));
    let permit = ok!(outgoing.check_send());
    check!(permit > 0 && permit < 100_000);
    let datagrams: Vec<_> = (0..=permit).map(|_| OutgoingDatagram { data: Vec::new(), remote_address: to }).collect();
    check_traps!(outgoing.send(&datagrams));
}
