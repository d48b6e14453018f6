//! Handlers in Python and JavaScript. They are built by `examples/guests/build.sh --large`.

use crate::support::{Server, built};
use crate::upstream;

/// Interpreted as well as with machine code.
const TIERS: [&str; 2] = ["off", "tiered"];

#[test]
fn python_answers() {
    let Some(file) = built("python-http") else { return };
    for tier in TIERS {
        let server = Server::start_file(&file, &["--tier", tier]);
        for _ in 0..3 {
            let answer = server.get("/");
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, "hello from Python\n")
            );
        }
        assert_eq!(server.post("/sum", "[1, 2, 3.5]").body, "{\"sum\": 6.5}");
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
        assert_eq!(server.post("/sha256", "abc").body, digest);
        assert_eq!(server.get("/nowhere").status, 404);
        assert_eq!(server.get("/raise").status, 500);
        server.wait_for("ValueError: asked to raise");
        assert_eq!(server.get("/").status, 200);
    }
}

#[test]
fn javascript_answers() {
    let Some(file) = built("js-http") else { return };
    for tier in TIERS {
        let server = Server::start_file(&file, &["--tier", tier]);
        for _ in 0..3 {
            let answer = server.get("/");
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, "hello from JavaScript\n")
            );
        }
        assert_eq!(server.post("/sum", "[1, 2, 3.5]").body, "{\"sum\":6.5}");
        assert_eq!(server.post("/upper", "straße").body, "STRASSE");
        assert_eq!(server.get("/nowhere").status, 404);
        assert_eq!(server.get("/throw").status, 500);
        server.wait_for("asked to throw");
        assert_eq!(server.get("/").status, 200);
    }
}

#[test]
fn many_at_a_time() {
    for name in ["python-http", "js-http"] {
        let Some(file) = built(name) else { return };
        let server = Server::start_file(&file, &["--tier", "tiered"]);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        assert_eq!(server.post("/sum", "[20, 22]").status, 200);
                    }
                });
            }
        });
    }
}

/// What a guest says that fetches these addresses.
fn fetched(server: &Server, urls: &[&str]) -> String {
    let query: Vec<String> = urls.iter().map(|url| format!("url={url}")).collect();
    let answer = server.get(&format!("/fetch?{}", query.join("&")));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.replace("\": ", "\":").replace(", \"", ",\"")
}

#[test]
fn guests_send_requests_over_tls() {
    let (secure, pem) = upstream::https();
    let plain = upstream::http();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).unwrap();
    let ca = ca.to_str().unwrap();
    let secure = format!("https://localhost:{}", secure.port());
    let plain = format!("http://{plain}");
    // The name leads to this machine.
    let rule = format!("{secure}::private");
    for name in ["python-http", "js-http"] {
        let Some(file) = built(name) else { return };
        let server = Server::start_file(&file, &["--http", &rule, "--http-ca", ca, "--http", &plain]);
        let body = fetched(
            &server,
            &[
                &format!("{secure}/a"),
                &format!("{plain}/b"),
                &format!("{secure}/c"),
            ],
        );
        assert_eq!(body.matches("\"status\":200").count(), 3, "{body}");
        for target in ["/a", "/b", "/c"] {
            assert!(
                body.contains(&format!("you asked: GET {target} HTTP/1.1")),
                "{body}"
            );
        }
        // Another host, another scheme.
        let other = format!("https://other.example:{}/", secure.rsplit_once(':').unwrap().1);
        let body = fetched(&server, &[&other, &plain.replace("http", "https")]);
        assert!(
            body.matches("error").count() >= 2 && !body.contains("you asked"),
            "{body}"
        );
        server.wait_for("denied: a request to https://other.example");
        // Without the authority nobody trusts the certificate.
        let server = Server::start_file(&file, &["--http", &rule]);
        let body = fetched(&server, &[&format!("{secure}/")]);
        assert!(body.contains("error") && !body.contains("you asked"), "{body}");
    }
}
