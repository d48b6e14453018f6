//! Policy files, `wharf inspect`, and what is said when a grant is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn guest(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/guests")
        .join(name);
    path.to_str().unwrap().to_string()
}

fn cloud() -> String {
    guest("cloud-command/cloud-command.wasm")
}

fn rust() -> String {
    guest("rust-command/rust-command.wasm")
}

fn wharf(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(args)
        .output()
        .unwrap()
}

/// Checks the status; gives standard output and error.
#[track_caller]
fn expect(output: &Output, status: i32) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    (stdout, stderr)
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Runs a guest under a policy.
fn under(policy: &str, guest: &str, args: &[&str]) -> Output {
    let mut all = vec!["run", "--policy", policy, guest, "--"];
    all.extend(args);
    wharf(&all)
}

#[test]
fn a_policy_grants_what_it_says() {
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    folder.file("data/in.txt", "hello");
    let policy = folder.file(
        "p.toml",
        "args = [\"read\"]\n[env]\nA = \"1\"\n[[dir]]\nguest = \"data\"\nhost = \"data\"\nread-only = true\n\
         [[dir]]\nguest = \"tmp\"\nmemory = true\nmax-bytes = 10\n",
    );
    assert_eq!(expect(&under(&policy, &rust(), &["data/in.txt"]), 0).0, "hello");
    let policy = folder.file(
        "q.toml",
        &fs::read_to_string(&policy)
            .unwrap()
            .replace("args = [\"read\"]", ""),
    );
    assert_eq!(expect(&under(&policy, &rust(), &["env", "A"]), 0).0, "A=1\n");
    expect(&under(&policy, &rust(), &["write", "data/in.txt", "x"]), 1);
    expect(&under(&policy, &rust(), &["write", "tmp/x", "0123456789"]), 0);
    expect(&under(&policy, &rust(), &["write", "tmp/x", "0123456789a"]), 1);
    assert_eq!(fs::read(folder.path("data/in.txt")).unwrap(), b"hello");
    // Flags add to it.
    let env = wharf(&[
        "run",
        "--policy",
        &policy,
        "--env",
        "B=2",
        &rust(),
        "--",
        "env",
        "A",
        "B",
    ]);
    assert_eq!(expect(&env, 0).0, "A=1\nB=2\n");
    let env = wharf(&[
        "run",
        "--policy",
        &policy,
        "--env",
        "A=2",
        &rust(),
        "--",
        "env",
        "A",
    ]);
    assert_eq!(expect(&env, 0).0, "A=2\n");
    // A core module gets the same.
    let list = under(&policy, &guest("core-module/c-core.wasm"), &["list", "data"]);
    assert!(expect(&list, 0).0.contains("in.txt"));
}

#[test]
fn stores_settings_and_logs() {
    let folder = Folder::new();
    let text = "[config]\na = \"1\"\n[logging]\nlevel = \"warn\"\nformat = \"json\"\n\
                [keyvalue.b]\nbackend = \"redb:x.redb\"\nnamespace = \"one\"\nmax-keys = 2\n";
    let one = folder.file("one.toml", text);
    let two = folder.file("two.toml", &text.replace("\"one\"", "\"two\""));
    assert_eq!(expect(&under(&one, &cloud(), &["config", "a"]), 0).0, "a=1\n");
    expect(&under(&one, &cloud(), &["put", "b", "k", "kept"]), 0);
    assert_eq!(expect(&under(&one, &cloud(), &["get", "b", "k"]), 0).0, "kept\n");
    assert_eq!(expect(&under(&two, &cloud(), &["keys", "b"]), 0).0, "");
    let (_, stderr) = expect(&under(&one, &cloud(), &["fill", "b", "2", "1"]), 1);
    assert!(stderr.contains("quota of 2 keys"), "{stderr}");
    let (_, stderr) = expect(&under(&one, &cloud(), &["log-all"]), 0);
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
    assert!(
        stderr.contains("\"level\":\"critical\"") && stderr.contains("\"component\":\"cloud-command.wasm\"")
    );
    // Flags add to it, and count more.
    let more = wharf(&[
        "run",
        "--policy",
        &one,
        "--config",
        "b=2",
        "--log-level",
        "critical",
        &cloud(),
        "--",
        "config-all",
    ]);
    assert_eq!(expect(&more, 0).0, "a=1\nb=2\n");
}

