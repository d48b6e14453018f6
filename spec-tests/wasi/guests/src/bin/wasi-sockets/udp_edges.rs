//! UDP sockets: addresses of others, peers that are not there, readiness.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};

pub const CASES: &[Case] = &[
    ("udp-bind-foreign-address", foreign_address),
    ("udp-refused", refused),
    ("udp-ready", ready),
    ("udp-many-datagrams", many),
    ("udp-dropped-in-any-state", dropped),
];

const V4: Family = Family::Ipv4;

fn foreign_address() {
    // An address for documentation, which no machine has.
    let socket = udp(V4);
    check_err!(udp_bind(&socket, v4(192, 0, 2, 1, 0)), E::AddressNotBindable | E::AccessDenied);
    ok!(udp_bind(&socket, loopback(V4, 0)));
}

fn refused() {
    let nobody = ok!(bound_udp(V4).local_address());
    let socket = bound_udp(V4);
    {
        let (incoming, outgoing) = ok!(socket.stream(Some(nobody)));
        for _ in 0..5 {
            // That nobody is there may be told with the next datagram, with what comes in, or not at all.
            if let Err(error) = send(&outgoing, &[(b"anyone?", None)]) {
                check!(matches!(error, E::ConnectionRefused | E::RemoteUnreachable));
            }
            match incoming.receive(1) {
                Ok(datagrams) => check!(datagrams.is_empty()),
                Err(error) => check!(matches!(error, E::ConnectionRefused | E::RemoteUnreachable)),
            }
        }
    }
    // The socket is none the worse for it.
    let other = bound_udp(V4);
    let (other_in, _other_out) = ok!(other.stream(None));
    let (_incoming, outgoing) = ok!(socket.stream(Some(ok!(other.local_address()))));
    for _ in 0..3 {
        // An error of before may still be told once.
        if send(&outgoing, &[(b"here", None)]).is_ok() {
            check_eq!(receive(&other_in).0, b"here");
            return;
        }
    }
    wasi_conformance::fail(file!(), line!(), "nothing can be sent after a peer was not there");
}

fn ready() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (one_in, one_out) = ok!(one.stream(None));
    let (two_in, _two_out) = ok!(two.stream(None));
    one_out.subscribe().block();
    check!(ok!(one_out.check_send()) > 0);
    let ready = two_in.subscribe();
    check!(!ready.ready());
    for _ in 0..3 {
        check_eq!(ok!(send(&one_out, &[(b"x", Some(ok!(two.local_address())))])), 1);
        ready.block();
        check_eq!(ok!(two_in.receive(10)).len(), 1);
        check_eq!(ok!(two_in.receive(10)).len(), 0);
    }
    check!(!one_in.subscribe().ready());
}

fn many() {
    let (one, two) = (bound_udp(V4), bound_udp(V4));
    let (_one_in, one_out) = ok!(one.stream(None));
    let (two_in, _two_out) = ok!(two.stream(None));
    let to = Some(ok!(two.local_address()));
    for round in 0..200u16 {
        // As many at once as are permitted; none is lost on the way to oneself while they are taken.
        let permit = usize::try_from(ok!(one_out.check_send())).unwrap_or(usize::MAX).min(8);
        check!(permit > 0);
        let number = round.to_be_bytes();
        let sent = ok!(send(&one_out, &vec![(&number[..], to); permit]));
        check!(sent > 0 && sent <= permit as u64);
        for _ in 0..sent {
            check_eq!(receive(&two_in).0, number);
        }
    }
}

fn dropped() {
    drop(udp(V4));
    let binding = udp(V4);
    ok!(binding.start_bind(&instance(), loopback(V4, 0)));
    drop(binding);
    let bound = bound_udp(V4);
    let address = ok!(bound.local_address());
    drop(ok!(bound.stream(None)));
    drop(bound);
    ok!(udp_bind(&udp(V4), address));
}
