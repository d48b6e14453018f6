//! Streams over files.

use crate::support::*;
use wasip2::filesystem::types::filesystem_error_code;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

pub const CASES: &[Case] = &[
    ("read-via-stream", read_via),
    ("read-via-stream-end", read_end),
    ("write-via-stream", write_via),
    ("append-via-stream", append_via),
    ("streams-are-independent", independent),
    ("stream-splice", splice),
    ("stream-failure", failure),
    ("stream-outlives-descriptor", outlives),
    ("stream-of-a-growing-file", growing),
];

/// Reads to the end.
fn rest(stream: &InputStream) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => return all,
            Err(e) => wasi_conformance::fail(file!(), line!(), &format!("{e:?}")),
        }
    }
}

fn put(stream: &OutputStream, data: &[u8]) {
    for part in data.chunks(4096) {
        ok!(stream.blocking_write_and_flush(part));
    }
}

fn read_via() {
    let dir = work();
    let file = file(&dir, "a", b"hello world");
    check_eq!(rest(&ok!(file.read_via_stream(0))), b"hello world");
    check_eq!(rest(&ok!(file.read_via_stream(6))), b"world");
    let stream = ok!(file.read_via_stream(0));
    check_eq!(ok!(stream.blocking_read(5)), b"hello");
    check_eq!(ok!(stream.blocking_skip(1)), 1);
    check_eq!(ok!(stream.blocking_read(5)), b"world");
    check!(ok!(file.read_via_stream(0)).subscribe().ready() || { ok!(file.read_via_stream(0)).subscribe().block(); true });
}

fn read_end() {
    let dir = work();
    let file = file(&dir, "a", b"hello");
    let stream = ok!(file.read_via_stream(5));
    check_err!(stream.blocking_read(1), StreamError::Closed);
    check_err!(stream.blocking_read(1), StreamError::Closed);
    check_err!(stream.blocking_skip(1), StreamError::Closed);
    check_err!(ok!(file.read_via_stream(1000)).blocking_read(1), StreamError::Closed);
    stream.subscribe().block();
}

fn write_via() {
    let dir = work();
    let file = file(&dir, "a", b"hello world");
    put(&ok!(file.write_via_stream(0)), b"J");
    put(&ok!(file.write_via_stream(6)), b"there");
    check_eq!(content(&file), b"Jello there");
    let stream = ok!(file.write_via_stream(13));
    put(&stream, b"one");
    put(&stream, b"two");
    check_eq!(content(&file), b"Jello there\0\0onetwo");
    let large = vec![7; 300_000];
    put(&ok!(file.write_via_stream(0)), &large);
    check!(content(&file) == large);
}

fn append_via() {
    let dir = work();
    let file = file(&dir, "a", b"one");
    let stream = ok!(file.append_via_stream());
    put(&stream, b"two");
    check_eq!(content(&file), b"onetwo");
    // The end is where it is at each write.
    check_eq!(ok!(file.write(b"three", 6)), 5);
    put(&stream, b"four");
    check_eq!(content(&file), b"onetwothreefour");
    ok!(file.set_size(3));
    put(&stream, b"!");
    check_eq!(content(&file), b"one!");
    let other = ok!(file.append_via_stream());
    put(&other, b"a");
    put(&stream, b"b");
    put(&other, b"c");
    check_eq!(content(&file), b"one!abc");
}

fn independent() {
    let dir = work();
    let file = file(&dir, "a", b"abcdef");
    let (one, two) = (ok!(file.read_via_stream(0)), ok!(file.read_via_stream(3)));
    check_eq!(ok!(one.blocking_read(2)), b"ab");
    check_eq!(ok!(two.blocking_read(2)), b"de");
    let (left, right) = (ok!(file.write_via_stream(0)), ok!(file.write_via_stream(4)));
    put(&left, b"1");
    put(&right, b"5");
    put(&left, b"2");
    put(&right, b"6");
    check_eq!(content(&file), b"12cd56");
    check_eq!(ok!(one.blocking_read(1)), b"c");
}

fn splice() {
    let dir = work();
    let from = file(&dir, "a", b"hello world");
    let to = file(&dir, "b", b"");
    let (source, target) = (ok!(from.read_via_stream(0)), ok!(to.write_via_stream(0)));
    let mut moved = 0;
    loop {
        match target.blocking_splice(&source, 4) {
            Ok(n) => {
                check!(n <= 4);
                moved += n;
            }
            Err(StreamError::Closed) => break,
            Err(e) => wasi_conformance::fail(file!(), line!(), &format!("{e:?}")),
        }
    }
    ok!(target.blocking_flush());
    check_eq!(moved, 11);
    check_eq!(content(&to), b"hello world");
}

fn failure() {
    let dir = work();
    let file = file(&dir, "a", b"x");
    // No file can be that large.
    let stream = match file.write_via_stream(u64::MAX) {
        Ok(stream) => stream,
        Err(e) => {
            check!(matches!(e, E::Invalid | E::Overflow | E::FileTooLarge));
            return;
        }
    };
    match stream.blocking_write_and_flush(b"y") {
        Err(StreamError::LastOperationFailed(error)) => {
            check!(matches!(filesystem_error_code(&error), Some(E::Invalid | E::Overflow | E::FileTooLarge)));
            check!(!error.to_debug_string().is_empty());
        }
        other => wasi_conformance::fail(file!(), line!(), &format!("{other:?}")),
    }
    // After a failure the stream is closed.
    check_err!(stream.check_write(), StreamError::Closed);
    check_err!(stream.blocking_write_and_flush(b"y"), StreamError::Closed);
    check_err!(stream.flush(), StreamError::Closed);
    check_err!(stream.blocking_flush(), StreamError::Closed);
    check!(stream.subscribe().ready());
    check_eq!(content(&file), b"x");
}

fn outlives() {
    let dir = work();
    let (input, output) = {
        let file = file(&dir, "a", b"hello");
        (ok!(file.read_via_stream(0)), ok!(file.write_via_stream(0)))
    };
    put(&output, b"J");
    check_eq!(rest(&input), b"Jello");
}

fn growing() {
    let dir = work();
    let file = file(&dir, "a", b"");
    let output = ok!(file.append_via_stream());
    put(&output, b"one");
    let input = ok!(file.read_via_stream(0));
    check_eq!(ok!(input.blocking_read(10)), b"one");
}
