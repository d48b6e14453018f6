//! Shorthands for `wasi:sockets`.

use std::io;
use wasip2::sockets::instance_network::instance_network;
pub use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress};
pub use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;
pub use wasip2::sockets::udp::UdpSocket;
use wasip2::sockets::udp_create_socket::create_udp_socket;
pub use wasip2::io::streams::{InputStream, OutputStream};

pub type Result<T> = std::result::Result<T, ErrorCode>;

pub fn io_error(code: ErrorCode) -> io::Error {
    io::Error::other(name(code))
}

/// The name of an error code in the WIT.
pub fn name(code: ErrorCode) -> &'static str {
    code.name()
}

/// `ok`, or the name of the error.
pub fn told<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(code) => name(code),
    }
}

pub fn v4(a: u8, b: u8, c: u8, d: u8, port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) })
}

pub fn v6(address: (u16, u16, u16, u16, u16, u16, u16, u16), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 })
}

pub fn tcp(family: IpAddressFamily) -> TcpSocket {
    create_tcp_socket(family).expect("a TCP socket")
}

pub fn udp(family: IpAddressFamily) -> UdpSocket {
    create_udp_socket(family).expect("a UDP socket")
}

pub fn bind(socket: &TcpSocket, addr: IpSocketAddress) -> Result<()> {
    socket.start_bind(&instance_network(), addr)?;
    wait(socket, || socket.finish_bind())
}

pub fn listen(socket: &TcpSocket) -> Result<()> {
    socket.start_listen()?;
    wait(socket, || socket.finish_listen())
}

pub fn connect(socket: &TcpSocket, addr: IpSocketAddress) -> Result<(InputStream, OutputStream)> {
    socket.start_connect(&instance_network(), addr)?;
    wait(socket, || socket.finish_connect())
}

pub fn accept(socket: &TcpSocket) -> Result<(TcpSocket, InputStream, OutputStream)> {
    wait(socket, || socket.accept())
}

fn wait<T>(socket: &TcpSocket, mut finish: impl FnMut() -> Result<T>) -> Result<T> {
    let ready = socket.subscribe();
    loop {
        match finish() {
            Err(ErrorCode::WouldBlock) => ready.block(),
            result => return result,
        }
    }
}

pub fn udp_bind(socket: &UdpSocket, addr: IpSocketAddress) -> Result<()> {
    socket.start_bind(&instance_network(), addr)?;
    socket.finish_bind()
}
