//! Real command components through the embedding API, with pipes in memory and temporary directories.

mod common;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use wharf::component::{Component, Linker, ResourceTable};
use wharf::{Engine, Error, Store};
use wharf_wasi::p2::{self, AsyncCommand, Command};
use wharf_wasi::{
    BackgroundReader, DirPerms, FilePerms, HostMonotonicClock, HostWallClock, I32Exit, MemoryInputPipe,
    MemoryOutputPipe, WasiCtxBuilder,
};

use common::{State, guest};

/// A guest of the examples with what is granted to it.
struct Run {
    guest: &'static str,
    builder: WasiCtxBuilder,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
}

#[derive(Debug, PartialEq)]
enum End {
    /// `run` returned, successful or not.
    Returned(bool),
    /// `exit` was called with this status.
    Exited(i32),
    Trapped,
}

/// How a run ended, and what was written.
struct Outcome {
    end: End,
    stdout: String,
    stderr: String,
}

impl Run {
    fn new(guest: &'static str, args: &[&str]) -> Run {
        let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        let mut builder = WasiCtxBuilder::new();
        builder
            .arg(guest)
            .args(args)
            .stdout(stdout.clone())
            .stderr(stderr.clone());
        Run {
            guest,
            builder,
            stdout,
            stderr,
        }
    }

    fn rust(args: &[&str]) -> Run {
        Run::new("rust-command", args)
    }

    fn stdin(mut self, text: &'static str) -> Run {
        self.builder.stdin(MemoryInputPipe::new(text));
        self
    }

    fn dir(mut self, path: &Path, name: &str) -> Run {
        self.builder
            .preopened_dir(path, name, DirPerms::all(), FilePerms::all())
            .unwrap();
        self
    }

    fn read_only(mut self, path: &Path, name: &str) -> Run {
        self.builder
            .preopened_dir(path, name, DirPerms::READ, FilePerms::READ)
            .unwrap();
        self
    }

    fn prepare(&mut self) -> (Store<State>, Component, Linker<State>) {
        let bytes = std::fs::read(guest(&format!("{0}/{0}.wasm", self.guest))).unwrap();
        let engine = Engine::default();
        let component = Component::new(&engine, bytes).unwrap();
        let mut linker = Linker::new(&engine);
        p2::add_to_linker(&mut linker).unwrap();
        let state = State {
            ctx: self.builder.build(),
            table: ResourceTable::new(),
        };
        (Store::new(&engine, state), component, linker)
    }

    fn outcome(self, result: Result<Result<(), ()>, Error>) -> Outcome {
        let end = match result {
            Ok(result) => End::Returned(result.is_ok()),
            Err(error) if error.trap_code().is_some() => End::Trapped,
            Err(error) => End::Exited(
                error
                    .downcast_ref::<I32Exit>()
                    .unwrap_or_else(|| panic!("{error:?}"))
                    .0,
            ),
        };
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        Outcome {
            end,
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
        }
    }

    fn run(mut self) -> Outcome {
        let (mut store, component, linker) = self.prepare();
        let command = Command::instantiate(&mut store, &component, &linker).unwrap();
        let result = command.wasi_cli_run().call_run(&mut store);
        self.outcome(result)
    }

    /// Runs, and gives what was written to standard output by a program that must succeed.
    fn stdout(self) -> String {
        let outcome = self.run();
        assert_eq!(outcome.end, End::Returned(true), "{}", outcome.stderr);
        outcome.stdout
    }

    /// Runs, and gives what was written to standard error by a program that must fail in an orderly way.
    fn failure(self) -> String {
        let outcome = self.run();
        assert_eq!(
            outcome.end,
            End::Returned(false),
            "{}{}",
            outcome.stdout,
            outcome.stderr
        );
        assert_eq!(outcome.stdout, "");
        outcome.stderr
    }
}

