use super::{addr, loopbacks, net};
use crate::poll::Pollable;
use crate::sockets::SocketErrorCode::{self, *};
use crate::sockets::address::IpFamily;
use crate::sockets::bound::Received;
use crate::sockets::datagrams::{IncomingDatagramStream, OutgoingDatagramStream, ToSend};
use crate::sockets::grants::NetCtx;
use crate::sockets::udp::UdpSocket;
use crate::test_util::{block_on, now};
use std::net::{SocketAddr, UdpSocket as Peer};

fn bound(net: &NetCtx, at: SocketAddr) -> UdpSocket {
    let mut socket = UdpSocket::new(net, IpFamily::of(at.ip())).unwrap();
    now(socket.start_bind(net, at)).unwrap();
    socket.finish_bind().unwrap();
    socket
}

fn receive(incoming: &mut IncomingDatagramStream) -> Result<Vec<Received>, SocketErrorCode> {
    block_on(incoming.ready());
    incoming.receive(u64::MAX)
}

fn send(
    net: &NetCtx,
    outgoing: &mut OutgoingDatagramStream,
    data: &[u8],
    to: Option<SocketAddr>,
) -> Result<u64, SocketErrorCode> {
    assert!(outgoing.check_send().unwrap() > 0);
    outgoing.take_permit(1).unwrap();
    let datagram = ToSend {
        data: data.to_vec(),
        to,
    };
    now(outgoing.send(net, &[datagram]))
}

#[test]
fn datagrams_go_both_ways() {
    let net = net(&["all"]);
    for at in loopbacks() {
        let peer = Peer::bind(at).unwrap();
        let to = peer.local_addr().unwrap();
        let mut socket = bound(&net, at);
        let local = socket.local_address().unwrap();
        assert_eq!(socket.remote_address(), Err(InvalidState));
        let (mut incoming, mut outgoing) = now(socket.stream(&net, None)).unwrap();
        assert!(incoming.receive(10).unwrap().is_empty());
        assert_eq!(send(&net, &mut outgoing, b"ping", Some(to)), Ok(1));
        let mut buffer = [0; 10];
        assert_eq!(peer.recv_from(&mut buffer).unwrap(), (4, local));
        for data in [&b"one"[..], b"", b"three"] {
            peer.send_to(data, local).unwrap();
        }
        let mut all = Vec::new();
        while all.len() < 3 {
            all.extend(receive(&mut incoming).unwrap());
        }
        assert!(all.iter().all(|datagram| datagram.from == to));
        assert_eq!(
            all.iter().map(|d| &d.data[..]).collect::<Vec<_>>(),
            [&b"one"[..], b"", b"three"]
        );
        peer.send_to(b"x", local).unwrap();
        block_on(incoming.ready());
        assert!(incoming.receive(0).unwrap().is_empty());
        assert_eq!(incoming.receive(1).unwrap().len(), 1);
    }
}

#[test]
fn a_socket_is_bound_once_before_it_has_streams() {
    let net = net(&["all"]);
    let at = addr("127.0.0.1:0");
    let mut socket = UdpSocket::new(&net, IpFamily::V4).unwrap();
    assert_eq!(socket.finish_bind(), Err(NotInProgress));
    assert_eq!(socket.local_address(), Err(InvalidState));
    assert_eq!(now(socket.stream(&net, None)).unwrap_err(), InvalidState);
    for wrong in ["[::1]:0", "[::ffff:127.0.0.1]:0"] {
        assert_eq!(now(socket.start_bind(&net, addr(wrong))), Err(InvalidArgument));
    }
    assert_eq!(
        now(socket.start_bind(&net, addr("192.0.2.1:0"))),
        Err(AddressNotBindable)
    );
    now(socket.start_bind(&net, at)).unwrap();
    assert_eq!(now(socket.start_bind(&net, at)), Err(ConcurrencyConflict));
    assert_eq!(now(socket.stream(&net, None)).unwrap_err(), InvalidState);
    socket.finish_bind().unwrap();
    assert_eq!(socket.finish_bind(), Err(NotInProgress));
    assert_eq!(now(socket.start_bind(&net, at)), Err(InvalidState));
    let taken = socket.local_address().unwrap();
    let mut other = UdpSocket::new(&net, IpFamily::V4).unwrap();
    assert_eq!(now(other.start_bind(&net, taken)), Err(AddressInUse));
}