#[test]
fn what_is_missing_is_named_with_its_flag() {
    let (_, stderr) = expect(&wharf(&["run", &cloud()]), 1);
    for part in ["wasi:keyvalue/", "--keyvalue NAME=memory:", "[keyvalue.NAME]"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    let (_, stderr) = expect(&wharf(&["run", "--keyvalue", "b=memory:", &cloud()]), 1);
    assert!(
        stderr.contains("wasi:config/store@0.2.0-rc.1") && stderr.contains("--config"),
        "{stderr}"
    );
    let (_, stderr) = expect(
        &wharf(&["run", "--keyvalue", "b=memory:", "--config", "a=1", &cloud()]),
        1,
    );
    assert!(
        stderr.contains("wasi:logging/logging") && stderr.contains("--log-level"),
        "{stderr}"
    );
}

#[test]
fn bad_policies_are_refused() {
    let folder = Folder::new();
    for (text, part) in [
        ("[dir]\n", "p.toml:1"),
        ("\n[limits]\nmemroy = 1\n", "p.toml:3: unknown key `memroy`"),
        ("[[dir]]\nguest = \"x\"\nhost = \"none\"\n", "none"),
        (
            "[keyvalue.b]\nbackend = \"redb:no/such/folder/x\"\nnamespace = \"n\"\n",
            "the bucket b",
        ),
        ("net = [\"no such rule\"]\n", "p.toml:1"),
        ("http = [\"no such rule\"]\n", "p.toml:1"),
    ] {
        let policy = folder.file("p.toml", text);
        let (_, stderr) = expect(&under(&policy, &rust(), &[]), 1);
        assert!(stderr.contains(part), "{text:?}: {stderr}");
    }
    let (_, stderr) = expect(&under("no/such.toml", &rust(), &[]), 1);
    assert!(stderr.contains("no/such.toml"), "{stderr}");
    expect(&wharf(&["run", "--keyvalue", "b=redb:x", "a.wasm"]), 2);
    expect(&wharf(&["run", "--log-level", "loud", "a.wasm"]), 2);
}

#[test]
fn limits_hold() {
    let folder = Folder::new();
    let endless = folder.file("a.wat", r#"(module (func (export "_start") (loop $l (br $l))))"#);
    let policy = folder.file("time.toml", "[limits]\ntimeout = \"100ms\"\n");
    let (_, stderr) = expect(&under(&policy, &endless, &[]), 134);
    assert!(stderr.contains("time limit of 100ms"), "{stderr}");
    // Also while it waits for its input.
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(["run", "--policy", &policy, &rust(), "--", "stdin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input = waiting.stdin.take();
    assert_eq!(waiting.wait().unwrap().code(), Some(134));
    drop(input);
    let large = folder.file("b.wat", r#"(module (memory 2048) (func (export "_start")))"#);
    let policy = folder.file("memory.toml", "[limits]\nmemory = \"64M\"\n");
    let (_, stderr) = expect(&under(&policy, &large, &[]), 1);
    assert!(stderr.contains("memory"), "{stderr}");
    expect(
        &wharf(&["run", "--policy", &policy, "--max-memory", "256M", &large]),
        0,
    );
}

#[test]
fn the_least_policy_lets_a_component_start() {
    let folder = Folder::new();
    for (guest, args) in [
        (cloud(), &["config", "a"][..]),
        (rust(), &[]),
        (guest("core-module/c-core.wasm"), &["hello"]),
    ] {
        let (text, _) = expect(&wharf(&["inspect", "--policy", &guest]), 0);
        let policy = folder.file("least.toml", &text);
        expect(&under(&policy, &guest, args), 0);
    }
    let (text, _) = expect(&wharf(&["inspect", "--policy", &cloud()]), 0);
    assert!(
        text.contains("[keyvalue]\n") && text.contains("# backend = "),
        "{text}"
    );
    let (text, _) = expect(&wharf(&["inspect", "--policy", &rust()]), 0);
    assert!(!text.contains("keyvalue") && text.contains("# [[dir]]"), "{text}");
}

#[test]
fn imports_and_exports_are_shown() {
    let (text, _) = expect(&wharf(&["inspect", &cloud()]), 0);
    for part in [
        "imports:\n",
        "  wasi:keyvalue/store@0.2.0-draft2\n",
        "    [method]bucket.get: func(self: borrow<bucket>, key: string) -> result<option<list<u8>>, error>\n",
        "    increment: func(bucket: borrow<bucket>, key: string, delta: s64) -> result<s64, error>\n",
        "    log: func(level: level, context: string, message: string)\n",
        "exports:\n  wasi:cli/run@0.2.",
        "    run: func() -> result\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (text, _) = expect(&wharf(&["inspect", &guest("core-module/c-core.wasm")]), 0);
    assert!(text.contains("wasi_snapshot_preview1 fd_write: "), "{text}");
    assert!(text.contains("  _start: "), "{text}");
    let folder = Folder::new();
    let file = folder.file(
        "a.wat",
        "(component (import \"x\" (func (param \"p\" (list (tuple u8 string))))))",
    );
    let (text, _) = expect(&wharf(&["inspect", &file]), 0);
    assert!(text.contains("  x: func(p: list<tuple<u8, string>>)\n"), "{text}");
    let (text, _) = expect(&wharf(&["inspect", "--policy", &file]), 0);
    assert!(text.contains("#   x\n"), "{text}");
    expect(&wharf(&["inspect", &folder.file("b.wasm", "x")]), 1);
    let text = r#"(module (import "wasi_snapshot_preview1" "path_fly" (func))
        (import "wasi_snapshot_preview1" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32))))"#;
    let (text, _) = expect(&wharf(&["inspect", "--policy", &folder.file("c.wat", text)]), 0);
    assert!(text.contains("#   wasi_snapshot_preview1 path_fly\n"), "{text}");
    assert!(
        !text.contains("path_open") && text.contains("# [[dir]]"),
        "{text}"
    );
}

/// All guests that are there.
fn guests() -> Vec<PathBuf> {
    let folder = PathBuf::from(guest(""));
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|path| fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wasm" || ext == "wat"))
        .collect();
    files.sort();
    assert!(files.len() > 15, "{files:?}");
    files
}

/// The first line on standard error that contains one of these, or what there is until its end.
fn wait_for(child: &mut std::process::Child, texts: &[&str]) -> String {
    use std::io::BufRead as _;
    let mut seen = String::new();
    for line in std::io::BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        seen += &line;
        seen.push('\n');
        if texts.iter().any(|text| line.contains(text)) {
            break;
        }
    }
    seen
}

#[test]
fn the_least_policy_lacks_nothing_that_can_be_known() {
    let folder = Folder::new();
    for file in guests() {
        let file = file.to_str().unwrap();
        let (shown, _) = expect(&wharf(&["inspect", file]), 0);
        let (text, _) = expect(&wharf(&["inspect", "--policy", file]), 0);
        let policy = folder.file("least.toml", &text);
        // What a person has to fill in stands there as a comment, with an example.
        for (import, mark) in [
            ("wasi:filesystem/", "# [[dir]]"),
            ("wasi:sockets/tcp", "# net = ["),
            ("wasi:http/outgoing-handler", "# http = ["),
            ("wasi:keyvalue/store", "# [keyvalue.NAME]"),
            ("wasi:config/store", "# NAME = "),
            ("wasi:cli/environment", "# [env]"),
        ] {
            let imported = shown.split("exports:").next().unwrap().contains(import);
            assert!(!imported || text.contains(mark), "{file}: {mark}: {text}");
        }
        let serves = shown.contains("wasi:http/incoming-handler@");
        let command = if serves { "serve" } else { "run" };
        let mut child = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args([command, "--tier", "off", "--policy", &policy])
            .args(if serves {
                &["--addr", "127.0.0.1:0"][..]
            } else {
                &[]
            })
            .arg(file)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let said = wait_for(&mut child, &["serving "]);
        let _ = child.kill();
        child.wait().unwrap();
        if text.contains("have to be linked in") {
            assert!(said.contains("unknown import"), "{file}: {said}");
            continue;
        }
        for missing in ["unknown import", "hint:", "p.toml"] {
            assert!(!said.contains(missing), "{file}: {said}\n{text}");
        }
        assert!(!serves || said.contains("serving "), "{file}: {said}");
    }
}

#[test]
fn every_kind_of_import_says_what_grants_it() {
    let folder = Folder::new();
    let importing = |name: &str| {
        let text = format!("(component (import \"{name}\" (instance (export \"f\" (func)))))");
        let file = folder.file("a.wat", &text);
        expect(&wharf(&["run", &file]), 1).1
    };
    for (import, parts) in [
        (
            "wasi:keyvalue/store@0.2.0-draft2",
            &["--keyvalue NAME=memory:", "[keyvalue.NAME]"][..],
        ),
        ("wasi:keyvalue/atomics@0.2.0-draft", &["--keyvalue NAME=memory:"]),
        (
            "wasi:config/store@0.2.0-rc.1",
            &["--config NAME=VALUE", "[config]"],
        ),
        ("wasi:logging/logging", &["--log-level LEVEL", "[logging]"]),
        // What no flag brings.
        (
            "wasi:keyvalue/store@0.2.0-draft7",
            &["in the versions 0.2.0-draft2 and 0.2.0-draft"],
        ),
        (
            "wasi:config/runtime@0.2.0-draft",
            &["no `wasi:config/runtime`", "wasi:config/store"],
        ),
        ("wasi:nn/graph@0.2.0", &["wasi:nn is not supported"]),
        ("wasi:cli/future@0.2.0", &["wasi:cli/command"]),
        ("my:own/thing", &["linked in"]),
    ] {
        let stderr = importing(import);
        for part in parts.iter().chain(&[import]) {
            assert!(stderr.contains(part), "{import}: {part}: {stderr}");
        }
        let versioned = import.contains("draft7") || import.contains("runtime");
        assert!(!versioned || !stderr.contains("`--"), "{stderr}");
    }
}

#[test]
fn settings_come_from_files_flags_and_the_environment() {
    let folder = Folder::new();
    let policy = folder.file(
        "p.toml",
        "[config]\na = \"file\"\nb = \"file\"\n[config-env]\nc = \"WHARF_TEST_C\"\nd = \"WHARF_TEST_D\"\n\
         [logging]\n[keyvalue]\n",
    );
    let run = |flags: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["run", "--policy", &policy])
            .args(flags)
            .args([&cloud(), "--", "config-all"])
            .env("WHARF_TEST_C", "of c")
            .env("WHARF_TEST_D", "of d\nand more")
            .env_remove("WHARF_TEST_E")
            .output()
            .unwrap()
    };
    let (stdout, _) = expect(&run(&[]), 0);
    assert_eq!(stdout, "a=file\nb=file\nc=of c\nd=of d\nand more\n");
    // Flags count more, and those that give the value itself most.
    let flags = [
        "--config",
        "b=flag",
        "--config",
        "d=flag",
        "--config-env",
        "c=WHARF_TEST_D",
        "--config-env",
    ];
    let (stdout, _) = expect(&run(&[&flags[..], &["WHARF_TEST_C"]].concat()), 0);
    assert_eq!(
        stdout,
        "WHARF_TEST_C=of c\na=file\nb=flag\nc=of d\nand more\nd=flag\n"
    );
    let (_, stderr) = expect(&run(&[&flags[..], &["e=WHARF_TEST_E"]].concat()), 1);
    assert!(
        stderr.contains("--config-env e") && stderr.contains("WHARF_TEST_E"),
        "{stderr}"
    );
    let policy = folder.file("q.toml", "\n[config-env]\nx = \"WHARF_TEST_E\"\n");
    let (_, stderr) = expect(&under(&policy, &cloud(), &[]), 1);
    assert!(
        stderr.contains("q.toml:3: `config-env`") && stderr.contains("WHARF_TEST_E"),
        "{stderr}"
    );
}

