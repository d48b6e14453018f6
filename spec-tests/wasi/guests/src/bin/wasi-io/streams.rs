//! `wasi:io/streams` and `wasi:io/error`. Manifests give standard input the text that the cases name.

use wasi_conformance::net::{Pair, ShutdownType, pair, read_exactly};
use wasi_conformance::{Case, check, check_eq, check_err, check_traps, ok};
use wasip2::cli::stdin::get_stdin;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

pub const CASES: &[Case] = &[
    ("read-nothing", read_nothing),
    ("read-parts", read_parts),
    ("read-huge", read_huge),
    ("skip", skip),
    ("write-permitted", write_permitted),
    ("write-more-than-permitted", write_more),
    ("write-zeroes-more-than-permitted", write_zeroes_more),
    ("write-zeroes", write_zeroes),
    ("blocking-write", blocking_write),
    ("flush", flush),
    ("splice-bounds", splice_bounds),
    ("splice-end", splice_end),
    ("splice-file-to-connection", splice_mixed),
    ("forward", forward),
    ("output-closed", output_closed),
    ("input-closed", input_closed),
    ("error-to-debug-string", error_text),
];

fn file() -> Descriptor {
    let Some((dir, _)) = get_directories().into_iter().next() else {
        wasi_conformance::fail(file!(), line!(), "no directory is granted");
    };
    ok!(dir.open_at(PathFlags::empty(), "file", OpenFlags::CREATE, DescriptorFlags::READ | DescriptorFlags::WRITE))
}

fn output() -> (Descriptor, OutputStream) {
    let file = file();
    let stream = ok!(file.write_via_stream(0));
    (file, stream)
}

fn content(file: &Descriptor) -> Vec<u8> {
    let size = ok!(file.stat()).size;
    read_exactly(&ok!(file.read_via_stream(0)), size as usize)
}

/// Waits for a permit.
fn permit(stream: &OutputStream) -> u64 {
    loop {
        match ok!(stream.check_write()) {
            0 => stream.subscribe().block(),
            permit => return permit,
        }
    }
}

fn read_nothing() {
    let stdin = get_stdin();
    check_eq!(ok!(stdin.read(0)), b"");
    check_eq!(ok!(stdin.blocking_read(0)), b"");
    check_eq!(ok!(stdin.skip(0)), 0);
    check_eq!(read_exactly(&stdin, 11), b"hello world");
}

fn read_parts() {
    let stdin = get_stdin();
    let mut all = Vec::new();
    while all.len() < 11 {
        let bytes = ok!(stdin.blocking_read(3));
        check!(!bytes.is_empty() && bytes.len() <= 3);
        all.extend(bytes);
    }
    check_eq!(all, b"hello world");
    check_err!(stdin.blocking_read(3), StreamError::Closed);
}

fn read_huge() {
    let stdin = get_stdin();
    // No stream has that much, which is no reason to fail.
    let first = ok!(stdin.blocking_read(u64::MAX));
    check!(b"hello world".starts_with(&first) && !first.is_empty());
    let mut all = first;
    loop {
        match stdin.blocking_read(u64::MAX) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(e) => wasi_conformance::failed(file!(), line!(), "blocking-read", &e),
        }
    }
    check_eq!(all, b"hello world");
}

fn skip() {
    let stdin = get_stdin();
    let mut skipped = 0;
    while skipped < 6 {
        let n = ok!(stdin.blocking_skip(6 - skipped));
        check!(n > 0 && n <= 6 - skipped);
        skipped += n;
    }
    check_eq!(read_exactly(&stdin, 5), b"world");
    check_err!(stdin.blocking_skip(1), StreamError::Closed);
    check_err!(stdin.blocking_skip(u64::MAX), StreamError::Closed);
}

fn write_permitted() {
    let (file, stream) = output();
    let n = u64::min(permit(&stream), 5000);
    ok!(stream.write(&vec![1; n as usize]));
    ok!(stream.blocking_flush());
    permit(&stream);
    ok!(stream.write(b""));
    ok!(stream.blocking_flush());
    check_eq!(content(&file), vec![1; n as usize]);
}

/// A stream that permits less than all that there is.
fn bounded() -> (Pair, u64) {
    let pair = pair();
    let permit = permit(&pair.client_out);
    check!(permit < 1 << 30);
    (pair, permit)
}

fn write_more() {
    let (pair, permit) = bounded();
    let data = vec![0; permit as usize + 1];
    check_traps!(pair.client_out.write(&data));
}

fn write_zeroes_more() {
    let (pair, permit) = bounded();
    check_traps!(pair.client_out.write_zeroes(permit + 1));
}

fn write_zeroes() {
    let (file, stream) = output();
    ok!(stream.blocking_write_and_flush(b"abc"));
    let n = u64::min(permit(&stream), 100);
    ok!(stream.write_zeroes(n));
    ok!(stream.blocking_flush());
    permit(&stream);
    ok!(stream.write_zeroes(0));
    ok!(stream.blocking_write_zeroes_and_flush(4096));
    ok!(stream.blocking_write_zeroes_and_flush(0));
    ok!(stream.blocking_write_and_flush(b"d"));
    let mut expected = b"abc".to_vec();
    expected.extend(vec![0; n as usize + 4096]);
    expected.push(b'd');
    check_eq!(content(&file), expected);
}

