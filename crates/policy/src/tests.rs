//! Tests of whole policies.

use super::*;
use std::path::Path;
use std::time::Duration;
use wharf_wasi::{MemoryDirLimits, WasiCtxBuilder};
use wharf_wasi_keyvalue::{BackendUrl, Backends, Quota};
use wharf_wasi_logging::{Format, Level};

fn parse(text: &str) -> Result<Policy, String> {
    Policy::parse("p.toml", text, Path::new("/base")).map_err(|e| e.to_string())
}

/// The policy in the documentation.
fn documented() -> String {
    let source = include_str!("lib.rs");
    let inside = source.split("```").nth(1).unwrap();
    let lines = inside.lines().skip(1).map(|line| line.trim_start_matches("//!"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_empty_policy_grants_nothing() {
    let policy = parse("# nothing\n").unwrap();
    assert_eq!(
        policy,
        Policy {
            file: "p.toml".to_owned(),
            ..Policy::default()
        }
    );
    assert!(policy.config().is_none() && policy.logging.is_none());
    assert!(policy.keyvalue(&mut Backends::new()).unwrap().is_none());
    policy.apply(&mut WasiCtxBuilder::new()).unwrap();
    policy.http().unwrap();
}

#[test]
fn everything_can_be_said() {
    let policy = parse(&documented()).unwrap();
    assert_eq!(policy.args, ["--verbose"]);
    assert!(policy.strict_dirs && !Policy::default().strict_dirs);
    assert_eq!(policy.env, [("LANG".to_owned(), "C".to_owned())]);
    assert_eq!(policy.net[0].text, "tcp-connect:127.0.0.1:80");
    assert_eq!((policy.net[0].line, policy.http[0].line), (2, 3));
    assert_eq!(policy.dirs[0].source, DirSource::Host("/base/data".into()));
    assert!(policy.dirs[0].read_only && !policy.dirs[1].read_only);
    let limits = MemoryDirLimits {
        bytes: 16 << 20,
        entries: 1000,
    };
    assert_eq!(policy.dirs[2].source, DirSource::Memory(limits));
    let DirSource::LimitedHost(path, budget) = &policy.dirs[1].source else {
        panic!("{:?}", policy.dirs[1]);
    };
    assert_eq!(path, Path::new("/base/uploads"));
    assert_eq!((budget.left().bytes, budget.left().entries), (64 << 20, 1000));
    assert_eq!(policy.config.as_ref().unwrap()["greeting"], "hello");
    assert_eq!(policy.config_env["token"].text, "API_TOKEN");
    let logging = policy.logging.as_ref().unwrap();
    assert_eq!((logging.level, logging.format), (Some(Level::Info), Format::Json));
    assert_eq!(
        (logging.max_message_bytes, logging.per_second),
        (Some(4096), Some(100))
    );
    let bucket = &policy.keyvalue.as_ref().unwrap()["sessions"];
    assert_eq!(bucket.backend, BackendUrl::Redb("/base/sessions.redb".into()));
    assert_eq!(
        (bucket.namespace.as_str(), bucket.bucket.as_str()),
        ("tenant-1", "web-sessions")
    );
    let quota = Quota {
        keys: 1000,
        bytes: 64 << 20,
        key_bytes: 256,
        value_bytes: 1 << 20,
    };
    assert_eq!(bucket.quota, quota);
    assert_eq!(policy.limits.memory_bytes, Some(256 << 20));
    assert_eq!(policy.limits.timeout, Some(Duration::from_secs(10)));
}

#[test]
fn what_is_not_known_is_refused_with_line_and_key() {
    let cases = [
        ("dirs = []", "p.toml:1: unknown key `dirs`", "dirs"),
        ("[env]\nA = 1", "p.toml:2: invalid type", "A = 1"),
        (
            "\n[[dir]]\nguest = \"x\"\nhots = \"y\"",
            "p.toml:4: unknown key `hots`",
            "hots",
        ),
        ("[logging]\nlevel = \"loud\"", "p.toml:2: expected trace", "loud"),
        (
            "[logging]\nformat = \"xml\"",
            "p.toml:2: expected text or json",
            "xml",
        ),
        (
            "[keyvalue.a]\nbackend = \"postgres:\"",
            "p.toml:2: expected memory:",
            "postgres",
        ),
        (
            "[keyvalue.a]\nnamespace = \"x\"",
            "p.toml:1: missing field `backend`",
            "",
        ),
        (
            "[keyvalue.a]\nbackend = \"memory:\"\nquota = 1",
            "p.toml:3: unknown key `quota`",
            "",
        ),
        (
            "[limits]\nmemory = \"much\"",
            "p.toml:2: expected a number of bytes",
            "memory",
        ),
        ("[limits]\nmemory = -1", "p.toml:2: invalid value", "memory"),
        (
            "[limits]\ntimeout = \"10\"",
            "p.toml:2: expected a time",
            "timeout",
        ),
        ("[limits]\ncpu = 1", "p.toml:2: unknown key `cpu`", ""),
        ("[config]\na = { b = 1 }", "p.toml:2: invalid type", ""),
        ("net = \"x\"", "p.toml:1: invalid type", "net"),
        ("[env]\nA = \"1\"\n\"A=B\" = \"x\"", "p.toml:3: `env`", "no name"),
        ("[env]\nA = \"a\\u0000b\"", "p.toml:2: `env`", "A"),
        (
            "[logging]\nper-second = 0",
            "p.toml:2: invalid value",
            "per-second",
        ),
        ("[config-env]\na = 1", "p.toml:2: invalid type", "a = 1"),
        (
            "[config]\na = \"1\"\n[config-env]\na = \"A\"",
            "p.toml:4: `config-env`",
            "\"a\"",
        ),
        ("args = [", "p.toml:1: ", ""),
        ("a = 1\na = 2", "p.toml:", ""),
    ];
    for (text, start, part) in cases {
        let error = parse(text).unwrap_err();
        assert!(
            error.starts_with(start) && error.contains(part),
            "{text:?}: {error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let cases = [
        ("[[dir]]\nguest = \"x\"", 1, "needs `host"),
        (
            "[[dir]]\nguest = \"x\"\nhost = \"y\"\nmemory = true",
            1,
            "exclude each other",
        ),
        (
            "[[dir]]\nguest = \"x\"\nhost = \"y\"\nread-only = true\nmax-bytes = 1",
            1,
            "has no limits",
        ),
        ("[[dir]]\nguest = \"\"\nhost = \"y\"", 1, "empty"),
        (
            "[[dir]]\nguest = \"x\"\nmemory = true\n[[dir]]\nguest = \"x\"\nhost = \".\"",
            4,
            "two folders of the name x",
        ),
        ("[keyvalue.b]\nbackend = \"redb:x\"", 1, "needs a `namespace`"),
        ("[keyvalue.b]\nbackend = \"redis://u:secret@h\"", 1, "redis://h"),
    ];
    for (text, line, part) in cases {
        let error = Policy::parse("p.toml", text, Path::new("")).unwrap_err();
        assert_eq!(error.line, Some(line), "{text:?}: {error}");
        assert!(
            error.message.contains(part) && !error.message.contains("secret"),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn settings_come_from_the_environment() {
    let mut policy = parse("[config-env]\na = \"A\"\n\nb = \"B\"").unwrap();
    let error = policy
        .resolve_config(|name| (name == "A").then(|| "1".to_owned()))
        .unwrap_err();
    assert_eq!(error.line, Some(4));
    assert!(error.message.contains("\"B\""), "{error}");
    policy.resolve_config(|name| Some(format!("of {name}"))).unwrap();
    let config = policy.config.unwrap();
    assert_eq!((config["a"].as_str(), config["b"].as_str()), ("of A", "of B"));
    // None of them is wasi:config all the same.
    assert!(parse("[config-env]").unwrap().config.unwrap().is_empty());
}

#[test]
fn what_can_not_be_opened_is_named_with_its_line() {
    let policy = parse(
        "\n[[dir]]\nguest = \"x\"\nhost = \"none\"\n[keyvalue.b]\nbackend = \"redb:no/b\"\nnamespace = \"n\"",
    );
    let policy = policy.unwrap();
    assert_eq!(
        policy.apply(&mut WasiCtxBuilder::new()).unwrap_err().line,
        Some(2)
    );
    let error = policy.keyvalue(&mut Backends::new()).unwrap_err();
    assert_eq!(error.line, Some(5));
    assert!(error.message.contains("redb:/base/no/b"), "{error}");
}

#[test]
fn rules_that_can_not_be_kept_are_not_passed_over() {
    let policy = parse("\nnet = [\"no such rule\"]\nhttp = [\"no such rule\"]").unwrap();
    let error = policy.apply(&mut WasiCtxBuilder::new()).unwrap_err();
    assert_eq!(error.line, Some(2));
    assert_eq!(policy.http().unwrap_err().line, Some(3));
}

#[test]
fn files_are_read_from_their_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let path = folder.path().join("p.toml");
    std::fs::write(
        &path,
        "[[dir]]\nguest = \"/d\"\nhost = \"data\"\n[keyvalue.b]\nbackend = \"redb:b.redb\"\nnamespace = \"n\"\n",
    )
    .unwrap();
    let policy = Policy::load(&path).unwrap();
    policy.apply(&mut WasiCtxBuilder::new()).unwrap();
    assert_eq!(policy.keyvalue(&mut Backends::new()).unwrap().unwrap().len(), 1);
    assert!(folder.path().join("b.redb").is_file());
    let error = Policy::load(folder.path().join("none.toml"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("none.toml"), "{error}");
    std::fs::write(&path, "[[dir]]\nguest = \"/d\"\nhost = \"none\"\n").unwrap();
    let error = Policy::load(&path)
        .unwrap()
        .apply(&mut WasiCtxBuilder::new())
        .unwrap_err();
    assert!(error.to_string().contains("none"), "{error}");
    std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
    assert!(Policy::load(&path).unwrap_err().to_string().contains("too large"));
    std::fs::write(&path, b"\xff").unwrap();
    Policy::load(&path).unwrap_err();
}

#[test]
fn the_least_policy_is_a_policy() {
    let all = [
        "wasi:io/poll@0.2.0",
        "wasi:cli/environment@0.2.0",
        "wasi:filesystem/types@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0-draft2",
        "wasi:config/store@0.2.0-rc.1",
        "wasi:logging/logging",
        "my:own/thing\nx",
    ];
    let text = least_policy("a\nb.wasm", all);
    let policy = parse(&text).unwrap();
    assert!(policy.config.is_some() && policy.logging.is_some() && policy.keyvalue.is_some());
    assert!(policy.net.is_empty() && policy.dirs.is_empty());
    assert!(
        text.contains("my:own/thing") && text.contains("# net = "),
        "{text}"
    );
    // With the comments taken away it is one, too.
    let filled: String = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("# ")
                .or((!line.starts_with('#')).then_some(line))
        })
        .filter(|line| line.contains('=') || line.starts_with('['))
        .map(|line| format!("{line}\n"))
        .collect();
    let filled = parse(&filled).unwrap_or_else(|e| panic!("{e}\n{filled}"));
    assert!(filled.net.len() == 2 && filled.http.len() == 1 && filled.dirs.len() == 1);
    assert_eq!(filled.keyvalue.unwrap().len(), 1);
    let nothing = least_policy("a", ["wasi:io/poll@0.2.0"]);
    assert!(nothing.contains("no grants"), "{nothing}");
    assert_eq!(parse(&nothing).unwrap().keyvalue, None);
}

#[test]
fn hints_name_flag_and_key() {
    let hint = grant_hint("wasi:keyvalue/atomics@0.2.0-draft2").unwrap();
    assert!(
        hint.contains("--keyvalue") && hint.contains("[keyvalue.NAME]"),
        "{hint}"
    );
    assert!(
        grant_hint("wasi:config/store@0.2.0-rc.1")
            .unwrap()
            .contains("--config")
    );
    assert!(
        grant_hint("wasi:logging/logging")
            .unwrap()
            .contains("--log-level")
    );
    assert_eq!(grant_hint("wasi:io/poll@0.2.0"), None);
    assert_eq!(grant_hint("my:own/thing"), None);
}

#[test]
fn hostile_text_is_an_error() {
    for text in [
        format!("args = {}", "[".repeat(200_000)),
        format!("config = {}", "{ a = ".repeat(100_000)),
        format!("[{}]", "a.".repeat(100_000)),
        "[[dir]]\n".repeat(20_000),
        "\u{feff}\0".to_owned(),
        "env = { A = \"\\ud800\" }".to_owned(),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(error.len() < 2000, "{} bytes", error.len());
    }
}
