//! A random module runs in the interpreter, as machine code, and in mixtures of both; results, traps and their backtraces, globals,
//! tables and memories must agree.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match tiers::random_module(bytes) {
        Some(wasm) => {
            tiers::compare(&wasm);
            Corpus::Keep
        }
        None => Corpus::Reject,
    }
});

#[path = "tiers/compare.rs"]
mod tiers;