fn blocking_write() {
    let (file, stream) = output();
    let data: Vec<u8> = (0..4096u32).map(|i| i as u8).collect();
    ok!(stream.blocking_write_and_flush(b""));
    ok!(stream.blocking_write_and_flush(&data));
    ok!(stream.blocking_write_and_flush(&data[..1]));
    check_eq!(content(&file), [&data[..], &data[..1]].concat());
}

fn flush() {
    let (file, stream) = output();
    // With nothing to flush, and more than once.
    ok!(stream.flush());
    ok!(stream.blocking_flush());
    permit(&stream);
    ok!(stream.write(b"x"));
    ok!(stream.flush());
    stream.subscribe().block();
    check!(ok!(stream.check_write()) > 0);
    check_eq!(content(&file), b"x");
}

fn splice_bounds() {
    let stdin = get_stdin();
    let (file, stream) = output();
    permit(&stream);
    check_eq!(ok!(stream.splice(&stdin, 0)), 0);
    let mut moved = 0;
    while moved < 5 {
        let n = ok!(stream.blocking_splice(&stdin, 5 - moved));
        check!(n <= 5 - moved);
        moved += n;
    }
    ok!(stream.blocking_flush());
    check_eq!(content(&file), b"hello");
    // What was not moved is still there.
    check_eq!(read_exactly(&stdin, 6), b" world");
}

fn splice_end() {
    let stdin = get_stdin();
    let (file, stream) = output();
    loop {
        match stream.blocking_splice(&stdin, u64::MAX) {
            Ok(_) => {}
            Err(StreamError::Closed) => break,
            Err(e) => wasi_conformance::failed(file!(), line!(), "blocking-splice", &e),
        }
    }
    ok!(stream.blocking_flush());
    check_eq!(content(&file), b"hello world");
    ok!(stream.blocking_write_and_flush(b"!"));
    check_eq!(content(&file), b"hello world!");
}

fn splice_mixed() {
    let pair = pair();
    let (file, stream) = output();
    ok!(stream.blocking_write_and_flush(b"from a file"));
    let source = ok!(file.read_via_stream(5));
    let mut moved = 0;
    while moved < 6 {
        moved += ok!(pair.client_out.blocking_splice(&source, 100));
    }
    ok!(pair.client_out.blocking_flush());
    check_eq!(read_exactly(&pair.server_in, 6), b"a file");
}

fn forward() {
    // From standard input through a connection into a file, until each has ended.
    let Pair { client_in: _client_in, client_out, server_in, server_out: _server_out, client, server: _server } = &pair();
    let (file, stream) = output();
    let all = |from: &InputStream, to: &OutputStream| loop {
        match to.blocking_splice(from, 4) {
            Ok(_) => {}
            Err(StreamError::Closed) => break ok!(to.blocking_flush()),
            Err(e) => wasi_conformance::failed(file!(), line!(), "blocking-splice", &e),
        }
    };
    all(&get_stdin(), client_out);
    ok!(client.shutdown(ShutdownType::Send));
    all(server_in, &stream);
    check_eq!(content(&file), b"hello world");
}

fn output_closed() {
    let pair = pair();
    ok!(pair.client.shutdown(ShutdownType::Send));
    let stream = &pair.client_out;
    check_err!(stream.check_write(), StreamError::Closed);
    check_err!(stream.flush(), StreamError::Closed);
    check_err!(stream.blocking_flush(), StreamError::Closed);
    check_err!(stream.blocking_write_and_flush(b"x"), StreamError::Closed);
    check_err!(stream.blocking_write_zeroes_and_flush(1), StreamError::Closed);
    check_err!(stream.splice(&pair.client_in, 1), StreamError::Closed);
    check!(stream.subscribe().ready());
    stream.subscribe().block();
}

fn input_closed() {
    let stdin = get_stdin();
    check_err!(stdin.blocking_read(1), StreamError::Closed);
    check_err!(stdin.read(1), StreamError::Closed);
    check_err!(stdin.blocking_skip(1), StreamError::Closed);
    check_err!(stdin.skip(1), StreamError::Closed);
    check!(stdin.subscribe().ready());
    // Another stream of the same input is at its end, too.
    check_err!(get_stdin().blocking_read(1), StreamError::Closed);
}

fn error_text() {
    let file = file();
    let stream = match file.write_via_stream(u64::MAX) {
        Ok(stream) => stream,
        Err(_) => return,
    };
    match stream.blocking_write_and_flush(b"x") {
        Err(StreamError::LastOperationFailed(error)) => {
            check!(!error.to_debug_string().is_empty());
            // The error outlives the stream.
            drop(stream);
            check!(!error.to_debug_string().is_empty());
        }
        other => wasi_conformance::fail(file!(), line!(), &format!("{other:?}")),
    }
}
