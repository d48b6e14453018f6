//! Cases of `wasi:keyvalue`. The bucket is empty at the start of each of them.

use std::process::ExitCode;
use wasi_conformance::{Case, check, check_eq, check_err, fail, ok};

wit_bindgen::generate!({
    path: "../../../../wit",
    inline: "
        package conformance:keyvalue;

        world cases {
            import wasi:keyvalue/store@0.2.0-draft2;
            import wasi:keyvalue/atomics@0.2.0-draft2;
            import wasi:keyvalue/batch@0.2.0-draft2;
        }
    ",
    generate_all,
});

use wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
use wasi::keyvalue::batch::{delete_many, get_many, set_many};
use wasi::keyvalue::store::{Bucket, Error, open};

const CASES: &[Case] = &[
    ("open", opening),
    ("open-unknown", open_unknown),
    ("get-set", get_set),
    ("set-again", set_again),
    ("delete", delete),
    ("exists", exists),
    ("keys-unicode", unicode),
    ("values-bytes", values),
    ("values-large", large),
    ("list-keys", list),
    ("list-keys-many", list_many),
    ("handles-share", share),
    ("increment", incrementing),
    ("increment-bounds", increment_bounds),
    ("increment-what-is-no-number", no_number),
    ("swap", swapping),
    ("swap-of-nothing", swap_of_nothing),
    ("swap-failed", swap_failed),
    ("swap-after-delete", swap_after_delete),
    ("swap-twice", swap_twice),
    ("get-many", getting_many),
    ("set-many", setting_many),
    ("delete-many", deleting_many),
    ("batch-of-nothing", nothing),
];

fn main() -> ExitCode {
    wasi_conformance::run(CASES)
}

/// The bucket that the host offers. Names are its own business: `conformance` if it can be chosen, and what hosts have by default.
fn bucket() -> Bucket {
    for name in ["conformance", "default", ""] {
        match open(name) {
            Ok(bucket) => return bucket,
            Err(Error::NoSuchStore | Error::AccessDenied) => {}
            Err(error) => wasi_conformance::failed(file!(), line!(), "open", &error),
        }
    }
    fail(file!(), line!(), "there is no bucket of the names that are tried")
}

/// The keys of all pages, sorted.
fn keys(bucket: &Bucket) -> Vec<String> {
    let (mut keys, mut cursor) = (Vec::new(), None);
    for _ in 0..100_000 {
        let page = ok!(bucket.list_keys(cursor.as_deref()));
        keys.extend(page.keys);
        match page.cursor {
            None => {
                keys.sort();
                return keys;
            }
            next => cursor = next,
        }
    }
    fail(file!(), line!(), "the list of keys has no end")
}

fn get(bucket: &Bucket, key: &str) -> Option<Vec<u8>> {
    ok!(bucket.get(key))
}

fn opening() {
    let (one, two) = (bucket(), bucket());
    check!(keys(&one).is_empty() && keys(&two).is_empty());
    drop(one);
    check!(get(&two, "a").is_none());
}

fn open_unknown() {
    for name in ["no such bucket", "../conformance", "conformance\0"] {
        check_err!(open(name), Error::NoSuchStore | Error::AccessDenied);
    }
}

fn get_set() {
    let bucket = bucket();
    check!(get(&bucket, "a").is_none());
    ok!(bucket.set("a", b"one"));
    // What a client wrote is what it reads.
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"one"[..]));
    check!(get(&bucket, "A").is_none() && get(&bucket, "a ").is_none());
    for i in 0..200 {
        let value = i.to_string();
        ok!(bucket.set("a", value.as_bytes()));
        check_eq!(get(&bucket, "a").as_deref(), Some(value.as_bytes()));
    }
}

fn set_again() {
    let bucket = bucket();
    ok!(bucket.set("a", b"a longer value"));
    ok!(bucket.set("a", b"short"));
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"short"[..]));
    check_eq!(keys(&bucket), ["a"]);
}

fn delete() {
    let bucket = bucket();
    ok!(bucket.delete("a"));
    ok!(bucket.set("a", b"1"));
    ok!(bucket.set("b", b"2"));
    ok!(bucket.delete("a"));
    check!(get(&bucket, "a").is_none());
    ok!(bucket.delete("a"));
    check_eq!(get(&bucket, "b").as_deref(), Some(&b"2"[..]));
    ok!(bucket.set("a", b"3"));
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"3"[..]));
}

fn exists() {
    let bucket = bucket();
    check!(!ok!(bucket.exists("a")));
    ok!(bucket.set("a", b""));
    check!(ok!(bucket.exists("a")));
    ok!(bucket.delete("a"));
    check!(!ok!(bucket.exists("a")));
}

