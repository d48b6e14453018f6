//! Flags of compiling: tiers, statistics, the cache, artifacts, profiles.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Adds up numbers in a call that goes on for some time, and ends with the sum as its status.
const MODULE: &str = r#"(module $sums
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "_start") (local $i i32) (local $sum i32)
        (loop $next
            (local.set $sum (call $add (local.get $sum) (i32.and (local.get $i) (i32.const 3))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const 1000000))))
        (call $exit (i32.rem_u (local.get $sum) (i32.const 97)))))"#;
const STATUS: i32 = 1_500_000 % 97;

/// A user with a home, in whose folder the command is run.
struct User(TempDir);

impl User {
    fn new() -> User {
        let user = User(tempfile::tempdir().unwrap());
        fs::write(user.path("sums.wat"), MODULE).unwrap();
        user
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_DATA_HOME")
            .env("HOME", self.0.path());
        command
    }

    fn wharf(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs the module in `file` and gives the statistics.
    #[track_caller]
    fn run(&self, flags: &[&str], file: &str) -> HashMap<String, f64> {
        let output = self.wharf(&[&["run", "--stats"], flags, &[file]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(STATUS), "{stderr}");
        let numbers = stderr.lines().filter_map(|line| line.split_once(": "));
        numbers
            .filter_map(|(name, number)| Some((name.to_string(), number.parse().ok()?)))
            .collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What has to be said without the compiler: so much, and no panic.
#[cfg(not(feature = "jit"))]
#[test]
fn builds_without_the_compiler_say_so() {
    let user = User::new();
    for args in [
        &["run", "--tier", "eager", "sums.wat"][..],
        &["run", "--cache", "sums.wat"],
        &["run", "--profile", "perfmap", "sums.wat"],
        &["compile", "sums.wat"],
    ] {
        let output = user.wharf(args);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("feature `jit`"), "{}", stderr(&output));
    }
    assert_eq!(user.run(&["--tier", "off"], "sums.wat")["compiled"], 0.0);
}

#[cfg(feature = "jit")]
mod with_compiler {
    use std::process::{Child, Stdio};

    use super::*;

    #[test]
    fn statistics_tell_what_the_tiers_did() {
        let user = User::new();
        let off = user.run(&["--tier", "off"], "sums.wat");
        assert_eq!(
            (off["translated"], off["compiled"], off["code-bytes"]),
            (2.0, 0.0, 0.0)
        );
        let eager = user.run(&["--tier", "eager"], "sums.wat");
        assert_eq!((eager["translated"], eager["compiled"]), (0.0, 2.0));
        assert!(eager["compile-seconds"] > 0.0 && eager["code-bytes"] > 0.0);
        let sync = user.run(&["--tier", "sync"], "sums.wat");
        assert!(sync["osr-entries"] >= 1.0 && sync["osr-compiled"] >= 1.0);
        let names = [
            "translated",
            "compiled",
            "loaded",
            "saved",
            "osr-compiled",
            "osr-entries",
            "failed",
            "waiting",
            "compile-seconds",
            "code-bytes",
        ];
        assert!(names.iter().all(|name| sync.contains_key(*name)), "{sync:?}");
        user.run(&["--tier", "tiered", "--compile-threads", "2"], "sums.wat");
    }

    #[test]
    fn the_cache_is_used_by_the_next_run() {
        let user = User::new();
        for (flag, folder) in [("--cache", ".cache/wharf"), ("--cache=here", "here")] {
            let first = user.run(&["--tier", "eager", flag], "sums.wat");
            assert_eq!(
                (first["compiled"], first["loaded"], first["saved"]),
                (2.0, 0.0, 2.0)
            );
            assert_eq!(fs::read_dir(user.path(folder)).unwrap().count(), 1);
            let second = user.run(&[flag], "sums.wat");
            assert_eq!(
                (second["compiled"], second["loaded"], second["saved"]),
                (0.0, 2.0, 0.0)
            );
        }
        // A folder that can't be made.
        let run = user.run(&["--tier", "eager", "--cache=sums.wat/x"], "sums.wat");
        assert_eq!((run["compiled"], run["saved"]), (2.0, 0.0));
    }

    #[test]
    fn processes_share_a_cache() {
        let user = User::new();
        let children: Vec<Child> = (0..6)
            .map(|_| {
                user.command(&["run", "--tier", "eager", "--cache=c", "sums.wat"])
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(STATUS));
        }
        assert_eq!(fs::read_dir(user.path("c")).unwrap().count(), 1);
        assert_eq!(user.run(&["--cache=c"], "sums.wat")["loaded"], 2.0);
    }

    #[test]
    fn artifacts_run_without_compiling() {
        let user = User::new();
        let output = user.wharf(&["compile", "sums.wat"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let run = user.run(&[], "sums.wharf");
        assert_eq!((run["compiled"], run["loaded"]), (0.0, 2.0));
        let run = user.run(&["--tier", "off"], "sums.wharf");
        assert_eq!((run["loaded"], run["translated"]), (0.0, 2.0));

        // For somebody else it is the WebAssembly in it, unless they share the secret.
        let other = User::new();
        fs::copy(user.path("sums.wharf"), other.path("sums.wharf")).unwrap();
        let output = other.wharf(&["run", "sums.wharf"]);
        assert!(stderr(&output).contains("--artifact-key"), "{}", stderr(&output));
        let run = other.run(&["--tier", "eager"], "sums.wharf");
        assert_eq!((run["compiled"], run["loaded"]), (2.0, 0.0));
        let secret = user.path(".local/share/wharf/artifact-key");
        let run = other.run(&["--artifact-key", secret.to_str().unwrap()], "sums.wharf");
        assert_eq!((run["compiled"], run["loaded"]), (0.0, 2.0));

        let mut bytes = fs::read(user.path("sums.wharf")).unwrap();
        let at = bytes.len() - 1;
        bytes[at] ^= 1;
        fs::write(user.path("damaged"), bytes).unwrap();
        let output = user.wharf(&["run", "damaged"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("damaged"), "{}", stderr(&output));
        let output = user.wharf(&["compile", "sums.wharf"]);
        assert!(
            stderr(&output).contains("compiled already"),
            "{}",
            stderr(&output)
        );
    }

    #[test]
    fn components_are_compiled_too() {
        let user = User::new();
        fs::write(
            user.path("c.wat"),
            r#"(component
                (core module $m (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
                (core instance $i (instantiate $m))
                (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"#,
        )
        .unwrap();
        let output = user.wharf(&["compile", "-o", "out", "c.wat"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let output = user.wharf(&["run", "--stats", "--invoke", "f(41)", "out"]);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "42");
        assert!(stderr(&output).contains("loaded: 1\n"), "{}", stderr(&output));
    }

    /// Runs the module with a profile; gives the number of the process.
    fn profile(user: &User, flags: &[&str]) -> u32 {
        let mut child = user
            .command(&[&["run", "--tier", "eager"], flags, &["sums.wat"]].concat())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(STATUS));
        child.id()
    }

    #[test]
    fn perf_maps_name_functions() {
        let user = User::new();
        // The second time the code is loaded.
        for _ in 0..2 {
            let process = profile(&user, &["--profile", "perfmap", "--cache=c"]);
            let path = PathBuf::from(format!("/tmp/perf-{process}.map"));
            let map = fs::read_to_string(&path).unwrap();
            fs::remove_file(&path).unwrap();
            let mut ranges: Vec<(u64, u64)> = Vec::new();
            let mut names = Vec::new();
            for line in map.lines() {
                let mut words = line.splitn(3, ' ');
                let mut number = || u64::from_str_radix(words.next().unwrap(), 16).unwrap();
                ranges.push((number(), number()));
                names.push(words.next().unwrap());
            }
            assert!(names.contains(&"sums!add"), "{map}");
            assert!(names.contains(&"sums!<function 2>"), "{map}");
            assert!(names.iter().any(|name| name.contains("entry stub")), "{map}");
            ranges.sort_unstable();
            assert!(
                ranges.windows(2).all(|two| two[0].0 + two[0].1 <= two[1].0),
                "{map}"
            );
        }
    }

    #[test]
    fn dumps_hold_the_code() {
        let user = User::new();
        let process = profile(&user, &["--profile", "jitdump"]);
        let dump = fs::read(user.path(&format!("jit-{process}.dump"))).unwrap();
        let small = |at: usize| u32::from_ne_bytes(dump[at..at + 4].try_into().unwrap());
        let number = |at: usize| u64::from_ne_bytes(dump[at..at + 8].try_into().unwrap());
        assert_eq!((small(0), small(4), small(8)), (0x4a69_5444, 1, 40));
        assert_eq!(small(20), process);
        let mut at = 40;
        let mut time = number(24);
        let mut names = Vec::new();
        while at < dump.len() {
            let (kind, len) = (small(at), small(at + 4) as usize);
            assert_eq!((kind, small(at + 16)), (0, process));
            assert!(number(at + 8) >= time);
            time = number(at + 8);
            let code_len = number(at + 40) as usize;
            assert_eq!(number(at + 48), names.len() as u64);
            let name = &dump[at + 56..at + len - code_len];
            names.push(String::from_utf8(name.strip_suffix(b"\0").unwrap().to_vec()).unwrap());
            at += len;
        }
        assert_eq!(at, dump.len());
        assert!(names.iter().any(|name| name == "sums!add"), "{names:?}");
    }
}

#[test]
fn values_are_checked() {
    let user = User::new();
    for (args, part) in [
        (&["run", "--tier", "fast", "sums.wat"][..], "--tier"),
        (
            &["run", "--compile-threads", "0", "sums.wat"],
            "--compile-threads",
        ),
        (&["compile"], "FILE"),
    ] {
        let output = user.wharf(args);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}
