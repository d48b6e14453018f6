//! Clients that vanish.

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::support::Server;

#[test]
fn a_client_that_vanishes_in_the_middle_of_a_body_costs_nothing_else() {
    let server = Server::start(&[]);
    let head = |target: &str| {
        format!("POST {target} HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n0123456789")
    };
    for _ in 0..3 {
        // It has no more to say, but listens: the guest's body ends in an error.
        let mut stream = server.connect();
        stream.write_all(head("/read").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains("200 OK"), "{answer}");
        // It is gone altogether.
        let mut stream = server.connect();
        stream.write_all(head("/read").as_bytes()).unwrap();
        drop(stream);
        // It resets the connection: what it was sent is not read.
        let mut stream = server.connect();
        stream.write_all(head("/echo").as_bytes()).unwrap();
        stream.read_exact(&mut [0; 10]).unwrap();
        drop(stream);
        // It goes while a long answer is on its way.
        let mut stream = server.connect();
        stream
            .write_all(b"GET /stream?parts=100000&ms=1 HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        stream.read_exact(&mut [0; 10]).unwrap();
        drop(stream);
        assert_eq!(server.get("/").status, 200);
    }
    let lines = server.lines();
    assert!(!lines.iter().any(|line| line.contains("panicked")), "{lines:#?}");
}
