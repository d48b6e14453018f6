//! Bytes that are meant to confuse.

use crate::support::Server;

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
fn chunks_win_over_a_length_and_end_where_they_end() {
    let server = Server::start(&[]);
    // The length says that the second request is a part of the first one's body.
    for (one, two) in [
        ("content-length: 100", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 100"),
    ] {
        let text = server.raw(format!(
            "POST /echo HTTP/1.1\r\nhost: a\r\n{one}\r\n{two}\r\n\r\n3\r\nabc\r\n0\r\n\r\n\
             GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        let first = text.split("HTTP/1.1 ").nth(1).unwrap_or_default();
        assert!(first.starts_with("400") || first.contains("abc"), "{text}");
        assert!(
            !text.contains("content-length: 100"),
            "the guest does not see it: {text}"
        );
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
        let statuses = statuses(&server, bytes);
        assert!(!statuses.contains(&200), "{chunks:?}: {statuses:?}");
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
