//! What goes over connections, and how they end.

use wasi_conformance::net::*;
use wasi_conformance::{Case, check, check_eq, check_err, ok};
use wasip2::io::streams::StreamError;

pub const CASES: &[Case] = &[
    ("tcp-data", data),
    ("tcp-no-data-yet", no_data_yet),
    ("tcp-large", large),
    ("tcp-back-pressure", back_pressure),
    ("tcp-shutdown-send", shutdown_send),
    ("tcp-shutdown-receive", shutdown_receive),
    ("tcp-shutdown-both", shutdown_both),
    ("tcp-peer-closes", peer_closes),
    ("tcp-splice", splice),
];

fn data() {
    let pair = pair();
    ok!(pair.client_out.blocking_write_and_flush(b"ping"));
    check_eq!(read_exactly(&pair.server_in, 4), b"ping");
    ok!(pair.server_out.blocking_write_and_flush(b"pong!"));
    check_eq!(ok!(pair.client_in.blocking_read(4)), b"pong");
    check_eq!(ok!(pair.client_in.blocking_skip(1)), 1);
    ok!(pair.client_out.blocking_write_zeroes_and_flush(3));
    check_eq!(read_exactly(&pair.server_in, 3), [0, 0, 0]);
}

fn no_data_yet() {
    let pair = pair();
    check_eq!(ok!(pair.client_in.read(10)), b"");
    check_eq!(ok!(pair.client_in.skip(10)), 0);
    let ready = pair.client_in.subscribe();
    check_quiet(&pair.client_in, &ready);
    ok!(pair.server_out.blocking_write_and_flush(b"x"));
    ready.block();
    check!(ready.ready());
    check_eq!(ok!(pair.client_in.read(0)), b"");
    check_eq!(ok!(pair.client_in.read(10)), b"x");
    check_quiet(&pair.client_in, &ready);
}

fn large() {
    let pair = pair();
    let data: Vec<u8> = (0..1_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (mut sent, mut received) = (0, Vec::new());
    let (writable, readable) = (pair.client_out.subscribe(), pair.server_in.subscribe());
    while received.len() < data.len() {
        if sent < data.len() {
            wasip2::io::poll::poll(&[&writable, &readable]);
            let permit = usize::min(ok!(pair.client_out.check_write()) as usize, data.len() - sent);
            ok!(pair.client_out.write(&data[sent..sent + permit]));
            sent += permit;
        } else {
            readable.block();
        }
        received.extend(ok!(pair.server_in.read(1 << 16)));
    }
    check!(received == data);
}

fn back_pressure() {
    let pair = pair();
    let part = vec![1; 1 << 16];
    let mut sent = 0u64;
    loop {
        let permit = usize::min(ok!(pair.client_out.check_write()) as usize, part.len());
        if permit == 0 {
            // Busy for a moment, or for as long as nobody reads.
            let pause = wasip2::clocks::monotonic_clock::subscribe_duration(50_000_000);
            let ready = pair.client_out.subscribe();
            if !wasip2::io::poll::poll(&[&ready, &pause]).contains(&0) {
                break;
            }
            continue;
        }
        ok!(pair.client_out.write(&part[..permit]));
        sent += permit as u64;
        check!(sent < 1 << 28);
    }
    check!(!pair.client_out.subscribe().ready());
    let mut received = 0;
    while received < sent {
        received += ok!(pair.server_in.blocking_skip(1 << 16));
    }
    pair.client_out.subscribe().block();
    check!(ok!(pair.client_out.check_write()) > 0);
    check_eq!(received, sent);
}

fn shutdown_send() {
    let pair = pair();
    ok!(pair.client_out.blocking_write_and_flush(b"last"));
    ok!(pair.client.shutdown(ShutdownType::Send));
    check_err!(pair.client_out.check_write(), StreamError::Closed);
    check_err!(pair.client_out.blocking_write_and_flush(b"x"), StreamError::Closed);
    check!(pair.client_out.subscribe().ready());
    // What was sent before arrives, then the end.
    check_eq!(read_exactly(&pair.server_in, 100), b"last");
    check_err!(pair.server_in.blocking_read(1), StreamError::Closed);
    // The other direction goes on; a second time changes nothing.
    ok!(pair.client.shutdown(ShutdownType::Send));
    ok!(pair.server_out.blocking_write_and_flush(b"reply"));
    check_eq!(read_exactly(&pair.client_in, 5), b"reply");
}

fn shutdown_receive() {
    let pair = pair();
    ok!(pair.client.shutdown(ShutdownType::Receive));
    ok!(pair.client.shutdown(ShutdownType::Receive));
    check_err!(pair.client_in.blocking_read(1), StreamError::Closed);
    check_err!(pair.client_in.read(1), StreamError::Closed);
    check!(pair.client_in.subscribe().ready());
    ok!(pair.client_out.blocking_write_and_flush(b"still"));
    check_eq!(read_exactly(&pair.server_in, 5), b"still");
}

fn shutdown_both() {
    let pair = pair();
    ok!(pair.client.shutdown(ShutdownType::Both));
    check_err!(pair.client_in.blocking_read(1), StreamError::Closed);
    check_err!(pair.client_out.check_write(), StreamError::Closed);
    check_err!(pair.server_in.blocking_read(1), StreamError::Closed);
    ok!(pair.client.shutdown(ShutdownType::Both));
    ok!(pair.client.local_address());
}

fn peer_closes() {
    let Pair { client_in, client_out, server_in, server_out, client, server } = pair();
    ok!(server_out.blocking_write_and_flush(b"bye"));
    drop((server_in, server_out));
    drop(server);
    check_eq!(read_exactly(&client_in, 100), b"bye");
    check_err!(client_in.blocking_read(1), StreamError::Closed);
    check_err!(client_in.read(1), StreamError::Closed);
    check_err!(client_in.skip(1), StreamError::Closed);
    check!(client_in.subscribe().ready());
    // Writing fails after a while, and for good.
    let mut ended = false;
    for _ in 0..1000 {
        if client_out.blocking_write_and_flush(b"anyone?").is_err() {
            ended = true;
            break;
        }
    }
    check!(ended);
    check_err!(client_out.check_write(), StreamError::Closed);
    check!(client_out.subscribe().ready());
    drop((client_in, client_out));
    drop(client);
}

fn splice() {
    let (one, two) = (pair(), pair());
    check_eq!(ok!(two.client_out.splice(&one.server_in, 100)), 0);
    ok!(one.client_out.blocking_write_and_flush(b"forward this"));
    let mut moved = 0;
    while moved < 12 {
        moved += ok!(two.client_out.blocking_splice(&one.server_in, 5));
    }
    ok!(two.client_out.blocking_flush());
    check_eq!(read_exactly(&two.server_in, 12), b"forward this");
    ok!(one.client.shutdown(ShutdownType::Send));
    check_err!(two.client_out.blocking_splice(&one.server_in, 5), StreamError::Closed);
    // The end of the source is not that of the target.
    ok!(two.client_out.blocking_write_and_flush(b"more"));
    check_eq!(read_exactly(&two.server_in, 4), b"more");
    ok!(two.client.shutdown(ShutdownType::Send));
    ok!(two.server_out.blocking_write_and_flush(b"x"));
    check_err!(two.client_out.blocking_splice(&two.client_in, 1), StreamError::Closed);
}
