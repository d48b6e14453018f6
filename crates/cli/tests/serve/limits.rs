//! Time, memory, size and number.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Answer, PATIENCE, Server, read_to_end};

/// How guests run.
const TIERS: &[&str] = match cfg!(feature = "jit") {
    true => &["off", "tiered"],
    false => &["off"],
};

fn begin(server: &Server, target: &str) -> TcpStream {
    let mut stream = server.connect();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    stream
}

fn end(mut stream: TcpStream) -> Answer {
    Answer::parse(&read_to_end(&mut stream))
}

#[test]
fn guests_that_take_too_long_are_stopped() {
    for &tier in TIERS {
        let server = Server::start(&["--timeout", "300ms", "--tier", tier]);
        assert_eq!(server.get("/sleep?ms=60000").status, 504);
        assert_eq!(server.get("/loop").status, 504);
        let answer = server.get("/loop-late");
        assert!(!answer.whole, "{answer:?}");
        assert_eq!(server.get("/").status, 200);
    }
}

#[test]
fn guests_that_compute_do_not_keep_others_waiting() {
    for &tier in TIERS {
        for threads in ["1", "2"] {
            // As many as there are threads, or more.
            let flags = ["--timeout", "60s", "--guest-threads", threads, "--tier", tier];
            let server = Server::start(&flags);
            let loops: Vec<TcpStream> = (0..2).map(|_| begin(&server, "/loop")).collect();
            for _ in 0..10 {
                assert_eq!(server.get("/").status, 200);
                assert_eq!(server.get("/sleep?ms=10").body, "slept\n");
            }
            // They are still at it.
            assert!(!server.lines().iter().any(|line| line.contains("/loop")));
            drop(loops);
        }
    }
}