#[test]
fn arguments_environment_and_standard_streams() {
    assert_eq!(Run::rust(&[]).stdout(), "Hello from a Rust command!\n");
    assert_eq!(
        Run::rust(&["args", "ä", ""]).stdout(),
        "2 arguments\n0: \"ä\"\n1: \"\"\n"
    );
    let mut run = Run::rust(&["env", "A", "PATH"]);
    run.builder.env("A", "1");
    assert_eq!(run.stdout(), "A=1\nPATH is not set\n");
    let run = Run::rust(&["stdin"]).stdin("first\n\nthird");
    assert_eq!(run.stdout(), "   1  first\n   2  \n   3  third\n3 lines\n");
    let outcome = Run::rust(&["stderr", "other"]).run();
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("", "other\n")
    );
}

#[test]
fn standard_output_that_is_full_is_an_error_of_the_guest() {
    let mut run = Run::rust(&["stdin"]).stdin("some lines\nthat\ndo not fit\n");
    run.builder.stdout(MemoryOutputPipe::new(10));
    let outcome = run.run();
    // The guest panics when it can't print.
    assert_eq!(outcome.end, End::Trapped);
    assert!(outcome.stderr.contains("failed printing"), "{}", outcome.stderr);
}

#[test]
fn exit_status() {
    assert_eq!(Run::rust(&["exit", "0"]).run().end, End::Returned(true));
    assert_eq!(Run::rust(&["exit", "1"]).run().end, End::Returned(false));
    // `wasi:cli/exit` as this program's toolchain uses it knows no more than success and failure.
    assert_eq!(Run::new("c-command", &["exit", "3"]).run().end, End::Exited(1));
    assert_eq!(Run::new("c-command", &["exit", "0"]).run().end, End::Exited(0));
    let stderr = Run::rust(&["fail"]).run().stderr;
    assert!(stderr.contains("asked to fail"), "{stderr}");
}

#[test]
fn files() {
    let temp = TempDir::new().unwrap();
    std::fs::write(temp.path().join("hello.txt"), "hello guest\n").unwrap();
    let run = |args: &[&str]| Run::rust(args).dir(temp.path(), "data").stdout();
    assert_eq!(run(&["read", "data/hello.txt"]), "hello guest\n");
    assert_eq!(run(&["ls", "data"]), "hello.txt\n");
    assert_eq!(run(&["write", "data/hello.txt", "changed"]), "wrote 7 bytes\n");
    run(&["append", "data/hello.txt", "!"]);
    assert_eq!(
        run(&["copy", "data/hello.txt", "data/copy.txt"]),
        "copied 8 bytes\n"
    );
    assert_eq!(std::fs::read(temp.path().join("copy.txt")).unwrap(), b"changed!");
    assert!(run(&["stat", "data/copy.txt"]).contains("8 bytes"));
    let scratch = TempDir::new().unwrap();
    Run::rust(&["scratch", "tmp"]).dir(scratch.path(), "tmp").stdout();
}

#[test]
fn what_is_not_granted_is_out_of_reach() {
    let temp = TempDir::new().unwrap();
    let inside = temp.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(temp.path().join("secret"), "secret").unwrap();
    std::fs::write(inside.join("file"), "contents").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret", inside.join("relative")).unwrap();
        std::os::unix::fs::symlink(temp.path().join("secret"), inside.join("absolute")).unwrap();
        std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
    }
    let secret = temp.path().join("secret");
    let paths = [
        "data/../secret",
        "data/relative",
        "data/absolute",
        "data/up/secret",
        "/etc/hostname",
        "../secret",
        "secret",
        secret.to_str().unwrap(),
    ];
    for path in paths {
        let stderr = Run::rust(&["read", path]).dir(&inside, "data").failure();
        assert!(stderr.contains("rust-command read"), "{path}: {stderr}");
        let stderr = Run::rust(&["write", path, "x"]).dir(&inside, "data").failure();
        assert!(stderr.contains("rust-command write"), "{path}: {stderr}");
    }
    assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
    // Read-only means read-only.
    assert_eq!(
        Run::rust(&["read", "data/file"])
            .read_only(&inside, "data")
            .stdout(),
        "contents"
    );
    for args in [
        ["write", "data/file", "x"],
        ["append", "data/file", "x"],
        ["append", "data/new", "x"],
    ] {
        Run::rust(&args).read_only(&inside, "data").failure();
    }
    assert_eq!(std::fs::read(inside.join("file")).unwrap(), b"contents");
    assert!(!inside.join("new").exists());
}

