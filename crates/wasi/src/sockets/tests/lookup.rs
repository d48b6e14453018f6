use super::{addr, net};
use crate::poll::Pollable;
use crate::sockets::SocketErrorCode::{self, *};
use crate::sockets::denied::SocketAddrUse;
use crate::sockets::grants::NetCtx;
use crate::sockets::lookup::ResolveAddressStream;
use crate::sockets::resolver::NameResolver;
use crate::test_util::{block_on, now};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// Gives what a table says, one answer after the other.
#[derive(Default)]
struct Table(Mutex<HashMap<&'static str, Vec<Vec<&'static str>>>>);

impl NameResolver for Table {
    fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
        let mut table = self.0.lock().unwrap();
        let answers = table.get_mut(name).ok_or(NameUnresolvable)?;
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        Ok(answer.iter().map(|ip| ip.parse().unwrap()).collect())
    }
}

fn with(rules: &[&str], table: &[(&'static str, &[&[&'static str]])]) -> NetCtx {
    let entries = table
        .iter()
        .map(|(name, answers)| (*name, answers.iter().map(|a| a.to_vec()).collect()));
    NetCtx {
        resolver: Arc::new(Table(Mutex::new(entries.collect()))),
        ..net(rules)
    }
}

fn all(net: &NetCtx, name: &str) -> Result<Vec<String>, SocketErrorCode> {
    let mut stream = ResolveAddressStream::start(net, name)?;
    block_on(stream.ready());
    let mut ips = Vec::new();
    while let Some(ip) = stream.next()? {
        ips.push(ip.to_string());
    }
    assert_eq!(stream.next(), Ok(None));
    Ok(ips)
}

#[test]
fn names_are_looked_up_in_one_spelling() {
    let net = with(
        &["lookup:*"],
        &[
            (
                "example.org",
                &[&["1.1.1.1", "::ffff:2.2.2.2", "1.1.1.1", "2a00::1"]],
            ),
            ("xn--mnchen-3ya.de", &[&["3.3.3.3"]]),
        ],
    );
    assert_eq!(
        all(&net, "Example.org.").unwrap(),
        ["1.1.1.1", "2.2.2.2", "2a00::1"]
    );
    assert_eq!(all(&net, "münchen.de").unwrap(), ["3.3.3.3"]);
    assert_eq!(all(&net, "unknown.org"), Err(NameUnresolvable));
    for name in ["", "a b", "1.2.3", "0x7f.1", "[::1", "fe80::1%lo"] {
        assert_eq!(all(&net, name), Err(InvalidArgument), "{name}");
    }
}

#[test]
fn addresses_need_neither_a_resolver_nor_a_grant() {
    let net = with(&[], &[]);
    for (text, ip) in [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
    ] {
        let mut stream = ResolveAddressStream::start(&net, text).unwrap();
        assert_eq!(stream.next(), Ok(Some(ip.parse().unwrap())));
        assert_eq!(stream.next(), Ok(None));
        now(stream.ready());
    }
    assert_eq!(all(&net, "localhost"), Err(AccessDenied));
    assert_eq!(all(&net, "example.org"), Err(AccessDenied));
}

#[test]
fn a_name_leads_where_its_lookup_led_unless_that_is_local() {
    let net = with(
        &[
            "tcp-connect:example.org:443",
            "tcp-connect:db.internal+local:5432",
        ],
        &[
            ("example.org", &[&["1.1.1.1", "10.0.0.1"], &["127.0.0.1"]]),
            ("db.internal", &[&["10.0.0.9"]]),
        ],
    );
    let connects = |text: &str| now(net.check(addr(text), SocketAddrUse::TcpConnect)).is_ok();
    assert!(!connects("1.1.1.1:443"));
    assert_eq!(all(&net, "example.org").unwrap(), ["1.1.1.1"]);
    assert!(connects("1.1.1.1:443") && !connects("1.1.1.1:80"));
    assert!(!connects("10.0.0.1:443"));
    // Whoever has the name points it at this host now.
    assert_eq!(all(&net, "example.org"), Err(AccessDenied));
    assert!(!connects("127.0.0.1:443"));
    assert!(!connects("10.0.0.9:5432"));
    assert_eq!(all(&net, "db.internal").unwrap(), ["10.0.0.9"]);
    assert!(connects("10.0.0.9:5432") && !connects("10.0.0.9:443"));
}

#[test]
fn every_name_may_be_allowed() {
    let mut net = with(&[], &[("db.internal", &[&["10.0.0.9"]])]);
    assert_eq!(all(&net, "db.internal"), Err(AccessDenied));
    net.allow_lookup = true;
    assert_eq!(all(&net, "db.internal").unwrap(), ["10.0.0.9"]);
    // Knowing an address is not yet being allowed to use it.
    assert!(now(net.check(addr("10.0.0.9:80"), SocketAddrUse::TcpConnect)).is_err());
}

#[test]
fn the_number_of_addresses_is_bounded() {
    struct Many;
    impl NameResolver for Many {
        fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
            Ok((0..100_000u32)
                .map(|i| IpAddr::V4((0x0b00_0000 + i).into()))
                .collect())
        }
    }
    let net = NetCtx {
        resolver: Arc::new(Many),
        ..net(&["lookup:*"])
    };
    assert_eq!(all(&net, "many.org").unwrap().len(), 64);
}

