//! The subcommands that use `wasi:keyvalue`.

use crate::bindings::wasi::keyvalue::atomics::{self, Cas, CasError};
use crate::bindings::wasi::keyvalue::batch;
use crate::bindings::wasi::keyvalue::store::{self, Bucket, Error};

type Done = Result<(), String>;

/// Runs a subcommand; `None` if there is none of this name.
pub fn run(args: &[&str]) -> Option<Done> {
    let (command, name, rest) = match args {
        [command, name, rest @ ..] => (*command, *name, rest),
        _ => return None,
    };
    let with = |f: &dyn Fn(&Bucket) -> Done| store::open(name).map_err(text).and_then(|bucket| f(&bucket));
    Some(match (command, rest) {
        ("open", []) => with(&|_| {
            println!("open");
            Ok(())
        }),
        ("exercise", []) => with(&exercise),
        ("read-only", []) => with(&read_only),
        ("put", [key, value]) => with(&|bucket| bucket.set(key, value.as_bytes()).map_err(text)),
        ("get", [key]) => with(&|bucket| {
            match bucket.get(key).map_err(text)? {
                Some(value) => println!("{}", String::from_utf8_lossy(&value)),
                None => println!("{key} is not there"),
            }
            Ok(())
        }),
        ("count", [key, delta]) => with(&|bucket| {
            let delta = delta.parse().map_err(|_| "not a number")?;
            println!("{}", atomics::increment(bucket, key, delta).map_err(text)?);
            Ok(())
        }),
        ("cas", [key, times]) => with(&|bucket| add_by_cas(bucket, key, times.parse().map_err(|_| "not a number")?)),
        ("fill", [number, size]) => with(&|bucket| {
            let (number, size): (u32, usize) = match (number.parse(), size.parse()) {
                (Ok(number), Ok(size)) => (number, size),
                _ => return Err("not a number".to_owned()),
            };
            for i in 0..number {
                bucket.set(&format!("key-{i:05}"), &vec![b'x'; size]).map_err(|e| format!("{i}: {}", text(e)))?;
            }
            println!("filled");
            Ok(())
        }),
        ("keys", []) => with(&|bucket| {
            for key in all_keys(bucket)? {
                println!("{key}");
            }
            Ok(())
        }),
        _ => return None,
    })
}

fn text(error: Error) -> String {
    match error {
        Error::NoSuchStore => "no such store".to_owned(),
        Error::AccessDenied => "access denied".to_owned(),
        Error::Other(message) => format!("other: {message}"),
    }
}

