//! Ending, and loading again.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::frames2::{Client, DATA, END_STREAM, GOAWAY, INITIAL_WINDOW_SIZE, WINDOW_UPDATE, frame, get};
use crate::support::{Answer, Server, hello, read_to_end, wait_until};

#[cfg(unix)]
#[test]
fn requests_under_way_may_finish() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let mut stream = server.connect();
        stream
            .write_all(b"GET /sleep?ms=1000 HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        let mut idle = server.connect();
        std::thread::sleep(Duration::from_millis(300));
        server.signal(signal);
        server.wait_for("ending");
        let answer = Answer::parse(&read_to_end(&mut stream));
        assert_eq!((answer.status, answer.body.as_str()), (200, "slept\n"));
        assert_eq!(read_to_end(&mut idle), "");
        assert_eq!(server.ended().code(), Some(0));
        assert!(std::net::TcpStream::connect(server.address).is_err());
    }
}

#[cfg(unix)]
#[test]
fn but_not_for_ever() {
    let mut server = Server::start(&["--shutdown-timeout", "200ms"]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET /sleep?ms=25000 HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
    server.wait_for("broken off");
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Server::start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(b"GET /loop HTTP/1.1\r\nhost: a\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    server.wait_for("ending");
    server.signal("TERM");
    assert_eq!(server.ended().code(), Some(0));
}

/// A copy of the guest that can be changed.
struct Changing {
    folder: tempfile::TempDir,
    original: Vec<u8>,
}

impl Changing {
    fn new() -> Changing {
        let changing = Changing {
            folder: tempfile::tempdir().unwrap(),
            original: std::fs::read(hello()).unwrap(),
        };
        changing.write(&changing.original);
        changing
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("guest.wasm")
    }

    /// Replaces the file as a whole, as builds do.
    fn write(&self, bytes: &[u8]) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, self.path()).unwrap();
    }

    /// A guest that says something else.
    fn other(&self) -> Vec<u8> {
        let mut bytes = self.original.clone();
        let at = bytes.windows(6).position(|w| w == b"hello\n").unwrap();
        bytes[at..at + 5].copy_from_slice(b"other");
        bytes
    }
}

fn check_reload(file: &Changing, server: &Server, trigger: impl Fn(&Server)) {
    assert_eq!(server.get("/").body, "hello\n");
    // One that is under way stays with the old component.
    let mut old = server.connect();
    old.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nab")
        .unwrap();
    file.write(&file.other());
    trigger(server);
    wait_until(|| server.get("/").body == "other\n");
    old.write_all(b"c").unwrap();
    let answer = Answer::parse(&read_to_end(&mut old));
    assert_eq!((answer.status, answer.body.as_str()), (200, "abc"));
    // Files that can't be served change nothing.
    file.write(b"\0asm\x0d\0\x01\0 broken");
    trigger(server);
    server.wait_for("the old component stays");
    assert_eq!(server.get("/").body, "other\n");
    file.write(&file.original);
    trigger(server);
    wait_until(|| server.get("/").body == "hello\n");
}

#[test]
fn a_changed_file_is_loaded() {
    let file = Changing::new();
    let server = Server::start_file(&file.path(), &["--watch"]);
    check_reload(&file, &server, |_| {});
}

#[cfg(unix)]
#[test]
fn a_hangup_loads_the_file_again() {
    let file = Changing::new();
    let server = Server::start_file(&file.path(), &["--reuse", "100"]);
    check_reload(&file, &server, |server| server.signal("HUP"));
    assert!(Path::new(&file.path()).exists());
}

#[test]
fn a_request_that_crosses_with_the_end_of_its_connection_is_answered() {
    let server = Server::start(&["--idle-timeout", "300ms", "--header-timeout", "1s"]);
    let is_answered = || {
        let mut client = Client::new(&server, &[]);
        client.send(&get(1, "/")).unwrap();
        let frames = client.until(|frame| frame.kind == GOAWAY);
        assert!(frames.last().is_some_and(|frame| frame.kind == GOAWAY));
        let sent = client.send(&get(3, "/sleep?ms=500"));
        let frames = client.until(|frame| frame.stream == 3 && frame.flags & END_STREAM != 0);
        sent.is_ok() && frames.last().is_some_and(|frame| frame.stream == 3)
    };
    // A client that is kept from doing so for too long comes too late.
    assert!((0..5).any(|_| is_answered()));
}

#[test]
fn the_rest_of_an_answer_is_sent_however_slowly_it_is_taken() {
    let server = Server::start(&["--idle-timeout", "1s", "--header-timeout", "1s"]);
    let mut client = Client::new(&server, &[(INITIAL_WINDOW_SIZE, 4)]);
    // The library takes the whole of this answer, which is the server's.
    client.send(&get(1, "/error")).unwrap();
    let mut taken: Vec<u8> = Vec::new();
    while taken.len() < 20 {
        let frames = client.until(|frame| frame.kind == DATA);
        let last = frames.last().filter(|frame| frame.kind == DATA);
        let Some(last) = last else {
            panic!("{taken:?} came, then {frames:?}");
        };
        taken.extend(&last.payload);
        std::thread::sleep(Duration::from_millis(300));
        let _ = client.send(&frame(WINDOW_UPDATE, 0, 1, &2_u32.to_be_bytes()));
    }
    assert_eq!(taken, b"504 Gateway Timeout\n");
    // Who has everything is idle.
    client.until(|_| false);
}
