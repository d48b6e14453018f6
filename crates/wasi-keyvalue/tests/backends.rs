//! What every backend does, by itself and for a real guest; and what files and servers do when they are killed.

mod common;
mod faults;
mod watching;

use std::sync::Arc;

use common::{RedisServer, granted, guest, has_redis, open, wait};
use faults::{
    closed_connection, fill_disk, foreign_data, full_disk, full_server, killed_server, killed_writer,
    tls_server, write_until_killed,
};
use libtest_mimic::{Arguments, Trial};
use wharf_wasi_keyvalue::{
    Backend, Bucket, BucketGrant, BucketName, MemoryBackend, Quota, RedbBackend, RedisBackend, StoreError,
    Swap, WasiKeyValueCtx,
};

/// The test with this argument is the one that is killed.
const WRITER: &str = "WHARF_KEYVALUE_WRITER";

/// The test with this argument has a small disk.
const FILLER: &str = "WHARF_KEYVALUE_FILLER";

type Test = fn(&Arc<dyn Backend>);

const TESTS: [(&str, Test); 16] = [
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
    ("odd_names_are_names", odd_names_are_names),
    (
        "batches_stop_where_there_is_no_room",
        batches_stop_where_there_is_no_room,
    ),
    ("lists_of_changing_keys_end", lists_of_changing_keys_end),
    ("long_keys_come_in_pages", long_keys_come_in_pages),
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
    let watching: [(&str, fn()); 4] = [
        (
            "watchers_are_told_of_everybodys_changes",
            watching::everybody_is_told_of,
        ),
        (
            "watchers_outlive_broken_connections",
            watching::broken_connections,
        ),
        (
            "users_without_channels_are_told_what_is_missing",
            watching::users_without_channels,
        ),
        ("slow_watchers_are_told_of_losses", watching::slow_watchers),
    ];
    for (name, test) in watching {
        trials.push(needs_redis(redis, name, test));
    }
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
    let long = "b".repeat(100_000);
    for name in [
        "c",
        "",
        "B",
        "n/b",
        "../b",
        "b/",
        "b\\",
        "b:values",
        "n:b",
        "*",
        "\u{fe0f}b",
        &long,
    ] {
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
                    _ => wait(bucket.set_many(vec![(format!("{i}-{n}"), b"x".to_vec())])).ended,
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
    wait(bucket.set_many(many.clone())).ended.unwrap();
    // The same again takes no more.
    wait(bucket.set_many(many)).ended.unwrap();
    wait(bucket.delete_many(["n", "x", "x", "y", "z"].map(str::to_owned).to_vec()))
        .ended
        .unwrap();
    wait(bucket.set("a", vec![0; 19])).unwrap();
}

fn keys_come_in_pages(backend: &Arc<dyn Backend>) {
    let bucket = open(backend, "n", Quota::default()).unwrap();
    let name = |i: u32| format!("{}{i:04}", if i.is_multiple_of(2) { "k" } else { "ä" });
    let entries = (0..2500).map(|i| (name(i), vec![1])).collect();
    wait(bucket.set_many(entries)).ended.unwrap();
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

/// Names and keys that mean something to paths, separators, patterns or Unicode are names and keys.
fn odd_names_are_names(backend: &Arc<dyn Backend>) {
    let long = "x".repeat(4096);
    let odd = [
        "",
        "\0",
        "a\0b",
        "..",
        "../b",
        "/",
        "a:b",
        "1:a:b",
        "}:values",
        "{",
        "*",
        "a*",
        "\u{e9}",
        "e\u{301}",
        "\u{10ffff}",
        "\r\n",
        "(a",
        "+",
        "-",
        "[a",
        &long,
    ];
    let open = |namespace: &str, bucket: &str| {
        let name = BucketName {
            namespace: namespace.to_owned(),
            bucket: bucket.to_owned(),
        };
        wait(backend.open(&name, Quota::default())).unwrap()
    };
    for (i, namespace) in odd.iter().enumerate() {
        for (j, name) in odd.iter().enumerate().filter(|(j, _)| i.abs_diff(*j) < 4) {
            wait(open(namespace, name).set("k", format!("{i} {j}").into_bytes())).unwrap();
        }
    }
    for (i, namespace) in odd.iter().enumerate() {
        for (j, name) in odd.iter().enumerate().filter(|(j, _)| i.abs_diff(*j) < 4) {
            let bucket = open(namespace, name);
            let expected = format!("{i} {j}").into_bytes();
            assert_eq!(
                wait(bucket.get("k")).unwrap(),
                Some(expected),
                "{namespace:?} {name:?}"
            );
            assert_eq!(wait(bucket.list_keys(None)).unwrap().keys, ["k"]);
        }
    }
    let bucket = open("keys", "b");
    for key in odd {
        wait(bucket.set(key, key.as_bytes().to_vec())).unwrap();
    }
    let mut sorted = odd.to_vec();
    sorted.sort_unstable();
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys, sorted);
    for (i, key) in sorted.iter().enumerate() {
        assert_eq!(
            wait(bucket.get(key)).unwrap().as_deref(),
            Some(key.as_bytes()),
            "{key:?}"
        );
        let behind = wait(bucket.list_keys(Some(key))).unwrap();
        assert_eq!(behind.keys, sorted[i + 1..], "{key:?}");
    }
    for (i, key) in sorted.iter().enumerate() {
        assert_eq!(wait(bucket.delete(key)), Ok(true), "{key:?}");
        assert_eq!(wait(bucket.list_keys(None)).unwrap().keys, sorted[i + 1..]);
    }
}

/// What the draft says: no pair that was put is taken back.
fn batches_stop_where_there_is_no_room(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        keys: 3,
        bytes: 12,
        ..Quota::default()
    };
    let bucket = open(backend, "n", quota).unwrap();
    let pairs = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), vec![b'v'])).collect();
    let batch = wait(bucket.set_many(pairs(&["a", "b", "a", "c", "d", "e"])));
    assert_eq!(
        (batch.changed, batch.ended),
        (vec![0, 1, 2, 3], Err(StoreError::TooManyKeys(3)))
    );
    assert_eq!(wait(bucket.list_keys(None)).unwrap().keys, ["a", "b", "c"]);
    let large = vec![("b".to_owned(), vec![0; 7]), ("c".to_owned(), vec![0; 2])];
    let batch = wait(bucket.set_many(large));
    assert_eq!(
        (batch.changed, batch.ended),
        (vec![0], Err(StoreError::TooManyBytes(12)))
    );
    assert_eq!(wait(bucket.get("b")).unwrap(), Some(vec![0; 7]));
    assert_eq!(wait(bucket.get("c")).unwrap(), Some(vec![b'v']));
    let keys = ["x", "c", "c", "a"].map(str::to_owned);
    let batch = wait(bucket.delete_many(keys.into()));
    assert_eq!((batch.changed, batch.ended), (vec![1, 3], Ok(())));
    assert_eq!(wait(bucket.set_many(Vec::new())).ended, Ok(()));
    // What is counted is what is left: b with its 7 bytes.
    assert_eq!(
        wait(bucket.set("y", vec![0; 4])),
        Err(StoreError::TooManyBytes(12))
    );
    wait(bucket.set("y", vec![0; 3])).unwrap();
}

