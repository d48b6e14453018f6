//! What watchers are told of changes in a Redis server, whoever makes them.

use std::sync::{Arc, Mutex};

use wharf_wasi_keyvalue::{
    Backend, Bucket, BucketName, Change, Changes, Quota, RedisBackend, StoreError, Swap, Told,
};

use crate::common::{RedisServer, open, wait};

fn name(namespace: &str) -> BucketName {
    BucketName {
        namespace: namespace.to_owned(),
        bucket: "b".to_owned(),
    }
}

/// A backend of its own, as another process has.
fn backend(url: &str) -> Arc<dyn Backend> {
    Arc::new(RedisBackend::new(url).unwrap())
}

fn bucket(url: &str, namespace: &str) -> Arc<dyn Bucket> {
    open(&backend(url), namespace, Quota::default()).unwrap()
}

fn set(key: &str, value: impl AsRef<[u8]>) -> Told {
    Told::Change(Change::Set {
        key: key.to_owned(),
        value: value.as_ref().to_vec(),
    })
}

fn deleted(key: &str) -> Told {
    Told::Change(Change::Deleted { key: key.to_owned() })
}

fn take(changes: &mut Changes, number: usize) -> Vec<Told> {
    (0..number).map(|_| wait(changes.next())).collect()
}

/// Changes of this backend and of others come once, in order, and those that are not to be told don't.
pub fn everybody_is_told_of() {
    let server = RedisServer::start();
    let url = server.url();
    let here = backend(&url);
    let mut changes = wait(here.watch(&name("n"))).unwrap();
    let mut same = wait(here.watch(&name("n"))).unwrap();
    let mut elsewhere = wait(backend(&url).watch(&name("n"))).unwrap();
    let own = open(&here, "n", Quota::default()).unwrap();
    let other = bucket(&url, "n");
    // What is not told: other buckets, other databases of the server, and those who tell nobody.
    wait(bucket(&url, "o").set("a", b"0".to_vec())).unwrap();
    wait(bucket(&format!("{url}/1"), "n").set("a", b"0".to_vec())).unwrap();
    let untold = open(&here.untold().unwrap(), "n", Quota::default()).unwrap();
    wait(untold.set("u", b"0".to_vec())).unwrap();
    wait(untold.increment("u", 1)).unwrap();
    assert_eq!(wait(untold.delete("u")), Ok(true));
    server.command(&["publish", "wharf:{1:n:b}:changes:0", "something else"]);

    wait(own.set("ä:1", b"\0\xff\r\n".to_vec())).unwrap();
    wait(other.set("a", b"".to_vec())).unwrap();
    assert_eq!(wait(own.increment("n", 5)), Ok(5));
    assert_eq!(wait(other.increment("n", -7)), Ok(-2));
    let swap = |bucket: &Arc<dyn Bucket>, from: &[u8]| {
        wait(bucket.compare_and_swap("a", Some(from), b"x".to_vec())).unwrap()
    };
    assert_eq!(swap(&other, b""), Swap::Done);
    assert!(matches!(swap(&own, b""), Swap::Changed(_)));
    assert_eq!(wait(other.increment("a", 1)), Err(StoreError::NotANumber));
    assert_eq!(wait(own.delete("a")), Ok(true));
    assert_eq!(wait(other.delete("a")), Ok(false));
    let few = Quota {
        keys: 4,
        ..Quota::default()
    };
    let full = open(&backend(&url), "n", few).unwrap();
    let entries = ["p", "q", "r", "p"].map(|key| (key.to_owned(), vec![1]));
    let batch = wait(full.set_many(entries.into()));
    assert_eq!(
        (batch.changed, batch.ended),
        (vec![0, 1], Err(StoreError::TooManyKeys(4)))
    );
    let keys = ["q", "z", "q", "n"].map(str::to_owned);
    let batch = wait(own.delete_many(keys.into()));
    assert_eq!((batch.changed, batch.ended), (vec![0, 3], Ok(())));
    wait(other.set("last", b"1".to_vec())).unwrap();

    let expected = [
        set("ä:1", b"\0\xff\r\n"),
        set("a", ""),
        set("n", "5"),
        set("n", "-2"),
        set("a", "x"),
        deleted("a"),
        set("p", [1]),
        set("q", [1]),
        deleted("q"),
        deleted("n"),
        set("last", "1"),
    ];
    for changes in [&mut changes, &mut same, &mut elsewhere] {
        assert_eq!(take(changes, expected.len()), expected);
    }
}

