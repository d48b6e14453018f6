//! Logs, metrics and traces.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::Server;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn with_trace(target: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: x=y\r\n\r\n"
    )
}

#[test]
fn a_line_per_request() {
    let server = Server::start(&[]);
    server.send(&with_trace("/?q=1"));
    let line = server.wait_for("\"target\"");
    for part in [
        "{\"time\":\"20",
        "\"method\":\"GET\"",
        "\"status\":200",
        "\"sent\":6",
        &format!("\"trace_id\":\"{TRACE}\""),
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("\"error\""), "{line}");
    server.get("/print");
    let line = server.wait_for("guest stdout [");
    assert!(line.ends_with("]: out 1"), "{line}");
    server.wait_for("]: err 1");
}

#[test]
fn the_log_has_other_forms() {
    let server = Server::start(&["--access-log", "text"]);
    server.get("/");
    let line = server.wait_for("HTTP/1.1 200");
    assert!(line.contains(" GET \"/\" "), "{line}");
    let server = Server::start(&["--access-log", "off"]);
    server.get("/");
    server.get("/print");
    server.wait_for("guest stderr");
    assert!(
        !server
            .lines()
            .iter()
            .any(|line| line.contains("\"status\"") || line.contains("HTTP/1.1"))
    );
}

#[test]
fn traces_are_passed_on() {
    let server = Server::start(&[]);
    let seen = server.send(&with_trace("/headers")).body;
    let line = seen
        .lines()
        .find(|line| line.starts_with("traceparent: "))
        .unwrap();
    assert!(
        line.starts_with(&format!("traceparent: 00-{TRACE}-")) && line.ends_with("-01"),
        "{line}"
    );
    assert!(!line.contains(PARENT), "the server's span is the parent: {line}");
    assert!(seen.contains("tracestate: x=y"), "{seen}");
    // Malformed ones are replaced.
    let seen = server
        .send("GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntraceparent: 00-x-y-01\r\ntracestate: x=y\r\n\r\n")
        .body;
    let lines = seen.lines().filter(|line| line.starts_with("traceparent: 00-"));
    assert_eq!(lines.count(), 1, "{seen}");
    assert!(!seen.contains("x-y") && !seen.contains("tracestate"), "{seen}");
}

#[test]
fn metrics() {
    let server = Server::start(&["--metrics-addr", "127.0.0.1:0"]);
    server.get("/");
    server.get("/trap");
    let line = server.wait_for("metrics on");
    let address: SocketAddr = line
        .rsplit_once("http://")
        .and_then(|(_, rest)| rest.strip_suffix("/metrics"))
        .unwrap()
        .parse()
        .unwrap();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let text = get("/metrics");
    for line in [
        "wharf_http_requests_total{status=\"2xx\"} 1",
        "wharf_http_requests_total{status=\"5xx\"} 1",
        "wharf_guest_traps_total 1",
        "wharf_guest_instances_total 2",
        "wharf_http_request_duration_seconds_count 2",
        "wharf_http_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(get("/other").starts_with("HTTP/1.1 404"));
    // The guest's address has none.
    assert_eq!(server.get("/metrics").status, 404);
}

#[test]
fn spans_go_to_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let server = Server::start(&["--otlp", &endpoint]);
    server.send(&with_trace("/trap"));
    let (stream, _) = collector.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let length = head
        .to_ascii_lowercase()
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse::<usize>().ok())
        .unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    for part in [
        format!("\"traceId\":\"{TRACE}\""),
        format!("\"parentSpanId\":\"{PARENT}\""),
        "\"intValue\":\"500\"".to_owned(),
    ] {
        assert!(body.contains(&part), "{part} in {body}");
    }
}
