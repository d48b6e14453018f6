//! The functions of the interface `work`.

use std::collections::BTreeMap;
use std::hint::black_box;

use crate::exports::wharf::guests::work::Guest;

impl Guest for crate::Library {
    fn fibonacci(n: u32) -> u64 {
        fn fibonacci(n: u32) -> u64 {
            if n < 2 { u64::from(n) } else { fibonacci(n - 1) + fibonacci(n - 2) }
        }
        fibonacci(n)
    }

    fn sort(mut v: Vec<i32>) -> Vec<i32> {
        v.sort_unstable();
        v
    }

    fn words(text: String) -> Vec<(String, u32)> {
        let mut counts = BTreeMap::<&str, u32>::new();
        for word in text.split_whitespace() {
            *counts.entry(word).or_default() += 1;
        }
        counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
    }

    fn hash(v: Vec<u8>) -> u64 {
        v.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    fn repeat(piece: String, times: u32) -> String {
        piece.repeat(times as usize)
    }

    fn divide(a: i32, b: i32) -> Result<i32, String> {
        a.checked_div(b).ok_or_else(|| format!("cannot divide {a} by {b}"))
    }

    fn trap(message: String) {
        panic!("{message}");
    }

    fn recurse() -> u32 {
        #[inline(never)]
        #[expect(unconditional_recursion)]
        fn deeper(depth: u32) -> u32 {
            let next = deeper(black_box(depth + 1));
            next ^ black_box(depth)
        }
        deeper(0)
    }

    fn allocate() -> u32 {
        loop {
            std::mem::forget(black_box(Vec::<u8>::with_capacity(1 << 20)));
        }
    }
}