#[test]
fn clocks_can_be_replaced() {
    /// Stands still until someone waits for it.
    #[derive(Default)]
    struct Jumping(AtomicU64);
    impl HostMonotonicClock for Jumping {
        fn resolution(&self) -> u64 {
            1
        }
        fn now(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
        fn sleep_until(&self, deadline: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            self.0.fetch_max(deadline, Ordering::Relaxed);
            Box::pin(async {})
        }
    }
    struct Past;
    impl HostWallClock for Past {
        fn resolution(&self) -> Duration {
            Duration::from_secs(1)
        }
        fn now(&self) -> Duration {
            Duration::from_secs(3600)
        }
    }
    let system = Run::rust(&["clocks"]).stdout();
    assert!(!system.contains("false"), "{system}");
    let mut run = Run::rust(&["clocks"]);
    run.builder.monotonic_clock(Jumping::default()).wall_clock(Past);
    let stdout = run.stdout();
    assert!(stdout.contains("slept at least 20 ms: true"), "{stdout}");
    assert!(stdout.contains("after 2024: false"), "{stdout}");
}

#[test]
fn a_component_made_by_the_adapter() {
    let outcome = Run::new("c-command", &["hello"]).run();
    assert!(outcome.stdout.contains("Hello"), "{}", outcome.stdout);
}

#[test]
fn guests_that_wait_on_fibers() {
    struct Channel(std::sync::mpsc::Receiver<&'static str>);
    impl std::io::Read for Channel {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let Ok(text) = self.0.recv() else { return Ok(0) };
            buf[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (send, receive) = std::sync::mpsc::channel();
        let mut run = Run::rust(&["stdin"]);
        run.builder.stdin(BackgroundReader::new("test", Channel(receive)));
        let (mut store, component, linker) = run.prepare();
        let command = AsyncCommand::instantiate_async(&mut store, &component, &linker)
            .await
            .unwrap();
        let call = async { command.wasi_cli_run().call_run(&mut store).await };
        // The guest waits for its input, which the same thread gives it later.
        let feed = async {
            tokio::task::yield_now().await;
            send.send("a\nb").unwrap();
            drop(send);
        };
        let (result, ()) = tokio::join!(call, feed);
        assert_eq!(run.outcome(result).stdout, "   1  a\n   2  b\n2 lines\n");
        // And for a timer.
        let mut run = Run::rust(&["clocks"]);
        let (mut store, component, linker) = run.prepare();
        let command = AsyncCommand::instantiate_async(&mut store, &component, &linker)
            .await
            .unwrap();
        let result = command.wasi_cli_run().call_run(&mut store).await;
        assert!(run.outcome(result).stdout.contains("slept at least 20 ms: true"));
    });
}

#[test]
fn many_guests_wait_on_few_threads() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let guests: Vec<_> = (0..40)
            .map(|_| {
                let mut run = Run::rust(&["clocks"]);
                let (mut store, component, linker) = run.prepare();
                tokio::spawn(async move {
                    let command = AsyncCommand::instantiate_async(&mut store, &component, &linker)
                        .await
                        .unwrap();
                    let result = command.wasi_cli_run().call_run(&mut store).await;
                    run.outcome(result).stdout
                })
            })
            .collect();
        for guest in guests {
            let stdout = guest.await.unwrap();
            assert!(stdout.contains("slept at least 20 ms: true"), "{stdout}");
        }
    });
}

#[test]
fn a_waiting_guest_can_be_given_up() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        struct Never(std::sync::mpsc::Receiver<()>);
        impl std::io::Read for Never {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                let _ = self.0.recv();
                Ok(0)
            }
        }
        let (send, receive) = std::sync::mpsc::channel();
        let mut run = Run::rust(&["stdin"]);
        run.builder.stdin(BackgroundReader::new("test", Never(receive)));
        let (mut store, component, linker) = run.prepare();
        let command = AsyncCommand::instantiate_async(&mut store, &component, &linker)
            .await
            .unwrap();
        let call = async { command.wasi_cli_run().call_run(&mut store).await };
        tokio::select! {
            biased;
            _ = call => panic!("there is no input"),
            () = tokio::task::yield_now() => {}
        }
        drop(send);
    });
}
