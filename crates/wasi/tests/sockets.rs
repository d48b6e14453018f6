//! A component that uses the network, with peers on the loopback interface.
#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use wharf::component::{Component, Linker, ResourceTable};
use wharf::{Engine, Store};
use wharf_wasi::p2::{self, AsyncCommand, Command};
use wharf_wasi::{I32Exit, MemoryOutputPipe, NameResolver, SocketAddrUse, SocketErrorCode, WasiCtxBuilder};

use common::{State, guest};

/// A run of the guest.
struct Run {
    guest: &'static str,
    builder: WasiCtxBuilder,
    stdout: MemoryOutputPipe,
    stderr: MemoryOutputPipe,
}

impl Run {
    fn new(args: &[&str], rules: &[&str]) -> Run {
        let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
        let mut builder = WasiCtxBuilder::new();
        builder.arg("rust-sockets").args(args);
        builder.stdout(stdout.clone()).stderr(stderr.clone());
        for rule in rules {
            builder.net_rule(rule.parse().unwrap());
        }
        Run {
            guest: "rust-sockets",
            builder,
            stdout,
            stderr,
        }
    }

    fn prepare(&mut self) -> (Store<State>, Component, Linker<State>) {
        let mut path = guest(&format!("{0}/{0}.wasm", self.guest));
        if !path.is_file() {
            path = built(self.guest);
        }
        let bytes = std::fs::read(path).unwrap();
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

    /// Runs, and gives what was written to standard output, or the error.
    fn run(mut self) -> Result<String, String> {
        let (mut store, component, linker) = self.prepare();
        let command = Command::instantiate(&mut store, &component, &linker).unwrap();
        self.outcome(ended(command.wasi_cli_run().call_run(&mut store)))
    }

    async fn run_async(mut self) -> Result<String, String> {
        let (mut store, component, linker) = self.prepare();
        let command = AsyncCommand::instantiate_async(&mut store, &component, &linker).await;
        let result = command.unwrap().wasi_cli_run().call_run(&mut store).await;
        self.outcome(ended(result))
    }

    fn outcome(&self, result: Result<(), ()>) -> Result<String, String> {
        let text = |pipe: &MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
        match result {
            Ok(()) => Ok(text(&self.stdout)),
            Err(()) => Err(text(&self.stderr)),
        }
    }
}

/// Whether a run succeeded: some programs end by returning, some with `exit`.
fn ended(result: wharf::Result<Result<(), ()>>) -> Result<(), ()> {
    result.unwrap_or_else(|error| match error.downcast_ref::<I32Exit>() {
        Some(I32Exit(0)) => Ok(()),
        Some(_) => Err(()),
        None => panic!("{error:?}"),
    })
}

/// A guest that is too large to be committed.
fn built(guest: &str) -> PathBuf {
    common::guest(&format!("build/{guest}.wasm"))
}

/// Whether a guest was built that is not committed. Says so if not, and fails where guests are required.
fn is_built(guest: &str) -> bool {
    let there = built(guest).is_file();
    if !there {
        let required = std::env::var_os("WHARF_REQUIRE_GUESTS").is_some_and(|value| value == "1");
        assert!(!required, "{guest} is not built");
        eprintln!("skipped: run examples/guests/build.sh {guest}");
    }
    there
}

/// A listener, and a rule that lets the guest connect to it.
fn listener() -> (TcpListener, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let rule = format!("tcp-connect:{at}");
    (listener, at, rule)
}

/// Answers one connection with what it sends, backwards.
fn answer_backwards(listener: TcpListener) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        text.reverse();
        stream.write_all(&text).unwrap();
    })
}

#[test]
fn a_guest_connects() {
    let (listener, at, rule) = listener();
    let peer = answer_backwards(listener);
    assert_eq!(
        Run::new(&["fetch", &at, "hello"], &[&rule]).run().unwrap(),
        "olleh\n"
    );
    peer.join().unwrap();
}

#[test]
fn a_guest_connects_without_blocking_the_thread() {
    let (listener, at, rule) = listener();
    // The peer is a task of the same thread, which the guest must leave free.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let peer = async {
            let mut stream = loop {
                match listener.accept() {
                    Ok((stream, _)) => break stream,
                    Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            };
            stream.set_nonblocking(true).unwrap();
            let mut text = Vec::new();
            while let Err(e) = stream.read_to_end(&mut text) {
                assert_eq!(e.kind(), std::io::ErrorKind::WouldBlock);
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stream.write_all(&text).unwrap();
        };
        let guest = Run::new(&["fetch", &at, "hello"], &[&rule]).run_async();
        let ((), answer) = tokio::join!(peer, guest);
        assert_eq!(answer.unwrap(), "hello\n");
    });
}