/// Connections that break, and a server that is away for a while.
pub fn broken_connections() {
    let mut server = RedisServer::start();
    let url = server.url();
    let mut changes = wait(backend(&url).watch(&name("n"))).unwrap();
    let next = |changes: &mut Changes| wait(changes.next());
    for round in 0..3 {
        match round {
            0 => server.command(&["client", "kill", "type", "pubsub"]),
            _ => server.restart(),
        }
        let interrupted = next(&mut changes);
        assert!(
            matches!(&interrupted, Told::Interrupted(StoreError::Unavailable(_))),
            "{interrupted:?}"
        );
        assert_eq!(next(&mut changes), Told::Resumed);
        let value = round.to_string();
        let set_it = || wait(bucket(&url, "n").set("k", value.clone().into_bytes()));
        assert!((0..100).any(|_| set_it().is_ok()));
        assert_eq!(next(&mut changes), set("k", &value));
    }
    // One that is not there at first.
    server.kill();
    let mut late = wait(backend(&url).watch(&name("n"))).unwrap();
    assert!(matches!(next(&mut late), Told::Interrupted(_)));
    server.restart();
    assert_eq!(next(&mut late), Told::Resumed);
    // Those who left are not listened for any more.
    drop((late, changes));
    let gone = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        server.ask(&["publish", "wharf:{1:n:b}:changes:0", "x"]) == ":0"
    });
    assert!(gone);
}

/// A user who may not use channels is told what is missing, and changes all the same.
pub fn users_without_channels() {
    let server = RedisServer::start();
    server.command(&["acl", "setuser", "u", "on", ">p", "~*", "+@all", "resetchannels"]);
    let url = server.url().replace("redis://", "redis://u:p@");
    let limited = RedisBackend::new(&url).unwrap();
    let said: Arc<Mutex<Vec<String>>> = Arc::default();
    let list = said.clone();
    limited.on_unpublished(move |error| list.lock().unwrap().push(error.to_string()));
    let limited: Arc<dyn Backend> = Arc::new(limited);
    let mut changes = wait(limited.watch(&name("n"))).unwrap();
    match wait(changes.next()) {
        Told::Interrupted(StoreError::Unavailable(text)) => assert!(text.contains("&wharf:*"), "{text}"),
        other => panic!("{other:?}"),
    }
    let mut admin = wait(backend(&server.url()).watch(&name("n"))).unwrap();
    let mine = open(&limited, "n", Quota::default()).unwrap();
    wait(mine.set("a", b"1".to_vec())).unwrap();
    assert_eq!(wait(mine.increment("a", 1)), Ok(2));
    assert_eq!(wait(mine.delete("a")), Ok(true));
    let said = said.lock().unwrap();
    assert!(said.len() == 1 && said[0].contains("+publish"), "{said:?}");
    // With the rights, everything is as it should be.
    server.command(&["acl", "setuser", "u", "&wharf:*"]);
    assert_eq!(wait(changes.next()), Told::Resumed);
    wait(mine.set("a", b"3".to_vec())).unwrap();
    assert_eq!(wait(changes.next()), set("a", "3"));
    assert_eq!(wait(admin.next()), set("a", "3"));
}

/// What a watcher does not take is counted, and takes no more memory than it may.
pub fn slow_watchers() {
    let server = RedisServer::start();
    let url = server.url();
    let mut changes = wait(backend(&url).watch(&name("n"))).unwrap();
    let large = Quota {
        bytes: 1 << 30,
        value_bytes: 1 << 30,
        ..Quota::default()
    };
    let bucket = open(&backend(&url), "n", large).unwrap();
    let entries = (0..1500).map(|i| (format!("{i:04}"), vec![7])).collect();
    wait(bucket.set_many(entries)).ended.unwrap();
    // Too long for anybody to wait for.
    wait(bucket.set("large", vec![1; (16 << 20) + 1])).unwrap();
    wait(bucket.set("end", b"x".to_vec())).unwrap();
    let (mut told, mut lost) = (0, 0);
    while told + lost < 1502 {
        match wait(changes.next()) {
            Told::Change(_) => told += 1,
            Told::Lost(number) => lost += number,
            other => panic!("{other:?}"),
        }
    }
    assert!(told + lost == 1502 && lost > 0, "{told} {lost}");
    wait(bucket.set("again", b"x".to_vec())).unwrap();
    assert_eq!(wait(changes.next()), set("again", "x"));
    // Nor is so much published at once that the server closes the connection.
    let entries = (0..48).map(|i| (format!("{i:02}"), vec![7; 1 << 20])).collect();
    wait(bucket.set_many(entries)).ended.unwrap();
    let (mut told, mut lost) = (0, 0);
    while told + lost < 48 {
        match wait(changes.next()) {
            Told::Change(_) => told += 1,
            Told::Lost(number) => lost += number,
            other => panic!("{other:?}"),
        }
    }
    assert!(told > 0 && lost >= 48 - 16, "{told} {lost}");
}
