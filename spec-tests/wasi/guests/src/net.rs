//! Shorthands for sockets on the loopback interface.

use wasip2::io::streams::{InputStream, OutputStream};
pub use wasip2::sockets::instance_network::instance_network as instance;
pub use wasip2::sockets::network::{ErrorCode as E, IpAddressFamily as Family, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress};
pub use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
pub use wasip2::sockets::udp::{IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket};
use wasip2::sockets::udp_create_socket::create_udp_socket;

use crate::ok;

pub type Result<T> = std::result::Result<T, E>;

/// Both ends of a connection. Streams are dropped before their sockets, because a runtime may see them as children of these.
pub struct Pair {
    pub client_in: InputStream,
    pub client_out: OutputStream,
    pub server_in: InputStream,
    pub server_out: OutputStream,
    pub client: TcpSocket,
    pub server: TcpSocket,
}

pub fn v4(a: u8, b: u8, c: u8, d: u8, port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) })
}

pub fn v6(address: (u16, u16, u16, u16, u16, u16, u16, u16), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 })
}

/// The loopback address of a family.
pub fn loopback(family: Family, port: u16) -> IpSocketAddress {
    match family {
        Family::Ipv4 => v4(127, 0, 0, 1, port),
        Family::Ipv6 => v6((0, 0, 0, 0, 0, 0, 0, 1), port),
    }
}

pub fn port(address: IpSocketAddress) -> u16 {
    match address {
        IpSocketAddress::Ipv4(v4) => v4.port,
        IpSocketAddress::Ipv6(v6) => v6.port,
    }
}

/// Something that two equal addresses have in common, and others have not.
pub fn text(address: IpSocketAddress) -> String {
    format!("{address:?}")
}

pub fn tcp(family: Family) -> TcpSocket {
    ok!(create_tcp_socket(family))
}

pub fn udp(family: Family) -> UdpSocket {
    ok!(create_udp_socket(family))
}

/// The families of which this machine has a loopback address.
pub fn families() -> Vec<Family> {
    let there = |family: &Family| {
        create_tcp_socket(*family).is_ok_and(|socket| bind(&socket, loopback(*family, 0)).is_ok())
    };
    [Family::Ipv4, Family::Ipv6].into_iter().filter(there).collect()
}

/// Repeats `finish` until it no longer has to wait.
pub fn wait<T>(socket: &TcpSocket, mut finish: impl FnMut() -> Result<T>) -> Result<T> {
    let ready = socket.subscribe();
    loop {
        match finish() {
            Err(E::WouldBlock) => ready.block(),
            result => return result,
        }
    }
}

pub fn bind(socket: &TcpSocket, address: IpSocketAddress) -> Result<()> {
    socket.start_bind(&instance(), address)?;
    wait(socket, || socket.finish_bind())
}

pub fn listen(socket: &TcpSocket) -> Result<()> {
    socket.start_listen()?;
    wait(socket, || socket.finish_listen())
}

pub fn connect(socket: &TcpSocket, address: IpSocketAddress) -> Result<(InputStream, OutputStream)> {
    socket.start_connect(&instance(), address)?;
    wait(socket, || socket.finish_connect())
}

/// The streams come first, so that they are dropped first.
pub fn accept(socket: &TcpSocket) -> Result<(InputStream, OutputStream, TcpSocket)> {
    wait(socket, || socket.accept()).map(|(socket, input, output)| (input, output, socket))
}

/// A listening socket on a port that the system chose.
pub fn listener(family: Family) -> TcpSocket {
    let socket = tcp(family);
    ok!(bind(&socket, loopback(family, 0)));
    ok!(listen(&socket));
    socket
}

pub fn pair_of(family: Family) -> Pair {
    let listener = listener(family);
    let client = tcp(family);
    let (client_in, client_out) = ok!(connect(&client, ok!(listener.local_address())));
    let (server_in, server_out, server) = ok!(accept(&listener));
    Pair { client, client_in, client_out, server, server_in, server_out }
}

pub fn pair() -> Pair {
    pair_of(Family::Ipv4)
}

/// Checks that there is nothing to read, and that the stream's pollable does not say otherwise for long: it may be ready once
/// for something that was read already.
pub fn check_quiet(stream: &InputStream, ready: &wasip2::io::poll::Pollable) {
    for _ in 0..100 {
        crate::check!(ok!(stream.read(1)).is_empty());
        if !ready.ready() {
            return;
        }
    }
    crate::fail(file!(), line!(), "the pollable stays ready though there is nothing to read");
}

/// Reads as many bytes as asked for; fewer at the end.
pub fn read_exactly(stream: &InputStream, len: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < len {
        match stream.blocking_read((len - all.len()) as u64) {
            Ok(bytes) => all.extend(bytes),
            Err(wasip2::io::streams::StreamError::Closed) => break,
            Err(e) => crate::fail(file!(), line!(), &format!("{e:?}")),
        }
    }
    all
}

pub fn udp_bind(socket: &UdpSocket, address: IpSocketAddress) -> Result<()> {
    socket.start_bind(&instance(), address)?;
    let ready = socket.subscribe();
    loop {
        match socket.finish_bind() {
            Err(E::WouldBlock) => ready.block(),
            result => return result,
        }
    }
}

/// A bound UDP socket.
pub fn bound_udp(family: Family) -> UdpSocket {
    let socket = udp(family);
    ok!(udp_bind(&socket, loopback(family, 0)));
    socket
}

/// Sends all datagrams.
pub fn send(stream: &OutgoingDatagramStream, datagrams: &[(&[u8], Option<IpSocketAddress>)]) -> Result<u64> {
    while stream.check_send()? < datagrams.len() as u64 {
        stream.subscribe().block();
    }
    let datagrams: Vec<_> = datagrams
        .iter()
        .map(|(data, to)| OutgoingDatagram { data: data.to_vec(), remote_address: *to })
        .collect();
    stream.send(&datagrams)
}

/// The next datagram: its data and where it came from.
pub fn receive(stream: &IncomingDatagramStream) -> (Vec<u8>, IpSocketAddress) {
    loop {
        if let Some(datagram) = ok!(stream.receive(1)).into_iter().next() {
            return (datagram.data, datagram.remote_address);
        }
        stream.subscribe().block();
    }
}