#[test]
fn a_guest_that_blocks_a_thread_of_a_runtime_still_gets_its_answer() {
    let (listener, at, rule) = listener();
    let peer = answer_backwards(listener);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let guest = runtime.spawn(async move { Run::new(&["fetch", &at, "abc"], &[&rule]).run() });
    assert_eq!(runtime.block_on(guest).unwrap().unwrap(), "cba\n");
    peer.join().unwrap();
}

#[test]
fn a_guest_serves() {
    let run = Run::new(&["serve", "127.0.0.1:0", "3"], &["tcp-listen:127.0.0.1:0"]);
    let stdout = run.stdout.clone();
    let guest = std::thread::spawn(move || run.run());
    let at: SocketAddr = loop {
        let text = String::from_utf8(stdout.contents().to_vec()).unwrap();
        if let Some(line) = text.strip_suffix('\n') {
            break line.strip_prefix("listening on ").unwrap().parse().unwrap();
        }
        assert!(!guest.is_finished(), "{:?}", guest.join());
        std::thread::sleep(Duration::from_millis(1));
    };
    for text in ["one", "two and a half", ""] {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, text.to_uppercase());
    }
    let text = guest.join().unwrap().unwrap();
    assert!(text.ends_with("\n3 bytes\n14 bytes\n0 bytes\n"), "{text}");
}

#[test]
fn a_slow_peer_gets_everything() {
    const BYTES: usize = 8 << 20;
    let (listener, at, rule) = listener();
    let peer = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut chunk = vec![0; 1 << 20];
        let mut total = 0usize;
        loop {
            let n = stream.read(&mut chunk).unwrap();
            if n == 0 {
                return total;
            }
            let expected = |i: usize| ((total + i) / 251 + total + i) as u8;
            assert!(
                chunk[..n]
                    .iter()
                    .enumerate()
                    .all(|(i, byte)| *byte == expected(i))
            );
            total += n;
            if total.is_multiple_of(7) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let output = Run::new(&["flood", &at, &BYTES.to_string()], &[&rule])
        .run()
        .unwrap();
    assert_eq!(output, format!("sent {BYTES} bytes\n"));
    assert_eq!(peer.join().unwrap(), BYTES);
}

#[test]
fn a_peer_that_breaks_off_is_an_error() {
    let (listener, at, rule) = listener();
    let peer = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(b"some").unwrap();
        // Nothing resets a connection as reliably from here as closing it with something unread.
        stream.read_exact(&mut [0]).unwrap();
    });
    // Which error it is depends on how far the guest has come, and on its C library.
    let error = Run::new(&["fetch", &at, "unread"], &[&rule]).run().unwrap_err();
    assert!(error.starts_with("rust-sockets fetch: "), "{error}");
    peer.join().unwrap();
    let (gone, at, rule) = self::listener();
    drop(gone);
    let error = Run::new(&["drain", &at], &[&rule]).run().unwrap_err();
    assert!(error.contains("ConnectionRefused"), "{error}");
}

#[test]
fn a_guest_asks_with_datagrams() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = peer.local_addr().unwrap();
    let rule = format!("udp-send:{at}");
    let answer = std::thread::spawn(move || {
        let mut buffer = [0; 100];
        let (n, from) = peer.recv_from(&mut buffer).unwrap();
        buffer[..n].reverse();
        peer.send_to(&buffer[..n], from).unwrap();
    });
    let run = Run::new(&["udp-ask", &at.to_string(), "what"], &[&rule]);
    assert_eq!(run.run().unwrap(), "tahw\n");
    answer.join().unwrap();
}

