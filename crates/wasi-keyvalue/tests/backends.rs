//! What every backend does, by itself and for a real guest; and what files and servers do when they are killed.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{RedisServer, granted, guest, has_redis, open, wait};
use libtest_mimic::{Arguments, Trial};
use wharf_wasi_keyvalue::{
    Backend, BackendUrl, Backends, Bucket, BucketGrant, MemoryBackend, Quota, RedbBackend, RedisBackend,
    StoreError, Swap, WasiKeyValueCtx,
};

/// The test with this argument is the one that is killed.
const WRITER: &str = "WHARF_KEYVALUE_WRITER";

/// The test with this argument has a small disk.
const FILLER: &str = "WHARF_KEYVALUE_FILLER";

type Test = fn(&Arc<dyn Backend>);

const TESTS: [(&str, Test); 12] = [
    ("a_guest_uses_every_function", a_guest_uses_every_function),
    (
        "what_is_not_granted_can_not_be_opened",
        what_is_not_granted_can_not_be_opened,
    ),
    (
        "a_bucket_may_be_for_reading_only",
        a_bucket_may_be_for_reading_only,
    ),
    ("tenants_do_not_see_each_other", tenants_do_not_see_each_other),
    ("guests_count_together", guests_count_together),
    ("guests_swap_together", guests_swap_together),
    ("quotas_hold_for_guests", quotas_hold_for_guests),
    ("quotas_hold_under_concurrency", quotas_hold_under_concurrency),
    ("quotas_count_exactly", quotas_count_exactly),
    ("keys_come_in_pages", keys_come_in_pages),
    ("batches_are_bounded", batches_are_bounded),
    ("swaps_compare_bytes", swaps_compare_bytes),
];

