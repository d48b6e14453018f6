//! One call that never returns to its caller for ten seconds: how soon it runs at the speed of machine code.
//!
//! usage: `cargo run --release -p wharf-bench --bin osr [-- SECONDS]`
//!
//! The guest tells the host after each slice of its loop. Printed are the time from the start of the call to the first of
//! [`IN_A_ROW`] slices that are as fast as those of the second half, how long the compiler took for all it did, and how long
//! the whole call took with machine code from the start on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wharf::{Config, Engine, Linker, Module, Result, Store, Tier};
use wharf_bench::report::{median, ms};

/// A loop in which nothing is called, inside of one that tells the host.
const GUEST: &str = r#"(module
    (import "host" "slice" (func $slice))
    (func (export "run") (param $slices i32) (result i64)
        (local $i i32) (local $x i64)
        (loop $outer
            (local.set $i (i32.const 65536))
            (loop $inner
                (local.set $x (i64.add (i64.rotl (i64.mul (local.get $x) (i64.const 0x9e3779b97f4a7c15)) (i64.const 29))
                    (i64.extend_i32_u (local.get $i))))
                (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
            (call $slice)
            (br_if $outer (local.tee $slices (i32.sub (local.get $slices) (i32.const 1)))))
        (local.get $x)))"#;

/// So many slices must be fast: one may be so by chance.
const IN_A_ROW: usize = 10;

/// Runs so many slices; gives when each was done, from the start of the call on, and the time the compiler took.
fn run(tier: Tier, slices: usize) -> Result<(Vec<Duration>, Duration)> {
    let engine = Engine::new(Config::new().tier(tier))?;
    let module = Module::new(&engine, wat::parse_str(GUEST).map_err(wharf::Error::msg)?)?;
    let mut store = Store::new(&engine, ());
    let done = Arc::new(Mutex::new(Vec::with_capacity(slices)));
    let mut linker = Linker::new(&engine);
    let start = Instant::now();
    let ends = done.clone();
    linker.func_wrap("host", "slice", move || {
        ends.lock()
            .unwrap_or_else(|e| e.into_inner())
            .push(start.elapsed());
    })?;
    let instance = linker.instantiate(&mut store, &module)?;
    let func = instance.get_typed_func::<(i32,), (i64,)>(&store, "run")?;
    let before = start.elapsed();
    func.call(&mut store, (slices as i32,))?;
    let ends = done.lock().unwrap_or_else(|e| e.into_inner());
    Ok((
        ends.iter().map(|end| *end - before).collect(),
        engine.tier_stats().compile_time,
    ))
}

fn main() -> Result<()> {
    let seconds: f64 = std::env::args()
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(10.0);
    let (trial, _) = run(Tier::Eager, 1000)?;
    let slices = (seconds * 1000.0 / trial.last().map_or(1.0, Duration::as_secs_f64)) as usize;
    let (eager, _) = run(Tier::Eager, slices)?;
    let (tiered, compiling) = run(Tier::Tiered, slices)?;
    let took: Vec<Duration> = std::iter::once(&Duration::ZERO)
        .chain(&tiered)
        .zip(&tiered)
        .map(|(begin, end)| *end - *begin)
        .collect();
    let fast = median(took[slices / 2..].to_vec())
        .unwrap_or_default()
        .mul_f64(1.25);
    let first = took
        .windows(IN_A_ROW)
        .position(|w| w.iter().all(|slice| *slice <= fast));
    let total = |ends: &[Duration]| ends.last().map_or(0.0, Duration::as_secs_f64);
    match first {
        Some(first) => println!(
            "machine code after {:.1} ms ({first} slices)",
            ms(tiered[first] - took[first])
        ),
        None => println!("never as fast as at the end"),
    }
    println!("compiling took {:.1} ms", ms(compiling));
    println!(
        "the whole call: {:.3} s; with machine code from the start on: {:.3} s",
        total(&tiered),
        total(&eager)
    );
    Ok(())
}
