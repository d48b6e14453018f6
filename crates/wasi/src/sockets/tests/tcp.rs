use super::{addr, loopbacks, net};
use crate::poll::Pollable;
use crate::sockets::SocketErrorCode::{self, *};
use crate::sockets::address::IpFamily;
use crate::sockets::grants::NetCtx;
use crate::sockets::tcp::{Streams, TcpSocket};
use crate::test_util::{block_on, now};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use tokio::sync::Semaphore;

pub(super) fn socket(net: &NetCtx, at: SocketAddr) -> TcpSocket {
    TcpSocket::new(net, IpFamily::of(at.ip())).unwrap()
}

pub(super) fn bound(net: &NetCtx, at: SocketAddr) -> TcpSocket {
    let mut socket = socket(net, at);
    now(socket.start_bind(net, at)).unwrap();
    socket.finish_bind().unwrap();
    socket
}

pub(super) fn listening(net: &NetCtx, at: SocketAddr) -> TcpSocket {
    let mut socket = bound(net, at);
    socket.start_listen().unwrap();
    socket.finish_listen().unwrap();
    socket
}

pub(super) fn finish_connect(socket: &mut TcpSocket) -> Result<Streams, SocketErrorCode> {
    loop {
        match socket.finish_connect() {
            Err(WouldBlock) => block_on(socket.ready()),
            result => return result,
        }
    }
}

fn connect(net: &NetCtx, socket: &mut TcpSocket, to: SocketAddr) -> Result<Streams, SocketErrorCode> {
    now(socket.start_connect(net, to))?;
    finish_connect(socket)
}

/// A guest's end of a connection and the peer's.
pub(super) fn pair(net: &NetCtx) -> (TcpSocket, Streams, TcpStream) {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    let mut socket = socket(net, to);
    let streams = connect(net, &mut socket, to).unwrap();
    (socket, streams, peer.accept().unwrap().0)
}

fn accept(net: &NetCtx, listener: &mut TcpSocket) -> (TcpSocket, Streams) {
    loop {
        match listener.accept(net) {
            Err(WouldBlock) => block_on(listener.ready()),
            result => return result.unwrap(),
        }
    }
}

#[test]
fn sockets_connect_to_each_other() {
    let net = net(&["tcp:127.0.0.1:*", "tcp:[::1]:*"]);
    for at in loopbacks() {
        let mut server = listening(&net, at);
        assert_eq!(server.accept(&net).unwrap_err(), WouldBlock);
        assert!(server.is_listening());
        let to = server.local_address().unwrap();
        assert_ne!(to.port(), 0);
        let mut client = socket(&net, at);
        let _streams = connect(&net, &mut client, to).unwrap();
        let (accepted, _accepted_streams) = accept(&net, &mut server);
        assert_eq!(client.remote_address(), Ok(to));
        assert_eq!(accepted.local_address(), Ok(to));
        assert_eq!(accepted.remote_address(), client.local_address());
        assert_eq!(accepted.family(), IpFamily::of(at.ip()));
        assert!(!accepted.is_listening());
        assert_eq!(server.remote_address(), Err(InvalidState));
    }
}

#[test]
fn a_port_can_be_bound_again_while_connections_linger() {
    let net = net(&["tcp:127.0.0.1:*"]);
    // Whether the system chose the port or the guest did.
    let mut at = addr("127.0.0.1:0");
    for _ in 0..2 {
        let mut server = listening(&net, at);
        at = server.local_address().unwrap();
        let peer = TcpStream::connect(at).unwrap();
        // This side ends the connection, so that it is the one that waits.
        drop(accept(&net, &mut server));
        drop(server);
        drop(peer);
    }
    listening(&net, at);
}

#[test]
fn accepted_sockets_inherit_options() {
    let net = net(&["all"]);
    for at in loopbacks() {
        let mut server = bound(&net, at);
        let fd = server.fd().unwrap();
        fd.set_keep_alive(true).unwrap();
        fd.set_keep_alive_idle_time(7_000_000_000).unwrap();
        fd.set_keep_alive_interval(8_000_000_000).unwrap();
        fd.set_keep_alive_count(9).unwrap();
        fd.set_hops(server.family(), 42).unwrap();
        server.start_listen().unwrap();
        server.finish_listen().unwrap();
        let _peer = TcpStream::connect(server.local_address().unwrap()).unwrap();
        let (accepted, _streams) = accept(&net, &mut server);
        let fd = accepted.fd().unwrap();
        assert!(fd.keep_alive().unwrap());
        assert_eq!(fd.keep_alive_idle_time(), Ok(7_000_000_000));
        assert_eq!(fd.keep_alive_interval(), Ok(8_000_000_000));
        assert_eq!(fd.keep_count().unwrap(), 9);
        assert_eq!(fd.hop_limit(accepted.family()).unwrap(), 42);
    }
}

/// What every state but the right one answers.
fn refuses_the_end_of_what_was_not_started(socket: &mut TcpSocket) {
    assert_eq!(socket.finish_bind(), Err(NotInProgress));
    assert_eq!(socket.finish_listen(), Err(NotInProgress));
    assert_eq!(socket.finish_connect().unwrap_err(), NotInProgress);
}

