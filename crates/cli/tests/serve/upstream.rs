//! Servers on loopback that guests send requests to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use rustls::{ServerConnection, StreamOwned};

use crate::authority::authority;

/// Serves each connection in a thread of its own, as long as the test runs.
fn serve(each: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let each = each.clone();
            std::thread::spawn(move || each(stream));
        }
    });
    address
}

/// Says what was asked for.
fn answer(stream: &mut (impl Read + Write)) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    // What nobody has read when a connection is closed resets it.
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut sent = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    if stream.read_exact(&mut sent).is_err() {
        return;
    }
    let body = format!("you asked: {}\n", head.lines().next().unwrap_or(""));
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let _ = stream.flush();
}

pub fn http() -> SocketAddr {
    serve(|mut stream| answer(&mut stream))
}

/// A server that answers each request with this, and then with `part` again and again, as long as somebody takes it.
pub fn endless(start: &'static [u8], part: Vec<u8>) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        if stream.write_all(start).is_err() {
            return;
        }
        let many = part.repeat((16 << 10) / part.len().max(1) + 1);
        while stream.write_all(&many).is_ok() {}
    })
}

/// A server that takes a head, answers with these bytes, and gives the head.
pub fn canned(bytes: Vec<u8>) -> (SocketAddr, Receiver<String>) {
    let (sender, receiver) = channel();
    let address = serve(move |mut stream| {
        let mut head = Vec::new();
        let mut part = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut part) {
                Ok(n @ 1..) => head.extend_from_slice(&part[..n]),
                _ => return,
            }
        }
        let _ = sender.send(String::from_utf8_lossy(&head).into_owned());
        let _ = stream.write_all(&bytes);
    });
    (address, receiver)
}

/// A server that says `text` to whoever connects.
pub fn greeter(text: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        let _ = stream.write_all(text.as_bytes());
    })
}

/// A server for `https://localhost`, and the authority of its certificate in PEM form.
pub fn https() -> (SocketAddr, String) {
    let (ca, config) = authority(&["localhost"], &[]);
    let address = serve(move |stream| {
        let connection = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        answer(&mut stream);
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    (address, ca)
}
