//! A Redis server for tests.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a server proves who it is with, in PEM form.
struct Certificate {
    authority: String,
    certificate: String,
    key: String,
}

/// A Redis server of this process, on loopback, with its data in a folder of its own.
pub struct RedisServer {
    process: Child,
    port: u16,
    folder: TempDir,
    /// The authority of its certificate in PEM form, if it takes connections with TLS only.
    authority: Option<String>,
}

/// Whether there is a program `redis-server`.
pub fn has_redis() -> bool {
    let run = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

impl RedisServer {
    pub fn start() -> RedisServer {
        RedisServer::start_with(None).expect("a redis-server starts")
    }

    /// A server that takes connections with TLS only; none if the program was built without.
    pub fn start_tls() -> Option<RedisServer> {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &ca)
            .unwrap();
        RedisServer::start_with(Some(Certificate {
            authority: ca.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }))
    }

    fn start_with(certificate: Option<Certificate>) -> Option<RedisServer> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(certificate) = &certificate {
            std::fs::write(folder.path().join("certificate.pem"), &certificate.certificate).unwrap();
            std::fs::write(folder.path().join("key.pem"), &certificate.key).unwrap();
        }
        let authority = certificate.map(|certificate| certificate.authority);
        for _ in 0..10 {
            // The server can't choose a port by itself, so one that is free now may be taken a moment later.
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            if let Some(process) = launch(port, folder.path(), authority.is_some()) {
                return Some(RedisServer {
                    process,
                    port,
                    folder,
                    authority,
                });
            }
        }
        None
    }

    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() {
            "rediss"
        } else {
            "redis"
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The authority of its certificate in PEM form.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or_default()
    }

    /// Sends a command as someone else would, and waits until it is done.
    pub fn command(&self, words: &[&str]) {
        let answer = self.ask(words);
        assert!(answer.starts_with(['+', ':']), "{words:?}: {answer}");
    }

    /// Sends a command, and gives the first line of the answer.
    pub fn ask(&self, words: &[&str]) -> String {
        use std::io::{BufRead as _, Write as _};
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub fn restart(&mut self) {
        self.kill();
        self.process = launch(self.port, self.folder.path(), self.authority.is_some())
            .expect("redis-server starts again");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a server and waits until it answers.
fn launch(port: u16, folder: &Path, tls: bool) -> Option<Child> {
    let port_text = port.to_string();
    let ports: &[&str] = match tls {
        false => &["--port", &port_text],
        true => &[
            "--port",
            "0",
            "--tls-port",
            &port_text,
            "--tls-cert-file",
            "certificate.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-auth-clients",
            "no",
        ],
    };
    let mut process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1"])
        .args(ports)
        .current_dir(folder)
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if process.try_wait().is_ok_and(|ended| ended.is_some()) {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(process);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    let _ = process.wait();
    None
}