#[test]
fn an_unbound_socket_can_be_bound_or_connected() {
    let net = net(&["all"]);
    let mut socket = socket(&net, addr("127.0.0.1:0"));
    refuses_the_end_of_what_was_not_started(&mut socket);
    assert_eq!(socket.start_listen(), Err(InvalidState));
    assert_eq!(socket.accept(&net).unwrap_err(), InvalidState);
    assert_eq!(socket.local_address(), Err(InvalidState));
    assert_eq!(socket.remote_address(), Err(InvalidState));
    assert_eq!(socket.connection().unwrap_err(), InvalidState);
    assert_eq!(socket.set_listen_backlog_size(0), Err(InvalidArgument));
    assert_eq!(socket.set_listen_backlog_size(u64::MAX), Ok(()));
    assert!(!socket.is_listening());
    now(socket.ready());
}

#[test]
fn operations_do_not_overlap() {
    let net = net(&["all"]);
    let at = addr("127.0.0.1:0");
    let mut socket = socket(&net, at);
    now(socket.start_bind(&net, at)).unwrap();
    now(socket.ready());
    assert_eq!(now(socket.start_bind(&net, at)), Err(ConcurrencyConflict));
    assert_eq!(
        now(socket.start_connect(&net, addr("127.0.0.1:1"))),
        Err(ConcurrencyConflict)
    );
    assert_eq!(socket.start_listen(), Err(ConcurrencyConflict));
    assert_eq!(socket.finish_listen(), Err(NotInProgress));
    assert_eq!(socket.local_address(), Err(InvalidState));
    socket.finish_bind().unwrap();
    assert_eq!(socket.finish_bind(), Err(NotInProgress));
    assert_eq!(now(socket.start_bind(&net, at)), Err(InvalidState));
    assert_eq!(socket.accept(&net).unwrap_err(), InvalidState);
    socket.start_listen().unwrap();
    assert_eq!(socket.start_listen(), Err(ConcurrencyConflict));
    assert_eq!(socket.accept(&net).unwrap_err(), InvalidState);
    assert!(!socket.is_listening());
    socket.finish_listen().unwrap();
    refuses_the_end_of_what_was_not_started(&mut socket);
    assert_eq!(socket.start_listen(), Err(InvalidState));
    assert_eq!(now(socket.start_bind(&net, at)), Err(InvalidState));
    assert_eq!(
        now(socket.start_connect(&net, addr("127.0.0.1:1"))),
        Err(InvalidState)
    );
    assert_eq!(socket.connection().unwrap_err(), InvalidState);
    assert_eq!(socket.set_listen_backlog_size(1), Ok(()));
    assert!(socket.is_listening());
}

#[test]
fn a_connected_socket_stays_connected() {
    let net = net(&["all"]);
    let (mut socket, _streams, _peer) = pair(&net);
    refuses_the_end_of_what_was_not_started(&mut socket);
    let at = addr("127.0.0.1:1");
    assert_eq!(now(socket.start_bind(&net, at)), Err(InvalidState));
    assert_eq!(now(socket.start_connect(&net, at)), Err(InvalidState));
    assert_eq!(socket.start_listen(), Err(InvalidState));
    assert_eq!(socket.accept(&net).unwrap_err(), InvalidState);
    assert_eq!(socket.set_listen_backlog_size(1), Err(InvalidState));
    assert!(socket.local_address().is_ok() && socket.remote_address().is_ok());
    assert!(!socket.is_listening());
    now(socket.ready());
}

#[test]
fn a_bound_socket_connects_from_its_address() {
    let net = net(&["all"]);
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    let from = socket.local_address().unwrap();
    let _streams = connect(&net, &mut socket, peer.local_addr().unwrap()).unwrap();
    assert_eq!(peer.accept().unwrap().1, from);
}

