//! What comes back.

use std::io::Write;
use std::process::Command;

use crate::support::{Answer, Server, hello, read_to_end};

#[test]
fn answers_of_the_guest() {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("file.txt"), "from a file").unwrap();
    let grant = format!("{}::/data::ro", data.path().display());
    let server = Server::start(&["--env", "A=B", "--dir", &grant]);
    for (target, status, body) in [
        ("/", 200, "hello\n"),
        ("/checks", 200, "all fine\n"),
        ("/env", 200, "A=B\n"),
        ("/file", 200, "from a file"),
        ("/status?code=418", 418, ""),
        ("/stream?parts=3&ms=1", 200, "part 0\npart 1\npart 2\n"),
        ("/nowhere", 404, "not found\n"),
    ] {
        let answer = server.get(target);
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{target}");
        assert!(answer.whole, "{target}");
    }
}

#[test]
fn nothing_is_granted_by_default() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/env").body, "");
    assert_eq!(server.get("/file").status, 404);
}

#[test]
fn errors_of_the_guest() {
    let server = Server::start(&[]);
    for (target, status) in [("/trap", 500), ("/none", 500), ("/error", 504)] {
        assert_eq!(server.get(target).status, status, "{target}");
    }
    // What was begun does not look whole.
    for target in [
        "/trap-late",
        "/break-off",
        "/length?declared=3&sent=2",
        "/length?declared=3&sent=4",
    ] {
        let answer = server.get(target);
        assert!(!answer.whole || answer.status == 0, "{target}: {answer:?}");
    }
    let answer = server.get("/length?declared=3&sent=3");
    assert_eq!((answer.status, answer.body.as_str()), (200, "xxx"));
    server.wait_for("wasm `unreachable` instruction executed");
    // Others are not concerned.
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn what_a_guest_wrote_before_it_broke_off_arrives() {
    let server = Server::start(&[]);
    for _ in 0..20 {
        for (target, body) in [("/break-off", "some"), ("/length?declared=3&sent=2", "xx")] {
            let answer = server.get(target);
            assert_eq!(
                (answer.status, answer.body.as_str(), answer.whole),
                (200, body, false),
                "{target}"
            );
        }
    }
}

#[test]
fn targets_of_other_forms() {
    let server = Server::start(&[]);
    for (target, status) in [
        ("http://other:81/headers", 200),
        ("http://u:p@other/headers", 400),
        ("http://other:99999/headers", 400),
        ("ftp://other/headers", 400),
        ("other:80", 400),
        ("*", 400),
    ] {
        let answer = server.send(&format!(
            "GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        assert_eq!(answer.status, status, "{target}");
        if status == 200 {
            assert!(
                answer.body.contains("Some(\"other:81\") Some(\"/headers\")"),
                "{}",
                answer.body
            );
        }
    }
}

#[test]
fn a_client_may_wait_until_its_body_is_wanted() {
    let server = Server::start(&[]);
    let head = |target: &str| {
        format!(
            "POST {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
        )
    };
    let mut stream = server.connect();
    stream.write_all(head("/read").as_bytes()).unwrap();
    let mut start = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").unwrap();
    assert_eq!(Answer::parse(&read_to_end(&mut stream)).body, "3\n");
    // The guest does not want it, so that it is not asked for.
    let text = server.raw(head("/"));
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[test]
fn fields_that_a_connection_names_are_left_out() {
    let server = Server::start(&[]);
    // Each of them is one comparison with each field, unless that is minded.
    let names = "n,".repeat(25_000);
    let answer = server.send(&format!(
        "GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close, X-Hop\r\nconnection: {names}\r\nx-hop: 1\r\nx-end: 2\r\nkeep-alive: x\r\nproxy-connection: x\r\nn: 1\r\n\r\n"
    ));
    let fields: Vec<&str> = answer
        .body
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with("traceparent"))
        .collect();
    assert_eq!(fields, ["x-end: 2"]);
}

#[test]
fn bodies_of_both_kinds_come_back() {
    let server = Server::start(&[]);
    let answer =
        server.send("POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello");
    assert_eq!(answer.body, "hello");
    let answer = server.send(
        "POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    );
    assert_eq!(answer.body, "abcde");
}

#[test]
fn parts_arrive_while_the_guest_goes_on() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(
            b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        )
        .unwrap();
    for part in ["abc", "def"] {
        write!(stream, "3\r\n{part}\r\n").unwrap();
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(part.as_bytes()) {
            std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
            seen.push(byte[0]);
        }
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert!(read_to_end(&mut stream).ends_with("0\r\n\r\n"));
}

#[test]
fn trailers() {
    let server = Server::start(&[]);
    let text = server.raw(
        "POST /trailers HTTP/1.1\r\nhost: a\r\nconnection: close\r\nte: trailers\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
         3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n",
    );
    assert!(text.contains("x-length: 3\r\n"), "{text}");
    assert!(text.contains("x-received: x-sum=7\r\n"), "{text}");
}

#[test]
fn head_has_no_body_and_does_not_disturb_the_guest() {
    let server = Server::start(&[]);
    for target in ["/", "/stream?parts=50", "/length?declared=3&sent=3"] {
        let answer = server.send(&format!(
            "HEAD {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
        ));
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{target}");
    }
    let line = server.wait_for("/stream");
    assert!(!line.contains("error"), "{line}");
}

#[test]
fn a_guest_may_go_on_when_its_answer_is_whole() {
    let server = Server::start(&[]);
    let answer = server.get("/length?declared=3&sent=3&ms=500");
    assert_eq!((answer.status, answer.body.as_str()), (200, "xxx"));
    let line = server.wait_for("\"target\":\"/length");
    assert!(!line.contains("error"), "{line}");
    server.wait_for("finish: Ok(())");
}

#[test]
fn connections_are_kept() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream
        .write_all(format!("{request}{request}{last}").as_bytes())
        .unwrap();
    let text = read_to_end(&mut stream);
    assert_eq!(text.matches("HTTP/1.1 200").count(), 3, "{text}");
}

#[test]
fn a_fresh_instance_for_each_request() {
    let server = Server::start(&[]);
    for _ in 0..3 {
        assert_eq!(server.get("/count").body, "1\n");
    }
}

#[test]
fn files_that_cannot_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for (path, message) in [
        (file("a.wat", "(module)"), "a core module"),
        (
            file("b.wat", "(component)"),
            "does not export wasi:http/incoming-handler",
        ),
        (file("c.wat", "nonsense"), "not WebAssembly"),
        (folder.path().join("none"), "no such file"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["serve", "--addr", "127.0.0.1:0"])
            .arg(&path)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    // An address that is taken.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(["serve", "--addr", &address])
        .arg(hello())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
