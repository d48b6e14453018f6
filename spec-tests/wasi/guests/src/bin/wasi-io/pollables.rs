//! `wasi:io/poll`.

use wasi_conformance::net::{check_quiet, pair};
use wasi_conformance::{Case, check, check_eq, check_traps, ok};
use wasip2::clocks::monotonic_clock::{now, subscribe_duration, subscribe_instant};
use wasip2::io::poll::{Pollable, poll};

pub const CASES: &[Case] = &[
    ("poll-ready", ready),
    ("poll-one-of-several", one_of_several),
    ("poll-several-ready", several_ready),
    ("poll-duplicates", duplicates),
    ("poll-earliest", earliest),
    ("poll-long-list", long_list),
    ("poll-with-a-timeout", with_timeout),
    ("poll-empty-list", empty_list),
    ("pollable-block", block),
    ("pollable-of-one-stream-twice", twice),
    ("pollable-reused", reused),
    ("pollable-dropped", dropped),
];

/// Much longer than any case takes.
const NEVER: u64 = 1_000_000_000_000_000;

fn ready() {
    let pollable = subscribe_duration(0);
    pollable.block();
    check!(pollable.ready());
    check_eq!(poll(&[&pollable]), [0]);
    check!(!subscribe_duration(NEVER).ready());
}

fn one_of_several() {
    let never: Vec<Pollable> = (0..4).map(|_| subscribe_duration(NEVER)).collect();
    let soon = subscribe_duration(1_000_000);
    for position in 0..=4 {
        let mut list: Vec<&Pollable> = never.iter().collect();
        list.insert(position, &soon);
        check_eq!(poll(&list), [position as u32]);
    }
}

fn several_ready() {
    let (one, two, never) = (subscribe_duration(0), subscribe_duration(0), subscribe_duration(NEVER));
    one.block();
    two.block();
    let mut ready = poll(&[&never, &one, &never, &two]);
    ready.sort_unstable();
    // All that are ready, or some of them, but no others and none twice.
    check!(!ready.is_empty() && ready.iter().all(|i| [1, 3].contains(i)));
    ready.dedup();
    check!(ready == [1, 3] || ready.len() == 1);
}

fn duplicates() {
    let (soon, never) = (subscribe_duration(0), subscribe_duration(NEVER));
    let mut ready = poll(&[&soon, &never, &soon, &never, &soon]);
    let len = ready.len();
    ready.sort_unstable();
    ready.dedup();
    check!(len > 0 && len == ready.len());
    check!(ready.iter().all(|i| [0, 2, 4].contains(i)));
}

fn earliest() {
    let start = now();
    let late = subscribe_instant(start + 10_000_000_000);
    let early = subscribe_instant(start + 20_000_000);
    check_eq!(poll(&[&late, &early]), [1]);
    check!(now() >= start + 20_000_000 && now() < start + 10_000_000_000);
    check!(early.ready() && !late.ready());
}

fn long_list() {
    let never: Vec<Pollable> = (0..2000).map(|_| subscribe_duration(NEVER)).collect();
    let soon = subscribe_duration(1_000_000);
    let mut list: Vec<&Pollable> = never.iter().collect();
    list.push(&soon);
    check_eq!(poll(&list), [2000]);
}

fn with_timeout() {
    let pair = pair();
    let (readable, timeout) = (pair.server_in.subscribe(), subscribe_duration(10_000_000));
    check_eq!(poll(&[&readable, &timeout]), [1]);
    ok!(pair.client_out.blocking_write_and_flush(b"x"));
    let timeout = subscribe_duration(NEVER);
    check_eq!(poll(&[&readable, &timeout]), [0]);
}

fn empty_list() {
    check_traps!(poll(&[]));
}

fn block() {
    let start = now();
    let pollable = subscribe_duration(20_000_000);
    pollable.block();
    check!(now() >= start + 20_000_000);
    check!(pollable.ready());
    // Blocking again does not wait again.
    pollable.block();
    check_eq!(poll(&[&pollable]), [0]);
}

fn twice() {
    let pair = pair();
    let (one, two) = (pair.server_in.subscribe(), pair.server_in.subscribe());
    check_quiet(&pair.server_in, &one);
    check!(!two.ready());
    ok!(pair.client_out.blocking_write_and_flush(b"x"));
    check!(!poll(&[&one, &two]).is_empty());
    one.block();
    two.block();
    drop(one);
    check!(two.ready());
    check_eq!(ok!(pair.server_in.read(1)), b"x");
    check_quiet(&pair.server_in, &two);
}

fn reused() {
    let pair = pair();
    let readable = pair.server_in.subscribe();
    for i in 0..10 {
        check_quiet(&pair.server_in, &readable);
        ok!(pair.client_out.blocking_write_and_flush(&[i]));
        readable.block();
        check_eq!(ok!(pair.server_in.read(10)), [i]);
    }
}

fn dropped() {
    for _ in 0..5000 {
        drop(subscribe_duration(NEVER));
    }
    let pair = pair();
    for _ in 0..5000 {
        drop(pair.server_in.subscribe());
    }
}