#[test]
fn guests_that_let_others_run_have_no_more_time_for_it() {
    let server = Server::start(&["--timeout", "1500ms", "--guest-threads", "1"]);
    let loops: Vec<TcpStream> = (0..3).map(|_| begin(&server, "/loop")).collect();
    assert_eq!(server.get("/").status, 200);
    for stream in loops {
        assert_eq!(end(stream).status, 504);
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn memory_is_limited() {
    let server = Server::start(&["--max-memory", "8M"]);
    assert_eq!(server.get("/allocate").status, 500);
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn an_instance_that_does_not_fit_is_an_error() {
    let server = Server::start(&["--max-memory", "64K"]);
    assert_eq!(server.get("/").status, 500);
}

#[test]
fn bodies_are_limited() {
    let server = Server::start(&["--max-body", "10"]);
    let post = |rest: &str| {
        server.send(&format!(
            "POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{rest}"
        ))
    };
    assert_eq!(post("content-length: 10\r\n\r\n0123456789").body, "10\n");
    assert_eq!(post("content-length: 11\r\n\r\n0123456789x").status, 413);
    assert_eq!(post("content-length: 99999999999999\r\n\r\n").status, 413);
    let chunked = "transfer-encoding: chunked\r\n\r\n8\r\n01234567\r\n3\r\n012\r\n0\r\n\r\n";
    assert_eq!(post(chunked).status, 413);
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let server = Server::start(&["--max-concurrent", "1", "--max-waiting", "1"]);
    let first = begin(&server, "/sleep?ms=1500");
    std::thread::sleep(Duration::from_millis(300));
    let second = begin(&server, "/");
    std::thread::sleep(Duration::from_millis(300));
    let third = server.get("/");
    assert_eq!(third.status, 503);
    assert!(third.head.contains("retry-after: 1"), "{}", third.head);
    assert_eq!(end(first).status, 200);
    assert_eq!(end(second).status, 200);
}

#[test]
fn a_waiting_request_is_not_kept_for_ever() {
    let server = Server::start(&["--max-concurrent", "1", "--timeout", "500ms"]);
    let first = begin(&server, "/loop");
    std::thread::sleep(Duration::from_millis(200));
    let others: Vec<TcpStream> = (0..3).map(|_| begin(&server, "/sleep?ms=60000")).collect();
    assert_eq!(end(first).status, 504);
    for other in others {
        assert!([503, 504].contains(&end(other).status));
    }
}

#[test]
fn guests_that_wait_need_no_threads() {
    let server = Server::start(&["--guest-threads", "2", "--max-concurrent", "1000"]);
    let waiting: Vec<TcpStream> = (0..400).map(|_| begin(&server, "/sleep?ms=1000")).collect();
    if cfg!(target_os = "linux") {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let threads = status
            .lines()
            .find_map(|line| line.strip_prefix("Threads:")?.trim().parse::<usize>().ok())
            .unwrap();
        assert!(threads < 100, "{threads} threads");
    }
    for stream in waiting {
        let answer = end(stream);
        assert_eq!((answer.status, answer.body.as_str()), (200, "slept\n"));
    }
}

/// Time until the server closes the connection, which must be far below the test's patience.
fn closed(mut stream: TcpStream) -> String {
    let start = Instant::now();
    let text = read_to_end(&mut stream);
    assert!(start.elapsed() < PATIENCE / 2);
    text
}

#[test]
fn slow_heads_are_given_up() {
    let server = Server::start(&["--header-timeout", "300ms", "--idle-timeout", "600ms"]);
    // Not a byte.
    assert_eq!(closed(server.connect()), "");
    // A part of a head, or of the preface of HTTP/2.
    for part in ["GET / HTTP/1.1\r\nhost: a\r\nx:", "PRI * HT", "G"] {
        let mut stream = server.connect();
        stream.write_all(part.as_bytes()).unwrap();
        let text = closed(stream);
        assert!(!text.contains("HTTP/1.1 200"), "{part}: {text}");
    }
    // Bytes that keep coming.
    let mut stream = server.connect();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let start = Instant::now();
    let mut buffer = [0; 1024];
    loop {
        let written = stream.write_all(b"x: y\r\n");
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => break,
            _ if written.is_err() => break,
            _ => assert!(start.elapsed() < PATIENCE, "the connection is kept"),
        }
    }
    // A connection that does nothing after its first request.
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    assert!(closed(stream).contains("HTTP/1.1 200"));
}

#[test]
fn slow_bodies_are_given_up() {
    let server = Server::start(&["--body-timeout", "300ms"]);
    let answer = server.send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc");
    assert_eq!(answer.status, 408);
}

#[test]
fn clients_that_take_nothing_are_given_up() {
    let server = Server::start(&["--body-timeout", "300ms"]);
    let stream = begin(&server, "/stream?parts=10000000");
    let line = server.wait_for("/stream");
    assert!(line.contains("the client is gone"), "{line}");
    drop(stream);
}

#[test]
fn a_client_that_leaves_ends_its_guest() {
    let server = Server::start(&[]);
    let mut stream = begin(&server, "/stream?parts=100000&ms=20");
    stream.read_exact(&mut [0; 100]).unwrap();
    drop(stream);
    let line = server.wait_for("/stream");
    assert!(line.contains("the client is gone"), "{line}");
    let stream = begin(&server, "/sleep?ms=25000");
    std::thread::sleep(Duration::from_millis(300));
    drop(stream);
    let line = server.wait_for("/sleep");
    assert!(
        line.contains("the client is gone") && line.contains("\"status\":0"),
        "{line}"
    );
}

#[test]
fn a_client_that_leaves_ends_a_guest_that_computes() {
    for &tier in TIERS {
        let flags = [
            "--timeout",
            "10m",
            "--metrics-addr",
            "127.0.0.1:0",
            "--tier",
            tier,
        ];
        let server = Server::start(&flags);
        let has = |line: &str| server.metrics().lines().any(|l| l == line);
        for target in ["/loop", "/loop-late"] {
            let stream = begin(&server, target);
            server.until(|| has("wharf_guests_running 1"));
            drop(stream);
            // Far sooner than its time is over.
            server.until(|| has("wharf_guests_running 0"));
        }
        assert!(has("wharf_guest_timeouts_total 0") && has("wharf_guest_traps_total 0"));
        assert_eq!(server.get("/").status, 200);
    }
}
