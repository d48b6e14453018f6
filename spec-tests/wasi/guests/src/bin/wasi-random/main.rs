//! Cases of `wasi:random`.

use std::process::ExitCode;
use wasi_conformance::{Case, check, check_eq};
use wasip2::random::{insecure, insecure_seed, random};

const CASES: &[Case] = &[
    ("random-lengths", lengths),
    ("random-fresh", fresh),
    ("random-spread", spread),
    ("random-large", large),
    ("insecure-lengths", insecure_lengths),
    ("insecure-spread", insecure_spread),
    ("insecure-seed", seed),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

const LENGTHS: [u64; 12] = [0, 1, 2, 3, 7, 8, 9, 255, 256, 4096, 65_536, 100_001];

fn lengths() {
    for len in LENGTHS {
        check_eq!(random::get_random_bytes(len).len() as u64, len);
    }
}

fn fresh() {
    let mut numbers: Vec<u64> = (0..100).map(|_| random::get_random_u64()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    check_eq!(numbers.len(), 100);
    check!(random::get_random_bytes(32) != random::get_random_bytes(32));
}

/// Whether every value of a byte is about as frequent as the others.
fn even(bytes: &[u8]) -> bool {
    let mut counts = [0usize; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let mean = bytes.len() / 256;
    counts.iter().all(|count| *count > mean / 2 && *count < mean * 2)
}

fn spread() {
    check!(even(&random::get_random_bytes(256 * 400)));
    let (or, and) = (0..100).fold((0, u64::MAX), |(or, and), _| {
        let number = random::get_random_u64();
        (or | number, and & number)
    });
    check_eq!((or, and), (u64::MAX, 0));
}

fn large() {
    let bytes = random::get_random_bytes(4 << 20);
    check_eq!(bytes.len(), 4 << 20);
    // The end is filled as well as the start.
    check!(bytes[bytes.len() - 64..].iter().any(|byte| *byte != 0));
    check!(even(&bytes));
}

fn insecure_lengths() {
    for len in LENGTHS {
        check_eq!(insecure::get_insecure_random_bytes(len).len() as u64, len);
    }
    check_eq!(insecure::get_insecure_random_bytes(4 << 20).len(), 4 << 20);
}

fn insecure_spread() {
    check!(even(&insecure::get_insecure_random_bytes(256 * 400)));
    let mut numbers: Vec<u64> = (0..100).map(|_| insecure::get_insecure_random_u64()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    check!(numbers.len() > 90);
}

fn seed() {
    // It may be the same each time, and may be anything.
    let (a, b) = (insecure_seed::insecure_seed(), insecure_seed::insecure_seed());
    check!(a == b || a != b);
}