#[test]
fn the_guest_is_told_why_a_resolver_failed() {
    struct Broken(SocketErrorCode);
    impl NameResolver for Broken {
        fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
            Err(self.0)
        }
    }
    for code in [
        NameUnresolvable,
        TemporaryResolverFailure,
        PermanentResolverFailure,
    ] {
        let net = NetCtx {
            resolver: Arc::new(Broken(code)),
            ..net(&["lookup:*"])
        };
        assert_eq!(all(&net, "a.org"), Err(code));
    }
}

#[test]
fn a_panic_of_the_resolver_is_a_failure() {
    struct Panics;
    impl NameResolver for Panics {
        fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
            std::panic::resume_unwind(Box::new("expected"))
        }
    }
    let net = NetCtx {
        resolver: Arc::new(Panics),
        ..net(&["lookup:*"])
    };
    assert_eq!(all(&net, "a.org"), Err(PermanentResolverFailure));
}

/// Answers once the gate is open.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
    inside: AtomicUsize,
    calls: AtomicUsize,
    most: AtomicUsize,
}

struct Gated(Arc<Gate>);

impl NameResolver for Gated {
    fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, SocketErrorCode> {
        let gate = &self.0;
        gate.calls.fetch_add(1, Ordering::SeqCst);
        let inside = gate.inside.fetch_add(1, Ordering::SeqCst) + 1;
        gate.most.fetch_max(inside, Ordering::SeqCst);
        let open = gate.open.lock().unwrap();
        drop(gate.changed.wait_while(open, |open| !*open).unwrap());
        gate.inside.fetch_sub(1, Ordering::SeqCst);
        Ok(vec!["1.1.1.1".parse().unwrap()])
    }
}

#[test]
fn lookups_wait_for_their_turn_and_can_be_given_up() {
    let gate = Arc::new(Gate::default());
    let net = NetCtx {
        resolver: Arc::new(Gated(gate.clone())),
        ..net(&["lookup:*"])
    };
    let start = |i: usize| ResolveAddressStream::start(&net, &format!("n{i}.org")).unwrap();
    let mut streams: Vec<_> = (0..100).map(start).collect();
    assert_eq!(streams[0].next(), Err(WouldBlock));
    while gate.inside.load(Ordering::SeqCst) < 8 {
        std::thread::yield_now();
    }
    // There is no room for any number of them.
    let more = (100..1000).map(|i| ResolveAddressStream::start(&net, &format!("n{i}.org")));
    let more: Result<Vec<_>, _> = more.collect();
    assert_eq!(more.unwrap_err(), TemporaryResolverFailure);
    // All but the first and the last are given up, running or not.
    let last = streams.pop().unwrap();
    streams.truncate(1);
    streams.push(last);
    *gate.open.lock().unwrap() = true;
    gate.changed.notify_all();
    for stream in &mut streams {
        block_on(stream.ready());
        assert_eq!(stream.next(), Ok(Some("1.1.1.1".parse().unwrap())));
    }
    assert_eq!(gate.most.load(Ordering::SeqCst), 8);
    assert!(gate.calls.load(Ordering::SeqCst) <= 9);
}

#[test]
fn the_system_knows_localhost() {
    let net = net(&["tcp-connect:localhost:80"]);
    let found = all(&net, "localhost").unwrap();
    assert!(!found.is_empty());
    for ip in found {
        let ip: IpAddr = ip.parse().unwrap();
        assert!(ip.is_loopback());
        assert!(now(net.check((ip, 80).into(), SocketAddrUse::TcpConnect)).is_ok());
        assert!(now(net.check((ip, 81).into(), SocketAddrUse::TcpConnect)).is_err());
    }
}

#[test]
fn other_hosts_connect_with_the_guests_rights() {
    let mut ctx = crate::WasiCtx::builder().build();
    ctx.net = with(
        &["tcp-connect:example.org:443", "tcp-connect:10.0.0.0/8:80"],
        &[("example.org", &[&["1.1.1.1", "10.0.0.1", "127.0.0.1"]])],
    );
    let grants = ctx.net_grants();
    let addresses = |host: &str, port| block_on(grants.connect_addresses(host, port));
    assert_eq!(addresses("Example.org", 443), Ok(vec![addr("1.1.1.1:443")]));
    assert_eq!(addresses("example.org", 80), Ok(vec![addr("10.0.0.1:80")]));
    assert_eq!(addresses("example.org", 22), Err(AccessDenied));
    assert_eq!(addresses("10.9.9.9", 80), Ok(vec![addr("10.9.9.9:80")]));
    assert_eq!(addresses("127.0.0.1", 80), Err(AccessDenied));
    assert_eq!(addresses("other.org", 443), Err(AccessDenied));
    for (host, port) in [("a b", 443), ("10.9.9.9", 0), ("0.0.0.0", 80), ("::10.9.9.9", 80)] {
        assert_eq!(addresses(host, port), Err(InvalidArgument), "{host}");
    }
    assert!(block_on(
        grants.allows(addr("10.9.9.9:80"), SocketAddrUse::TcpConnect)
    ));
    assert!(!block_on(
        grants.allows(addr("10.9.9.9:80"), SocketAddrUse::TcpBind)
    ));
}