#[test]
fn a_peer_excludes_others() {
    let net = net(&["all"]);
    let (peer, other) = (
        Peer::bind("127.0.0.1:0").unwrap(),
        Peer::bind("127.0.0.1:0").unwrap(),
    );
    let (to, else_) = (peer.local_addr().unwrap(), other.local_addr().unwrap());
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    let local = socket.local_address().unwrap();
    let (_early, _) = now(socket.stream(&net, None)).unwrap();
    // This one is there before the socket knows its peer.
    other.send_to(b"early", local).unwrap();
    let (mut incoming, mut outgoing) = now(socket.stream(&net, Some(to))).unwrap();
    assert_eq!(socket.remote_address(), Ok(to));
    other.send_to(b"late", local).unwrap();
    peer.send_to(b"right", local).unwrap();
    let all = receive(&mut incoming).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0].data[..], all[0].from), (&b"right"[..], to));
    assert_eq!(send(&net, &mut outgoing, b"a", None), Ok(1));
    assert_eq!(send(&net, &mut outgoing, b"b", Some(to)), Ok(1));
    assert_eq!(send(&net, &mut outgoing, b"c", Some(else_)), Err(InvalidArgument));
    let mut buffer = [0; 10];
    assert_eq!(peer.recv_from(&mut buffer).unwrap(), (1, local));
}

#[test]
fn new_streams_replace_the_old_ones_and_the_port_stays() {
    let net = net(&["all"]);
    for at in loopbacks() {
        let (one, two) = (Peer::bind(at).unwrap(), Peer::bind(at).unwrap());
        let mut socket = bound(&net, at);
        let local = socket.local_address().unwrap();
        let remotes = [
            Some(one.local_addr().unwrap()),
            Some(two.local_addr().unwrap()),
            None,
        ];
        let mut old: Option<(IncomingDatagramStream, OutgoingDatagramStream)> = None;
        for remote in remotes.into_iter().chain(remotes) {
            let streams = now(socket.stream(&net, remote)).unwrap();
            assert_eq!(socket.local_address(), Ok(local), "{remote:?}");
            assert_eq!(socket.remote_address().ok(), remote);
            if let Some((mut incoming, mut outgoing)) = old.replace(streams) {
                now(incoming.ready());
                now(outgoing.ready());
                assert_eq!(incoming.receive(1).unwrap_err(), InvalidState);
                assert_eq!(outgoing.check_send(), Err(InvalidState));
                let datagram = ToSend {
                    data: vec![1],
                    to: None,
                };
                assert_eq!(now(outgoing.send(&net, &[datagram])), Err(InvalidState));
            }
        }
        let (mut incoming, _) = old.unwrap();
        two.send_to(b"x", local).unwrap();
        assert_eq!(receive(&mut incoming).unwrap().len(), 1);
    }
}

#[test]
fn new_streams_do_not_hear_of_the_old_ones_peers() {
    let net = net(&["all"]);
    let (one, two) = (
        Peer::bind("127.0.0.1:0").unwrap(),
        Peer::bind("127.0.0.1:0").unwrap(),
    );
    let nobody = Peer::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    let local = socket.local_address().unwrap();
    let (mut incoming, _) = now(socket.stream(&net, Some(one.local_addr().unwrap()))).unwrap();
    one.send_to(b"old", local).unwrap();
    // It is found, but not taken.
    block_on(incoming.ready());
    let (mut incoming, _) = now(socket.stream(&net, Some(two.local_addr().unwrap()))).unwrap();
    two.send_to(b"new", local).unwrap();
    assert_eq!(receive(&mut incoming).unwrap()[0].data, b"new");
    // What was found for a stream is there for the next one, if it is for that, too.
    two.send_to(b"late", local).unwrap();
    block_on(incoming.ready());
    let (mut incoming, _) = now(socket.stream(&net, None)).unwrap();
    assert_eq!(receive(&mut incoming).unwrap()[0].data, b"late");
    let (mut incoming, mut outgoing) = now(socket.stream(&net, Some(nobody))).unwrap();
    assert_eq!(send(&net, &mut outgoing, b"x", None), Ok(1));
    block_on(incoming.ready());
    let (incoming, _) = now(socket.stream(&net, None)).unwrap();
    assert!(incoming.receive(1).unwrap().is_empty());
}

#[test]
fn sending_needs_a_permit() {
    let net = net(&["all"]);
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    let (_, mut outgoing) = now(socket.stream(&net, None)).unwrap();
    outgoing.take_permit(0).unwrap();
    assert_eq!(outgoing.take_permit(1).unwrap_err().permitted, 0);
    let permits = outgoing.check_send().unwrap();
    assert!(permits > 0);
    assert_eq!(outgoing.take_permit(permits + 1).unwrap_err().permitted, permits);
    outgoing.check_send().unwrap();
    outgoing.take_permit(permits).unwrap();
    assert!(outgoing.take_permit(1).is_err());
    assert_eq!(now(outgoing.send(&net, &[])), Ok(0));
}

