//! Attempts to reach what is not meant to be reached. Every line should end in an error.

use crate::wit::*;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::ip_name_lookup::resolve_addresses;
use wasip2::sockets::udp::OutgoingDatagram;

pub fn attempts() {
    let (four, six) = (IpAddressFamily::Ipv4, IpAddressFamily::Ipv6);
    let mapped = |port| v6((0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), port);
    let compatible = |port| v6((0, 0, 0, 0, 0, 0, 0x7f00, 1), port);
    println!("tcp connect");
    for (what, family, addr) in [
        ("mapped", six, mapped(80)),
        ("compatible", six, compatible(80)),
        ("another family", six, v4(127, 0, 0, 1, 80)),
        ("unspecified", four, v4(0, 0, 0, 0, 80)),
        ("unspecified", six, v6((0, 0, 0, 0, 0, 0, 0, 0), 80)),
        ("port 0", four, v4(127, 0, 0, 1, 0)),
        ("broadcast", four, v4(255, 255, 255, 255, 80)),
        ("multicast", four, v4(224, 0, 0, 1, 80)),
        ("multicast", six, v6((0xff02, 0, 0, 0, 0, 0, 0, 1), 80)),
        ("elsewhere", four, v4(10, 0, 0, 1, 80)),
        ("metadata", four, v4(169, 254, 169, 254, 80)),
        ("nat64 of loopback", six, v6((0x64, 0xff9b, 0, 0, 0, 0, 0x7f00, 1), 80)),
    ] {
        println!("  {what}: {}", told(connect(&tcp(family), addr)));
    }
    println!("tcp bind");
    for (what, family, addr) in [
        ("mapped", six, mapped(0)),
        ("compatible", six, compatible(0)),
        ("another family", four, mapped(0)),
        ("broadcast", four, v4(255, 255, 255, 255, 0)),
        ("multicast", four, v4(224, 0, 0, 1, 0)),
        ("everywhere", four, v4(0, 0, 0, 0, 0)),
        ("a low port", four, v4(127, 0, 0, 1, 1)),
    ] {
        println!("  {what}: {}", told(bind(&tcp(family), addr)));
    }
    println!("udp bind");
    for (what, family, addr) in [
        ("mapped", six, mapped(0)),
        ("another family", four, mapped(0)),
        ("everywhere", four, v4(0, 0, 0, 0, 5353)),
        ("multicast", four, v4(224, 0, 0, 251, 5353)),
    ] {
        println!("  {what}: {}", told(udp_bind(&udp(family), addr)));
    }
    println!("udp send");
    let socket = udp(four);
    println!("  (bound: {})", told(udp_bind(&socket, v4(127, 0, 0, 1, 0))));
    for (what, addr) in [
        ("broadcast", v4(255, 255, 255, 255, 9)),
        ("multicast", v4(224, 0, 0, 1, 9)),
        ("unspecified", v4(0, 0, 0, 0, 9)),
        ("port 0", v4(127, 0, 0, 1, 0)),
        ("mapped", mapped(9)),
        ("elsewhere", v4(10, 0, 0, 1, 9)),
    ] {
        let sent = socket.stream(None).and_then(|(_incoming, outgoing)| {
            outgoing.check_send()?;
            outgoing.send(&[OutgoingDatagram { data: vec![1], remote_address: Some(addr) }])
        });
        println!("  {what}: {}, as a peer: {}", told(sent), told(socket.stream(Some(addr))));
    }
    println!("lookup");
    for name in ["", "a b", "127.1", "0x7f000001", "2130706433", "fe80::1%lo", "http://localhost", "localhost", "example.org"] {
        println!("  {name:?}: {}", told(resolve_addresses(&instance_network(), name)));
    }
}
