//! Requests that are sent and answered, over HTTP/1.1.

use wasi_conformance::{Case, check, check_eq, check_err, fail, ok};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode as E, Fields, HeaderError, IncomingBody, IncomingResponse, Method, OutgoingBody, RequestOptions, http_error_code,
};
use wasip2::io::streams::{OutputStream, StreamError};

use crate::peer::{Peer, answered, header, read, result, text};

pub const CASES: &[Case] = &[
    ("send-head", head),
    ("send-defaults", defaults),
    ("send-other-method", other_method),
    ("send-length", length),
    ("send-chunks", chunks),
    ("send-large", large),
    ("send-while-written", while_written),
    ("send-trailers", trailers),
    ("send-dropped-body", dropped_body),
    ("receive-head", received_head),
    ("receive-length", received_length),
    ("receive-chunks", received_chunks),
    ("receive-until-closed", received_until_closed),
    ("receive-empty", received_empty),
    ("receive-large", received_large),
    ("receive-while-sent", received_while_sent),
    ("receive-early", received_early),
    ("receive-trailers", received_trailers),
    ("receive-no-trailers", no_trailers),
    ("receive-informational", informational),
    ("receive-as-it-is", as_it_is),
    ("receive-once", once),
    ("receive-immutable", immutable),
    ("fail-closed", closed),
    ("fail-malformed", malformed),
    ("fail-incomplete", incomplete),
    ("fail-first-byte", first_byte),
    ("fail-between-bytes", between_bytes),
];

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn status(response: &IncomingResponse) -> u16 {
    response.status()
}

/// Flushes a body that has its whole length. That it can't get longer may be told already.
fn flush_whole(stream: &OutputStream) {
    match stream.flush() {
        Ok(()) | Err(StreamError::Closed) => {}
        Err(error) => fail(file!(), line!(), &format!("{error:?}")),
    }
}