#[test]
fn destinations_and_sizes_that_cannot_be_are_refused() {
    let net = net(&["all"]);
    let peer = Peer::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    for remote in ["0.0.0.0:9", "127.0.0.1:0", "[::1]:9"] {
        assert_eq!(
            now(socket.stream(&net, Some(addr(remote)))).unwrap_err(),
            InvalidArgument
        );
    }
    let (_, mut outgoing) = now(socket.stream(&net, None)).unwrap();
    for remote in ["0.0.0.0:9", "127.0.0.1:0", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
        let result = send(&net, &mut outgoing, b"x", Some(addr(remote)));
        assert_eq!(result, Err(InvalidArgument), "{remote}");
    }
    assert_eq!(send(&net, &mut outgoing, b"x", None), Err(InvalidArgument));
    assert_eq!(
        send(&net, &mut outgoing, &[0; 1 << 16], Some(to)),
        Err(DatagramTooLarge)
    );
    // Nobody has switched broadcasts on; without a network there is no way there in the first place.
    let broadcast = Some(addr("255.255.255.255:9"));
    let refused = send(&net, &mut outgoing, b"x", broadcast).unwrap_err();
    assert!(matches!(refused, AccessDenied | RemoteUnreachable), "{refused}");
    // What follows a failure is not sent, what came before it is.
    outgoing.check_send().unwrap();
    let datagrams = [Some(to), None, Some(to)].map(|to| ToSend { data: vec![7], to });
    assert_eq!(now(outgoing.send(&net, &datagrams)), Ok(1));
    let mut buffer = [0; 10];
    assert_eq!(peer.recv(&mut buffer).unwrap(), 1);
}

#[test]
fn a_peer_that_is_not_there_refuses() {
    let net = net(&["all"]);
    let nobody = Peer::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut socket = bound(&net, addr("127.0.0.1:0"));
    let (mut incoming, mut outgoing) = now(socket.stream(&net, Some(nobody))).unwrap();
    assert_eq!(send(&net, &mut outgoing, b"x", None), Ok(1));
    assert_eq!(receive(&mut incoming).unwrap_err(), ConnectionRefused);
    assert!(incoming.receive(1).unwrap().is_empty());
    block_on(outgoing.ready());
}

#[test]
fn what_is_not_granted_is_denied() {
    let peer = Peer::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    let binding = net(&["udp-bind:127.0.0.1:0", "tcp:*:*"]);
    let mut socket = bound(&binding, addr("127.0.0.1:0"));
    let (old, _) = now(socket.stream(&binding, None)).unwrap();
    assert_eq!(now(socket.stream(&binding, Some(to))).unwrap_err(), AccessDenied);
    // The streams before still work.
    assert!(old.receive(1).is_ok());
    let (_, mut outgoing) = now(socket.stream(&binding, None)).unwrap();
    assert_eq!(send(&binding, &mut outgoing, b"x", Some(to)), Err(AccessDenied));
    let mut socket = UdpSocket::new(&binding, IpFamily::V4).unwrap();
    for at in ["0.0.0.0:0", "127.0.0.1:9", "127.0.0.2:0"] {
        assert_eq!(
            now(socket.start_bind(&binding, addr(at))),
            Err(AccessDenied),
            "{at}"
        );
    }
    let everywhere = net(&["udp:*:*"]);
    let mut socket = bound(&everywhere, addr("0.0.0.0:0"));
    let (_, mut outgoing) = now(socket.stream(&everywhere, None)).unwrap();
    let group = Some(addr("224.0.0.251:5353"));
    assert_eq!(send(&everywhere, &mut outgoing, b"x", group), Err(AccessDenied));
}

#[test]
fn who_may_only_send_hears_only_from_there() {
    let (peer, other) = (
        Peer::bind("127.0.0.1:0").unwrap(),
        Peer::bind("127.0.0.1:0").unwrap(),
    );
    let to = peer.local_addr().unwrap();
    let net = net(&[&format!("udp-send:127.0.0.1:{}", to.port())]);
    let mut socket = bound(&net, addr("0.0.0.0:0"));
    let local = SocketAddr::new(to.ip(), socket.local_address().unwrap().port());
    let (mut incoming, mut outgoing) = now(socket.stream(&net, None)).unwrap();
    assert_eq!(send(&net, &mut outgoing, b"ping", Some(to)), Ok(1));
    // More than are thrown away at once.
    for _ in 0..100 {
        other.send_to(b"spam", local).unwrap();
    }
    peer.send_to(b"pong", local).unwrap();
    let all = receive(&mut incoming).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].data, b"pong");
}