fn unicode() {
    let bucket = bucket();
    let mut names = ["größe", "文字", "🦀", "a b", "a/b", "../a", "a:b", "a\nb", "*", "{a}", "%", "a\\b"];
    for name in names {
        ok!(bucket.set(name, name.as_bytes()));
    }
    for name in names {
        check_eq!(get(&bucket, name).as_deref(), Some(name.as_bytes()));
    }
    names.sort_unstable();
    check_eq!(keys(&bucket), names);
    // One that is empty, or very long, is a key or an error, but never another one.
    for name in [String::new(), "n".repeat(100_000)] {
        match bucket.set(&name, b"odd") {
            Ok(()) => check_eq!(get(&bucket, &name).as_deref(), Some(&b"odd"[..])),
            Err(error) => check!(matches!(error, Error::Other(_))),
        }
    }
    check_eq!(get(&bucket, "a b").as_deref(), Some(&b"a b"[..]));
}

fn values() {
    let bucket = bucket();
    let all: Vec<u8> = (0..=255).collect();
    for value in [&b""[..], b"\0", b"\0\0a\0", b"\xff\xfe", &all] {
        ok!(bucket.set("a", value));
        check_eq!(get(&bucket, "a").as_deref(), Some(value));
    }
}

fn large() {
    let bucket = bucket();
    let value: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    ok!(bucket.set("a", &value));
    check!(get(&bucket, "a").is_some_and(|got| got == value));
}

fn list() {
    let bucket = bucket();
    check!(keys(&bucket).is_empty());
    for key in ["c", "a", "b"] {
        ok!(bucket.set(key, b"x"));
    }
    check_eq!(keys(&bucket), ["a", "b", "c"]);
    ok!(bucket.delete("b"));
    check_eq!(keys(&bucket), ["a", "c"]);
}

fn list_many() {
    let bucket = bucket();
    let names: Vec<String> = (0..3000).map(|i| format!("a-key-with-a-longer-name-{i:05}")).collect();
    for name in &names {
        ok!(bucket.set(name, b""));
    }
    // However many pages there are, each key is on one of them.
    check!(keys(&bucket) == names);
    // A cursor that no page gave may be taken for an end, but is no trap.
    let _ = bucket.list_keys(Some("no such cursor"));
}

fn share() {
    let (one, two) = (bucket(), bucket());
    ok!(one.set("a", b"1"));
    check_eq!(get(&two, "a").as_deref(), Some(&b"1"[..]));
    check_eq!(ok!(increment(&two, "n", 1)), 1);
    check_eq!(ok!(increment(&one, "n", 1)), 2);
    drop(one);
    check_eq!(keys(&two), ["a", "n"]);
}

fn incrementing() {
    let bucket = bucket();
    // What is not there becomes what is added.
    check_eq!(ok!(increment(&bucket, "n", 5)), 5);
    check_eq!(ok!(increment(&bucket, "n", -7)), -2);
    check_eq!(ok!(increment(&bucket, "n", 0)), -2);
    check_eq!(ok!(increment(&bucket, "m", 0)), 0);
    check!(ok!(bucket.exists("n")) && ok!(bucket.exists("m")));
    ok!(bucket.delete("n"));
    check_eq!(ok!(increment(&bucket, "n", -1)), -1);
}

fn increment_bounds() {
    let bucket = bucket();
    check_eq!(ok!(increment(&bucket, "n", i64::MAX)), i64::MAX);
    // There is no such number.
    check_err!(increment(&bucket, "n", 1), Error::Other(_));
    check_eq!(ok!(increment(&bucket, "n", 0)), i64::MAX);
    check_eq!(ok!(increment(&bucket, "m", i64::MIN)), i64::MIN);
    check_err!(increment(&bucket, "m", -1), Error::Other(_));
    check_eq!(ok!(increment(&bucket, "m", 0)), i64::MIN);
}

fn no_number() {
    let bucket = bucket();
    // Stores have numbers in different forms, but none of these is one in any.
    for value in [&b"seven"[..], b"1.5e", b"--1"] {
        ok!(bucket.set("a", value));
        check_err!(increment(&bucket, "a", 1), Error::Other(_));
        check_eq!(get(&bucket, "a").as_deref(), Some(value));
    }
}

fn noted(bucket: &Bucket, key: &str) -> Cas {
    ok!(Cas::new(bucket, key))
}

