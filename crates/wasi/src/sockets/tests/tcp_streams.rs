use super::net;
use super::tcp::pair;
use crate::poll::Pollable;
use crate::sockets::SocketErrorCode;
use crate::sockets::connection::WRITE_CHUNK;
use crate::sockets::tcp_streams::TcpOutput;
use crate::stream::{InputStream, OutputStream, StreamError};
use crate::test_util::{block_on, now};
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

fn code(error: StreamError) -> SocketErrorCode {
    let StreamError::LastOperationFailed(error) = error else {
        panic!("{error}")
    };
    SocketErrorCode::from(error.downcast_ref::<std::io::Error>().unwrap())
}

/// Writes until the stream has more than the system takes, and says how many bytes it were.
fn fill(output: &mut TcpOutput) -> usize {
    let mut written = 0;
    loop {
        let bytes: Vec<u8> = (written..written + WRITE_CHUNK).map(pattern).collect();
        match output.write(bytes.into()) {
            Ok(()) => written += WRITE_CHUNK,
            Err(StreamError::Trap(_)) => return written,
            Err(e) => panic!("{e}"),
        }
    }
}

fn pattern(at: usize) -> u8 {
    (at / 3 + at) as u8
}

fn check(peer: &mut TcpStream, len: usize) {
    let mut received = vec![0; len];
    peer.read_exact(&mut received).unwrap();
    assert!(received.iter().enumerate().all(|(i, b)| *b == pattern(i)));
}

#[test]
fn bytes_go_both_ways_and_end() {
    let net = net(&["all"]);
    let (_socket, (mut input, mut output), mut peer) = pair(&net);
    assert!(input.read(10).unwrap().is_empty());
    block_on(output.blocking_write_and_flush(Bytes::from_static(b"ping"))).unwrap();
    let mut received = [0; 4];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"ping");
    peer.write_all(b"pong!").unwrap();
    assert_eq!(block_on(input.blocking_read(4)).unwrap(), "pong");
    block_on(input.ready());
    assert!(input.read(0).unwrap().is_empty());
    assert_eq!(input.read(100).unwrap(), "!");
    peer.shutdown(Shutdown::Write).unwrap();
    assert!(matches!(
        block_on(input.blocking_read(1)),
        Err(StreamError::Closed)
    ));
    now(input.ready());
    assert!(matches!(input.read(1), Err(StreamError::Closed)));
    assert!(matches!(input.read(0), Err(StreamError::Closed)));
    // The other direction is still open.
    block_on(output.blocking_write_zeroes_and_flush(3)).unwrap();
    drop(output);
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, [0; 3]);
}

#[test]
fn a_peer_that_does_not_read_holds_the_guest_back() {
    let net = net(&["all"]);
    let (socket, (_input, mut output), mut peer) = pair(&net);
    socket.fd().unwrap().set_send_buffer_size(1).unwrap();
    let written = fill(&mut output);
    assert!(matches!(
        output.write(Bytes::from_static(b"x")),
        Err(StreamError::Trap(_))
    ));
    output.flush().unwrap();
    assert_eq!(output.check_write().unwrap(), 0);
    let reader = std::thread::spawn(move || {
        check(&mut peer, written);
        peer
    });
    block_on(output.ready());
    assert!(output.check_write().unwrap() > 0);
    drop((reader.join().unwrap(), socket));
}

#[test]
fn what_was_permitted_stays_so() {
    let net = net(&["all"]);
    let (socket, (_input, mut output), mut peer) = pair(&net);
    let permit = output.check_write().unwrap();
    assert!(permit > 0);
    socket.fd().unwrap().set_send_buffer_size(1).unwrap();
    while socket.fd().unwrap().is_writable() {
        socket.fd().unwrap().send(&vec![0; 1 << 16]).unwrap();
    }
    assert_eq!(output.check_write().unwrap(), permit);
    output.write(Bytes::from(vec![1; permit])).unwrap();
    assert_eq!(output.check_write().unwrap(), 0);
    let reader = std::thread::spawn(move || std::io::copy(&mut peer, &mut std::io::sink()));
    block_on(output.blocking_flush()).unwrap();
    drop((socket, _input, output));
    assert!(reader.join().unwrap().unwrap() > permit as u64);
}

#[test]
fn shutting_down_sending_comes_behind_what_was_written() {
    let net = net(&["all"]);
    let (socket, (_input, mut output), mut peer) = pair(&net);
    let written = fill(&mut output);
    let connection = socket.connection().unwrap();
    connection.shut_send().unwrap();
    connection.shut_send().unwrap();
    now(output.ready());
    assert!(matches!(output.check_write(), Err(StreamError::Closed)));
    assert!(matches!(output.flush(), Err(StreamError::Closed)));
    check(&mut peer, written);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    connection.shut_send().unwrap();
    assert!(matches!(
        output.write(Bytes::from_static(b"x")),
        Err(StreamError::Closed)
    ));
    // The connection is still there.
    assert!(socket.remote_address().is_ok());
}

#[test]
fn shutting_down_receiving_closes_the_stream() {
    let net = net(&["all"]);
    let (socket, (mut input, mut output), mut peer) = pair(&net);
    peer.write_all(b"unread").unwrap();
    block_on(input.ready());
    let connection = socket.connection().unwrap();
    connection.shut_receive().unwrap();
    connection.shut_receive().unwrap();
    now(input.ready());
    assert!(matches!(input.read(1), Err(StreamError::Closed)));
    block_on(output.blocking_write_and_flush(Bytes::from_static(b"x"))).unwrap();
    assert_eq!(peer.read(&mut [0]).unwrap(), 1);
}

#[test]
fn what_was_written_arrives_although_the_stream_is_dropped() {
    let net = net(&["all"]);
    let (socket, (input, mut output), mut peer) = pair(&net);
    let written = fill(&mut output);
    drop((output, input, socket));
    check(&mut peer, written);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_reset_is_an_error_once_and_then_the_end() {
    let net = net(&["all"]);
    let (socket, (mut input, mut output), peer) = pair(&net);
    block_on(output.blocking_write_and_flush(Bytes::from_static(b"unread"))).unwrap();
    // Closing with bytes unread resets the connection.
    let mut peeked = [0; 6];
    while peer.peek(&mut peeked).unwrap() < 6 {}
    drop(peer);
    let error = block_on(input.blocking_read(1)).unwrap_err();
    assert_eq!(code(error), SocketErrorCode::ConnectionReset);
    assert!(matches!(input.read(1), Err(StreamError::Closed)));
    block_on(output.ready());
    let failed = loop {
        match output.check_write() {
            Ok(_) => {}
            Err(e) => break e,
        }
        if let Err(e) = output.write(Bytes::from_static(b"x")) {
            break e;
        }
    };
    assert_eq!(code(failed), SocketErrorCode::ConnectionReset);
    assert!(matches!(output.check_write(), Err(StreamError::Closed)));
    now(output.ready());
    // What is still asked of the socket is no mistake.
    assert!(socket.remote_address().is_ok());
    let connection = socket.connection().unwrap();
    connection.shut_receive().unwrap();
    connection.shut_send().unwrap();
}

#[test]
fn a_failure_in_the_background_is_told_by_the_next_call() {
    let net = net(&["all"]);
    let (_socket, (_input, mut output), peer) = pair(&net);
    fill(&mut output);
    drop(peer);
    block_on(output.ready());
    assert_eq!(
        code(output.check_write().unwrap_err()),
        SocketErrorCode::ConnectionReset
    );
    assert!(matches!(output.check_write(), Err(StreamError::Closed)));
}
