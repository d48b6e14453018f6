//! Logs, metrics and traces.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message;

use crate::support::{PATIENCE, Server, wait_until};

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
    let text = server.metrics();
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
    // The guest's address has none.
    assert_eq!(server.get("/metrics").status, 404);
}

#[test]
fn what_is_refused_before_it_is_a_request_is_told() {
    let server = Server::start(&["--metrics-addr", "127.0.0.1:0"]);
    let head = "POST /read HTTP/1.1\r\nhost: a\r\n";
    let large = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    for (bytes, status, error) in [
        (
            "GET / HTTP/1.1\r\nx y\r\n\r\n".to_owned(),
            400,
            "invalid HTTP header",
        ),
        ("\x16\x03\x01\x02\0\x01".to_owned(), 400, "invalid HTTP method"),
        (large, 431, "message head is too large"),
        (
            format!("{head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
            "both content-length and transfer-encoding",
        ),
    ] {
        server.raw(bytes);
        let line = server.wait_for(error);
        assert!(line.contains(&format!("\"status\":{status}")), "{line}");
        assert!(line.contains("\"remote\":\"127.0.0.1:"), "{line}");
    }
    // A request that turns out to be none has its line, too.
    server.raw(format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n\r\n"));
    let line = server.wait_for("the body is malformed");
    assert!(
        line.contains("\"status\":400") && line.contains("/read"),
        "{line}"
    );
    let text = server.metrics();
    assert!(
        text.contains("wharf_http_requests_total{status=\"4xx\"} 5\n"),
        "{text}"
    );
    assert!(text.contains("wharf_http_requests_in_flight 0\n"), "{text}");
}

/// Takes one message and answers it with this status.
fn collect(collector: &TcpListener, status: &str) -> ExportTraceServiceRequest {
    let (stream, _) = collector.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0);
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/x-protobuf\r\n"),
        "{head}"
    );
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse::<usize>().ok())
        .unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    ExportTraceServiceRequest::decode(&body[..]).unwrap()
}

/// The only span of a message.
fn only_span(message: &ExportTraceServiceRequest) -> &Span {
    let [resource] = &message.resource_spans[..] else {
        panic!("{message:?}")
    };
    let [scope] = &resource.scope_spans[..] else {
        panic!("{message:?}")
    };
    let [span] = &scope.spans[..] else {
        panic!("{message:?}")
    };
    span
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An attribute's value, as text.
fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|a| a.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

#[test]
fn spans_go_to_the_collector() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let server = Server::start(&["--otlp", &endpoint, "--metrics-addr", "127.0.0.1:0"]);
    server.send(&with_trace("/trap?x=1"));
    let message = collect(&collector, "200 OK");
    let span = only_span(&message);
    assert_eq!(hex(&span.trace_id), TRACE);
    assert_eq!(hex(&span.parent_span_id), PARENT);
    assert_eq!(span.span_id.len(), 8);
    assert_eq!((span.name.as_str(), span.kind()), ("GET", SpanKind::Server));
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    assert_eq!(span.status.as_ref().unwrap().code(), StatusCode::Error);
    for (key, value) in [
        ("http.response.status_code", "500"),
        ("http.request.method", "GET"),
        ("url.path", "/trap"),
        ("url.query", "x=1"),
    ] {
        assert_eq!(attribute(&span.attributes, key).as_deref(), Some(value), "{key}");
    }
    let resource = message.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(
        attribute(&resource.attributes, "service.name").as_deref(),
        Some("wharf")
    );
    wait_until(|| server.metrics().contains("wharf_spans_sent_total 1\n"));
}

#[test]
fn spans_are_sent_again_where_that_may_help() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
    let server = Server::start(&["--otlp", &endpoint]);
    server.send(&with_trace("/"));
    let first = collect(&collector, "503 Service Unavailable");
    let line = server.wait_for("spans can't be sent");
    assert!(line.contains("503"), "{line}");
    assert_eq!(first, collect(&collector, "200 OK"));
}

#[cfg(unix)]
#[test]
fn the_last_spans_are_sent_at_the_end() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut server = Server::start(&["--otlp", &endpoint]);
    server.send(&with_trace("/"));
    server.signal("TERM");
    assert_eq!(hex(&only_span(&collect(&collector, "200 OK")).trace_id), TRACE);
    assert_eq!(server.ended().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_collector_that_does_not_answer_keeps_nobody() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut server = Server::start(&["--otlp", &endpoint]);
    for _ in 0..20 {
        assert_eq!(server.send(&with_trace("/")).status, 200);
    }
    let (_stream, _) = collector.accept().unwrap();
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
    server.wait_for("spans were not sent");
}

#[test]
fn spans_that_are_not_sampled_stay_here() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    collector.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let server = Server::start(&["--otlp", &endpoint, "--metrics-addr", "127.0.0.1:0"]);
    server.send(&with_trace("/").replace("-01\r", "-00\r"));
    std::thread::sleep(Duration::from_millis(1200));
    assert!(collector.accept().is_err());
    assert!(server.metrics().contains("wharf_spans_lost_total 0\n"));
}
