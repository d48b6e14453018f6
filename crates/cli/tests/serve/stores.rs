//! Stores that several processes use, one after the other or at once, and that processes are killed on.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::granted::until;
use crate::redis::{RedisServer, has_redis};
use crate::support::{Answer, Server, guest, wait_until, wharf};

/// A server, where there is the program for it.
fn redis() -> Option<RedisServer> {
    let server = has_redis().then(RedisServer::start);
    if server.is_none() {
        eprintln!("skipped: there is no program redis-server");
    }
    server
}

fn cloud_http(keyvalue: &str) -> Server {
    Server::start_file(
        &guest("cloud-http/cloud-http.wasm"),
        &["--keyvalue", keyvalue, "--access-log", "off"],
    )
}

fn cloud(keyvalue: &str, args: &[&str]) -> (i32, String, String) {
    let file = guest("cloud-command/cloud-command.wasm");
    let file = file.to_str().unwrap();
    let granted = [
        "run",
        "--keyvalue",
        keyvalue,
        "--config",
        "a=1",
        "--log-level",
        "info",
    ];
    wharf(&[&granted[..], &[file, "--"], args].concat())
}

/// Starts the same without waiting for it.
fn start_cloud(keyvalue: &str, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args([
            "run",
            "--keyvalue",
            keyvalue,
            "--config",
            "a=1",
            "--log-level",
            "info",
        ])
        .arg(guest("cloud-command/cloud-command.wasm"))
        .arg("--")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn watchers_are_told_of_what_other_processes_change_in_redis() {
    let Some(mut redis) = redis() else {
        return;
    };
    let grant = format!("b@n=redis://{}", redis.url().trim_start_matches("redis://"));
    let (one, two) = (cloud_http(&grant), cloud_http(&grant));
    // A command of a third process.
    let (status, _, stderr) = cloud(&grant, &["put", "b", "key", "value"]);
    assert_eq!(status, 0, "{stderr}");
    until(&one, "/get?b/set-key", "value");
    until(&two, "/get?b/set-key", "value");
    // What one server changes is told in both, and what their watchers write is told nowhere: there would be no end to it.
    for count in 1..=3 {
        assert_eq!(one.get("/count?b").body, format!("{count}\n"));
    }
    until(&two, "/get?b/set-count", "3");
    assert_eq!(two.get("/count?b").body, "4\n");
    until(&one, "/get?b/set-count", "4");
    assert_eq!(cloud(&grant, &["exercise", "b"]).0, 0);
    let (_, keys, _) = cloud(&grant, &["keys", "b"]);
    assert!(!keys.contains("set-set"), "{keys}");
    let channel = "wharf:{1:n:b}:changes:0";
    // The server is away for a while, which is said, and then it goes on.
    redis.restart();
    for server in [&one, &two] {
        server.wait_for("the bucket b: no changes are told until it can be reached: ");
        server.wait_for("the bucket b: changes are told again");
    }
    assert_eq!(redis.ask(&["publish", channel, "nonsense"]), ":2");
    assert_eq!(cloud(&grant, &["put", "b", "late", "1"]).0, 0);
    until(&one, "/get?b/set-late", "1");
}

#[test]
fn what_is_missing_for_watchers_is_said_at_the_start() {
    let Some(redis) = redis() else {
        return;
    };
    redis.command(&["acl", "setuser", "u", "on", ">p", "~*", "+@all", "resetchannels"]);
    let grant = format!("b@n=redis://u:p@{}", redis.url().trim_start_matches("redis://"));
    let server = cloud_http(&grant);
    let line = server.wait_for("the bucket b: no changes are told until it can be reached: ");
    assert!(line.contains("+subscribe &wharf:*"), "{line}");
    assert_eq!(server.get("/count?b").body, "1\n");
    let line = server.wait_for("told to no watcher");
    assert!(line.contains("+publish") && !line.contains("u:p"), "{line}");
}

#[test]
fn processes_count_and_swap_together_in_redis() {
    let Some(redis) = redis() else {
        return;
    };
    let grant = format!("b@n={}", redis.url());
    let servers = [cloud_http(&grant), cloud_http(&grant)];
    let swapping = [0; 3].map(|_| start_cloud(&grant, &["cas", "b", "swapped", "60"]));
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let counting = (0..6).map(|i| {
            let server = &servers[i % 2];
            scope.spawn(move || -> Vec<u64> {
                (0..25)
                    .map(|_| server.get("/count?b").body.trim().parse().unwrap())
                    .collect()
            })
        });
        let counting: Vec<_> = counting.collect();
        counting
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    // Each number once.
    assert_eq!(
        counts.iter().copied().collect::<BTreeSet<_>>(),
        (1..=150).collect()
    );
    for command in swapping {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success());
    }
    assert_eq!(cloud(&grant, &["get", "b", "swapped"]).1, "180\n");
}

