//! What a peer sees of unusual requests, and bodies that are not read to their end.

use wasi_conformance::{Case, check, check_eq, check_err, fail, ok};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode as E, Fields, HeaderError, IncomingBody, Method, OutgoingBody, Scheme};

use crate::peer::{Peer, answered, header, result, text};

pub const CASES: &[Case] = &[
    ("send-order", order),
    ("send-framing", framing),
    ("send-body-first", body_first),
    ("send-without-authority", without_authority),
    ("send-several", several),
    ("receive-casing", casing),
    ("receive-trailers-unread", trailers_unread),
    ("receive-trailers-later", trailers_later),
    ("receive-trailers-immutable", trailers_immutable),
    ("receive-finish-while-read", finish_while_read),
    ("receive-dropped", dropped),
    ("fail-refused", refused),
    ("fail-tls", tls),
];

const EMPTY: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn order() {
    let peer = Peer::new();
    let request = peer.request(&Method::Get, "/", &[("x-c", "1"), ("x-a", "2"), ("x-b", "3"), ("x-a", "4")]);
    // What `entries` gives is in the order in which it is sent.
    let told: Vec<(String, String)> = request
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    check_eq!(told.len(), 4);
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    let head = connection.head();
    // Several values of a name may be sent as one line.
    let sent: Vec<(String, String)> = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
        .flat_map(|(name, values)| values.split(',').map(|value| (name.to_ascii_lowercase(), value.trim().to_string())))
        .collect();
    check_eq!(sent, told);
    connection.write(EMPTY);
    ok!(result(&future));
}

fn framing() {
    let peer = Peer::new();
    // Two ways to tell where the body ends: refused somewhere, or one of them is sent.
    let mut headers = Vec::new();
    for (name, value) in [("content-length", "3"), ("transfer-encoding", "chunked")] {
        let alone = Fields::from_list(&[(name.to_string(), value.as_bytes().to_vec())]);
        match alone {
            Ok(_) => headers.push((name, value)),
            Err(error) => check!(matches!(error, HeaderError::Forbidden)),
        }
    }
    let request = peer.request(&Method::Post, "/", &headers);
    let body = ok!(request.body());
    let Ok(future) = handle(request, None) else { return };
    {
        let stream = ok!(body.write());
        if stream.check_write().is_ok_and(|room| room >= 3) && stream.write(b"abc").is_ok() {
            let _ = stream.flush();
        }
    }
    if OutgoingBody::finish(body, None).is_err() {
        return;
    }
    // Either the runtime says that it can't be sent, or it is there.
    let (answer, arrived) = (future.subscribe(), peer.subscribe());
    if wasip2::io::poll::poll(&[&answer, &arrived]).contains(&0) {
        drop((answer, arrived));
        check!(result(&future).is_err());
        return;
    }
    drop((answer, arrived));
    let mut connection = peer.accept();
    let head = connection.head();
    let body = match (header(&head, "content-length"), header(&head, "transfer-encoding")) {
        (Some("3"), None) => connection.exactly(3),
        (None, Some("chunked")) => connection.chunks().0,
        other => fail(file!(), line!(), &format!("the body ends by {other:?}")),
    };
    check_eq!(body, b"abc");
    connection.write(EMPTY);
    ok!(result(&future));
}

