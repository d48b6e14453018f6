//! Runs every kernel on Wharf's interpreter and its peers, interleaved, and prints a table of median times and ratios.
//!
//! usage: `cargo run --release -p wharf-bench --bin compare [-- --write] [--rounds N] [KERNEL...]`. With `--write` the
//! table goes into `docs/benchmarks.md` and `README.md`, between their markers.

use std::time::{Duration, Instant};

use wharf_bench::engines::INTERPRETERS;
use wharf_bench::kernels::{KERNELS, Kernel};
use wharf_bench::report::{ms, write_between};

const BEGIN: &str =
    "<!-- kernels: begin (written by `cargo run --release -p wharf-bench --bin compare -- --write`) -->";
const END: &str = "<!-- kernels: end -->";

fn main() -> std::io::Result<()> {
    let mut write = false;
    let mut rounds = 9;
    let mut names = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--write" => write = true,
            "--rounds" => rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(rounds).max(1),
            _ => names.push(arg),
        }
    }
    let chosen: Vec<&Kernel> = KERNELS
        .iter()
        .filter(|k| names.is_empty() || names.iter().any(|n| n == k.name))
        .collect();
    let rows: Vec<(&str, [Duration; 3])> = chosen.iter().map(|k| (k.name, measure(k, rounds))).collect();
    let table = table(&rows, rounds);
    print!("{table}");
    if write {
        for file in ["docs/benchmarks.md", "README.md"] {
            write_between(file, BEGIN, END, &table)?;
        }
    }
    Ok(())
}

/// The median times of a kernel, in the order of [`INTERPRETERS`]. Every round runs each engine once, so that a change of
/// the machine's speed meets all of them.
fn measure(kernel: &Kernel, rounds: usize) -> [Duration; 3] {
    let wasm = kernel.wasm();
    let mut instances = INTERPRETERS.map(|e| e.instantiate(&wasm));
    // Also the check that the engines agree.
    let results: Vec<i64> = instances
        .iter_mut()
        .map(|i| i.call(kernel.export, kernel.args))
        .collect();
    assert!(
        results.iter().all(|r| *r == results[0]),
        "{}: results differ: {results:?}",
        kernel.name
    );
    let mut times: [Vec<Duration>; 3] = Default::default();
    for round in 0..rounds {
        for slot in 0..INTERPRETERS.len() {
            let slot = (slot + round) % INTERPRETERS.len();
            let start = Instant::now();
            instances[slot].call(kernel.export, kernel.args);
            times[slot].push(start.elapsed());
        }
    }
    times.map(|mut t| {
        t.sort();
        t[t.len() / 2]
    })
}

fn table(rows: &[(&str, [Duration; 3])], rounds: usize) -> String {
    let mut out = format!(
        "Times in milliseconds, medians of {rounds} interleaved rounds; a ratio above 1 means that Wharf is faster.\n\n\
         | Kernel | Wharf | wasmi | Wasmtime | wasmi / Wharf | Wasmtime / Wharf |\n|---|---:|---:|---:|---:|---:|\n"
    );
    let mut logs = [0.0; 2];
    for (name, [wharf, wasmi, wasmtime]) in rows {
        let ratios = [ms(*wasmi) / ms(*wharf), ms(*wasmtime) / ms(*wharf)];
        for (log, ratio) in logs.iter_mut().zip(ratios) {
            *log += ratio.ln();
        }
        out.push_str(&format!(
            "| {name} | {:.1} | {:.1} | {:.1} | {:.2} | {:.3} |\n",
            ms(*wharf),
            ms(*wasmi),
            ms(*wasmtime),
            ratios[0],
            ratios[1]
        ));
    }
    let mean = |log: f64| (log / rows.len().max(1) as f64).exp();
    out.push_str(&format!(
        "| **geometric mean** | | | | **{:.2}** | **{:.3}** |\n",
        mean(logs[0]),
        mean(logs[1])
    ));
    out
}
