//! Runs every program on every engine and prints tables of times and ratios: the steady state, short runs from the
//! program's bytes to the result, and (with `--cached`) short runs with a cache of compiled code.
//!
//! usage: `cargo run --release -p wharf-bench --bin programs [-- OPTIONS] [PROGRAM...]`
//!
//! - `--write` puts the tables into `docs/benchmarks.md` and a summary into `README.md`, between their markers
//! - `--rounds N` takes medians of N rounds (default: 7)
//! - `--engines A,B,...` leaves out the others of wharf, interpreter, wasmtime, wasmi, wasm3
//! - `--only steady|short|cached` measures only that
//! - `--cached` measures runs with a cache too

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use wharf_bench::engines::{ENGINES, EngineKind};
use wharf_bench::once::{self, Once};
use wharf_bench::programs::{PROGRAMS, Program};
use wharf_bench::report::{cell, geometric_mean, median, ms, ratio, write_between};
use wharf_bench::steady;

const BEGIN: &str =
    "<!-- programs: begin (written by `cargo run --release -p wharf-bench --bin programs -- --write`) -->";
const END: &str = "<!-- programs: end -->";

struct Options {
    write: bool,
    rounds: usize,
    engines: Vec<EngineKind>,
    steady: bool,
    short: bool,
    cached: bool,
    programs: Vec<&'static Program>,
}

/// The times of a program, by engine in the order of [`ENGINES`].
struct Row {
    name: &'static str,
    steady: [Option<Duration>; ENGINES.len()],
    short: [Option<Once>; ENGINES.len()],
    cached: [Option<Once>; ENGINES.len()],
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, engine, program, cache @ ..] = &args[..]
        && flag == "--once"
    {
        let (Some(engine), Some(program)) = (EngineKind::named(engine), Program::named(program)) else {
            return ExitCode::from(2);
        };
        return finish(once::print(engine, program, cache.first().map(Path::new)));
    }
    finish(parse(args).and_then(run))
}

fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: Vec<String>) -> Result<Options, String> {
    let mut options = Options {
        write: false,
        rounds: 7,
        engines: ENGINES.to_vec(),
        steady: true,
        short: true,
        cached: false,
        programs: Vec::new(),
    };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--write" => options.write = true,
            "--cached" => options.cached = true,
            "--rounds" => options.rounds = value()?.parse().map_err(|_| "--rounds needs a number")?,
            "--only" => {
                let only = value()?;
                (options.steady, options.short, options.cached) =
                    (only == "steady", only == "short", only == "cached");
            }
            "--engines" => {
                let named = |name: &str| EngineKind::named(name).ok_or(format!("no engine {name}"));
                options.engines = value()?.split(',').map(named).collect::<Result<_, _>>()?;
            }
            name => options
                .programs
                .push(Program::named(name).ok_or(format!("no program {name}"))?),
        }
    }
    if options.programs.is_empty() {
        options.programs = PROGRAMS.iter().collect();
    }
    Ok(options)
}