fn head() {
    let peer = Peer::new();
    let request = peer.request(&Method::Delete, "/a/b?c=d&e", &[("x-a", "1"), ("X-B", "2"), ("x-a", "3")]);
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    let head = connection.head();
    check_eq!(head.lines().next(), Some("DELETE /a/b?c=d&e HTTP/1.1"));
    check_eq!(header(&head, "host"), Some(peer.authority().as_str()));
    check_eq!(header(&head, "x-b"), Some("2"));
    // Several values may be sent as one line or as several.
    let values: Vec<&str> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-a"))
        .flat_map(|(_, values)| values.split(','))
        .map(str::trim)
        .collect();
    check_eq!(values, ["1", "3"]);
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn defaults() {
    let peer = Peer::new();
    let request = wasip2::http::types::OutgoingRequest::new(Fields::new());
    ok!(request.set_scheme(Some(&wasip2::http::types::Scheme::Http)));
    ok!(request.set_authority(Some(&peer.authority())));
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    check_eq!(connection.head().lines().next(), Some("GET / HTTP/1.1"));
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn other_method() {
    let peer = Peer::new();
    let request = peer.request(&Method::Other("PROPFIND".to_string()), "/", &[]);
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    check_eq!(connection.head().lines().next(), Some("PROPFIND / HTTP/1.1"));
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn length() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[("content-length", "5")]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    let stream = ok!(body.write());
    check!(ok!(stream.check_write()) >= 5);
    ok!(stream.write(b"hello"));
    flush_whole(&stream);
    drop(stream);
    ok!(OutgoingBody::finish(body, None));
    let mut connection = peer.accept();
    let head = connection.head();
    check_eq!(header(&head, "content-length"), Some("5"));
    check_eq!(header(&head, "transfer-encoding"), None);
    check_eq!(connection.exactly(5), b"hello");
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn chunks() {
    let peer = Peer::new();
    let request = peer.request(&Method::Put, "/", &[]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    {
        let stream = ok!(body.write());
        for part in ["one, ", "two, ", "three"] {
            ok!(stream.blocking_write_and_flush(part.as_bytes()));
        }
    }
    ok!(OutgoingBody::finish(body, None));
    let mut connection = peer.accept();
    let head = connection.head();
    // Who has the whole body before its head is sent may tell its length.
    let body = match header(&head, "content-length") {
        Some(length) => connection.exactly(ok!(length.parse())),
        None => {
            check_eq!(header(&head, "transfer-encoding"), Some("chunked"));
            connection.chunks().0
        }
    };
    check_eq!(body, b"one, two, three");
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

/// More than a stream takes at once.
const LARGE: usize = 1 << 20;

fn large() {
    let peer = Peer::new();
    let size = LARGE.to_string();
    let request = peer.request(&Method::Post, "/", &[("content-length", &size)]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    connection.head();
    let stream = ok!(body.write());
    let ready = stream.subscribe();
    let (mut written, mut seen) = (0, 0);
    while seen < LARGE {
        // Both ends are here: what can be written is, and what has come is taken.
        if written < LARGE && ready.ready() {
            let room = usize::try_from(ok!(stream.check_write())).unwrap_or(usize::MAX);
            let piece = room.min(LARGE - written).min(64 << 10);
            let bytes: Vec<u8> = (written..written + piece).map(|at| (at % 251) as u8).collect();
            if piece > 0 {
                ok!(stream.write(&bytes));
                written += piece;
            }
            if written == LARGE {
                flush_whole(&stream);
            }
        }
        let bytes = connection.some();
        for byte in &bytes {
            if *byte != (seen % 251) as u8 {
                fail(file!(), line!(), &format!("another byte at {seen}"));
            }
            seen += 1;
        }
        if bytes.is_empty() {
            let arrived = connection.subscribe();
            match written < LARGE {
                true => drop(wasip2::io::poll::poll(&[&ready, &arrived])),
                false => arrived.block(),
            }
        }
    }
    drop((ready, stream));
    ok!(OutgoingBody::finish(body, None));
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn while_written() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    let stream = ok!(body.write());
    let mut connection = peer.accept();
    // What is flushed arrives before there is more.
    ok!(stream.blocking_write_and_flush(b"first"));
    connection.head();
    check_eq!(connection.chunk(), (b"first".to_vec(), false));
    ok!(stream.blocking_write_and_flush(b"second"));
    check_eq!(connection.chunk(), (b"second".to_vec(), false));
    drop(stream);
    ok!(OutgoingBody::finish(body, None));
    check_eq!(connection.chunks(), (Vec::new(), Vec::new()));
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn trailers() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[("trailer", "x-sum")]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    {
        let stream = ok!(body.write());
        ok!(stream.blocking_write_and_flush(b"abc"));
    }
    let trailers = ok!(Fields::from_list(&[("x-sum".to_string(), b"123".to_vec())]));
    ok!(OutgoingBody::finish(body, Some(trailers)));
    let mut connection = peer.accept();
    connection.head();
    check_eq!(connection.chunks(), (b"abc".to_vec(), vec!["x-sum: 123".to_string()]));
    connection.write(EMPTY);
    check_eq!(status(&ok!(result(&future))), 200);
}

fn dropped_body() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    {
        let stream = ok!(body.write());
        ok!(stream.blocking_write_and_flush(b"some"));
    }
    let mut connection = peer.accept();
    connection.head();
    check_eq!(connection.chunk(), (b"some".to_vec(), false));
    // It was not finished, so that the peer must not take it for the whole.
    drop(body);
    check!(!connection.rest().starts_with(b"0\r\n"));
    drop(connection);
    check!(result(&future).is_err());
}

fn received_head() {
    let (response, _connection) =
        answered("HTTP/1.1 418 Teapot\r\nX-One: 1\r\nset-cookie: a=b\r\nSet-Cookie: c=d\r\nx-bytes: \u{e9}\r\ncontent-length: 0\r\n\r\n");
    check_eq!(response.status(), 418);
    let headers = response.headers();
    check_eq!(headers.get("x-one"), [b"1".to_vec()]);
    check_eq!(headers.get("SET-COOKIE"), [b"a=b".to_vec(), b"c=d".to_vec()]);
    check_eq!(headers.get("x-bytes"), ["\u{e9}".as_bytes().to_vec()]);
    check!(!headers.has("x-two"));
}

fn received_length() {
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    check_eq!(text(&response).0, "hello");
}

fn received_chunks() {
    let (response, _connection) =
        answered("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    check_eq!(text(&response).0, "abcde");
}

fn received_until_closed() {
    let (response, connection) = answered("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end");
    drop(connection);
    check_eq!(text(&response).0, "until the end");
}

fn received_empty() {
    // None of these has a body, whatever is said about its length.
    let (response, _connection) = answered("HTTP/1.1 204 No Content\r\n\r\n");
    check_eq!((response.status(), text(&response).0.as_str()), (204, ""));
    let (response, _connection) = answered("HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n");
    check_eq!((response.status(), text(&response).0.as_str()), (304, ""));
    let peer = Peer::new();
    let request = peer.request(&Method::Head, "/", &[]);
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    check_eq!(connection.head().lines().next(), Some("HEAD / HTTP/1.1"));
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
    let response = ok!(result(&future));
    check_eq!(response.headers().get("content-length"), [b"10".to_vec()]);
    check_eq!(text(&response).0, "");
}

fn received_large() {
    let content = "0123456789abcdef".repeat(4096);
    let (future, connection) = Peer::new().get("/", None);
    connection.write(&format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", content.len() * 64));
    let response = ok!(result(&future));
    let body = ok!(response.consume());
    let stream = ok!(body.stream());
    let mut length = 0;
    for _ in 0..64 {
        connection.write(&content);
        let end = length + content.len();
        while length < end {
            length += ok!(stream.blocking_read((end - length) as u64)).len();
        }
    }
    check_err!(stream.blocking_read(1), StreamError::Closed);
}

fn received_while_sent() {
    let (future, connection) = Peer::new().get("/", None);
    connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    // The head is there before the body,
    let response = ok!(result(&future));
    let body = ok!(response.consume());
    let stream = ok!(body.stream());
    check!(ok!(stream.read(10)).is_empty());
    // and each part before the next.
    for part in ["one", "two"] {
        connection.write(&format!("3\r\n{part}\r\n"));
        check_eq!(ok!(stream.blocking_read(10)), part.as_bytes());
    }
    connection.write("0\r\n\r\n");
    check_err!(stream.blocking_read(10), StreamError::Closed);
}

fn received_early() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[]);
    let body = ok!(request.body());
    let future = ok!(handle(request, None));
    let stream = ok!(body.write());
    ok!(stream.blocking_write_and_flush(b"begun"));
    let mut connection = peer.accept();
    connection.head();
    // The answer comes while the body of the request is being written, and both go on.
    connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    let response = ok!(result(&future));
    check_eq!(connection.chunk().0, b"begun");
    ok!(stream.blocking_write_and_flush(b"ended"));
    check_eq!(connection.chunk().0, b"ended");
    drop(stream);
    ok!(OutgoingBody::finish(body, None));
    check_eq!(connection.chunks().0, b"");
    connection.write("2\r\nok\r\n0\r\n\r\n");
    check_eq!(text(&response).0, "ok");
}

fn received_trailers() {
    let (response, _connection) =
        answered("HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
    let (content, body) = text(&response);
    check_eq!(content, "abc");
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let Some(Ok(Ok(Some(trailers)))) = future.get() else {
        fail(file!(), line!(), "no trailers");
    };
    check_eq!(trailers.get("x-sum"), [b"1".to_vec()]);
    // They can be taken once.
    check!(matches!(future.get(), Some(Err(()))));
}

fn no_trailers() {
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    let (_, body) = text(&response);
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    // None at all, or an empty set of them.
    match future.get() {
        Some(Ok(Ok(trailers))) => check!(trailers.is_none_or(|trailers| trailers.entries().is_empty())),
        other => fail(file!(), line!(), &format!("{other:?}")),
    }
    check!(matches!(future.get(), Some(Err(()))));
}

fn informational() {
    let (response, _connection) = answered(
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok",
    );
    check_eq!((response.status(), text(&response).0.as_str()), (201, "ok"));
}

fn as_it_is() {
    // Nothing is followed,
    let (response, _connection) = answered("HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n");
    check_eq!(response.status(), 302);
    check_eq!(response.headers().get("location"), [b"/elsewhere".to_vec()]);
    // and nothing decoded.
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\ntext");
    check_eq!(response.headers().get("content-encoding"), [b"gzip".to_vec()]);
    check_eq!(text(&response).0, "text");
}

fn once() {
    let (future, connection) = Peer::new().get("/", None);
    check!(future.get().is_none());
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    let response = ok!(result(&future));
    check!(matches!(future.get(), Some(Err(()))));
    let body = ok!(response.consume());
    check!(response.consume().is_err());
    let stream = ok!(body.stream());
    check!(body.stream().is_err());
    check_eq!(read(&stream).0, b"abc");
}

fn immutable() {
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 0\r\n\r\n");
    let headers = response.headers();
    check_err!(headers.append("x-a", b"2"), HeaderError::Immutable);
    check_err!(headers.set("x-a", &[]), HeaderError::Immutable);
    check_err!(headers.delete("x-a"), HeaderError::Immutable);
    let copy = headers.clone();
    ok!(copy.append("x-a", b"2"));
    check_eq!((copy.get("x-a").len(), headers.get("x-a").len()), (2, 1));
}

fn closed() {
    let (future, connection) = Peer::new().get("/", None);
    drop(connection);
    check_err!(
        result(&future),
        E::ConnectionTerminated | E::HttpResponseIncomplete | E::ConnectionReadTimeout | E::HttpProtocolError
    );
}

fn malformed() {
    for raw in ["nonsense\r\n\r\n", "HTTP/1.1 two hundred\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"] {
        let (future, connection) = Peer::new().get("/", None);
        connection.write(raw);
        check!(result(&future).is_err());
    }
}

/// The error at the end of a body, which has to be one of HTTP.
fn broken(stream: &wasip2::io::streams::InputStream) -> (Vec<u8>, E) {
    match read(stream) {
        (bytes, Some(StreamError::LastOperationFailed(error))) => match http_error_code(&error) {
            Some(code) => (bytes, code),
            None => fail(file!(), line!(), "an error of which http-error-code knows nothing"),
        },
        (bytes, _) => fail(file!(), line!(), &format!("{} bytes are taken for the whole", bytes.len())),
    }
}

fn incomplete() {
    for raw in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nno chunk\r\n",
    ] {
        let (response, connection) = answered(raw);
        drop(connection);
        let body = ok!(response.consume());
        let (bytes, _) = broken(&ok!(body.stream()));
        check_eq!(bytes, b"half");
        // There are no trailers either.
        let future = IncomingBody::finish(body);
        future.subscribe().block();
        check!(matches!(future.get(), Some(Ok(Err(_)))));
    }
}

/// Options with one timeout of a tenth of a second. `None` where it is not supported, which is allowed.
fn timeout(set: fn(&RequestOptions, Option<u64>) -> Result<(), ()>) -> Option<RequestOptions> {
    let options = RequestOptions::new();
    set(&options, Some(100_000_000)).ok().map(|()| options)
}

fn first_byte() {
    let Some(options) = timeout(RequestOptions::set_first_byte_timeout) else { return };
    let (future, _connection) = Peer::new().get("/", Some(options));
    check_err!(result(&future), E::ConnectionReadTimeout | E::HttpResponseTimeout | E::ConnectionTimeout);
}

fn between_bytes() {
    let Some(options) = timeout(RequestOptions::set_between_bytes_timeout) else { return };
    let (future, connection) = Peer::new().get("/", Some(options));
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf");
    let response = ok!(result(&future));
    let body = ok!(response.consume());
    let (bytes, code) = broken(&ok!(body.stream()));
    check_eq!(bytes, b"half");
    check!(matches!(code, E::ConnectionReadTimeout | E::HttpResponseTimeout | E::ConnectionTimeout));
}
