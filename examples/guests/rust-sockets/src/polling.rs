//! Datagram streams, and waiting for one of many.

use crate::wit::*;
use wasip2::io::poll::poll;
use wasip2::sockets::udp::OutgoingDatagram;

fn bound() -> Result<UdpSocket> {
    let socket = udp(IpAddressFamily::Ipv4);
    udp_bind(&socket, v4(127, 0, 0, 1, 0))?;
    Ok(socket)
}

fn datagram(data: &[u8], to: Option<IpSocketAddress>) -> OutgoingDatagram {
    OutgoingDatagram { data: data.to_vec(), remote_address: to }
}

/// Changes the peer of a socket.
pub fn datagrams() -> Result<()> {
    let (one, two, three) = (bound()?, bound()?, bound()?);
    let (to_one, to_two, to_three) = (one.local_address()?, two.local_address()?, three.local_address()?);
    let (incoming, outgoing) = one.stream(None)?;
    println!("remote without a peer: {}", told(one.remote_address()));
    println!("permits: {}", outgoing.check_send()? > 0);
    println!("nothing to send: {}", outgoing.send(&[])?);
    println!("nowhere: {}", told(outgoing.send(&[datagram(b"x", None)])));
    outgoing.check_send()?;
    println!("sent: {}", outgoing.send(&[datagram(b"a", Some(to_two)), datagram(b"b", Some(to_three)), datagram(b"c", None)])?);
    println!("nothing there: {}", incoming.receive(5)?.len());

    let (two_incoming, two_outgoing) = two.stream(Some(to_one))?;
    two_incoming.subscribe().block();
    for datagram in two_incoming.receive(5)? {
        println!("two got {:?}", String::from_utf8_lossy(&datagram.data));
    }
    two_outgoing.check_send()?;
    println!("elsewhere: {}", told(two_outgoing.send(&[datagram(b"x", Some(to_three))])));
    two_outgoing.check_send()?;
    println!("home: {}", two_outgoing.send(&[datagram(b"reply", None), datagram(b"again", Some(to_one))])?);
    let mut got = 0;
    while got < 2 {
        incoming.subscribe().block();
        for datagram in incoming.receive(5)? {
            println!("one got {:?}", String::from_utf8_lossy(&datagram.data));
            got += 1;
        }
    }

    let before = one.local_address()?;
    let (new_incoming, _new_outgoing) = one.stream(Some(to_three))?;
    println!("old streams: {}, {}", told(incoming.receive(1)), told(outgoing.check_send()));
    println!("ready to tell so: {}", incoming.subscribe().ready());
    println!("new ones: {}", told(new_incoming.receive(1)));
    println!("remote with a peer: {}", told(one.remote_address()));
    println!("local stays: {}", format!("{before:?}") == format!("{:?}", one.local_address()?));
    Ok(())
}

/// Sends without asking first, which traps.
pub fn unpermitted() -> Result<()> {
    let socket = bound()?;
    let (_incoming, outgoing) = socket.stream(None)?;
    println!("about to send");
    outgoing.send(&[datagram(b"x", Some(socket.local_address()?))])?;
    println!("still here");
    Ok(())
}

/// Waits for one of many sockets.
pub fn poll_many(count: usize) -> Result<()> {
    let sender = bound()?;
    let (_, outgoing) = sender.stream(None)?;
    let sockets = (0..count).map(|_| bound()).collect::<Result<Vec<_>>>()?;
    let streams = sockets.iter().map(|socket| socket.stream(None)).collect::<Result<Vec<_>>>()?;
    let pollables: Vec<_> = streams.iter().map(|(incoming, _)| incoming.subscribe()).collect();
    let all: Vec<_> = pollables.iter().collect();
    for i in [count / 2, 0, count - 1] {
        outgoing.check_send()?;
        outgoing.send(&[datagram(&i.to_le_bytes(), Some(sockets[i].local_address()?))])?;
        let ready = poll(&all);
        let got = streams[i].0.receive(1)?;
        println!("{ready:?}: {} bytes", got.iter().map(|datagram| datagram.data.len()).sum::<usize>());
    }
    Ok(())
}
