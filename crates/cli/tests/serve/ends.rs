//! How requests end, and that the log and the metrics tell of each that began.

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::frames2::*;
use crate::support::{Answer, Server, read_to_end};

const METRICS: [&str; 2] = ["--metrics-addr", "127.0.0.1:0"];

fn start(flags: &[&str]) -> Server {
    Server::start(&[&METRICS[..], flags].concat())
}

/// Waits for the line that has all of this.
#[track_caller]
fn line_with(server: &Server, parts: &[&str]) -> String {
    let found = || {
        let lines = server.lines();
        lines
            .into_iter()
            .find(|line| line.starts_with('{') && parts.iter().all(|part| line.contains(part)))
    };
    server.until(|| found().is_some());
    found().unwrap()
}

/// Waits until so many requests have ended like this.
#[track_caller]
fn ended(server: &Server, end: &str, number: u64) {
    let name = format!("wharf_http_requests_ended_total{{end=\"{end}\"}}");
    server.until(|| server.metric(&name) == number);
}

#[test]
fn answers_and_refusals() {
    let server = start(&["--max-body", "10"]);
    server.get("/status?code=418");
    line_with(&server, &["/status", "\"status\":418", "\"end\":\"answered\""]);
    server.get("/trap");
    line_with(&server, &["/trap", "\"status\":500", "\"end\":\"answered\""]);
    server.send("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    line_with(&server, &["HEAD", "\"status\":200", "\"end\":\"answered\""]);
    server.post("/read", "more than there may be");
    line_with(&server, &["/read", "\"status\":413", "\"end\":\"refused\""]);
    server.send("HEAD / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n");
    line_with(&server, &["HEAD", "\"status\":400", "\"end\":\"refused\""]);
    server.get("/break-off");
    line_with(
        &server,
        &["/break-off", "\"status\":200", "\"end\":\"broken-off\""],
    );
    ended(&server, "answered", 3);
    ended(&server, "refused", 2);
    ended(&server, "broken-off", 1);
    ended(&server, "abandoned", 0);
}

#[test]
fn streams_that_are_reset() {
    let server = start(&[]);
    let mut client = Client::new(&server, &[]);
    // Before there is an answer,
    client.send(&get(1, "/sleep?ms=25000")).unwrap();
    server.until(|| server.metric("wharf_guests_running") == 1);
    client.send(&reset(1, CANCEL)).unwrap();
    line_with(
        &server,
        &[
            "/sleep",
            "\"version\":\"2\"",
            "\"status\":0",
            "\"end\":\"abandoned\"",
        ],
    );
    // within it,
    client.send(&get(3, "/stream?parts=100000&ms=20")).unwrap();
    client.until(|frame| frame.kind == DATA && frame.stream == 3);
    client.send(&reset(3, CANCEL)).unwrap();
    line_with(
        &server,
        &[
            "/stream",
            "\"status\":200",
            "\"end\":\"abandoned\"",
            "the client is gone",
        ],
    );
    // and within the request.
    client.send(&post(5, "/read")).unwrap();
    client.send(&frame(DATA, 0, 5, b"abc")).unwrap();
    server.until(|| server.metric("wharf_guests_running") == 1);
    client.send(&reset(5, CANCEL)).unwrap();
    line_with(&server, &["/read", "\"end\":\"abandoned\""]);
    ended(&server, "abandoned", 3);
    client.send(&get(7, "/")).unwrap();
    client.until(|frame| frame.stream == 7 && frame.flags & END_STREAM != 0);
    line_with(&server, &["\"target\":\"/\"", "\"end\":\"answered\""]);
}

#[test]
fn requests_that_the_library_refuses() {
    let server = start(&[]);
    let mut client = Client::new(&server, &[]);
    // Headers that belong to a connection; too large a head.
    let large = [request("GET", "/"), field("x", &"y".repeat(15_000))].concat();
    let mut bytes = Vec::new();
    let wrong = [request("GET", "/"), field("transfer-encoding", "chunked")].concat();
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &wrong));
    let wrong = [request("GET", "/"), field("connection", "close")].concat();
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 3, &wrong));
    bytes.extend(frame(HEADERS, END_STREAM, 5, &large));
    for last in [0, 0, 0, END_HEADERS] {
        bytes.extend(frame(CONTINUATION, last, 5, &field("x", &"y".repeat(15_000))));
    }
    bytes.extend(get(9, "/"));
    client.send(&bytes).unwrap();
    client.until(|frame| frame.stream == 9 && frame.flags & END_STREAM != 0);
    drop(client);
    line_with(
        &server,
        &[
            "3 requests were not taken",
            "\"version\":\"2\"",
            "\"end\":\"abandoned\"",
        ],
    );
    ended(&server, "answered", 1);
    ended(&server, "abandoned", 3);
    // What breaks the whole connection.
    let mut client = Client::new(&server, &[]);
    let wrong = [request("GET", "/"), field("X-Upper", "a")].concat();
    client.send(&get(1, "/sleep?ms=25000")).unwrap();
    server.until(|| server.metric("wharf_guests_running") == 1);
    client
        .send(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &wrong))
        .unwrap();
    client.until(|_| false);
    line_with(
        &server,
        &[
            "refused 1 of the connection's requests: http2 error",
            "\"end\":\"refused\"",
        ],
    );
    line_with(&server, &["/sleep", "\"end\":\"abandoned\""]);
}

