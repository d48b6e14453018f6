//! What guests may do beyond answering: granted with flags and with policies, under `wharf run` and `wharf serve`.

use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Server, built, guest, wharf};
use crate::upstream;

#[test]
fn a_command_is_told_which_flag_allows_a_request() {
    let server = upstream::http();
    let url = format!("http://{server}/x");
    let file = guest("http-client/http-client.wasm");
    let file = file.to_str().unwrap();
    let (status, stdout, stderr) = wharf(&["run", file, "--", "GET", &url]);
    assert_eq!(status, 1, "{stdout}{stderr}");
    assert!(stdout.contains("HttpRequestDenied"), "{stdout}");
    let hint = format!("denied: a request to http://{server}; `--http http://{server}` allows it");
    assert!(stderr.contains(&hint), "{stderr}");
    // Which is so.
    let rule = format!("http://{server}");
    let (status, stdout, stderr) = wharf(&["run", "--http", &rule, file, "--", "GET", &url, "--quiet"]);
    assert_eq!(status, 0, "{stdout}{stderr}");
    assert!(stdout.contains("you asked: GET /x HTTP/1.1"), "{stdout}");
    assert_eq!(stderr, "");
}

#[test]
fn a_command_sends_requests_over_tls() {
    let (server, pem) = upstream::https();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let url = format!("https://localhost:{}", server.port());
    let rule = format!("{url}::private");
    let file = guest("http-client/http-client.wasm");
    let file = file.to_str().unwrap();
    let target = format!("{url}/y");
    let args = ["run", "--http", &rule, file, "--", "GET", &target, "--quiet"];
    let (status, stdout, _) = wharf(&args);
    assert_eq!(
        (status, stdout.as_str()),
        (1, "error: ErrorCode::TlsCertificateError\n")
    );
    let mut trusting = vec!["run", "--http-ca", ca.to_str().unwrap()];
    trusting.extend(&args[1..]);
    let (status, stdout, stderr) = wharf(&trusting);
    assert_eq!(status, 0, "{stdout}{stderr}");
    assert!(stdout.contains("you asked: GET /y HTTP/1.1"), "{stdout}");
}

#[test]
fn a_python_command_sends_requests_over_tls() {
    let Some(file) = built("python-http-client") else {
        return;
    };
    let (secure, pem) = upstream::https();
    let plain = upstream::http();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let secure = format!("https://localhost:{}", secure.port());
    let plain = format!("http://{plain}");
    let (private, file) = (format!("{secure}::private"), file.to_str().unwrap());
    let (first, second, third) = (
        format!("{secure}/a?b=1"),
        format!("{plain}/c"),
        format!("{secure}/d"),
    );
    let granted = ["run", "--http", &private, "--http", &plain];
    let trusting = ["--http-ca", ca.to_str().unwrap()];
    let urls = [file, "--", &first, &second, &third];
    let run = |parts: &[&[&str]]| wharf(&parts.concat());

    let (status, stdout, stderr) = run(&[&granted, &trusting, &urls]);
    assert_eq!(status, 0, "{stdout}{stderr}");
    let expected = "200 you asked: GET /a?b=1 HTTP/1.1\n200 you asked: GET /c HTTP/1.1\n200 you asked: GET /d HTTP/1.1\n";
    assert_eq!(stdout, expected);
    let (status, stdout, stderr) = run(&[&granted, &trusting, &[file, "--", "--post", "text", &first]]);
    assert_eq!(status, 0, "{stdout}{stderr}");
    assert_eq!(stdout, "200 you asked: POST /a?b=1 HTTP/1.1\n");
    // Nobody vouches for the server.
    let (status, stdout, _) = run(&[&granted, &urls]);
    assert_eq!(status, 1, "{stdout}");
    let error = "error: ErrorCode_TlsCertificateError";
    assert_eq!(
        stdout,
        format!("{error}\n200 you asked: GET /c HTTP/1.1\n{error}\n")
    );
    // Nothing is granted.
    let (status, stdout, stderr) = run(&[&["run"], &trusting, &[file, "--", &first]]);
    assert_eq!(
        (status, stdout.as_str()),
        (1, "error: ErrorCode_HttpRequestDenied\n")
    );
    assert!(
        stderr.contains("denied: a request to https://localhost"),
        "{stderr}"
    );
}