fn long_keys_come_in_pages(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        key_bytes: 4 << 20,
        ..Quota::default()
    };
    let bucket = open(backend, "n", quota).unwrap();
    let long = |i: usize| format!("{i}{}", "x".repeat(2 << 20));
    for i in 0..5 {
        wait(bucket.set(&long(i), vec![])).unwrap();
        wait(bucket.set(&format!("{i}"), vec![])).unwrap();
    }
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let page = wait(bucket.list_keys(cursor.as_deref())).unwrap();
        keys.extend(page.keys);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..5).flat_map(|i| [format!("{i}"), long(i)]).collect();
    assert!(keys == expected, "{} keys", keys.len());
}

/// Keys come and go while they are listed, the one that a cursor stands for among them.
fn lists_of_changing_keys_end(backend: &Arc<dyn Backend>) {
    let quota = Quota {
        keys: 5000,
        ..Quota::default()
    };
    let bucket = open(backend, "n", quota).unwrap();
    let entries = (0..3000).map(|i| (format!("k{i:04}"), vec![1])).collect();
    wait(bucket.set_many(entries)).ended.unwrap();
    let (mut listed, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let page = wait(bucket.list_keys(cursor.as_deref())).unwrap();
        pages += 1;
        assert!(pages < 10);
        listed.extend(page.keys);
        let Some(next) = page.cursor else {
            break;
        };
        wait(bucket.delete(&next)).unwrap();
        // Some in front of it, some behind it, as many as there is room for.
        let more = (0..1500).map(|i| {
            (
                format!("{}{pages}{i:04}", if i % 2 == 0 { "a" } else { "z" }),
                vec![1],
            )
        });
        let _ = wait(bucket.set_many(more.collect()));
        cursor = Some(next);
    }
    assert!(listed.is_sorted_by(|a, b| a < b));
    assert_eq!(listed.iter().filter(|key| key.starts_with('k')).count(), 3000);
    assert!(listed.iter().all(|key| !key.starts_with('a')));
    // Keys that were put when longer ones were allowed can be listed.
    let long = |c: &str| format!("{c}{}", "x".repeat(600));
    let entries = (0..1200).map(|i| (long(&format!("{i:04}")), vec![1]));
    let other = open(backend, "o", Quota::default()).unwrap();
    wait(other.set_many(entries.collect())).ended.unwrap();
    let short = Quota {
        key_bytes: 20,
        ..Quota::default()
    };
    let printed = guest(granted(backend, "o", |grant| grant.quota(short)), &["keys", "b"]).unwrap();
    assert_eq!(printed.lines().count(), 1200);
}