#[test]
fn heads_that_do_not_come() {
    let server = start(&["--header-timeout", "300ms", "--idle-timeout", "20s"]);
    for start in [&b"GET /slow HTTP/1.1\r\nhost: a\r\n"[..], b"PUT"] {
        let mut stream = server.connect();
        stream.write_all(start).unwrap();
        assert_eq!(read_to_end(&mut stream), "");
    }
    ended(&server, "abandoned", 2);
    // A second one, and long before the connection has been idle for too long.
    let mut stream = server.connect();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /second")
        .unwrap();
    assert_eq!(Answer::parse(&read_to_end(&mut stream)).body, "hello\n");
    // In HTTP/2.
    let mut client = Client::new(&server, &[]);
    client.send(&get(1, "/")).unwrap();
    client.until(|frame| frame.flags & END_STREAM != 0);
    client
        .send(&frame(HEADERS, END_STREAM, 3, &request("GET", "/")))
        .unwrap();
    client.until(|_| false);
    // Or only a part of its only frame.
    let mut client = Client::new(&server, &[]);
    client.send(&get(1, "/")).unwrap();
    client.until(|frame| frame.flags & END_STREAM != 0);
    client.send(&get(3, "/")[..15]).unwrap();
    // Nothing is answered: that would be taken for the rest.
    read_to_end(&mut client.0);
    let slow = || {
        let lines = server.lines();
        let slow = lines.iter().filter(|line| line.contains("came too slowly"));
        slow.filter(|line| line.contains("\"status\":0,\"end\":\"abandoned\""))
            .count()
    };
    server.until(|| slow() == 5);
}

#[test]
fn connections_that_break() {
    let server = start(&[]);
    // Within a head: what looks like TLS is wrong at once, others could have gone on.
    for (start, status) in [
        (&b"\x16\x03\x01\x02\x00"[..], 400),
        (b"PRI * HTTP/2.0\r\n\r\nXY", 400),
        (b"GET / HTTP/1.1\r\nhost:", 0),
        (b"G", 0),
        (b"PRI * HT", 0),
    ] {
        let mut stream = server.connect();
        let remote = format!("\"remote\":\"{}\"", stream.local_addr().unwrap());
        stream.write_all(start).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0; 10]);
        let line = line_with(&server, &[&remote]);
        assert!(line.contains(&format!("\"status\":{status},")), "{line}");
        assert_eq!(line.contains("within the head"), status == 0, "{line}");
    }
    ended(&server, "abandoned", 3);
    ended(&server, "refused", 2);
    let mut client = Client::new(&server, &[]);
    let remote = format!("\"remote\":\"{}\"", client.0.local_addr().unwrap());
    client.send(&get(1, "/")[..15]).unwrap();
    client.0.shutdown(Shutdown::Write).unwrap();
    read_to_end(&mut client.0);
    let line = line_with(&server, &[&remote]);
    assert!(
        line.contains("within the head") && line.contains("\"status\":0,"),
        "{line}"
    );
    // Within a body.
    let mut stream = server.connect();
    stream
        .write_all(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc")
        .unwrap();
    drop(stream);
    let line = line_with(&server, &["/read", "\"received\":3"]);
    assert!(line.contains("\"error\":\"the "), "{line}");
    // A connection that never says anything is no request.
    drop(server.connect());
    let mut stream = server.connect();
    stream.write_all(b"\r\n").unwrap();
    drop(stream);
    assert_eq!(server.get("/").status, 200);
    line_with(&server, &["\"target\":\"/\""]);
    let lines = server.lines();
    assert_eq!(
        lines.iter().filter(|line| line.starts_with('{')).count(),
        8,
        "{lines:#?}"
    );
}
