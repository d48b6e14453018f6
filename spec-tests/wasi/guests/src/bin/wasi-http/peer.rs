//! A server in the guest itself: it sees what the runtime sends, byte by byte, and answers whatever a case needs.

use wasi_conformance::net::{self, Family, TcpSocket};
use wasi_conformance::{fail, ok};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

/// A listening socket on the loopback interface.
pub struct Peer(TcpSocket);

/// A connection of the runtime. The streams are dropped before their socket.
pub struct Connection {
    input: InputStream,
    output: OutputStream,
    _socket: TcpSocket,
    seen: Vec<u8>,
}

impl Peer {
    pub fn new() -> Peer {
        Peer(net::listener(Family::Ipv4))
    }

    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", net::port(ok!(self.0.local_address())))
    }

    /// Says when there is a connection.
    pub fn subscribe(&self) -> Pollable {
        self.0.subscribe()
    }

    pub fn accept(&self) -> Connection {
        let (input, output, socket) = ok!(net::accept(&self.0));
        Connection { input, output, _socket: socket, seen: Vec::new() }
    }

    /// A request to this server.
    pub fn request(&self, method: &Method, path: &str, headers: &[(&str, &str)]) -> OutgoingRequest {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
        let request = OutgoingRequest::new(ok!(Fields::from_list(&headers)));
        ok!(request.set_method(method));
        ok!(request.set_scheme(Some(&Scheme::Http)));
        ok!(request.set_authority(Some(&self.authority())));
        ok!(request.set_path_with_query(Some(path)));
        request
    }

    /// Sends a request without a body and gets its head.
    pub fn get(&self, path: &str, options: Option<RequestOptions>) -> (FutureIncomingResponse, Connection) {
        let request = self.request(&Method::Get, path, &[]);
        let body = ok!(request.body());
        let future = ok!(handle(request, options));
        ok!(OutgoingBody::finish(body, None));
        let mut connection = self.accept();
        connection.head();
        (future, connection)
    }
}

impl Connection {
    /// Waits for more. False at the end.
    fn more(&mut self) -> bool {
        match self.input.blocking_read(4096) {
            Ok(bytes) => {
                self.seen.extend(bytes);
                true
            }
            Err(_) => false,
        }
    }

    /// Everything up to this, which has to come.
    fn until(&mut self, end: &[u8]) -> String {
        loop {
            if let Some(at) = self.seen.windows(end.len()).position(|window| window == end) {
                let text = self.seen.drain(..at + end.len()).collect();
                return ok!(String::from_utf8(text));
            }
            if !self.more() {
                fail(file!(), line!(), &format!("the connection ends after {:?}", String::from_utf8_lossy(&self.seen)));
            }
        }
    }

    /// The head of a request.
    pub fn head(&mut self) -> String {
        self.until(b"\r\n\r\n")
    }

    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.seen.len() < length {
            if !self.more() {
                fail(file!(), line!(), &format!("{} bytes of {length}, then the end", self.seen.len()));
            }
        }
        self.seen.drain(..length).collect()
    }

    /// A chunk, and whether it was the last.
    pub fn chunk(&mut self) -> (Vec<u8>, bool) {
        let line = self.until(b"\r\n");
        let digits = line.split([';', '\r']).next().unwrap_or_default().trim();
        let size = ok!(usize::from_str_radix(digits, 16));
        if size == 0 {
            return (Vec::new(), true);
        }
        let data = self.exactly(size);
        wasi_conformance::check_eq!(self.exactly(2), b"\r\n");
        (data, false)
    }

    /// A body in chunks, and the lines of its trailers.
    pub fn chunks(&mut self) -> (Vec<u8>, Vec<String>) {
        let mut all = Vec::new();
        loop {
            let (data, last) = self.chunk();
            all.extend(data);
            if last {
                break;
            }
        }
        let mut trailers = Vec::new();
        loop {
            match self.until(b"\r\n").trim_end() {
                "" => return (all, trailers),
                line => trailers.push(line.to_ascii_lowercase()),
            }
        }
    }

    /// What has come and was not looked at yet.
    pub fn some(&mut self) -> Vec<u8> {
        if self.seen.is_empty() {
            self.seen = ok!(self.input.read(64 << 10));
        }
        std::mem::take(&mut self.seen)
    }

    /// Writes as much as there is room for, and says how much.
    pub fn write_some(&self, text: &str) -> usize {
        let room = usize::try_from(ok!(self.output.check_write())).unwrap_or(usize::MAX);
        let part = text.as_bytes().get(..room).unwrap_or(text.as_bytes());
        ok!(self.output.write(part));
        part.len()
    }

    /// Says when there may be room.
    pub fn subscribe_room(&self) -> Pollable {
        self.output.subscribe()
    }

    /// Says when there may be more.
    pub fn subscribe(&self) -> Pollable {
        self.input.subscribe()
    }

    /// What comes until the other side closes the connection.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.seen)
    }

    pub fn write(&self, text: &str) {
        for piece in text.as_bytes().chunks(4096) {
            ok!(self.output.blocking_write_and_flush(piece));
        }
    }
}

/// The value of a header in a head, if it is there once.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().skip(1).filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    });
    let value = values.next();
    match values.next() {
        Some(_) => None,
        None => value,
    }
}

/// Waits for the result of a request, which can be taken once.
pub fn result(future: &FutureIncomingResponse) -> Result<IncomingResponse, wasip2::http::types::ErrorCode> {
    future.subscribe().block();
    let Some(Ok(result)) = future.get() else {
        fail(file!(), line!(), "no result although the future is ready");
    };
    result
}

/// What a server with this answer makes of a request. The connection is open as long as the last one lives.
pub fn answered(raw: &str) -> (IncomingResponse, Connection) {
    let (future, connection) = Peer::new().get("/", None);
    connection.write(raw);
    (ok!(result(&future)), connection)
}

/// A body to its end, with the error there, if it is one.
pub fn read(stream: &InputStream) -> (Vec<u8>, Option<StreamError>) {
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(4096) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return (all, None),
            Err(error) => return (all, Some(error)),
        }
    }
}

/// The whole body of a response as text, which has to end well.
pub fn text(response: &IncomingResponse) -> (String, IncomingBody) {
    let body = ok!(response.consume());
    let (bytes, error) = {
        let stream = ok!(body.stream());
        read(&stream)
    };
    wasi_conformance::check!(error.is_none());
    (ok!(String::from_utf8(bytes)), body)
}