#[test]
fn quotas_hold_for_requests_at_the_same_time() {
    let redis = redis();
    let folder = tempfile::tempdir().unwrap();
    let urls = ["memory:".to_owned(), "redb:x.redb".to_owned()];
    for url in urls.into_iter().chain(redis.as_ref().map(RedisServer::url)) {
        let policy = folder.path().join("p.toml");
        // Room for `count` and a digit.
        let text = format!("[keyvalue.b]\nbackend = \"{url}\"\nnamespace = \"n\"\nmax-bytes = 6\n");
        std::fs::write(&policy, text).unwrap();
        let file = guest("cloud-http/cloud-http.wasm");
        let server = Server::start_file(&file, &["--policy", policy.to_str().unwrap()]);
        let mut counted: Vec<String> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| [0; 4].map(|_| server.get("/count?b"))))
                .collect();
            let answers = clients.into_iter().flat_map(|client| client.join().unwrap());
            answers
                .filter(|answer| match answer.status {
                    200 => true,
                    _ => {
                        assert!(answer.body.contains("quota of 6 bytes"), "{answer:?}");
                        false
                    }
                })
                .map(|answer| answer.body)
                .collect()
        });
        counted.sort();
        let expected: Vec<String> = (1..=9).map(|number| format!("{number}\n")).collect();
        assert_eq!(counted, expected, "{url}");
    }
}

#[test]
fn a_file_is_used_by_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    let grant = format!("b@n=redb:{}", path.display());
    let server = cloud_http(&grant);
    assert_eq!(server.get("/count?b").body, "1\n");
    let (status, _, stderr) = cloud(&grant, &["get", "b", "count"]);
    assert_eq!(status, 1, "{stderr}");
    let named = path.display().to_string();
    for part in [
        "--keyvalue b: ",
        &named,
        "another process",
        "has the file open",
        "Redis",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    // In a policy, with its line.
    let policy = folder.path().join("p.toml");
    std::fs::write(
        &policy,
        "\n[keyvalue.b]\nbackend = \"redb:x.redb\"\nnamespace = \"n\"\n",
    )
    .unwrap();
    let file = guest("cloud-command/cloud-command.wasm");
    let policy = policy.to_str().unwrap();
    let (status, _, stderr) = wharf(&["run", "--policy", policy, file.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(
        stderr.contains("p.toml:2: the bucket b: ") && stderr.contains("has the file open"),
        "{stderr}"
    );
    assert_eq!(server.get("/count?b").body, "2\n");
    drop(server);
    assert_eq!(cloud(&grant, &["get", "b", "count"]).1, "2\n");
}

#[test]
fn processes_that_limit_the_same_folder_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = format!("{}::/d::max=1M", folder.path().display());
    let hello = guest("http-hello/http-hello.wasm");
    let file = guest("rust-command/rust-command.wasm");
    let run = |dir: &str| {
        wharf(&[
            "run",
            "--dir",
            dir,
            file.to_str().unwrap(),
            "--",
            "write",
            "/d/x",
            "1",
        ])
    };
    let said = "another process limits what guests add to this folder";
    assert!(!run(&dir).2.contains(said));
    let mut server = Server::start_file(&hello, &["--dir", &dir]);
    let (status, _, stderr) = run(&dir);
    assert_eq!(status, 0, "{stderr}");
    let named = folder.path().canonicalize().unwrap().display().to_string();
    assert!(stderr.contains(said) && stderr.contains(&named), "{stderr}");
    // Without limits there is nothing to say.
    assert_eq!(run(&format!("{}::/d", folder.path().display())).2, "");
    server.signal("TERM");
    server.ended();
    assert_eq!(run(&dir).2, "");
}

/// The number that a server counted to; nothing if it did not come, or not as a whole.
fn count(server: &Server) -> Option<u64> {
    let mut stream = TcpStream::connect(server.address).ok()?;
    let request = "GET /count?b HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let answer = Answer::parse(&String::from_utf8_lossy(&text));
    answer.whole.then(|| answer.body.trim().parse().ok()).flatten()
}

#[test]
fn what_was_answered_is_there_after_every_kill() {
    const CLIENTS: u64 = 4;
    let folder = tempfile::tempdir().unwrap();
    let grant = format!("b@n=redb:{}", folder.path().join("x.redb").display());
    let mut least = 0;
    for round in 0..5u64 {
        // Killed processes give the file free, and it is repaired.
        let server = cloud_http(&grant);
        let first = server.get("/count?b").body.trim().parse::<u64>().unwrap();
        // Each answered call is there, and no more than were under way.
        assert!(
            (least + 1..=least + 1 + CLIENTS).contains(&first),
            "round {round}: {first} after {least}"
        );
        let (stop, highest) = (AtomicBool::new(false), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed)
                        && let Some(number) = count(&server)
                    {
                        highest.fetch_max(number, Ordering::Relaxed);
                    }
                });
            }
            // In the midst of it.
            wait_until(|| highest.load(Ordering::Relaxed) > first + 3);
            std::thread::sleep(Duration::from_millis(20 + 37 * round));
            server.signal("KILL");
            stop.store(true, Ordering::Relaxed);
        });
        let highest = highest.into_inner();
        least = highest;
    }
    let (_, text, _) = cloud(&grant, &["count", "b", "count", "0"]);
    let end: u64 = text.trim().parse().unwrap();
    assert!((least..=least + CLIENTS).contains(&end), "{end} after {least}");
}

