//! A server as a process, and clients for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn hello() -> PathBuf {
    guest("http-hello/http-hello.wasm")
}

/// A file of `examples/guests/`.
pub fn guest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/guests")
        .join(path)
}

/// A guest that is too large to be committed, if it was built. Says so if not, and fails where guests are required.
pub fn built(name: &str) -> Option<PathBuf> {
    let path = guest(&format!("build/{name}.wasm"));
    if path.is_file() {
        return Some(path);
    }
    let required = std::env::var_os("WHARF_REQUIRE_GUESTS").is_some_and(|value| value == "1");
    assert!(!required, "{name} is not built");
    eprintln!("skipped: run examples/guests/build.sh {name}");
    None
}

/// Runs a command of `wharf` to its end and gives status, standard output and standard error.
pub fn wharf(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().unwrap_or(-1);
    (status, text(&output.stdout), text(&output.stderr))
}

/// A running `wharf serve`.
pub struct Server {
    pub address: SocketAddr,
    child: Child,
    lines: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Server {
    /// Serves `http-hello` with these flags.
    pub fn start(flags: &[&str]) -> Server {
        Server::start_file(&hello(), flags)
    }

    pub fn start_file(file: &Path, flags: &[&str]) -> Server {
        let tier: &[&str] = match flags.contains(&"--tier") {
            true => &[],
            // Most tests are about something else.
            false => &["--tier", "off"],
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(tier)
            .args(flags)
            .arg(file)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines: Arc<(Mutex<Vec<String>>, Condvar)> = Arc::default();
        let shared = lines.clone();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                shared.0.lock().unwrap().push(line);
                shared.1.notify_all();
            }
        });
        let mut server = Server {
            address: ([0, 0, 0, 0], 0).into(),
            child,
            lines,
        };
        let line = server.wait_for(" on http://127.0.0.1:");
        // The metrics have a line of their own, before this one.
        let line = match line.contains("metrics on") {
            true => server.wait_for("serving "),
            false => line,
        };
        server.address = line.rsplit_once("http://").unwrap().1.parse().unwrap();
        server
    }

    /// Waits for a line on standard error that contains `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.0.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {text:?} in {lines:#?}");
            lines = self.lines.1.wait_timeout(lines, left).unwrap().0;
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.0.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The status of the process once it has ended.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&self, what: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !what() {
            assert!(Instant::now() < deadline, "{:#?}", self.lines());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What `/metrics` says, which has to be served.
    pub fn metrics(&self) -> String {
        let line = self.wait_for("metrics on");
        let address = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.strip_suffix("/metrics"))
            .unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .unwrap();
        Answer::parse(&read_to_end(&mut stream)).body
    }

    /// One of the numbers that `/metrics` gives.
    #[track_caller]
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.metrics();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value
            .unwrap_or_else(|| panic!("{name} in {text}"))
            .parse()
            .unwrap()
    }

    /// The most memory that the process has had at a time; 0 where that is not known.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) << 10
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that comes back for these bytes until the server closes the connection.
    pub fn raw(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // The server may close the connection before it has everything.
        let _ = stream.write_all(bytes.as_ref());
        read_to_end(&mut stream)
    }

    /// The answer to a `GET` request.
    pub fn get(&self, target: &str) -> Answer {
        self.send(&format!(
            "GET {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
        ))
    }

    /// The answer to a `POST` request.
    pub fn post(&self, target: &str, body: &str) -> Answer {
        self.send(&format!(
            "POST {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    pub fn send(&self, request: &str) -> Answer {
        Answer::parse(&self.raw(request))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Much less than what attacks would cost if each of their bytes were kept, and much more than what a server takes that keeps none.
const MEMORY: u64 = 128 << 20;

/// Lets one client do something while another asks again and again, and looks at what the process took in all.
#[track_caller]
pub fn attack<T: Send>(server: &Server, attack: impl FnOnce() -> T + Send) -> T {
    let result = std::thread::scope(|scope| {
        let attacker = scope.spawn(attack);
        loop {
            assert_ne!(server.get("/").status, 0);
            if attacker.is_finished() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        attacker
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    assert_ne!(server.get("/").status, 0);
    let peak = server.peak_memory();
    assert!(peak < MEMORY, "{peak} bytes");
    let lines = server.lines();
    assert!(!lines.iter().any(|line| line.contains("panicked")), "{lines:#?}");
    result
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(n) => all.extend_from_slice(&part[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => panic!("{e} after {:?}", String::from_utf8_lossy(&all)),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// A response of HTTP/1.1.
#[derive(Debug)]
pub struct Answer {
    /// 0 if there is none.
    pub status: u16,
    pub head: String,
    pub body: String,
    /// The body came to its end.
    pub whole: bool,
}

impl Answer {
    pub fn parse(text: &str) -> Answer {
        let (head, rest) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(0);
        let head = head.to_ascii_lowercase();
        let (body, whole) = if head.contains("transfer-encoding: chunked") {
            unchunk(rest)
        } else {
            let length = head
                .split("content-length: ")
                .nth(1)
                .and_then(|text| text.lines().next()?.parse::<usize>().ok());
            (rest.to_owned(), length.is_none_or(|length| length == rest.len()))
        };
        Answer {
            status,
            head,
            body,
            whole,
        }
    }
}

/// The content of chunks, and whether the last one is there.
fn unchunk(mut text: &str) -> (String, bool) {
    let mut out = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else {
            return (out, false);
        };
        if size == 0 {
            return (out, true);
        }
        let Some(part) = rest.get(..size) else {
            return (out, false);
        };
        out.push_str(part);
        text = rest.get(size + 2..).unwrap_or("");
    }
    (out, false)
}