fn body_first() {
    let peer = Peer::new();
    let request = peer.request(&Method::Post, "/", &[("content-length", "5")]);
    let body = ok!(request.body());
    {
        let stream = ok!(body.write());
        check!(ok!(stream.check_write()) >= 5);
        ok!(stream.write(b"hello"));
    }
    // All of it is there before there is anybody to send it to.
    ok!(OutgoingBody::finish(body, None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    check_eq!(header(&connection.head(), "content-length"), Some("5"));
    check_eq!(connection.exactly(5), b"hello");
    connection.write(EMPTY);
    ok!(result(&future));
}

fn without_authority() {
    let request = wasip2::http::types::OutgoingRequest::new(Fields::new());
    ok!(request.set_scheme(Some(&Scheme::Http)));
    ok!(request.set_path_with_query(Some("/")));
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    // HTTP has to have one.
    if let Ok(future) = handle(request, None) {
        check!(result(&future).is_err());
    }
}

fn several() {
    // One that fails is no end of the others.
    let peer = Peer::new();
    let (future, connection) = peer.get("/", None);
    without_authority();
    let second = Peer::new();
    let (other, other_connection) = second.get("/other", None);
    other_connection.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\ntwo");
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\none");
    check_eq!(text(&ok!(result(&other))).0, "two");
    check_eq!(text(&ok!(result(&future))).0, "one");
}

fn casing() {
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\nX-One: 1\r\nx-TWO: 2\r\ncontent-length: 0\r\n\r\n");
    let names: Vec<String> = response.headers().entries().into_iter().map(|(name, _)| name).collect();
    for name in ["X-One", "x-TWO"] {
        check!(names.iter().any(|found| found == name));
    }
}

/// More than a connection holds.
const LARGE: usize = 4 << 20;

fn trailers_unread() {
    let (future, connection) = Peer::new().get("/", None);
    connection.write("HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n");
    let response = ok!(result(&future));
    let body = ok!(response.consume());
    connection.write("3\r\nabc\r\n");
    {
        let stream = ok!(body.stream());
        check_eq!(ok!(stream.blocking_read(1)), b"a");
    }
    // Who asks for the trailers does not want the rest of the body, which must not keep them back.
    let trailers = IncomingBody::finish(body);
    let rest = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).repeat(LARGE / 0x1000) + "0\r\nX-Sum: 1\r\n\r\n";
    let mut written = 0;
    {
        let (ready, room) = (trailers.subscribe(), connection.subscribe_room());
        while written < rest.len() {
            // A runtime may read on only while somebody waits for the trailers.
            check_eq!(wasip2::io::poll::poll(&[&ready, &room]), [1]);
            written += connection.write_some(&rest[written..]);
        }
    }
    trailers.subscribe().block();
    let Some(Ok(Ok(Some(fields)))) = trailers.get() else {
        fail(file!(), line!(), "no trailers");
    };
    check_eq!(fields.get("x-sum"), [b"1".to_vec()]);
}

fn trailers_later() {
    let (response, connection) = answered("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    let body = ok!(response.consume());
    let trailers = IncomingBody::finish(body);
    check!(trailers.get().is_none());
    check!(!trailers.subscribe().ready());
    connection.write("3\r\nabc\r\n");
    check!(trailers.get().is_none());
    connection.write("0\r\nX-Sum: 1\r\n\r\n");
    trailers.subscribe().block();
    check!(matches!(trailers.get(), Some(Ok(Ok(Some(_))))));
    check!(matches!(trailers.get(), Some(Err(()))));
}

fn trailers_immutable() {
    let (response, _connection) =
        answered("HTTP/1.1 200 OK\r\ntrailer: x-sum\r\ntransfer-encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n");
    let (_, body) = text(&response);
    let future = IncomingBody::finish(body);
    future.subscribe().block();
    let Some(Ok(Ok(Some(trailers)))) = future.get() else {
        fail(file!(), line!(), "no trailers");
    };
    check_err!(trailers.append("x-a", b"2"), HeaderError::Immutable);
    check_err!(trailers.set("x-sum", &[b"2".to_vec()]), HeaderError::Immutable);
    check_err!(trailers.delete("x-sum"), HeaderError::Immutable);
    let copy = trailers.clone();
    ok!(copy.delete("x-sum"));
    check!(trailers.has("x-sum") && !copy.has("x-sum"));
}

fn finish_while_read() {
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    let body = ok!(response.consume());
    let _stream = ok!(body.stream());
    wasi_conformance::check_traps!(IncomingBody::finish(body));
}

fn dropped() {
    // At any point, without anything left behind.
    let (future, _connection) = Peer::new().get("/", None);
    drop(future);
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    drop(response);
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc");
    let body = ok!(response.consume());
    drop(response);
    drop(ok!(body.stream()));
    drop(body);
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab");
    let body = ok!(response.consume());
    drop(response);
    drop(IncomingBody::finish(body));
    let (response, _connection) = answered("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    check_eq!(text(&response).0, "ok");
}

fn refused() {
    let request = {
        let peer = Peer::new();
        peer.request(&Method::Get, "/", &[])
    };
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = match handle(request, None) {
        Ok(future) => future,
        Err(error) => fail(file!(), line!(), &format!("{error:?} before anything was tried")),
    };
    check_err!(result(&future), E::ConnectionRefused | E::DestinationUnavailable);
}

fn tls() {
    let peer = Peer::new();
    let request = peer.request(&Method::Get, "/", &[]);
    ok!(request.set_scheme(Some(&Scheme::Https)));
    ok!(OutgoingBody::finish(ok!(request.body()), None));
    let future = ok!(handle(request, None));
    let mut connection = peer.accept();
    // A client's greeting: a handshake record.
    check_eq!(connection.exactly(1), [22]);
    connection.write(EMPTY);
    check_err!(
        result(&future),
        E::TlsProtocolError | E::TlsCertificateError | E::TlsAlertReceived(_) | E::ConnectionTerminated
    );
}
