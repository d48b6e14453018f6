//! Without a grant, sockets can be made and set up, but reach nobody.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check_err, ok};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;

pub const CASES: &[Case] = &[("denied-tcp", denied_tcp), ("denied-udp", denied_udp), ("denied-lookup", denied_lookup)];

fn denied_tcp() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let socket = match wasip2::sockets::tcp_create_socket::create_tcp_socket(family) {
            Err(E::AccessDenied | E::NotSupported) => continue,
            made => ok!(made),
        };
        check_err!(bind(&socket, loopback(family, 0)), E::AccessDenied);
        check_err!(connect(&socket, loopback(family, 80)), E::AccessDenied);
    }
    let any = match wasip2::sockets::tcp_create_socket::create_tcp_socket(Family::Ipv4) {
        Err(E::AccessDenied | E::NotSupported) => return,
        made => ok!(made),
    };
    check_err!(bind(&any, v4(0, 0, 0, 0, 0)), E::AccessDenied);
    check_err!(connect(&any, v4(192, 0, 2, 1, 80)), E::AccessDenied);
}

fn denied_udp() {
    for family in [Family::Ipv4, Family::Ipv6] {
        let socket = match wasip2::sockets::udp_create_socket::create_udp_socket(family) {
            Err(E::AccessDenied | E::NotSupported) => continue,
            made => ok!(made),
        };
        check_err!(udp_bind(&socket, loopback(family, 0)), E::AccessDenied);
        check_err!(socket.stream(None), E::InvalidState);
    }
}

fn denied_lookup() {
    let network = instance_network();
    let result = resolve_addresses(&network, "localhost").and_then(|stream| loop {
        match stream.resolve_next_address() {
            Err(E::WouldBlock) => stream.subscribe().block(),
            other => break other,
        }
    });
    check_err!(result, E::AccessDenied | E::PermanentResolverFailure | E::NameUnresolvable);
}
