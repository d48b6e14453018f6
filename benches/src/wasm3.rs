//! wasm3, as a process of its own: `benches/wasm3/runner.c`, which `benches/wasm3/build.sh` builds.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::instance::Instance;

/// The runner, if it has been built.
fn runner() -> Result<PathBuf, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasm3/build/runner");
    if path.exists() {
        Ok(path)
    } else {
        Err("benches/wasm3/build.sh has not been run".to_owned())
    }
}

/// An argument; the runner wants two, and a function with one parameter ignores the second.
fn arg(args: &[i32], index: usize) -> i32 {
    args.get(index).copied().unwrap_or(0)
}

/// A module loaded in a process that runs wasm3.
pub struct Wasm3 {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    file: PathBuf,
}

impl Wasm3 {
    /// Starts a process and loads the module.
    ///
    /// # Errors
    /// When the runner has not been built or can't be started. Whether wasm3 takes the module shows at the first call.
    pub fn new(wasm: &[u8]) -> Result<Wasm3, String> {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let runner = runner()?;
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("wharf-bench-{}-{count}.wasm", std::process::id()));
        std::fs::write(&file, wasm).map_err(|e| e.to_string())?;
        let mut process = Command::new(runner)
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("no pipes".to_owned());
        };
        Ok(Wasm3 {
            process,
            requests,
            answers: BufReader::new(answers),
            file,
        })
    }
}

impl Instance for Wasm3 {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let answer = self.timed(export, args);
        answer.expect("the call succeeds on wasm3").0
    }

    fn timed(&mut self, export: &str, args: &[i32]) -> Option<(i64, Duration)> {
        writeln!(self.requests, "{export} {} {}", arg(args, 0), arg(args, 1)).ok()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).ok()?;
        let (result, ns) = answer.trim().split_once(' ')?;
        Some((result.parse().ok()?, Duration::from_nanos(ns.parse().ok()?)))
    }
}

impl Drop for Wasm3 {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Loads a module in a fresh process and calls an export once. Gives the line that the runner prints about it, nothing if
/// it can't be run.
pub fn once(file: &Path, export: &str, args: &[i32]) -> Option<String> {
    let output = Command::new(runner().ok()?)
        .arg(file)
        .args([export, &arg(args, 0).to_string(), &arg(args, 1).to_string()])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
