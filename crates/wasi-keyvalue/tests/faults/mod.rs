//! What servers, files and disks do when they fail, and what stores make of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use wharf_wasi_keyvalue::{
    Backend, BackendUrl, Backends, BucketGrant, BucketName, Change, Quota, RedbBackend, RedisBackend,
    StoreError, Told,
};

use crate::common::{RedisServer, granted, guest, open, wait};
use crate::{FILLER, WRITER};

fn all(grant: BucketGrant) -> BucketGrant {
    grant
}

/// A server that is killed, and comes back.
pub fn killed_server() {
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
pub fn foreign_data() {
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
pub fn closed_connection() {
    let server = RedisServer::start();
    let backend: Arc<dyn Backend> = Arc::new(RedisBackend::new(&server.url()).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    for sum in 1..3 {
        assert_eq!(wait(bucket.increment("k", 1)), Ok(sum));
        // What changes nothing finds that out in any case.
        server.command(&["client", "kill", "type", "normal"]);
        assert_eq!(wait(bucket.exists("k")), Ok(true));
        server.command(&["client", "kill", "type", "normal"]);
        assert!(open(&backend, "n", Quota::default()).is_ok());
        server.command(&["client", "kill", "type", "normal"]);
        assert_eq!(wait(bucket.get("k")), Ok(Some(sum.to_string().into_bytes())));
        server.command(&["client", "kill", "type", "normal"]);
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
}

/// A server that may not take more memory.
pub fn full_server() {
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
pub fn tls_server() {
    let Some(mut server) = RedisServer::start_tls() else {
        println!("redis-server was built without TLS");
        return;
    };
    let url: BackendUrl = server.url().parse().unwrap();
    let mut backends = Backends::new();
    backends.redis_tls(trusting(server.authority()));
    let backend = backends.open(&url).unwrap();
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    let name = BucketName {
        namespace: "n".to_owned(),
        bucket: "b".to_owned(),
    };
    let mut changes = wait(backend.watch(&name)).unwrap();
    assert_eq!(wait(bucket.increment("k", 7)), Ok(7));
    let (key, value) = ("k".to_owned(), b"7".to_vec());
    assert_eq!(wait(changes.next()), Told::Change(Change::Set { key, value }));
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
pub fn full_disk() {
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
pub fn fill_disk(folder: &str) {
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
pub fn write_until_killed(path: &str) -> ! {
    let backend: Arc<dyn Backend> = Arc::new(RedbBackend::open(path).unwrap());
    let bucket = open(&backend, "n", Quota::default()).unwrap();
    for i in 0.. {
        let value = vec![(i % 251) as u8; 100 + i % 5000];
        let pair = vec![(format!("a{i:06}"), value.clone()), (format!("b{i:06}"), value)];
        wait(bucket.set_many(pair)).ended.unwrap();
        wait(bucket.increment("count", 1)).unwrap();
        println!("{i}");
    }
    unreachable!()
}

pub fn killed_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.redb");
    for wanted in [1, 3, 17, 40] {
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