fn all_keys(bucket: &Bucket) -> Result<Vec<String>, String> {
    let mut keys = Vec::new();
    let mut cursor = None;
    loop {
        let page = bucket.list_keys(cursor.as_deref()).map_err(text)?;
        keys.extend(page.keys);
        match page.cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    keys.sort();
    Ok(keys)
}

fn shown(value: &Option<Vec<u8>>) -> String {
    match value {
        Some(value) => format!("{:?}", String::from_utf8_lossy(value)),
        None => "none".to_owned(),
    }
}

/// Every function once, in a bucket that must be empty and is empty again afterwards.
fn exercise(bucket: &Bucket) -> Done {
    println!("get: {}", shown(&bucket.get("a").map_err(text)?));
    println!("exists: {}", bucket.exists("a").map_err(text)?);
    println!("list: {:?}", all_keys(bucket)?);
    bucket.set("a", b"first").map_err(text)?;
    println!("get: {}", shown(&bucket.get("a").map_err(text)?));
    bucket.set("a", b"").map_err(text)?;
    println!("get: {}", shown(&bucket.get("a").map_err(text)?));
    println!("exists: {}", bucket.exists("a").map_err(text)?);
    bucket.set("käse/€\n", &[0, 255, 7]).map_err(text)?;
    println!("bytes: {:?}", bucket.get("käse/€\n").map_err(text)?);
    println!("list: {:?}", all_keys(bucket)?);
    bucket.delete("a").map_err(text)?;
    bucket.delete("a").map_err(text)?;
    println!("exists: {}", bucket.exists("a").map_err(text)?);

    println!("increment: {}", atomics::increment(bucket, "n", 5).map_err(text)?);
    println!("increment: {}", atomics::increment(bucket, "n", -7).map_err(text)?);
    println!("number: {}", shown(&bucket.get("n").map_err(text)?));
    bucket.set("n", b"9223372036854775807").map_err(text)?;
    println!("overflow: {:?}", atomics::increment(bucket, "n", 1).map_err(text));
    bucket.set("n", b"seven").map_err(text)?;
    println!("no number: {:?}", atomics::increment(bucket, "n", 1).map_err(text));

    let cas = Cas::new(bucket, "c").map_err(text)?;
    println!("noted: {}", shown(&cas.current().map_err(text)?));
    println!("swap: {}", swapped(cas, b"one")?);
    let cas = Cas::new(bucket, "c").map_err(text)?;
    println!("noted: {}", shown(&cas.current().map_err(text)?));
    bucket.set("c", b"two").map_err(text)?;
    println!("noted: {}", shown(&cas.current().map_err(text)?));
    match atomics::swap(cas, b"three") {
        Err(CasError::CasFailed(newer)) => {
            println!("swap failed, now: {}", shown(&newer.current().map_err(text)?));
            println!("swap: {}", swapped(newer, b"four")?);
        }
        Err(CasError::StoreError(error)) => return Err(text(error)),
        Ok(()) => return Err("swapped an old value".to_owned()),
    }
    println!("get: {}", shown(&bucket.get("c").map_err(text)?));
    let cas = Cas::new(bucket, "c").map_err(text)?;
    bucket.delete("c").map_err(text)?;
    println!("swap after delete: {}", swapped(cas, b"five")?);

    let pairs: Vec<(String, Vec<u8>)> = (0..5).map(|i| (format!("m{i}"), vec![b'0' + i; 2])).collect();
    batch::set_many(bucket, &pairs).map_err(text)?;
    let wanted: Vec<String> = ["m4", "absent", "m0", "m4"].map(str::to_owned).to_vec();
    for found in batch::get_many(bucket, &wanted).map_err(text)? {
        match found {
            Some((key, value)) => println!("many: {key}={}", String::from_utf8_lossy(&value)),
            None => println!("many: none"),
        }
    }
    println!("list: {:?}", all_keys(bucket)?);
    batch::delete_many(bucket, &all_keys(bucket)?).map_err(text)?;
    batch::delete_many(bucket, &["absent".to_owned()]).map_err(text)?;
    println!("list: {:?}", all_keys(bucket)?);
    Ok(())
}

fn swapped(cas: Cas, value: &[u8]) -> Result<bool, String> {
    match atomics::swap(cas, value) {
        Ok(()) => Ok(true),
        Err(CasError::CasFailed(_)) => Ok(false),
        Err(CasError::StoreError(error)) => Err(text(error)),
    }
}

/// Counts up by compare-and-swap, beside others that do the same.
fn add_by_cas(bucket: &Bucket, key: &str, times: u32) -> Done {
    for _ in 0..times {
        let mut cas = Cas::new(bucket, key).map_err(text)?;
        loop {
            let now: u64 = match cas.current().map_err(text)? {
                Some(value) => String::from_utf8_lossy(&value).parse().map_err(|_| "not a number")?,
                None => 0,
            };
            match atomics::swap(cas, (now + 1).to_string().as_bytes()) {
                Ok(()) => break,
                Err(CasError::CasFailed(newer)) => cas = newer,
                Err(CasError::StoreError(error)) => return Err(text(error)),
            }
        }
    }
    Ok(())
}

/// What a bucket that may only be read answers.
fn read_only(bucket: &Bucket) -> Done {
    println!("get: {}", shown(&bucket.get("a").map_err(text)?));
    println!("set: {:?}", bucket.set("a", b"x").map_err(text));
    println!("delete: {:?}", bucket.delete("a").map_err(text));
    println!("increment: {:?}", atomics::increment(bucket, "a", 1).map_err(text));
    println!("set-many: {:?}", batch::set_many(bucket, &[]).map_err(text));
    println!("delete-many: {:?}", batch::delete_many(bucket, &[]).map_err(text));
    match atomics::swap(Cas::new(bucket, "a").map_err(text)?, b"x") {
        Err(CasError::StoreError(error)) => println!("swap: {}", text(error)),
        Err(CasError::CasFailed(_)) => return Err("the swap was tried".to_owned()),
        Ok(()) => return Err("the swap was done".to_owned()),
    }
    Ok(())
}