#[test]
fn a_policy_grants_a_bucket_connections_and_requests() {
    let greeter = upstream::greeter("ahoy\n");
    let upstream = upstream::http();
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let text = format!(
        "net = [\"tcp-connect:{greeter}\"]\nhttp = [\"http://{upstream}\"]\n\
         [keyvalue.visits]\nbackend = \"redb:visits.redb\"\nnamespace = \"test\"\n"
    );
    std::fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let file = guest("cloud-http/cloud-http.wasm");
    for start in [1, 4] {
        let mut server = Server::start_file(&file, &["--policy", policy]);
        // Instances come and go, and so does the server; the bucket stays.
        for count in start..start + 3 {
            assert_eq!(server.get("/count?visits").body, format!("{count}\n"));
        }
        assert_eq!(server.get(&format!("/tcp?{greeter}")).body, "ahoy\n");
        assert_eq!(server.get(&format!("/fetch?{upstream}")).body, "200\n");
        server.signal("TERM");
        assert!(server.ended().success());
    }
    // What the policy does not name is not granted, and what is missing is told.
    let server = Server::start_file(&file, &["--policy", policy]);
    for (target, hint) in [
        ("/count?others".to_owned(), None),
        (format!("/tcp?{upstream}"), Some("connecting with TCP to")),
        (format!("/fetch?{greeter}"), Some("a request to")),
    ] {
        assert_eq!(server.get(&target).status, 502, "{target}");
        if let Some(hint) = hint {
            server.wait_for(&format!("denied: {hint}"));
        }
    }
}

#[test]
fn a_store_has_to_be_granted() {
    let file = guest("cloud-http/cloud-http.wasm");
    let (status, _, stderr) = wharf(&["serve", "--addr", "127.0.0.1:0", file.to_str().unwrap()]);
    assert_eq!(status, 1, "{stderr}");
    assert!(
        stderr.contains("wasi:keyvalue") && stderr.contains("--keyvalue"),
        "{stderr}"
    );
}

/// Asks until the answer is this.
#[track_caller]
pub fn until(server: &Server, target: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = server.get(target);
        if answer.body == expected {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?} is not {expected:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_component_is_told_of_changes_in_its_buckets() {
    let folder = tempfile::tempdir().unwrap();
    let file = guest("cloud-http/cloud-http.wasm");
    let redb = format!("kept@n=redb:{}", folder.path().join("b.redb").display());
    let server = Server::start_file(&file, &["--keyvalue", "a=memory:", "--keyvalue", &redb]);
    for bucket in ["a", "kept"] {
        for count in 1..=12 {
            assert_eq!(server.get(&format!("/count?{bucket}")).body, format!("{count}\n"));
        }
        until(&server, &format!("/get?{bucket}/set-count"), "12");
        // What it changed itself is not told: otherwise there would be `set-set-count`.
        assert_eq!(server.get(&format!("/get?{bucket}/set-set-count")).body, "");
        // A trap costs nothing else.
        server.get(&format!("/count?{bucket}"));
        server.wait_for(&format!("told of a change in the bucket {bucket}: "));
        server.get(&format!("/count?{bucket}"));
        until(&server, &format!("/get?{bucket}/set-count"), "14");
        assert_eq!(server.get(&format!("/delete?{bucket}/count")).status, 200);
        until(&server, &format!("/get?{bucket}/deleted"), "count");
    }
}

#[test]
fn a_watcher_that_goes_wrong_costs_only_itself() {
    let file = guest("cloud-http/cloud-http.wasm");
    let flags = [
        "--keyvalue",
        "a=memory:",
        "--keyvalue",
        "b=memory:",
        "--timeout",
        "1s",
        "--max-memory",
        "16M",
    ];
    let server = Server::start_file(&file, &flags);
    for (key, told) in [
        ("loop", "ran for too long"),
        ("hog", "told of a change in the bucket a: "),
    ] {
        assert_eq!(server.get(&format!("/set?a/{key}")).status, 200);
        // While it is at it, requests are answered and other buckets are told of.
        assert_eq!(server.get(&format!("/set?b/x-{key}")).status, 200);
        until(&server, &format!("/get?b/set-x-{key}"), &format!("x-{key}"));
        server.wait_for(told);
        // And then the next change in the same.
        assert_eq!(server.get(&format!("/set?a/x-{key}")).status, 200);
        until(&server, &format!("/get?a/set-x-{key}"), &format!("x-{key}"));
    }
    assert!(
        !server
            .lines()
            .iter()
            .any(|line| line.contains("panicked at crates"))
    );
}

#[test]
fn requests_share_what_may_be_added_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let grant = format!("{}::/data::max=1M::max-entries=30", folder.path().display());
    let server = Server::start(&["--dir", &grant]);
    let written = |file: usize, bytes: usize| server.get(&format!("/write?file={file}&bytes={bytes}")).status;
    // Forty at a time, of which ten fit.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let written = &written;
        let all: Vec<_> = (0..40)
            .map(|i| scope.spawn(move || written(i, 100_000)))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sizes = || -> Vec<u64> {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .collect()
    };
    let total: u64 = sizes().iter().sum();
    assert!(total <= 1 << 20, "{total}");
    let fit = statuses.iter().filter(|status| **status == 200).count();
    assert!((1..=10).contains(&fit), "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 507].contains(status)),
        "{statuses:?}"
    );
    assert!(sizes().len() <= 30, "{}", sizes().len());
    // What a later request makes shorter, another can have.
    let kept = statuses.iter().position(|status| *status == 200).unwrap();
    assert_eq!(written(kept, 10), 200);
    assert_eq!(written(kept, 50_000), 200);
    assert!(sizes().iter().sum::<u64>() <= 1 << 20);
}