#[test]
fn no_batch_and_no_value_is_half_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let grant = format!("b@n=redb:{}", folder.path().join("x.redb").display());
    let value = "x".repeat(3000);
    let mut filled = 0;
    for round in 0..8u64 {
        let args: &[&str] = match round % 2 {
            0 => &["fill", "b", "100000", "3000"],
            _ => &["exercise", "b"],
        };
        let mut writer = start_cloud(&grant, args);
        std::thread::sleep(Duration::from_millis(200 + 60 * round));
        // It may be done already.
        let _ = writer.kill();
        writer.wait().unwrap();
        let (status, keys, stderr) = cloud(&grant, &["keys", "b"]);
        assert_eq!(status, 0, "{stderr}");
        let batch = keys.lines().filter(|key| key.starts_with('m')).count();
        assert!(batch == 0 || batch == 5, "{keys}");
        let numbered: Vec<_> = keys.lines().filter(|key| key.starts_with("key-")).collect();
        if round % 2 == 0 {
            // Each one that is there has all before it, and its whole value.
            for (i, key) in numbered.iter().enumerate() {
                assert_eq!(**key, format!("key-{i:05}"));
            }
            filled = filled.max(numbered.len());
            if let Some(last) = numbered.last() {
                assert_eq!(cloud(&grant, &["get", "b", last]).1, format!("{value}\n"));
            }
        }
    }
    assert!(filled > 0);
}

#[test]
fn a_full_file_is_an_error_and_goes_on_with_more_room() {
    let folder = tempfile::tempdir().unwrap();
    let grant = format!("b@n=redb:{}", folder.path().join("x.redb").display());
    assert_eq!(cloud(&grant, &["put", "b", "first", "1"]).0, 0);
    // A file may have 4 MiB: a limit of the process, in blocks of 512 bytes.
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -f 8192 && exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_wharf"),
        ])
        .args([
            "run",
            "--keyvalue",
            &grant,
            "--config",
            "a=1",
            "--log-level",
            "info",
        ])
        .arg(guest("cloud-command/cloud-command.wasm"))
        .args(["--", "fill", "b", "100", "100000"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("other: the store is full"), "{stderr}");
    let (_, keys, _) = cloud(&grant, &["keys", "b"]);
    let numbered = keys.lines().filter(|key| key.starts_with("key-")).count();
    assert!(keys.contains("first") && numbered > 0 && numbered < 100, "{keys}");
    assert!(
        stderr.contains(&format!(": {numbered}: other")),
        "{numbered}: {stderr}"
    );
    assert_eq!(cloud(&grant, &["fill", "b", "100", "100000"]).1, "filled\n");
    assert_eq!(cloud(&grant, &["get", "b", "first"]).1, "1\n");
}
