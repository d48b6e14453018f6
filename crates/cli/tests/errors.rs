//! What the command says, and how it ends, when something is wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn wharf(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(args)
        .output()
        .unwrap()
}

fn run(path: &Path) -> Output {
    wharf(&["run", path.to_str().unwrap()])
}

/// Checks status and message; the message must be there once, without the word for a bug in the program itself.
#[track_caller]
fn expect(output: &Output, status: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "stderr: {stderr}");
    for part in parts {
        assert!(stderr.contains(part), "expected {part:?} in: {stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn usage_errors_have_status_2() {
    expect(&wharf(&[]), 2, &["Usage"]);
    expect(&wharf(&["run"]), 2, &["FILE"]);
    expect(&wharf(&["run", "--env", "x", "a.wasm"]), 2, &["KEY=VALUE"]);
    expect(
        &wharf(&["run", "--no-such-flag", "a.wasm"]),
        2,
        &["--no-such-flag"],
    );
}

#[test]
fn a_missing_file() {
    expect(
        &run(Path::new("no/such/file.wasm")),
        1,
        &["no/such/file.wasm", "no such file"],
    );
}

#[test]
fn a_folder_instead_of_a_file() {
    let folder = Folder::new();
    expect(&run(folder.0.path()), 1, &["is a folder"]);
}

#[test]
fn not_wasm() {
    let folder = Folder::new();
    expect(
        &run(&folder.file("a.wasm", b"\x7fELF\x02\x01\x01\0\0\0\0")),
        1,
        &["not WebAssembly"],
    );
    expect(&run(&folder.file("b.wasm", b"")), 1, &["empty"]);
    expect(&run(&folder.file("c.wat", b"(module")), 1, &["c.wat"]);
}

#[test]
fn truncated() {
    let folder = Folder::new();
    expect(&run(&folder.file("a.wasm", b"\0asm")), 1, &["truncated"]);
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guests/c-command/c-command.wasm");
    let bytes = fs::read(guest).unwrap();
    expect(
        &run(&folder.file("b.wasm", &bytes[..bytes.len() / 2])),
        1,
        &["b.wasm", "end"],
    );
}

#[test]
fn an_unknown_import_is_named() {
    let folder = Folder::new();
    let path = folder.file(
        "a.wat",
        r#"(component (import "my:own/thing" (instance (export "f" (func)))))"#,
    );
    expect(&run(&path), 1, &["my:own/thing", "hint"]);
    let path = folder.file(
        "b.wat",
        r#"(component (import "wasi:http/types@0.2.3" (instance (export "x" (func)))))"#,
    );
    expect(&run(&path), 1, &["wasi:http/types", "`x`"]);
    let path = folder.file(
        "c.wat",
        r#"(module (import "env" "f" (func)) (func (export "_start")))"#,
    );
    expect(&run(&path), 1, &["env", "f"]);
}

#[test]
fn nothing_to_run() {
    let folder = Folder::new();
    expect(&run(&folder.file("a.wat", "(component)")), 1, &["wasi:cli/run"]);
    expect(&run(&folder.file("b.wat", "(module)")), 1, &["_start"]);
}

#[test]
fn a_missing_grant() {
    let folder = Folder::new();
    let path = folder.file("a.wat", "(component)");
    let out = wharf(&["run", "--dir", "no-such-folder::x", path.to_str().unwrap()]);
    expect(&out, 1, &["no-such-folder"]);
}

#[test]
fn a_trap_has_a_backtrace_and_status_134() {
    let folder = Folder::new();
    let path = folder.file(
        "a.wat",
        r#"(component
             (core module $m (func $inner unreachable) (func $outer (export "f") call $inner))
             (core instance $i (instantiate $m))
             (func (export "f") (canon lift (core func $i "f"))))"#,
    );
    let out = wharf(&["run", "--invoke", "f()", path.to_str().unwrap()]);
    expect(&out, 134, &["unreachable", "backtrace", "inner", "outer"]);
}

