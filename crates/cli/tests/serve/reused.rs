//! Instances that answer more than one request.

use std::process::Command;

use crate::support::{Server, guest, hello};

/// One at a time, so that the instance is back when the next request comes.
fn start(flags: &[&str]) -> Server {
    let mut all = vec!["--max-concurrent", "1"];
    all.extend(flags);
    Server::start(&all)
}

fn counts(server: &Server, number: usize) -> Vec<String> {
    (0..number)
        .map(|_| server.get("/count").body.trim().to_owned())
        .collect()
}

#[test]
fn without_a_reset_a_guest_finds_what_earlier_requests_left() {
    let server = start(&["--reuse", "3"]);
    assert_eq!(counts(&server, 4), ["1", "2", "3", "1"]);
    let server = start(&["--reuse", "10"]);
    assert_eq!(server.get("/keep?secret").body, "\n");
    assert_eq!(server.get("/keep").body, "secret\n");
    // An instance that trapped is not used again.
    assert_eq!(server.get("/trap").status, 500);
    assert_eq!(counts(&server, 1), ["1"]);
}

#[test]
fn what_goes_wrong_in_an_instance_that_is_used_again_costs_only_its_request() {
    let server = start(&["--reuse", "100", "--timeout", "500ms", "--max-memory", "16M"]);
    for (target, status) in [
        ("/trap", 500),
        ("/loop", 504),
        ("/allocate", 500),
        ("/sleep?ms=60000", 504),
    ] {
        assert_eq!(counts(&server, 2), ["1", "2"], "before {target}");
        assert_eq!(server.get(target).status, status, "{target}");
    }
    for target in ["/trap-late", "/loop-late"] {
        assert_eq!(counts(&server, 2), ["1", "2"], "before {target}");
        let answer = server.get(target);
        assert!(!answer.whole, "{target}: {answer:?}");
    }
    assert_eq!(counts(&server, 2), ["1", "2"]);
    // Others that are at work meanwhile do not notice.
    let server = Server::start(&["--reuse", "100", "--timeout", "2s", "--max-memory", "16M"]);
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| server.get("/sleep?ms=1000"));
        for target in ["/trap", "/allocate", "/trap-late", "/allocate"] {
            server.get(target);
            assert_eq!(server.get("/").body, "hello\n", "{target}");
        }
        assert_eq!(sleeper.join().unwrap().body, "slept\n");
    });
}

#[test]
fn with_a_reset_it_finds_nothing() {
    let server = start(&["--reuse", "10", "--reset-func", "reset"]);
    assert_eq!(counts(&server, 3), ["1", "1", "1"]);
    assert_eq!(server.get("/keep?secret").body, "\n");
    assert_eq!(server.get("/keep").body, "\n");
}

#[test]
fn instances_are_made_only_when_there_is_none() {
    let server = start(&[
        "--reuse",
        "3",
        "--reset-func",
        "reset",
        "--metrics-addr",
        "127.0.0.1:0",
    ]);
    assert_eq!(counts(&server, 6), ["1"; 6]);
    let text = server.metrics();
    assert!(text.contains("\nwharf_guest_instances_total 2\n"), "{text}");
}

#[test]
fn an_instance_that_cannot_be_reset_is_thrown_away() {
    let server = start(&["--reuse", "100", "--reset-func", "reset", "--timeout", "500ms"]);
    // The answer is the guest's all the same.
    let answer = server.get("/keep?trap");
    assert_eq!((answer.status, answer.body.as_str()), (200, "\n"));
    server.wait_for("wasm `unreachable` instruction executed");
    assert_eq!(counts(&server, 1), ["1"]);
    assert_eq!(server.get("/keep?loop").status, 200);
    server.wait_for("ran for too long");
    assert_eq!(counts(&server, 2), ["1", "1"]);
}

#[test]
fn functions_that_reset_nothing() {
    for (flags, message) in [
        (&["--reuse", "2", "--reset-func", "none"][..], "no export none"),
        (
            &["--reuse", "2", "--reset-func", "handle"],
            "has no parameters and no results",
        ),
        (&["--reset-func", "reset"], "--reuse"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(flags)
            .arg(hello())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    // Another component does not have it.
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--reuse",
            "2",
            "--reset-func",
            "reset",
        ])
        .arg(guest("cloud-http/cloud-http.wasm"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
