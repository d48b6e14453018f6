//! Cases of `wasi:clocks`.

use std::process::ExitCode;
use wasi_conformance::{Case, check, check_eq};
use wasip2::clocks::{monotonic_clock, wall_clock};
use wasip2::io::poll::poll;

const CASES: &[Case] = &[
    ("monotonic-now", monotonic_now),
    ("monotonic-resolution", monotonic_resolution),
    ("subscribe-duration", subscribe_duration),
    ("subscribe-duration-from-the-call", from_the_call),
    ("subscribe-duration-bounds", duration_bounds),
    ("subscribe-instant", subscribe_instant),
    ("subscribe-instant-bounds", instant_bounds),
    ("many-timers", many_timers),
    ("wall-now", wall_now),
    ("wall-resolution", wall_resolution),
    ("clocks-agree", agree),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

fn monotonic_now() {
    let mut last = monotonic_clock::now();
    for _ in 0..10_000 {
        let now = monotonic_clock::now();
        check!(now >= last);
        last = now;
    }
    let start = monotonic_clock::now();
    monotonic_clock::subscribe_duration(1_000_000).block();
    check!(monotonic_clock::now() > start);
}

fn monotonic_resolution() {
    let resolution = monotonic_clock::resolution();
    check!(resolution > 0);
    check_eq!(monotonic_clock::resolution(), resolution);
}

fn subscribe_duration() {
    for nanos in [1, 1_000, 1_000_000, 30_000_000] {
        let start = monotonic_clock::now();
        let timer = monotonic_clock::subscribe_duration(nanos);
        timer.block();
        check!(monotonic_clock::now() - start >= nanos);
        check!(timer.ready());
    }
}

fn from_the_call() {
    // The time begins with the call, not with the first look at what it gave.
    let timer = monotonic_clock::subscribe_duration(10_000_000);
    monotonic_clock::subscribe_duration(40_000_000).block();
    let start = monotonic_clock::now();
    timer.block();
    check!(timer.ready());
    check!(monotonic_clock::now() - start < 10_000_000_000);
    let timer = monotonic_clock::subscribe_duration(10_000_000);
    monotonic_clock::subscribe_duration(40_000_000).block();
    check!(timer.ready());
}

fn duration_bounds() {
    let zero = monotonic_clock::subscribe_duration(0);
    zero.block();
    check!(zero.ready());
    // So long that it is never over, whatever the clock reads now.
    let longest = monotonic_clock::subscribe_duration(u64::MAX);
    check!(!longest.ready());
    check_eq!(poll(&[&longest, &zero]), [1]);
    check!(!longest.ready());
}

fn subscribe_instant() {
    let at = monotonic_clock::now() + 20_000_000;
    let timer = monotonic_clock::subscribe_instant(at);
    timer.block();
    check!(monotonic_clock::now() >= at);
    check!(timer.ready());
}

fn instant_bounds() {
    let now = monotonic_clock::now();
    for at in [0, now] {
        let timer = monotonic_clock::subscribe_instant(at);
        timer.block();
        check!(timer.ready());
    }
    check!(!monotonic_clock::subscribe_instant(u64::MAX).ready());
    let start = monotonic_clock::now();
    let (past, future) = (monotonic_clock::subscribe_instant(0), monotonic_clock::subscribe_instant(u64::MAX));
    check_eq!(poll(&[&future, &past]), [1]);
    check!(monotonic_clock::now() - start < 10_000_000_000);
}

fn many_timers() {
    // They end in their own order, not in that of the list.
    let start = monotonic_clock::now();
    let timers: Vec<_> = (0..20).rev().map(|i| monotonic_clock::subscribe_instant(start + i * 3_000_000)).collect();
    for (i, timer) in timers.iter().enumerate().rev() {
        timer.block();
        check!(monotonic_clock::now() >= start + (19 - i as u64) * 3_000_000);
    }
    check!(timers.iter().all(|timer| timer.ready()));
}

fn wall_now() {
    let now = wall_clock::now();
    check!(now.nanoseconds < 1_000_000_000);
    // After this suite was written.
    check!(now.seconds > 1_700_000_000);
}

fn wall_resolution() {
    let resolution = wall_clock::resolution();
    check!(resolution.nanoseconds < 1_000_000_000);
    check!(resolution.seconds > 0 || resolution.nanoseconds > 0);
}

fn agree() {
    let nanos = |time: wall_clock::Datetime| u128::from(time.seconds) * 1_000_000_000 + u128::from(time.nanoseconds);
    let (wall, monotonic) = (nanos(wall_clock::now()), monotonic_clock::now());
    monotonic_clock::subscribe_duration(50_000_000).block();
    let passed = nanos(wall_clock::now()).saturating_sub(wall);
    let expected = u128::from(monotonic_clock::now() - monotonic);
    // Somebody may set the clock meanwhile, but not on a machine that runs tests.
    check!(passed > 10_000_000 && passed < expected + 60_000_000_000);
}
