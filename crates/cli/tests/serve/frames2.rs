//! HTTP/2 by hand: frames as they are sent, for what no library would send.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{PATIENCE, Server};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// How a client begins.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// An error code.
pub const CANCEL: u32 = 8;

/// The setting for how much a stream may be sent at first.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = length[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> = values
        .iter()
        .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
        .collect();
    frame(SETTINGS, 0, 0, &payload)
}

pub fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// A length as HPACK has it, in the lower seven bits of the first byte.
fn length(n: usize) -> Vec<u8> {
    if n < 127 {
        return vec![n as u8];
    }
    let (mut out, mut rest) = (vec![127], n - 127);
    while rest >= 128 {
        out.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    out.push(rest as u8);
    out
}

fn text(text: &str) -> Vec<u8> {
    [&length(text.len())[..], text.as_bytes()].concat()
}

/// A field that is not put into the table.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0][..], &text(name), &text(value)].concat()
}

/// A field that is put into the table, as its number 62.
pub fn kept_field(name: &str, value: &str) -> Vec<u8> {
    [&[0x40][..], &text(name), &text(value)].concat()
}

/// The field that was put into the table last.
pub const LAST_KEPT: u8 = 0x80 | 62;

/// The fields that each request has.
pub fn request(method: &str, target: &str) -> Vec<u8> {
    let method = match method {
        "GET" => vec![0x82],
        "POST" => vec![0x83],
        other => [&[2][..], &text(other)].concat(),
    };
    // Method, `http`, path, authority.
    [&method[..], &[0x86, 4], &text(target), &[1], &text("test")].concat()
}

/// A request without body.
pub fn get(stream: u32, target: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &request("GET", target))
}

/// A request whose body is to come.
pub fn post(stream: u32, target: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &request("POST", target))
}

/// A frame that arrived.
#[derive(Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The next one; `None` when the connection has ended.
    pub fn read(stream: &mut impl Read) -> Option<Frame> {
        let mut head = [0; 9];
        stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes(head[5..].try_into().unwrap()),
            payload,
        })
    }

    /// The error code of `RST_STREAM`.
    pub fn code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }
}

/// A client.
pub struct Client(pub TcpStream);

impl Client {
    /// Connects and says that it will take HTTP/2 with these settings.
    pub fn new(server: &Server, values: &[(u16, u32)]) -> Client {
        let mut client = Client(server.connect());
        client.0.set_read_timeout(Some(PATIENCE / 3)).unwrap();
        client.0.set_write_timeout(Some(PATIENCE)).unwrap();
        // Small frames are not to wait for each other.
        client.0.set_nodelay(true).unwrap();
        client.send(&[PREFACE, &settings(values)].concat()).unwrap();
        client
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Sends the same again and again until the server takes no more: it has closed the connection, or does not read any more.
    /// Gives how often it was sent.
    pub fn flood(&mut self, most: usize, mut part: impl FnMut(usize) -> Vec<u8>) -> usize {
        self.0.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
        for i in 0..most {
            if self.send(&part(i)).is_err() {
                return i;
            }
        }
        most
    }

    /// The frames that come until one is what is looked for, that one the last; until the connection ends if none is.
    pub fn until(&mut self, what: impl Fn(&Frame) -> bool) -> Vec<Frame> {
        let mut all = Vec::new();
        while let Some(frame) = Frame::read(&mut self.0) {
            // Who does not answer these is taken for dead.
            if frame.kind == PING && frame.flags & ACK == 0 {
                let _ = self.send(&crate::frames2::frame(PING, ACK, 0, &frame.payload));
            }
            let found = what(&frame);
            all.push(frame);
            if found {
                break;
            }
        }
        all
    }
}