fn run(options: Options) -> Result<(), String> {
    let mut rows = Vec::new();
    for program in &options.programs {
        let Some(wasm) = program.wasm() else {
            eprintln!(
                "{}: left out; benches/guests/build.sh --large builds it",
                program.name
            );
            continue;
        };
        eprintln!("{}", program.name);
        let mut row = Row {
            name: program.name,
            steady: [None; ENGINES.len()],
            short: [None; ENGINES.len()],
            cached: [None; ENGINES.len()],
        };
        if options.steady {
            let times = steady::measure(program, &wasm, &options.engines, options.rounds);
            place(&mut row.steady, &options.engines, times);
        }
        if options.short {
            place(
                &mut row.short,
                &options.engines,
                short(program, &wasm, &options, None),
            );
        }
        if options.cached {
            let cache = std::env::temp_dir().join(format!("wharf-bench-cache-{}", std::process::id()));
            std::fs::create_dir_all(&cache).map_err(|e| e.to_string())?;
            let times = short(program, &wasm, &options, Some(&cache));
            let _ = std::fs::remove_dir_all(&cache);
            place(&mut row.cached, &options.engines, times);
        }
        rows.push(row);
    }
    let tables = tables(&rows, &options);
    print!("{tables}");
    if options.write {
        write_between("docs/benchmarks.md", BEGIN, END, &tables).map_err(|e| e.to_string())?;
        write_between("README.md", BEGIN, END, &summary(&rows)).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn place<T>(row: &mut [Option<T>; ENGINES.len()], engines: &[EngineKind], values: Vec<Option<T>>) {
    for (engine, value) in engines.iter().zip(values) {
        if let Some(slot) = ENGINES.iter().position(|e| e == engine) {
            row[slot] = value;
        }
    }
}

/// Medians of short runs, engines taking turns. A cache is filled before the first round.
fn short(program: &Program, wasm: &[u8], options: &Options, cache: Option<&Path>) -> Vec<Option<Once>> {
    let engines = &options.engines;
    let mut runs: Vec<Vec<Once>> = vec![Vec::new(); engines.len()];
    let folder = |engine: EngineKind| cache.map(|c| c.join(engine.name()));
    if cache.is_some() {
        for engine in engines {
            let folder = folder(*engine);
            // Wharf keeps what has become hot; it is written when the module is dropped.
            if let Ok(mut instance) = engine.try_instantiate(wasm.to_vec(), folder.as_deref()) {
                steady::warm_up(*engine, program, instance.as_mut());
            }
        }
    }
    for round in 0..options.rounds {
        for slot in 0..engines.len() {
            let slot = (slot + round) % engines.len();
            runs[slot].extend(once::spawn(
                engines[slot],
                program,
                folder(engines[slot]).as_deref(),
            ));
        }
    }
    let expected = runs.iter().flatten().map(|r| r.result).next();
    let agree = runs.iter().flatten().all(|r| Some(r.result) == expected);
    assert!(agree, "{}: the engines disagree: {runs:?}", program.name);
    let middle = |runs: Vec<Once>| {
        let rss = runs.iter().map(|r| r.rss).max().flatten();
        Some(Once {
            result: runs.first()?.result,
            wall: median(runs.iter().map(|r| r.wall).collect())?,
            cpu: median(runs.iter().map(|r| r.cpu).collect())?,
            rss,
        })
    };
    runs.into_iter().map(middle).collect()
}

const WHARF: usize = 0;
const INTERPRETER: usize = 1;
const WASMTIME: usize = 2;
const WASMI: usize = 3;
const WASM3: usize = 4;

fn tables(rows: &[Row], options: &Options) -> String {
    let mut out = format!(
        "Medians of {} interleaved rounds. A ratio above 1 means that Wharf is faster; a dash, that the engine can't run the \
         program (wasm3, and wasmi as it is by default, have no SIMD; neither runs components) or was left out.\n",
        options.rounds
    );
    if options.steady {
        out.push_str("\nSteady state, milliseconds per run:\n\n");
        out.push_str(&steady_table(rows));
    }
    if options.short {
        out.push_str("\nOne short run in a fresh process, from the program's bytes to the result, compilation included, no cache:\n\n");
        out.push_str(&short_table(rows, |r| &r.short));
    }
    if options.cached {
        out.push_str("\nThe same with a cache of compiled code that earlier runs have filled:\n\n");
        out.push_str(&short_table(rows, |r| &r.cached));
    }
    out
}

fn steady_table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| Program | Wharf | its interpreter | Wasmtime | wasmi | wasm3 | Wasmtime / Wharf | wasmi / Wharf | wasm3 / Wharf |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let times = row.steady.map(|t| cell(t.map(ms), 1)).join(" | ");
        let ratios = [WASMTIME, WASMI, WASM3].map(|e| cell(ratio(row.steady[e], row.steady[WHARF]), 2));
        out.push_str(&format!("| {} | {times} | {} |\n", row.name, ratios.join(" | ")));
    }
    let means = [WASMTIME, WASMI, WASM3].map(|e| {
        let mean = geometric_mean(rows.iter().map(|r| ratio(r.steady[e], r.steady[WHARF])));
        format!("**{}**", cell(mean, 2))
    });
    out.push_str(&format!(
        "| **geometric mean** | | | | | | {} |\n",
        means.join(" | ")
    ));
    out.push_str(&worst(rows, "steady state", |r| {
        ratio(r.steady[WASMTIME], r.steady[WHARF])
    }));
    out
}

