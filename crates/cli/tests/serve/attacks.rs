//! Bytes that are meant to confuse.

use std::io::Write;
use std::time::Duration;

use crate::support::{Server, read_to_end};

/// The answers to these bytes, by their statuses.
fn statuses(server: &Server, bytes: impl AsRef<[u8]>) -> Vec<u16> {
    let text = server.raw(bytes);
    text.split("HTTP/1.1 ")
        .skip(1)
        .filter_map(|rest| rest.get(..3)?.parse().ok())
        .collect()
}

#[test]
fn heads_that_two_servers_may_read_in_two_ways() {
    let server = Server::start(&[
        "--header-timeout",
        "1s",
        "--idle-timeout",
        "1s",
        "--body-timeout",
        "1s",
    ]);
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    for (what, bytes) in [
        (
            "two lengths",
            format!(
                "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 40\r\n\r\n{smuggled}"
            ),
        ),
        (
            "a list of lengths",
            format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 0, 40\r\n\r\n{smuggled}"),
        ),
        (
            "a signed length",
            format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: +40\r\n\r\n{smuggled}"),
        ),
        (
            "another coding",
            format!("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n{smuggled}"),
        ),
        (
            "chunked not last",
            format!(
                "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n{smuggled}"
            ),
        ),
        (
            "chunks in HTTP/1.0",
            format!(
                "POST /echo HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
            ),
        ),
        (
            "space before the colon",
            format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length : 40\r\n\r\n{smuggled}"),
        ),
        (
            "space in a name",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n{smuggled}"),
        ),
        (
            "a folded line",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n{smuggled}"),
        ),
        (
            "a folded first line",
            format!("GET / HTTP/1.1\r\n host: a\r\n\r\n{smuggled}"),
        ),
        (
            "a bare CR",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: y\rz: 1\r\n\r\n{smuggled}"),
        ),
        (
            "a NUL",
            format!("GET / HTTP/1.1\r\nhost: a\r\nx: y\0z\r\n\r\n{smuggled}"),
        ),
        ("no host", format!("GET / HTTP/1.1\r\n\r\n{smuggled}")),
        (
            "two hosts",
            format!("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n{smuggled}"),
        ),
        (
            "a host that is none",
            format!("GET / HTTP/1.1\r\nhost: a/b\r\n\r\n{smuggled}"),
        ),
        (
            "an unknown version",
            format!("GET / HTTP/9.9\r\nhost: a\r\n\r\n{smuggled}"),
        ),
    ] {
        let statuses = statuses(&server, bytes);
        assert!(
            matches!(statuses[..], [] | [400 | 405 | 408 | 501]),
            "{what}: {statuses:?}"
        );
    }
    assert!(!server.lines().iter().any(|line| line.contains("/smuggled")));
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn what_would_be_read_in_two_ways_is_refused() {
    let server = Server::start(&[]);
    let body = "3\r\nabc\r\n0\r\n\r\n";
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    for (headers, why) in [
        // The length says that the second request is a part of the first one's body, or the other way round.
        (
            "content-length: 100\r\ntransfer-encoding: chunked",
            "both content-length",
        ),
        (
            "transfer-encoding: chunked\r\ncontent-length: 100",
            "both content-length",
        ),
        (
            "Content-Length: 3\r\nX: y\r\nTransfer-Encoding:chunked",
            "both content-length",
        ),
        (
            "content-length: 3\r\ncontent-length: 100",
            "more than one content-length",
        ),
        (
            "content-length: 3\r\ncontent-length: 3",
            "more than one content-length",
        ),
        ("transfer-encoding: gzip, chunked", "other than chunked"),
        (
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            "other than chunked",
        ),
        ("x: y\r\n content-length: 3", "a folded header line"),
        ("x: y\r\n\ttransfer-encoding: chunked", "a folded header line"),
    ] {
        let request = format!("POST /echo HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n{body}{smuggled}");
        assert_eq!(statuses(&server, &request), [400], "{headers}");
        let line = server.wait_for(why);
        assert!(line.contains("\"status\":400"), "{line}");
        // Behind a request that is in order, whose answer comes first.
        let before = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(
            statuses(&server, format!("{before}{request}")),
            [200, 400],
            "{headers}"
        );
        // In pieces.
        let mut stream = server.connect();
        for piece in request.as_bytes().chunks(17) {
            if stream.write_all(piece).is_err() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let text = read_to_end(&mut stream);
        assert!(
            text.starts_with("HTTP/1.1 400") || text.is_empty(),
            "{headers}: {text}"
        );
    }
    assert!(!server.lines().iter().any(|line| line.contains("/smuggled")));
}

#[test]
fn pipelined_bodies_of_all_kinds_pass() {
    let server = Server::start(&[]);
    let text = server.raw(
        "\r\nPOST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 38\r\n\r\ncontent-length: 1\r\ncontent-length: 2\r\n\
         POST /read HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b\r\n\r\n\r\n\0\r\n00\r\nx-t: 1\r\n\r\n\
         POST /read HTTP/1.1\nhost: a\ncontent-length: 0\n\n\
         GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(text.matches("HTTP/1.1 200").count(), 4, "{text}");
    let mut rest = &text[..];
    for body in ["38\n", "5\n", "0\n", "hello\n"] {
        let (_, after) = rest
            .split_once(body)
            .unwrap_or_else(|| panic!("{body:?} in {text}"));
        rest = after;
    }
}

#[test]
fn malformed_chunks() {
    let server = Server::start(&["--body-timeout", "1s"]);
    for chunks in [
        "zz\r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "3\r\nabcde\r\n0\r\n\r\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
    ] {
        let bytes = format!(
            "POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunks}"
        );
        assert_eq!(statuses(&server, bytes), [400], "{chunks:?}");
    }
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn heads_without_end() {
    let server = Server::start(&[]);
    let long = "x".repeat(200_000);
    for bytes in [
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(1000)),
        format!("{long}\r\n\r\n"),
    ] {
        let statuses = statuses(&server, &bytes);
        assert!(
            matches!(statuses[..], [] | [400 | 414 | 431]),
            "{}: {statuses:?}",
            &bytes[..40]
        );
    }
    // Chunk extensions and trailers without end.
    let extension = format!(
        "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;{long}\r\nabc\r\n0\r\n\r\n"
    );
    assert!(!statuses(&server, extension).contains(&200));
    let trailer = format!(
        "POST /trailers HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: {long}\r\n\r\n"
    );
    assert!(!statuses(&server, trailer).contains(&200));
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn tunnels_and_upgrades() {
    let server = Server::start(&[]);
    let connect = "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\nconnection: close\r\n\r\n";
    assert_eq!(statuses(&server, connect), [405]);
    // An upgrade is not taken up.
    let upgrade =
        "GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade\r\nupgrade: websocket\r\n\r\n";
    let answer = server.send(upgrade);
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("upgrade"), "{}", answer.body);
}

#[test]
fn noise() {
    let server = Server::start(&["--header-timeout", "500ms"]);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for length in 1..60 {
        let bytes: Vec<u8> = (0..length * 7)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .chain(*b"\r\n\r\n")
            .collect();
        assert!(!statuses(&server, bytes).contains(&200));
    }
    assert_eq!(server.get("/").status, 200);
}