/// Knows a few names.
struct Names(Vec<(&'static str, IpAddr)>);

impl NameResolver for Names {
    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
        let known = self.0.iter().filter(|(known, _)| *known == name);
        Ok(known.map(|(_, ip)| *ip).collect())
    }
}

#[test]
fn a_name_leads_to_its_host() {
    let loopback = IpAddr::from([127, 0, 0, 1]);
    let names = || Names(vec![("db.internal", loopback), ("rebound.example", loopback)]);
    let (listener, at, _) = listener();
    let port = at.parse::<SocketAddr>().unwrap().port();
    let peer = answer_backwards(listener);
    let fetch = |name: &str, rules: &[String]| {
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        let mut run = Run::new(&["fetch", &format!("{name}:{port}"), "hello"], &rules);
        run.builder.name_resolver(names());
        run.run()
    };
    // The name stands for this host, which the rule doesn't say.
    let rule = format!("tcp-connect:rebound.example:{port}");
    let error = fetch("rebound.example", &[rule]).unwrap_err();
    assert!(error.contains("PermissionDenied"), "{error}");
    assert!(fetch("unknown.example", &["lookup:*".to_owned()]).is_err());
    let rule = format!("tcp-connect:db.internal+local:{port}");
    assert_eq!(fetch("DB.internal", &[rule]).unwrap(), "olleh\n");
    peer.join().unwrap();
}

#[test]
fn a_c_program_finds_its_server_by_name() {
    let (listener, at, _) = listener();
    let peer = answer_backwards(listener);
    let port = at.rsplit_once(':').unwrap().1;
    let rule = format!("tcp-connect:server.internal+local:{port}");
    let mut run = Run::new(&["ask", "server.internal", port, "hello"], &[&rule]);
    run.guest = "c-sockets";
    run.builder
        .name_resolver(Names(vec![("server.internal", [127, 0, 0, 1].into())]));
    assert_eq!(run.run().unwrap(), "127.0.0.1\nolleh\n");
    peer.join().unwrap();
}

#[test]
fn a_go_program_finds_its_server_by_name() {
    if !is_built("go-sockets") {
        return;
    }
    let (listener, at, _) = listener();
    let peer = answer_backwards(listener);
    let port = at.rsplit_once(':').unwrap().1;
    let rule = format!("tcp-connect:server.internal+local:{port}");
    let ask = |name: &str| {
        let mut run = Run::new(&["ask", name, port, "hello"], &[&rule, "lookup:*"]);
        run.guest = "go-sockets";
        run.builder
            .name_resolver(Names(vec![("server.internal", [127, 0, 0, 1].into())]));
        run.run()
    };
    assert_eq!(ask("server.internal").unwrap(), "127.0.0.1\nolleh\n");
    peer.join().unwrap();
    assert_eq!(
        ask("unknown.example").unwrap_err(),
        "go-sockets: unknown.example: name-unresolvable\n"
    );
    assert_eq!(
        ask("server.internal").unwrap_err(),
        "go-sockets: connect: connection-refused\n"
    );
}

/// A resolver that fails.
struct Broken(SocketErrorCode);

impl NameResolver for Broken {
    fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
        Err(self.0)
    }
}

#[test]
fn a_name_that_can_not_be_resolved_is_an_error() {
    use SocketErrorCode as Code;
    for (code, go) in [
        (Code::NameUnresolvable, "name-unresolvable"),
        (Code::TemporaryResolverFailure, "temporary-resolver-failure"),
        (Code::PermanentResolverFailure, "permanent-resolver-failure"),
    ] {
        // A C library makes an error number of it.
        let rules = ["lookup:*", "tcp-connect:*:80"];
        let mut run = Run::new(&["ask", "db.example", "80", "x"], &rules);
        run.guest = "c-sockets";
        run.builder.name_resolver(Broken(code));
        let error = run.run().unwrap_err();
        assert!(error.starts_with("c-sockets: db.example: "), "{error}");
        if is_built("go-sockets") {
            let mut run = Run::new(&["ask", "db.example", "80", "x"], &rules);
            run.guest = "go-sockets";
            run.builder.name_resolver(Broken(code));
            let error = run.run().unwrap_err();
            assert_eq!(error, format!("go-sockets: db.example: {go}\n"));
        }
    }
}

#[test]
fn denials_are_observed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let mut run = Run::new(&["fetch", "10.1.2.3:80", "x"], &["tcp-connect:10.0.0.0/16:80"]);
    run.builder.on_network_denied(move |denied| {
        let rule = denied.rule().map(|rule| rule.to_string());
        sink.lock().unwrap().push((denied.to_string(), rule));
    });
    assert!(run.run().unwrap_err().contains("PermissionDenied"));
    let expected = (
        "connecting with TCP to 10.1.2.3:80".to_owned(),
        Some("tcp-connect:10.1.2.3:80".to_owned()),
    );
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[test]
fn an_embedder_decides_by_itself() {
    let (listener, at, _) = listener();
    let peer = answer_backwards(listener);
    let mut run = Run::new(&["fetch", &at, "hello"], &[]);
    let allowed: SocketAddr = at.parse().unwrap();
    run.builder.socket_addr_check(move |addr, usage| {
        Box::pin(async move { addr == allowed && usage == SocketAddrUse::TcpConnect })
    });
    assert_eq!(run.run().unwrap(), "olleh\n");
    peer.join().unwrap();
    let mut run = Run::new(&["tcp-self", "127.0.0.1:0"], &[]);
    run.builder.inherit_network();
    assert!(run.run().is_ok());
    let mut run = Run::new(&["tcp-self", "127.0.0.1:0"], &["all"]);
    run.builder.allow_tcp(false);
    assert!(run.run().unwrap_err().contains("PermissionDenied"));
    let mut run = Run::new(&["lookup", "localhost"], &[]);
    run.builder.allow_ip_name_lookup(true);
    assert!(run.run().unwrap().contains("127.0.0.1"));
}