fn short_table(rows: &[Row], of: fn(&Row) -> &[Option<Once>; ENGINES.len()]) -> String {
    let mut out = String::from(
        "| Program | Wharf: ms | CPU ms | MiB | Wasmtime: ms | CPU ms | MiB | Wharf's interpreter: ms | wasmi: ms | wasm3: ms \
         | Wasmtime / Wharf: time | CPU | memory |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let wall = |r: &Row, e: usize| of(r)[e].map(|o| o.wall);
    let cpu = |r: &Row, e: usize| of(r)[e].map(|o| o.cpu);
    let rss = |r: &Row, e: usize| of(r)[e].and_then(|o| o.rss).map(|kib| kib as f64 / 1024.0);
    let ratios = |r: &Row| {
        [
            ratio(wall(r, WASMTIME), wall(r, WHARF)),
            ratio(cpu(r, WASMTIME), cpu(r, WHARF)),
            rss(r, WASMTIME).zip(rss(r, WHARF)).map(|(a, b)| a / b),
        ]
    };
    for row in rows {
        let mut cells = Vec::new();
        for engine in [WHARF, WASMTIME] {
            cells.push(cell(wall(row, engine).map(ms), 1));
            cells.push(cell(cpu(row, engine).map(ms), 1));
            cells.push(cell(rss(row, engine), 1));
        }
        cells.extend([INTERPRETER, WASMI, WASM3].map(|e| cell(wall(row, e).map(ms), 1)));
        cells.extend(ratios(row).map(|r| cell(r, 2)));
        out.push_str(&format!("| {} | {} |\n", row.name, cells.join(" | ")));
    }
    let means = [0, 1, 2].map(|i| {
        format!(
            "**{}**",
            cell(geometric_mean(rows.iter().map(|r| ratios(r)[i])), 2)
        )
    });
    out.push_str(&format!(
        "| **geometric mean** | | | | | | | | | | {} |\n",
        means.join(" | ")
    ));
    out.push_str(&worst(rows, "time", |r| ratios(r)[0]));
    out
}

/// A sentence that names the smallest ratio.
fn worst(rows: &[Row], what: &str, of: impl Fn(&Row) -> Option<f64>) -> String {
    let ratios = rows.iter().filter_map(|r| Some((r.name, of(r)?)));
    match ratios.min_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((name, ratio)) => format!("\nSmallest Wasmtime / Wharf ratio, {what}: {ratio:.2} ({name}).\n"),
        None => String::new(),
    }
}

/// The table of the README: Wharf against Wasmtime.
fn summary(rows: &[Row]) -> String {
    let mut out = String::from(
        "| Program | Wharf, steady ms | Wasmtime, steady ms | Wasmtime / Wharf, steady state | Wasmtime / Wharf, short run |\n\
         |---|---:|---:|---:|---:|\n",
    );
    let steady = |r: &Row| ratio(r.steady[WASMTIME], r.steady[WHARF]);
    let short = |r: &Row| ratio(r.short[WASMTIME].map(|o| o.wall), r.short[WHARF].map(|o| o.wall));
    for row in rows {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            row.name,
            cell(row.steady[WHARF].map(ms), 1),
            cell(row.steady[WASMTIME].map(ms), 1),
            cell(steady(row), 2),
            cell(short(row), 2),
        ));
    }
    out.push_str(&format!(
        "| **geometric mean** | | | **{}** | **{}** |\n",
        cell(geometric_mean(rows.iter().map(steady)), 2),
        cell(geometric_mean(rows.iter().map(short)), 2),
    ));
    out
}