#[test]
fn a_trap_of_a_host_function_has_status_134() {
    let folder = Folder::new();
    // `poll` traps when there is nothing to wait for.
    let path = folder.file(
        "a.wat",
        r#"(component
             (import "wasi:io/poll@0.2.0" (instance $poll
               (export "pollable" (type $pollable (sub resource)))
               (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
             (core module $libc (memory (export "memory") 1)
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
             (core instance $libc (instantiate $libc))
             (core func $poll (canon lower (func $poll "poll")
               (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
             (core module $m
               (import "" "poll" (func $poll (param i32 i32 i32)))
               (func $outer (export "f") (call $poll (i32.const 0) (i32.const 0) (i32.const 8))))
             (core instance $i (instantiate $m (with "" (instance (export "poll" (func $poll))))))
             (func (export "f") (canon lift (core func $i "f"))))"#,
    );
    let out = wharf(&["run", "--invoke", "f()", path.to_str().unwrap()]);
    expect(&out, 134, &["a.wat: poll of an empty list", "backtrace", "outer"]);
}

#[test]
fn endless_recursion_traps() {
    let folder = Folder::new();
    let path = folder.file("a.wat", r#"(module (func $f (export "_start") call $f))"#);
    expect(&run(&path), 134, &["call stack exhausted"]);
}

#[test]
fn the_memory_limit_holds() {
    let folder = Folder::new();
    // Grows until it can't, and traps unless growing stopped below the limit.
    let path = folder.file(
        "a.wat",
        r#"(module (memory 1)
             (func (export "_start")
               (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
               (if (i32.gt_u (memory.size) (i32.const 1024)) (then unreachable))))"#,
    );
    expect(
        &wharf(&["run", "--max-memory", "64M", path.to_str().unwrap()]),
        0,
        &[],
    );
    let path = folder.file("b.wat", r#"(module (memory 2048) (func (export "_start")))"#);
    expect(
        &wharf(&["run", "--max-memory", "64M", path.to_str().unwrap()]),
        1,
        &["memory"],
    );
}

#[test]
fn invoke_prints_results() {
    let folder = Folder::new();
    let path = folder.file(
        "a.wat",
        r#"(component
             (component $c
               (core module $m (func (export "add") (param i32 i32) (result i32)
                 (i32.add (local.get 0) (local.get 1))))
               (core instance $i (instantiate $m))
               (func (export "add") (param "a" u32) (param "b" u32) (result u32)
                 (canon lift (core func $i "add"))))
             (instance $c (instantiate $c))
             (export "math:ops/sum@1.2.0" (instance $c))
             (func $add (alias export $c "add"))
             (export "add" (func $add)))"#,
    );
    let path = path.to_str().unwrap();
    for call in [
        "add(1, 2)",
        "math:ops/sum@1.2.0#add(1, 2)",
        "math:ops/sum#add(1, 2)",
        "sum.add(1, 2)",
    ] {
        let out = wharf(&["run", "--invoke", call, path]);
        expect(&out, 0, &[]);
        assert_eq!(String::from_utf8_lossy(&out.stdout), "3\n", "{call}");
    }
    expect(
        &wharf(&["run", "--invoke", "sub(1, 2)", path]),
        1,
        &["sub", "add"],
    );
    expect(&wharf(&["run", "--invoke", "add(1)", path]), 1, &["add"]);
    expect(&wharf(&["run", "--invoke", "add(1, true)", path]), 1, &["add"]);
    expect(&wharf(&["run", "--invoke", "add", path]), 1, &["NAME(ARGS)"]);
}

#[test]
fn invalid_bodies_are_found_when_they_run() {
    let folder = Folder::new();
    // (module (func (export "_start") i32.const 0)): the body leaves a value that the type does not have.
    let bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x0a\x01\x06_start\0\0\x0a\x06\x01\x04\0\x41\0\x0b";
    let out = run(&folder.file("a.wasm", bytes));
    let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(matches!(out.status.code(), Some(1 | 134)), "{stderr}");
    assert!(stderr.contains("a.wasm"), "{stderr}");
}

#[test]
fn scripts_end_with_counts() {
    let folder = Folder::new();
    let good = folder.file(
        "good.wast",
        r#"(module (func (export "f"))) (assert_return (invoke "f"))"#,
    );
    let out = wharf(&["wast", good.to_str().unwrap()]);
    expect(&out, 0, &[]);
    assert!(String::from_utf8_lossy(&out.stdout).ends_with("2 passed, 0 failed, 0 skipped\n"));
    let bad = folder.file(
        "bad.wast",
        r#"(module (func (export "f"))) (assert_trap (invoke "f") "unreachable")"#,
    );
    let out = wharf(&["wast", good.to_str().unwrap(), bad.to_str().unwrap()]);
    expect(&out, 1, &[]);
    let stdout = String::from_utf8_lossy(&out.stdout);
    assert!(stdout.contains("bad.wast:1"), "{stdout}");
    assert!(stdout.ends_with("3 passed, 1 failed, 0 skipped\n"), "{stdout}");
}

#[cfg(target_os = "linux")]
#[test]
fn results_that_can_not_be_written() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guests/http-hello/http-hello.wasm");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.arg("inspect").arg(file);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    expect(&output, 1, &["standard output: ", "space"]);
    // Whoever read it has enough.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    expect(&output, 0, &[]);
    assert!(output.stderr.is_empty());
}
