//! A short run from start to end: from a program's bytes to the result of one call, by a fresh engine in a fresh
//! process.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::engines::EngineKind;
use crate::programs::Program;
use crate::wasm3;

/// What a short run took.
#[derive(Clone, Copy, Debug)]
pub struct Once {
    /// The program's result.
    pub result: i64,
    /// From the bytes to the result.
    pub wall: Duration,
    /// The processor time of all of the process's threads in the meantime.
    pub cpu: Duration,
    /// The process's largest resident size in KiB, where the system tells.
    pub rss: Option<u64>,
}

impl Once {
    /// Reads the line that [`print`] or wasm3's runner writes.
    pub fn parse(line: &str) -> Option<Once> {
        let mut fields = line.split_whitespace();
        let result = fields.next()?.parse().ok()?;
        let wall = Duration::from_nanos(fields.next()?.parse().ok()?);
        let cpu = Duration::from_nanos(fields.next()?.parse().ok()?);
        let rss = fields.next().and_then(|f| f.parse().ok());
        Some(Once {
            result,
            wall,
            cpu,
            rss,
        })
    }
}

/// Makes the run in this process and prints the measurement.
///
/// # Errors
/// When the program has not been built, or the engine refuses it.
pub fn print(engine: EngineKind, program: &Program, cache: Option<&Path>) -> Result<(), String> {
    let wasm = program.wasm().ok_or("not built")?;
    let cpu = cpu_time();
    let start = Instant::now();
    let mut instance = engine.try_instantiate(wasm, cache)?;
    let result = instance.call(program.export, program.short);
    let (wall, cpu) = (start.elapsed(), cpu_time() - cpu);
    let rss = peak_rss().map_or(String::new(), |r| r.to_string());
    println!("{result} {} {} {rss}", wall.as_nanos(), cpu.as_nanos());
    Ok(())
}

/// Makes the run in a new process, by this program with the arguments `--once ENGINE PROGRAM [CACHE]`; nothing if it
/// fails.
pub fn spawn(engine: EngineKind, program: &Program, cache: Option<&Path>) -> Option<Once> {
    if engine == EngineKind::Wasm3 {
        return Once::parse(&wasm3::once(&program.path(), program.export, program.short)?);
    }
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--once", engine.name(), program.name])
        .args(cache)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Once::parse(&String::from_utf8_lossy(&output.stdout))
}

/// The processor time of all threads of this process so far.
fn cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// The largest resident size of this process so far in KiB. The kernel's figure for children would count what the
/// parent had at the fork.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
