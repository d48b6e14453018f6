//! Messages that would become large: compressed ones, and heads, chunk extensions and trailers without end, from clients and from servers
//! that guests ask.

use std::io::Write;
use std::time::Duration;

use crate::frames2::*;
use crate::support::{Answer, Server, attack, guest, read_to_end};
use crate::upstream;

/// A megabyte that begins as what `gzip` makes does. Nobody is to try and unpack it, so that the rest need not be right.
fn bomb() -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xec, 0xc1, 1, 1, 0, 0];
    bytes.resize(1 << 20, 0);
    bytes
}

/// Serves `cloud-http`, which may ask anybody on this address.
fn asking(rule: &str) -> Server {
    let flags = ["--keyvalue", "a=memory:", "--http", rule, "--timeout", "3s"];
    Server::start_file(&guest("cloud-http/cloud-http.wasm"), &flags)
}

#[test]
fn nothing_is_unpacked() {
    let server = Server::start(&[]);
    let bomb = bomb();
    for target in ["/read", "/headers"] {
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\naccept-encoding: br\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
            bomb.len()
        );
        let answer = Answer::parse(&server.raw([head.as_bytes(), &bomb].concat()));
        let (text, head) = (&answer.body, &answer.head);
        match target {
            "/read" => assert_eq!(text, "1048576\n"),
            _ => assert!(text.contains("content-encoding: gzip\n") && text.contains("accept-encoding: br\n")),
        }
        assert!(!head.contains("content-encoding"), "{head}");
    }
    // What a guest is answered with is given to it as it is, and it did not ask for anything else.
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let (upstream, heads) = upstream::canned([head.as_bytes(), &bomb].concat());
    let server = asking(&format!("http://{upstream}"));
    let answer = server.get(&format!("/fetch-all?{upstream}"));
    assert_eq!(answer.body, "200 gzip 1048576 0\n");
    let head = heads.recv().unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("get / http/1.1\r\n") && !head.contains("accept-encoding"),
        "{head}"
    );
}

#[test]
fn heads_and_bodies_without_end() {
    let server = Server::start(&["--body-timeout", "1s"]);
    let chunked = "POST /trailers HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let long = "y".repeat(10_000);
    for (what, start, part) in [
        ("empty lines", String::new(), "\r\n"),
        ("a method", String::new(), "METHOD"),
        ("a target", "GET /".to_owned(), "x"),
        ("fields", "GET / HTTP/1.1\r\nhost: a\r\n".to_owned(), "x: y\r\n"),
        ("a name", "GET / HTTP/1.1\r\nhost: a\r\n".to_owned(), "x"),
        ("a value", "GET / HTTP/1.1\r\nhost: a\r\nx: ".to_owned(), &long),
        ("a chunk's size", chunked.to_owned(), "0"),
        ("an extension", format!("{chunked}1;"), "x"),
        ("extensions", chunked.to_owned(), "1;a=b\r\nx\r\n"),
        ("trailers", format!("{chunked}0\r\n"), "x: y\r\n"),
        ("a trailer", format!("{chunked}0\r\nx: "), &long),
    ] {
        let sent = attack(&server, || {
            let mut stream = server.connect();
            stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
            let many = part.repeat((16 << 10) / part.len() + 1);
            let mut sent = 0;
            if stream.write_all(start.as_bytes()).is_ok() {
                while sent < 256 << 20 && stream.write_all(many.as_bytes()).is_ok() {
                    sent += many.len();
                }
            }
            let text = read_to_end(&mut stream);
            assert!(!text.contains("HTTP/1.1 200"), "{what}: {text}");
            sent
        });
        // What the system keeps on both sides comes on top of what the server takes.
        assert!(sent < 32 << 20, "{what}: {sent}");
    }
}