#[test]
fn who_calls_a_watcher_is_said() {
    let file = guest("cloud-http/cloud-http.wasm");
    let (text, _) = expect(&wharf(&["inspect", &file]), 0);
    assert!(
        text.contains("note: ") && text.contains("only `wharf serve` calls"),
        "{text}"
    );
    assert!(!expect(&wharf(&["inspect", &cloud()]), 0).0.contains("note: "));
    let folder = Folder::new();
    let watcher = |version: &str, run: &str| {
        let text = format!(
            r#"(component
                (core module $m (func (export "run") (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $run (export "run" (func $run)))
                (instance $w)
                (export "wasi:cli/run@0.2.0" (instance $run))
                (export "wasi:keyvalue/watcher@{version}" (instance $w)))"#
        );
        folder.file(run, &text)
    };
    let known = watcher("0.2.0-draft2", "a.wat");
    let (_, stderr) = expect(&wharf(&["run", "--keyvalue", "b=memory:", &known]), 0);
    assert!(stderr.contains("only `wharf serve` calls"), "{stderr}");
    // There is nothing to be told of.
    assert_eq!(expect(&wharf(&["run", &known]), 0).1, "");
    let (_, stderr) = expect(&wharf(&["serve", "--addr", "127.0.0.1:0", &known]), 1);
    assert!(
        stderr.contains("incoming-handler; watchers are called"),
        "{stderr}"
    );
    let unknown = watcher("0.2.0-draft9", "b.wat");
    let (text, _) = expect(&wharf(&["inspect", &unknown]), 0);
    assert!(
        text.contains("watcher@0.2.0-draft9, which nobody calls"),
        "{text}"
    );
}

#[test]
fn messages_that_nobody_takes_change_nothing() {
    let folder = Folder::new();
    let run = |args: &[&str]| {
        let (out, err) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
        drop((out.0, err.0));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
        command
            .args(args)
            .stdin(std::process::Stdio::null())
            .stdout(out.1)
            .stderr(err.1);
        command.status().unwrap().code()
    };
    let endless = folder.file("a.wat", r#"(module (func (export "_start") (loop $l (br $l))))"#);
    let policy = folder.file("time.toml", "[limits]\ntimeout = \"100ms\"\n");
    assert_eq!(run(&["run", "--policy", &policy, &endless]), Some(134));
    assert_eq!(run(&["inspect", &cloud()]), Some(0));
    assert_eq!(run(&["run", "no/such/file.wasm"]), Some(1));
    // Denied, and said to nobody. The guest itself gives up because it can't say anything, which is no panic of the host.
    assert_ne!(
        run(&[
            "run",
            "--keyvalue",
            "b=memory:",
            "--config",
            "a=1",
            "--log-level",
            "info",
            &cloud(),
            "--",
            "open",
            "c"
        ]),
        Some(101)
    );
}
