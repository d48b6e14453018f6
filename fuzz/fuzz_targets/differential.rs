//! A random module runs on Wharf and on wasmi; results, traps, globals and memories must agree.
#![no_main]

use libfuzzer_sys::{Corpus, arbitrary::Unstructured, fuzz_target};
use wasm_smith::{Config, Module};

/// Steps of the guest (calls and taken branches, in effect) before both sides are stopped.
const FUEL: u32 = 20_000;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    match run(bytes) {
        Some(()) => Corpus::Keep,
        None => Corpus::Reject,
    }
});

fn config(u: &mut Unstructured<'_>) -> Option<Config> {
    let mut config: Config = u.arbitrary().ok()?;
    config.allow_start_export = false;
    config.canonicalize_nans = true;
    config.disallow_traps = false;
    config.export_everything = true;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_page_sizes_enabled = false;
    config.wide_arithmetic_enabled = false;
    // Its results depend on the engine.
    config.relaxed_simd_enabled = false;
    config.max_imports = 0;
    config.max_memories = config.max_memories.min(2);
    config.max_tables = config.max_tables.min(2);
    config.max_memory32_bytes = 4 << 16;
    config.max_memory64_bytes = 4 << 16;
    config.max_table_elements = 1000;
    config.max_funcs = 12;
    config.max_instructions = 400;
    Some(config)
}

fn run(bytes: &[u8]) -> Option<()> {
    let mut u = Unstructured::new(bytes);
    let config = config(&mut u)?;
    let mut module = Module::new(config, &mut u).ok()?;
    // The module counts its own steps, so that both engines stop at the same place.
    module.ensure_termination(FUEL).ok()?;
    let wasm = module.to_bytes();
    differential::compare(&wasm);
    Some(())
}

#[path = "differential/compare.rs"]
mod differential;