#[test]
fn answers_without_end() {
    let ok = b"HTTP/1.1 200 OK\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (what, start, part, error) in [
        (
            "a status line",
            &b"HTTP/1.1 200 "[..],
            &b"x"[..],
            "HttpResponseHeaderSectionSize",
        ),
        ("fields", ok, b"x: y\r\n", "Http"),
        ("a name", ok, b"x", "HttpResponseHeaderSectionSize"),
        (
            "a value",
            b"HTTP/1.1 200 OK\r\nx: ",
            b"y",
            "HttpResponseHeaderSectionSize",
        ),
        (
            "interim answers",
            b"",
            b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n",
            "HttpProtocolError",
        ),
        (
            "an extension",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;",
            b"x",
            "HttpProtocolError",
        ),
        ("extensions", chunked, b"1;a=b\r\nx\r\n", "HttpProtocolError"),
        (
            "trailers",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
            b"x: y\r\n",
            "HttpProtocolError",
        ),
        (
            "a trailer",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ",
            b"y",
            "HttpProtocolError",
        ),
    ] {
        let upstream = upstream::endless(start, part.to_vec());
        let server = asking(&format!("http://{upstream}"));
        let answer = attack(&server, || server.get(&format!("/fetch-all?{upstream}")));
        assert_eq!(answer.status, 502, "{what}: {answer:?}");
        assert!(answer.body.contains(error), "{what}: {answer:?}");
    }
    // A body without end is cut off when the guest's time is over, also when it does not even begin.
    for part in ["1\r\nx\r\n", "0"] {
        let upstream = upstream::endless(chunked, part.into());
        let server = asking(&format!("http://{upstream}"));
        let answer = attack(&server, || server.get(&format!("/fetch-all?{upstream}")));
        assert_eq!(answer.status, 504, "{answer:?}");
    }
}

#[test]
fn answers_without_end_in_http2() {
    let settings = settings(&[]);
    let first = frame(
        HEADERS,
        0,
        1,
        &[&[0x88][..], &kept_field("x", &"y".repeat(4000))].concat(),
    );
    let whole = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &[
            &[0x88][..],
            &kept_field("x", &"y".repeat(4000)),
            &[LAST_KEPT; 10_000],
        ]
        .concat(),
    );
    let interim = frame(
        HEADERS,
        END_HEADERS,
        1,
        &[&[8, 3][..], b"103", &field("link", "<x>")].concat(),
    );
    let status = frame(HEADERS, END_HEADERS, 1, &[0x88]);
    let trailers = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &[&kept_field("x", &"y".repeat(4000))[..], &[LAST_KEPT; 10_000]].concat(),
    );
    for (what, start, part, statuses) in [
        (
            "references",
            whole,
            frame(PING, ACK, 0, &[0; 8]),
            [502].as_slice(),
        ),
        (
            "a head that does not end",
            first.clone(),
            frame(CONTINUATION, 0, 1, &[LAST_KEPT; 10_000]),
            &[502],
        ),
        (
            "nothing in many frames",
            first,
            frame(CONTINUATION, 0, 1, &[]),
            &[502],
        ),
        ("interim answers", Vec::new(), interim, &[502, 504]),
        ("settings", Vec::new(), crate::frames2::settings(&[]), &[502, 504]),
        ("pings", Vec::new(), frame(PING, 0, 0, &[7; 8]), &[502, 504]),
        ("empty parts", status.clone(), frame(DATA, 0, 1, &[]), &[502, 504]),
        (
            "parts that nobody may send",
            status.clone(),
            frame(DATA, 0, 1, &[b'x'; 16_000]),
            &[502, 504],
        ),
        (
            "trailers",
            [status, trailers].concat(),
            frame(PING, ACK, 0, &[0; 8]),
            &[502],
        ),
    ] {
        let start = [&settings[..], &start].concat().leak();
        let upstream = upstream::endless(start, part);
        let server = asking(&format!("h2c://{upstream}"));
        let answer = attack(&server, || server.get(&format!("/fetch-all?{upstream}")));
        assert!(statuses.contains(&answer.status), "{what}: {answer:?}");
    }
}