fn swapping() {
    let bucket = bucket();
    ok!(bucket.set("a", b"one"));
    let cas = noted(&bucket, "a");
    check_eq!(ok!(cas.current()).as_deref(), Some(&b"one"[..]));
    check!(swap(cas, b"two").is_ok());
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"two"[..]));
    // The value itself need not be looked at.
    check!(swap(noted(&bucket, "a"), b"three").is_ok());
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"three"[..]));
    drop(noted(&bucket, "a"));
}

fn swap_of_nothing() {
    let bucket = bucket();
    let cas = noted(&bucket, "a");
    check!(ok!(cas.current()).is_none());
    check!(swap(cas, b"first").is_ok());
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"first"[..]));
    let cas = noted(&bucket, "b");
    ok!(bucket.set("b", b"sooner"));
    check!(matches!(swap(cas, b"later"), Err(CasError::CasFailed(_))));
    check_eq!(get(&bucket, "b").as_deref(), Some(&b"sooner"[..]));
}

fn swap_failed() {
    let bucket = bucket();
    ok!(bucket.set("a", b"one"));
    let cas = noted(&bucket, "a");
    ok!(bucket.set("a", b"two"));
    let Err(CasError::CasFailed(newer)) = swap(cas, b"three") else {
        fail(file!(), line!(), "an old value was swapped");
    };
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"two"[..]));
    // The handle that comes back is for what is there now.
    check_eq!(ok!(newer.current()).as_deref(), Some(&b"two"[..]));
    check!(swap(newer, b"four").is_ok());
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"four"[..]));
}

fn swap_after_delete() {
    let bucket = bucket();
    ok!(bucket.set("a", b"one"));
    let cas = noted(&bucket, "a");
    ok!(bucket.delete("a"));
    let Err(CasError::CasFailed(newer)) = swap(cas, b"two") else {
        fail(file!(), line!(), "a value that is gone was swapped");
    };
    check!(ok!(newer.current()).is_none() && get(&bucket, "a").is_none());
    check!(swap(newer, b"three").is_ok());
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"three"[..]));
}

fn swap_twice() {
    let bucket = bucket();
    let (one, two) = (noted(&bucket, "a"), noted(&bucket, "a"));
    check!(swap(one, b"one").is_ok());
    check!(matches!(swap(two, b"two"), Err(CasError::CasFailed(_))));
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"one"[..]));
}

fn pairs(entries: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    entries.iter().map(|(key, value)| (key.to_string(), value.as_bytes().to_vec())).collect()
}

fn names(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| key.to_string()).collect()
}

fn getting_many() {
    let bucket = bucket();
    for (key, value) in [("a", "1"), ("b", ""), ("c", "3")] {
        ok!(bucket.set(key, value.as_bytes()));
    }
    let got = ok!(get_many(&bucket, &names(&["c", "x", "a", "b"])));
    // One place for each key, empty where there is nothing.
    check_eq!(got.len(), 4);
    check_eq!(got.iter().filter(|pair| pair.is_none()).count(), 1);
    let mut found: Vec<_> = got.into_iter().flatten().collect();
    found.sort();
    check_eq!(found, pairs(&[("a", "1"), ("b", ""), ("c", "3")]));
}

fn setting_many() {
    let bucket = bucket();
    ok!(bucket.set("a", b"old"));
    ok!(set_many(&bucket, &pairs(&[("a", "1"), ("b", "2"), ("größe", "")])));
    check_eq!(get(&bucket, "a").as_deref(), Some(&b"1"[..]));
    check_eq!(get(&bucket, "b").as_deref(), Some(&b"2"[..]));
    check_eq!(get(&bucket, "größe").as_deref(), Some(&b""[..]));
    let many: Vec<_> = (0..500).map(|i| (format!("m{i:03}"), vec![b'x'; 100])).collect();
    ok!(set_many(&bucket, &many));
    check_eq!(keys(&bucket).len(), 503);
}

fn deleting_many() {
    let bucket = bucket();
    ok!(set_many(&bucket, &pairs(&[("a", "1"), ("b", "2"), ("c", "3")])));
    // What is not there is passed over.
    ok!(delete_many(&bucket, &names(&["a", "x", "c"])));
    check_eq!(keys(&bucket), ["b"]);
    ok!(delete_many(&bucket, &names(&["x"])));
    check_eq!(keys(&bucket), ["b"]);
}

fn nothing() {
    let bucket = bucket();
    ok!(bucket.set("a", b"1"));
    check!(ok!(get_many(&bucket, &[])).is_empty());
    ok!(set_many(&bucket, &[]));
    ok!(delete_many(&bucket, &[]));
    check_eq!(keys(&bucket), ["a"]);
}