fn main() {
    if let Ok(path) = std::env::var(WRITER) {
        write_until_killed(&path);
    }
    if let Ok(folder) = std::env::var(FILLER) {
        fill_disk(&folder);
        return;
    }
    let arguments = Arguments::from_args();
    let redis = has_redis();
    let server = (redis && !arguments.list).then(|| Arc::new(RedisServer::start()));
    let mut trials = Vec::new();
    for (name, test) in TESTS {
        trials.push(Trial::test(format!("memory/{name}"), move || {
            test(&(Arc::new(MemoryBackend::new()) as Arc<dyn Backend>));
            Ok(())
        }));
        trials.push(Trial::test(format!("redb/{name}"), move || {
            let folder = tempfile::tempdir()?;
            test(&(Arc::new(RedbBackend::open(folder.path().join("x.redb"))?) as Arc<dyn Backend>));
            Ok(())
        }));
        let server = server.clone();
        trials.push(needs_redis(redis, name, move || {
            let url = server.as_ref().expect("a server").url();
            test(
                &(Arc::new(Separate {
                    inner: RedisBackend::new(&url).unwrap(),
                    name,
                }) as Arc<dyn Backend>),
            );
        }));
    }
    trials.push(needs_redis(
        redis,
        "a_killed_server_is_an_error_until_it_is_back",
        killed_server,
    ));
    trials.push(needs_redis(redis, "foreign_data_is_an_error", foreign_data));
    trials.push(needs_redis(
        redis,
        "a_closed_connection_is_made_again",
        closed_connection,
    ));
    trials.push(needs_redis(redis, "a_full_server_is_an_error", full_server));
    trials.push(needs_redis(redis, "servers_are_spoken_to_with_tls", tls_server));
    trials.push(Trial::test("redb/a_killed_writer_leaves_whole_changes", || {
        killed_writer();
        Ok(())
    }));
    trials.push(Trial::test("redb/a_full_disk_is_an_error", || {
        full_disk();
        Ok(())
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(server);
    conclusion.exit();
}

fn needs_redis(there: bool, name: &str, test: impl FnOnce() + Send + 'static) -> Trial {
    let name = match there {
        true => format!("redis/{name}"),
        false => format!("redis/{name} (there is no program redis-server)"),
    };
    Trial::test(name, move || {
        test();
        Ok(())
    })
    .with_ignored_flag(!there)
}

/// Gives each test a part of one server.
#[derive(Debug)]
struct Separate {
    inner: RedisBackend,
    name: &'static str,
}

#[wharf_wasi_keyvalue::async_trait]
impl Backend for Separate {
    async fn open(
        &self,
        name: &wharf_wasi_keyvalue::BucketName,
        quota: Quota,
    ) -> wharf_wasi_keyvalue::StoreResult<Arc<dyn Bucket>> {
        let mut name = name.clone();
        name.namespace.push_str(self.name);
        self.inner.open(&name, quota).await
    }
}

fn all(grant: BucketGrant) -> BucketGrant {
    grant
}

fn a_guest_uses_every_function(backend: &Arc<dyn Backend>) {
    let printed = guest(granted(backend, "n", all), &["exercise", "b"]).unwrap();
    let expected = include_str!("../../../examples/guests/cloud-command/expected/exercise.txt");
    assert_eq!(printed, expected);
    assert_eq!(guest(granted(backend, "n", all), &["keys", "b"]).unwrap(), "");
}

fn what_is_not_granted_can_not_be_opened(backend: &Arc<dyn Backend>) {
    for name in ["c", "", "B", "n/b"] {
        let error = guest(granted(backend, "n", all), &["open", name]).unwrap_err();
        assert!(error.contains("no such store"), "{name}: {error}");
    }
    let nothing = WasiKeyValueCtx::builder("n").build();
    assert!(
        guest(nothing, &["open", "b"])
            .unwrap_err()
            .contains("no such store")
    );
}

fn a_bucket_may_be_for_reading_only(backend: &Arc<dyn Backend>) {
    guest(granted(backend, "n", all), &["put", "b", "a", "1"]).unwrap();
    let printed = guest(granted(backend, "n", BucketGrant::read_only), &["read-only", "b"]).unwrap();
    let denied = "Err(\"access denied\")";
    assert_eq!(
        printed,
        format!(
            "get: \"1\"\nset: {denied}\ndelete: {denied}\nincrement: {denied}\nset-many: {denied}\ndelete-many: {denied}\n\
             swap: access denied\n"
        )
    );
    assert_eq!(
        guest(granted(backend, "n", all), &["get", "b", "a"]).unwrap(),
        "1\n"
    );
}

fn tenants_do_not_see_each_other(backend: &Arc<dyn Backend>) {
    guest(granted(backend, "one", all), &["put", "b", "k", "1"]).unwrap();
    guest(granted(backend, "two", all), &["put", "b", "k", "2"]).unwrap();
    // Nor names that look alike when they are put together.
    for (namespace, name) in [("on", "eb"), ("one:b", ""), ("", "one:b"), ("one", "b\0k")] {
        let other = granted(backend, namespace, |grant| grant.name(name));
        assert_eq!(guest(other, &["keys", "b"]).unwrap(), "", "{namespace} {name}");
    }
    assert_eq!(
        guest(granted(backend, "one", all), &["get", "b", "k"]).unwrap(),
        "1\n"
    );
    // Unless they are granted the same.
    let shared = granted(backend, "two", |grant| grant.namespace("one"));
    assert_eq!(guest(shared, &["get", "b", "k"]).unwrap(), "1\n");
}

/// Runs guests on threads.
fn together(backend: &Arc<dyn Backend>, number: usize, args: &'static [&'static str]) {
    let threads: Vec<_> = (0..number)
        .map(|_| {
            let backend = backend.clone();
            std::thread::spawn(move || guest(granted(&backend, "n", all), args).unwrap())
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

fn guests_count_together(backend: &Arc<dyn Backend>) {
    let bucket = open(backend, "n", Quota::default()).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|i| {
            let bucket = bucket.clone();
            std::thread::spawn(move || {
                for _ in 0..25 {
                    wait(bucket.increment("k", i + 1)).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    together(backend, 4, &["count", "b", "k", "-10"]);
    assert_eq!(
        guest(granted(backend, "n", all), &["count", "b", "k", "0"]).unwrap(),
        "210\n"
    );
}

fn guests_swap_together(backend: &Arc<dyn Backend>) {
    together(backend, 4, &["cas", "b", "k", "15"]);
    assert_eq!(
        guest(granted(backend, "n", all), &["get", "b", "k"]).unwrap(),
        "60\n"
    );
}

fn quotas_hold_for_guests(backend: &Arc<dyn Backend>) {
    let limited = |quota: Quota| granted(backend, "n", move |grant| grant.quota(quota));
    let quota = Quota {
        keys: 3,
        bytes: 100,
        key_bytes: 9,
        value_bytes: 40,
    };
    let error = guest(limited(quota), &["fill", "b", "5", "1"]).unwrap_err();
    assert!(
        error.contains("3: other: the quota of 3 keys is used up"),
        "{error}"
    );
    let error = guest(limited(quota), &["fill", "b", "3", "40"]).unwrap_err();
    assert!(
        error.contains("1: other: the quota of 100 bytes is used up"),
        "{error}"
    );
    let error = guest(limited(quota), &["put", "b", "key-00000", &"x".repeat(41)]).unwrap_err();
    assert!(error.contains("a value may have 40 bytes at most"), "{error}");
    for args in [
        &["put", "b", "0123456789", "x"][..],
        &["get", "b", "0123456789"],
        &["cas", "b", "0123456789", "1"],
    ] {
        let error = guest(limited(quota), args).unwrap_err();
        assert!(error.contains("a key may have 9 bytes at most"), "{error}");
    }
    let error = guest(limited(quota), &["count", "b", "other", "1"]).unwrap_err();
    assert!(error.contains("3 keys"), "{error}");
    let error = guest(limited(quota), &["cas", "b", "other", "1"]).unwrap_err();
    assert!(error.contains("3 keys"), "{error}");
    assert_eq!(
        guest(limited(quota), &["keys", "b"]).unwrap(),
        "key-00000\nkey-00001\nkey-00002\n"
    );
}

fn quotas_hold_under_concurrency(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        keys: 10,
        ..Quota::default()
    };
    let threads: Vec<_> = (0..4)
        .map(|i| {
            // Each opens the bucket by itself.
            let bucket = open(backend, "n", quota).unwrap();
            std::thread::spawn(move || {
                let put = |n: u32| match n % 3 {
                    0 => wait(bucket.set(&format!("{i}-{n}"), b"x".to_vec())),
                    1 => wait(bucket.increment(&format!("{i}-{n}"), 1)).map(drop),
                    _ => wait(bucket.set_many(vec![(format!("{i}-{n}"), b"x".to_vec())])),
                };
                (0..6).filter(|n| put(*n).is_ok()).count()
            })
        })
        .collect();
    let stored: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(stored, 10);
    let bucket = open(backend, "n", quota).unwrap();
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys.len(), 10);
}

fn quotas_count_exactly(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        keys: 3,
        bytes: 20,
        ..Quota::default()
    };
    let bucket = open(backend, "n", quota).unwrap();
    wait(bucket.set("a", vec![0; 19])).unwrap();
    assert_eq!(
        wait(bucket.set("a", vec![0; 20])),
        Err(StoreError::TooManyBytes(20))
    );
    assert_eq!(wait(bucket.set("b", vec![])), Err(StoreError::TooManyBytes(20)));
    wait(bucket.set("a", vec![0; 17])).unwrap();
    assert_eq!(wait(bucket.increment("n", 9)), Ok(9));
    // The sum has a digit more than there is room for.
    assert_eq!(wait(bucket.increment("n", 1)), Err(StoreError::TooManyBytes(20)));
    assert_eq!(wait(bucket.get("n")).unwrap(), Some(b"9".to_vec()));
    assert_eq!(
        wait(bucket.compare_and_swap("n", Some(b"9"), b"10".to_vec())),
        Err(StoreError::TooManyBytes(20))
    );
    wait(bucket.delete("a")).unwrap();
    wait(bucket.delete("a")).unwrap();
    assert_eq!(wait(bucket.increment("n", 1)), Ok(10));
    let many = vec![("x".to_owned(), vec![1; 8]), ("y".to_owned(), vec![1; 7])];
    wait(bucket.set_many(many.clone())).unwrap();
    // The same again takes no more.
    wait(bucket.set_many(many)).unwrap();
    wait(bucket.delete_many(["n", "x", "x", "y", "z"].map(str::to_owned).to_vec())).unwrap();
    wait(bucket.set("a", vec![0; 19])).unwrap();
}

fn keys_come_in_pages(backend: &Arc<dyn Backend>) {
    let bucket = open(backend, "n", Quota::default()).unwrap();
    let name = |i: u32| format!("{}{i:04}", if i.is_multiple_of(2) { "k" } else { "ä" });
    let entries = (0..2500).map(|i| (name(i), vec![1])).collect();
    wait(bucket.set_many(entries)).unwrap();
    let other = open(backend, "o", Quota::default()).unwrap();
    wait(other.set("zzz", vec![1])).unwrap();
    let (mut keys, mut cursor, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = wait(bucket.list_keys(cursor.as_deref())).unwrap();
        assert!(page.keys.len() <= 1000);
        pages += 1;
        // Another one comes while the pages are read.
        wait(bucket.set("0", vec![1])).unwrap();
        keys.extend(page.keys);
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    let mut expected: Vec<_> = (0..2500).map(name).collect();
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(
        wait(bucket.list_keys(Some("no such cursor"))).unwrap().keys.len(),
        1000
    );
    assert!(
        wait(bucket.list_keys(Some("\u{10ffff}")))
            .unwrap()
            .keys
            .is_empty()
    );
}

fn batches_are_bounded(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        bytes: 80 << 20,
        value_bytes: 9 << 20,
        ..Quota::default()
    };
    let bucket = open(backend, "n", quota).unwrap();
    wait(bucket.set("large", vec![1; 8 << 20])).unwrap();
    let same = |times| vec!["large".to_owned(); times];
    assert_eq!(wait(bucket.get_many(same(2))).unwrap().len(), 2);
    assert!(matches!(
        wait(bucket.get_many(same(9))),
        Err(StoreError::ResponseTooLarge(_))
    ));
}

fn swaps_compare_bytes(backend: &Arc<dyn Backend>) {
    let bucket = open(backend, "n", Quota::default()).unwrap();
    let swap = |expected: Option<&[u8]>, value: &[u8]| {
        wait(bucket.compare_and_swap("k", expected, value.to_vec())).unwrap()
    };
    assert_eq!(swap(Some(b""), b"x"), Swap::Changed(None));
    assert_eq!(swap(None, b""), Swap::Done);
    assert_eq!(swap(None, b"x"), Swap::Changed(Some(vec![])));
    assert_eq!(swap(Some(b""), b"\0\xff\r\n"), Swap::Done);
    assert_eq!(
        swap(Some(b"\0\xff\r"), b"x"),
        Swap::Changed(Some(b"\0\xff\r\n".to_vec()))
    );
    assert_eq!(swap(Some(b"\0\xff\r\n"), b"0"), Swap::Done);
    assert_eq!(wait(bucket.increment("k", i64::MIN)), Ok(i64::MIN));
    assert_eq!(wait(bucket.increment("k", -1)), Err(StoreError::Overflow));
    assert_eq!(wait(bucket.increment("k", i64::MAX)), Ok(-1));
    // More digits than a floating-point number has.
    assert_eq!(
        wait(bucket.increment("k", 9_007_199_254_740_994)),
        Ok(9_007_199_254_740_993)
    );
}

fn killed_server() {
    let mut server = RedisServer::start();
    let backend: Arc<dyn Backend> = Arc::new(RedisBackend::new(&server.url()).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    wait(bucket.set("k", b"1".to_vec())).unwrap();
    server.kill();
    for _ in 0..3 {
        assert!(matches!(
            wait(bucket.increment("k", 1)),
            Err(StoreError::Unavailable(_))
        ));
        assert!(matches!(wait(bucket.get("k")), Err(StoreError::Unavailable(_))));
    }
    assert!(matches!(
        open(&backend, "n", Quota::default()),
        Err(StoreError::Unavailable(_))
    ));
    let error = guest(granted(&backend, "n", all), &["get", "b", "k"]).unwrap_err();
    assert_eq!(error, "cloud-command: other: the store can't be reached\n");
    server.restart();
    // It may still be reading its data.
    let value = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        wait(bucket.get("k")).ok()
    });
    assert_eq!(value, Some(Some(b"1".to_vec())));
    assert_eq!(wait(bucket.increment("k", 1)), Ok(2));
    // A connection that broke while nothing was under way costs one error at most.
    server.restart();
    let _ = wait(bucket.get("k"));
    let value = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        wait(bucket.get("k")).ok()
    });
    assert_eq!(value, Some(Some(b"2".to_vec())));
    assert_eq!(
        guest(granted(&backend, "n", all), &["get", "b", "k"]).unwrap(),
        "2\n"
    );
}

/// Keys that someone else made something else of.
fn foreign_data() {
    let server = RedisServer::start();
    let backend: Arc<dyn Backend> = Arc::new(RedisBackend::new(&server.url()).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    server.command(&["set", "wharf:{1:n:b}:values", "x"]);
    assert!(matches!(wait(bucket.get("k")), Err(StoreError::Corrupt(_))));
    assert!(matches!(
        wait(bucket.set("k", b"1".to_vec())),
        Err(StoreError::Corrupt(_))
    ));
}

/// A server closes connections that are unused; the next change finds that out by itself.
fn closed_connection() {
    let server = RedisServer::start();
    let backend: Arc<dyn Backend> = Arc::new(RedisBackend::new(&server.url()).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    for sum in 1..3 {
        assert_eq!(wait(bucket.increment("k", 1)), Ok(sum));
        server.command(&["client", "kill", "type", "normal"]);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

/// A server that may not take more memory.
fn full_server() {
    let server = RedisServer::start();
    let backend: Arc<dyn Backend> = Arc::new(RedisBackend::new(&server.url()).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    wait(bucket.set("k", b"1".to_vec())).unwrap();
    server.command(&["config", "set", "maxmemory", "1"]);
    assert_eq!(wait(bucket.set("k", b"2".to_vec())), Err(StoreError::Full));
    assert_eq!(wait(bucket.increment("n", 1)), Err(StoreError::Full));
    assert_eq!(wait(bucket.get("k")).unwrap(), Some(b"1".to_vec()));
    server.command(&["config", "set", "maxmemory", "0"]);
    // Scripts that the server has forgotten are sent again.
    server.command(&["script", "flush"]);
    assert_eq!(wait(bucket.increment("k", 1)), Ok(2));
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys, ["k"]);
}

/// What trusts this authority only.
fn trusting(authority: &str) -> Arc<rustls::ClientConfig> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A server that is trusted, one that is not, and one that is gone.
fn tls_server() {
    let Some(mut server) = RedisServer::start_tls() else {
        println!("redis-server was built without TLS");
        return;
    };
    let url: BackendUrl = server.url().parse().unwrap();
    let mut backends = Backends::new();
    backends.redis_tls(trusting(server.authority()));
    let backend = backends.open(&url).unwrap();
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    assert_eq!(wait(bucket.increment("k", 7)), Ok(7));
    assert_eq!(
        guest(granted(&backend, "n", all), &["get", "b", "k"]).unwrap(),
        "7\n"
    );
    // Another authority.
    let stranger = RedisServer::start_tls().unwrap();
    let mut backends = Backends::new();
    backends.redis_tls(trusting(stranger.authority()));
    let distrusting = backends.open(&url).unwrap();
    let opened = open(&distrusting, "n", Quota::default());
    assert!(matches!(&opened, Err(StoreError::Unavailable(_))), "{opened:?}");
    // Without TLS nothing comes of it either, and in time.
    let plain = Arc::new(RedisBackend::new(&server.url().replace("rediss", "redis")).unwrap());
    let opened = open(&(plain as Arc<dyn Backend>), "n", Quota::default());
    assert!(opened.is_err(), "{opened:?}");
    server.kill();
    assert!(matches!(wait(bucket.get("k")), Err(StoreError::Unavailable(_))));
    server.restart();
    let value = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        wait(bucket.get("k")).ok()
    });
    assert_eq!(value, Some(Some(b"7".to_vec())));
    // What others take for leave to trust anybody is refused.
    let careless = RedisBackend::with_tls(
        &format!("{}/#insecure", server.url()),
        trusting(server.authority()),
    );
    assert!(careless.is_err());
}

/// Runs this program on a file system of 4 MiB, where one can be mounted.
fn full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=4m tmpfs \"$0\"";
    let run = |then: &str| {
        Command::new("unshare")
            .args([
                "--mount",
                "--map-root-user",
                "sh",
                "-c",
                &format!("{mount} && {then}"),
            ])
            .arg(folder.path())
            .arg(std::env::current_exe().unwrap())
            .env(FILLER, folder.path())
            .output()
    };
    if !run("true").is_ok_and(|output| output.status.success()) {
        println!("skipped: no file system can be mounted here");
        return;
    }
    let output = run("exec \"$1\"").unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

/// Fills a disk and goes on.
fn fill_disk(folder: &str) {
    let path = format!("{folder}/x.redb");
    let backend: Arc<dyn Backend> = Arc::new(RedbBackend::open(&path).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    wait(bucket.set("first", vec![7; 1000])).unwrap();
    let put = |i: usize| wait(bucket.set(&format!("{i:04}"), vec![1; 100_000]));
    let failed = (0..100).find_map(|i| put(i).err().map(|error| (i, error)));
    let (stored, error) = failed.expect("4 MiB do not hold 10 MB");
    assert_eq!(error, StoreError::Full);
    // Nothing that was stored is lost, and the guest is told.
    let check = |backend: &Arc<dyn Backend>| {
        let bucket = open(backend, "n", Quota::default()).unwrap();
        assert_eq!(wait(bucket.get("first")).unwrap(), Some(vec![7; 1000]));
        for i in 0..stored {
            assert_eq!(
                wait(bucket.get(&format!("{i:04}"))).unwrap(),
                Some(vec![1; 100_000])
            );
        }
    };
    check(&backend);
    let large = "x".repeat(900_000);
    let error = guest(granted(&backend, "n", all), &["put", "b", "large", &large]).unwrap_err();
    assert_eq!(error, "cloud-command: other: the store is full\n");
    drop((backend, bucket));
    let backend: Arc<dyn Backend> = Arc::new(RedbBackend::open(&path).unwrap());
    check(&backend);
    std::process::exit(0);
}

/// Writes numbered pairs and tells each that is done.
fn write_until_killed(path: &str) -> ! {
    let backend: Arc<dyn Backend> = Arc::new(RedbBackend::open(path).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    for i in 0.. {
        let value = vec![(i % 251) as u8; 100 + i % 5000];
        let pair = vec![(format!("a{i:06}"), value.clone()), (format!("b{i:06}"), value)];
        wait(bucket.set_many(pair)).unwrap();
        wait(bucket.increment("count", 1)).unwrap();
        println!("{i}");
    }
    unreachable!()
}

fn killed_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    for wanted in [3, 40] {
        let _ = std::fs::remove_file(&path);
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .env(WRITER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        assert_eq!(lines.by_ref().take(wanted).filter(Result::is_ok).count(), wanted);
        writer.kill().unwrap();
        // What it told before it died.
        let told = wanted + lines.map_while(Result::ok).count();
        writer.wait().unwrap();

        let backend: Arc<dyn Backend> = Arc::new(RedbBackend::open(&path).unwrap());
        let bucket = open(&backend, "n", Quota::default()).unwrap();
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = wait(bucket.list_keys(cursor.as_deref())).unwrap();
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        let pairs = keys.iter().filter(|key| key.starts_with('a')).count();
        assert!(pairs == told || pairs == told + 1, "{pairs} of {told}");
        assert_eq!(keys.len(), 2 * pairs + 1);
        let mut bytes = 0;
        for i in 0..pairs {
            let value = vec![(i % 251) as u8; 100 + i % 5000];
            bytes += 2 * (7 + value.len() as u64);
            assert_eq!(
                wait(bucket.get(&format!("a{i:06}"))).unwrap().as_ref(),
                Some(&value)
            );
            assert_eq!(wait(bucket.get(&format!("b{i:06}"))).unwrap(), Some(value));
        }
        let count = wait(bucket.increment("count", 0)).unwrap() as usize;
        assert!(count == pairs || count + 1 == pairs, "{count} of {pairs}");
        // What is counted is what is there: one byte more than that is too much.
        bytes += 5 + count.to_string().len() as u64;
        let exact = Quota {
            bytes,
            ..Quota::default()
        };
        let bucket = open(&backend, "n", exact).unwrap();
        assert_eq!(
            wait(bucket.set("x", vec![])),
            Err(StoreError::TooManyBytes(bytes))
        );
        let exact = Quota {
            bytes: bytes + 1,
            ..exact
        };
        wait(open(&backend, "n", exact).unwrap().set("x", vec![])).unwrap();
    }
}
