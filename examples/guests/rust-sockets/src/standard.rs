//! The network of Rust's standard library.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

/// Talks to itself: the connection waits in the queue until it is accepted.
pub fn tcp_self(addr: &str) -> io::Result<()> {
    let listener = TcpListener::bind(addr)?;
    let at = listener.local_addr()?;
    println!("chosen a port: {}", at.port() != 0);
    let mut client = TcpStream::connect(at)?;
    let (mut server, from) = listener.accept()?;
    println!("addresses agree: {}", from == client.local_addr()? && server.local_addr()? == at);
    client.write_all(b"hello from the client")?;
    client.shutdown(Shutdown::Write)?;
    let mut text = String::new();
    server.read_to_string(&mut text)?;
    println!("server: {text}");
    server.write_all(b"hello from the server")?;
    drop(server);
    text.clear();
    client.read_to_string(&mut text)?;
    println!("client: {text}");
    client.set_nonblocking(true)?;
    listener.set_nonblocking(true)?;
    println!("nobody else: {:?}", listener.accept().map_err(|e| e.kind()).map(|_| ()));
    Ok(())
}

/// Answers connections, one after the other, in capital letters.
pub fn serve(addr: &str, count: usize) -> io::Result<()> {
    let listener = TcpListener::bind(addr)?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming().take(count) {
        let mut stream = stream?;
        let mut buffer = [0; 1024];
        let mut total = 0;
        loop {
            let n = stream.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            total += n;
            buffer[..n].make_ascii_uppercase();
            stream.write_all(&buffer[..n])?;
        }
        println!("{total} bytes");
    }
    Ok(())
}

/// Sends text and prints what comes back.
pub fn fetch(addr: &str, text: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    stream.write_all(text.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    Ok(())
}

/// Sends many bytes, however slowly the peer takes them.
pub fn flood(addr: &str, bytes: usize) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    let all: Vec<u8> = (0..bytes).map(|i| (i / 251 + i) as u8).collect();
    stream.write_all(&all)?;
    println!("sent {bytes} bytes");
    Ok(())
}

/// Reads to the end, or to an error.
pub fn drain(addr: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(addr)?;
    let mut all = Vec::new();
    let result = stream.read_to_end(&mut all);
    println!("{} bytes, then {:?}", all.len(), result.map(|_| ()).map_err(|e| e.kind()));
    Ok(())
}

pub fn udp_self(addr: &str) -> io::Result<()> {
    let (one, two) = (UdpSocket::bind(addr)?, UdpSocket::bind(addr)?);
    one.send_to(b"first", two.local_addr()?)?;
    let mut buffer = [0; 100];
    let (n, from) = two.recv_from(&mut buffer)?;
    println!("received {:?}, from the other: {}", text(&buffer[..n]), from == one.local_addr()?);
    two.connect(from)?;
    one.connect(two.local_addr()?)?;
    println!("peers agree: {}", two.peer_addr()? == from);
    two.send(b"second")?;
    let n = one.recv(&mut buffer)?;
    println!("received {:?}", text(&buffer[..n]));
    one.set_nonblocking(true)?;
    println!("nothing more: {:?}", one.recv(&mut buffer).map_err(|e| e.kind()));
    Ok(())
}

/// Sends a datagram and prints the answer.
pub fn udp_ask(addr: &str, question: &str) -> io::Result<()> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(addr)?;
    socket.send(question.as_bytes())?;
    let mut buffer = [0; 1500];
    let n = socket.recv(&mut buffer)?;
    println!("{}", text(&buffer[..n]));
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn lookup(name: &str) -> io::Result<()> {
    let mut found: Vec<_> = (name, 0).to_socket_addrs()?.map(|addr| addr.ip().to_string()).collect();
    found.sort();
    found.dedup();
    println!("{}", found.join("\n"));
    Ok(())
}
