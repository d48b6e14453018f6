//! Streams and pollables at their ends: errors, closed streams, full ones.

use wasi_conformance::net::{E, Family, ShutdownType, bind, instance, loopback, pair, read_exactly, tcp};
use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::cli::stdin::get_stdin;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};
use wasip2::io::poll::poll;
use wasip2::io::streams::{OutputStream, StreamError};

pub const CASES: &[Case] = &[
    ("poll-errors", errors),
    ("read-nothing-at-the-end", read_nothing),
    ("write-after-close", write_after_close),
    ("blocking-flush-ready", flush_ready),
    ("splice-without-room", splice_without_room),
    ("splice-errors", splice_errors),
];

/// Much longer than any case takes.
const NEVER: u64 = 1_000_000_000_000_000;

fn errors() {
    // What fails is ready, so that the failure is seen.
    let nobody = {
        let socket = tcp(Family::Ipv4);
        ok!(bind(&socket, loopback(Family::Ipv4, 0)));
        ok!(socket.local_address())
    };
    let socket = tcp(Family::Ipv4);
    ok!(socket.start_connect(&instance(), nobody));
    let (ready, never) = (socket.subscribe(), subscribe_duration(NEVER));
    check_eq!(poll(&[&never, &ready]), [1]);
    check_err!(socket.finish_connect(), E::ConnectionRefused);
    let pair = pair();
    ok!(pair.client.shutdown(ShutdownType::Both));
    for ready in [pair.client_in.subscribe(), pair.client_out.subscribe(), pair.server_in.subscribe()] {
        check_eq!(poll(&[&never, &ready]), [1]);
    }
}

fn read_nothing() {
    let stdin = get_stdin();
    check_err!(stdin.blocking_read(1), StreamError::Closed);
    // Asking for nothing tells whether the stream is open.
    check_err!(stdin.read(0), StreamError::Closed);
    check_err!(stdin.skip(0), StreamError::Closed);
}

fn write_after_close() {
    // A permit does not hold beyond the end of the stream.
    let one = pair();
    check!(ok!(one.client_out.check_write()) > 0);
    ok!(one.client.shutdown(ShutdownType::Send));
    check_err!(one.client_out.write(b"x"), StreamError::Closed);
    let two = pair();
    check!(ok!(two.client_out.check_write()) > 0);
    ok!(two.client.shutdown(ShutdownType::Send));
    check_err!(two.client_out.write_zeroes(1), StreamError::Closed);
    check_eq!(read_exactly(&two.server_in, 1), b"");
}

fn flush_ready() {
    let pair = pair();
    let Some((dir, _)) = get_directories().into_iter().next() else {
        wasi_conformance::fail(file!(), line!(), "no directory is granted");
    };
    let file = ok!(dir.open_at(PathFlags::empty(), "file", OpenFlags::CREATE, DescriptorFlags::READ | DescriptorFlags::WRITE));
    let check_ready = |stream: &OutputStream| {
        while ok!(stream.check_write()) == 0 {
            stream.subscribe().block();
        }
        ok!(stream.write(b"abc"));
        ok!(stream.blocking_flush());
        // There is nothing left to wait for.
        check!(ok!(stream.check_write()) > 0);
        check!(stream.subscribe().ready());
        ok!(stream.blocking_write_and_flush(b"def"));
        check!(ok!(stream.check_write()) > 0);
    };
    check_ready(&ok!(file.write_via_stream(0)));
    check_eq!(ok!(file.stat()).size, 6);
    check_ready(&pair.client_out);
    check_eq!(read_exactly(&pair.server_in, 6), b"abcdef");
}

fn splice_without_room() {
    let stdin = get_stdin();
    let pair = pair();
    let part = vec![1; 1 << 16];
    let mut sent = 0u64;
    loop {
        let room = usize::min(ok!(pair.client_out.check_write()) as usize, part.len());
        if room > 0 {
            ok!(pair.client_out.write(&part[..room]));
        }
        sent += room as u64;
        check!(sent < 1 << 28);
        // Busy for a moment, or for as long as nobody reads.
        let (ready, pause) = (pair.client_out.subscribe(), subscribe_duration(50_000_000));
        if room == 0 && !poll(&[&ready, &pause]).contains(&0) {
            break;
        }
    }
    check_eq!(ok!(pair.client_out.splice(&stdin, 5)), 0);
    // Nothing was taken from the source, nor is anything lost.
    let mut skipped = 0;
    while skipped < sent {
        skipped += ok!(pair.server_in.blocking_skip(sent - skipped));
    }
    let mut moved = 0;
    while moved < 11 {
        moved += ok!(pair.client_out.blocking_splice(&stdin, 11 - moved));
    }
    ok!(pair.client_out.blocking_flush());
    check_eq!(read_exactly(&pair.server_in, 11), b"hello world");
}

fn splice_errors() {
    // That the target is at its end comes before anything about the source.
    let stdin = get_stdin();
    let pair = pair();
    ok!(pair.client.shutdown(ShutdownType::Send));
    check_err!(pair.client_out.splice(&stdin, 5), StreamError::Closed);
    check_err!(pair.client_out.blocking_splice(&stdin, 5), StreamError::Closed);
    check_eq!(read_exactly(&stdin, 11), b"hello world");
    check_err!(pair.server_out.blocking_splice(&stdin, 5), StreamError::Closed);
    // And that end is not the target's.
    ok!(pair.server_out.blocking_write_and_flush(b"still open"));
    check_eq!(read_exactly(&pair.client_in, 10), b"still open");
}