#[test]
fn a_failed_connection_closes_the_socket() {
    let net = net(&["all"]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut socket = socket(&net, nobody);
    assert_eq!(connect(&net, &mut socket, nobody).unwrap_err(), ConnectionRefused);
    refuses_the_end_of_what_was_not_started(&mut socket);
    assert_eq!(now(socket.start_connect(&net, nobody)), Err(InvalidState));
    assert_eq!(
        now(socket.start_bind(&net, addr("127.0.0.1:0"))),
        Err(InvalidState)
    );
    assert_eq!(socket.start_listen(), Err(InvalidState));
    assert_eq!(socket.local_address(), Err(InvalidState));
    assert_eq!(socket.set_listen_backlog_size(1), Err(InvalidState));
    assert_eq!(socket.fd().unwrap_err(), InvalidState);
    now(socket.ready());
}

#[test]
fn addresses_that_cannot_be_connected_to_are_refused_and_nothing_can_follow() {
    let net = net(&["all"]);
    let v4 = [
        "0.0.0.0:80",
        "127.0.0.1:0",
        "224.0.0.1:80",
        "255.255.255.255:80",
        "[::1]:80",
    ];
    let v6 = [
        "[::]:80",
        "[::1]:0",
        "[ff02::1]:80",
        "[::ffff:127.0.0.1]:80",
        "[::127.0.0.1]:80",
        "127.0.0.1:80",
    ];
    for (local, remotes) in loopbacks().into_iter().zip([&v4[..], &v6]) {
        let peer = TcpListener::bind(local).unwrap();
        for remote in remotes {
            let mut client = socket(&net, local);
            let result = now(client.start_connect(&net, addr(remote)));
            assert_eq!(result, Err(InvalidArgument), "{remote}");
            assert_eq!(client.finish_connect().unwrap_err(), NotInProgress);
            // That was the only attempt.
            let again = now(client.start_connect(&net, peer.local_addr().unwrap()));
            assert_eq!(again, Err(InvalidState), "{remote}");
        }
    }
}

#[test]
fn addresses_that_cannot_be_bound_are_refused_and_others_can_follow() {
    let net = net(&["all"]);
    let v4 = ["224.0.0.1:0", "255.255.255.255:0", "[::1]:0"];
    let v6 = [
        "[ff02::1]:0",
        "[::ffff:127.0.0.1]:0",
        "[::127.0.0.1]:0",
        "127.0.0.1:0",
    ];
    for (at, refused) in loopbacks().into_iter().zip([&v4[..], &v6]) {
        let mut socket = socket(&net, at);
        for local in refused {
            assert_eq!(
                now(socket.start_bind(&net, addr(local))),
                Err(InvalidArgument),
                "{local}"
            );
            assert_eq!(socket.finish_bind(), Err(NotInProgress));
        }
        now(socket.start_bind(&net, at)).unwrap();
        socket.finish_bind().unwrap();
    }
    let mut socket = socket(&net, addr("127.0.0.1:0"));
    assert_eq!(
        now(socket.start_bind(&net, addr("192.0.2.1:0"))),
        Err(AddressNotBindable)
    );
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _listener = listening(&net, taken);
    assert_eq!(now(socket.start_bind(&net, taken)), Err(AddressInUse));
    now(socket.start_bind(&net, addr("0.0.0.0:0"))).unwrap();
}

#[test]
fn a_port_can_be_bound_again_at_once() {
    let net = net(&["all"]);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = listening(&net, free);
    let at = server.local_address().unwrap();
    let peer = TcpStream::connect(at).unwrap();
    let accepted = accept(&net, &mut server);
    // The side that closes first keeps the port for a while.
    drop((accepted, server, peer));
    listening(&net, at);
}

#[test]
fn v6_sockets_do_not_serve_v4() {
    let net = net(&["all"]);
    let Some(at) = loopbacks().into_iter().find(SocketAddr::is_ipv6) else {
        return;
    };
    let server = listening(&net, SocketAddr::new("::".parse().unwrap(), 0));
    let port = server.local_address().unwrap().port();
    assert!(TcpStream::connect(SocketAddr::new(at.ip(), port)).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn what_is_not_granted_is_denied() {
    let peer = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    let port = to.port();
    let nothing = net(&[]);
    let other = net(&[
        "tcp-listen:*:*",
        "udp:*:*",
        "lookup:*",
        &format!("tcp-connect:127.0.0.2:{port}"),
        &format!("tcp-connect:localhost:{port}"),
        "tcp-connect:127.0.0.1:0",
    ]);
    for net in [&nothing, &other] {
        let mut socket = socket(net, to);
        assert_eq!(now(socket.start_connect(net, to)), Err(AccessDenied));
        assert_eq!(socket.finish_connect().unwrap_err(), NotInProgress);
    }
    let exact = net(&[&format!("tcp-connect:127.0.0.1:{port}")]);
    connect(&exact, &mut socket(&exact, to), to).unwrap();
    let ports = net(&["tcp-listen:127.0.0.1:1-65535"]);
    for (net, at) in [
        (&nothing, "127.0.0.1:1"),
        (&exact, "127.0.0.1:0"),
        (&ports, "127.0.0.1:0"),
        (&ports, "0.0.0.0:9"),
    ] {
        let mut socket = socket(net, addr(at));
        assert_eq!(now(socket.start_bind(net, addr(at))), Err(AccessDenied), "{at}");
    }
}

#[test]
fn the_number_of_sockets_is_limited() {
    let net = NetCtx {
        sockets: Arc::new(Semaphore::new(2)),
        ..net(&["all"])
    };
    let mut server = listening(&net, addr("127.0.0.1:0"));
    let _peer = TcpStream::connect(server.local_address().unwrap()).unwrap();
    let extra = socket(&net, addr("127.0.0.1:0"));
    assert_eq!(TcpSocket::new(&net, IpFamily::V4).unwrap_err(), NewSocketLimit);
    block_on(server.ready());
    assert_eq!(server.accept(&net).unwrap_err(), NewSocketLimit);
    drop(extra);
    // The connection has waited.
    let (accepted, streams) = server.accept(&net).unwrap();
    drop(accepted);
    // Its streams hold it.
    assert_eq!(TcpSocket::new(&net, IpFamily::V4).unwrap_err(), NewSocketLimit);
    drop(streams);
    assert!(TcpSocket::new(&net, IpFamily::V4).is_ok());
}
