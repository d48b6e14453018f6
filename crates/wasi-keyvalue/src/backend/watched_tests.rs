//! Tests of telling of changes.

use super::*;
use crate::backend::MemoryBackend;
use crate::error::StoreError;
use std::task::{Context, Poll, Waker};

fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn name(bucket: &str) -> BucketName {
    BucketName {
        namespace: "n".to_owned(),
        bucket: bucket.to_owned(),
    }
}

fn open(backend: &dyn Backend, bucket: &str) -> Arc<dyn Bucket> {
    now(backend.open(&name(bucket), Quota::default()))
        .unwrap()
        .unwrap()
}

fn watch(backend: &WatchedBackend, bucket: &str) -> Changes {
    now(backend.watch(&name(bucket))).unwrap().unwrap()
}

fn set(key: &str, value: &str) -> Told {
    Told::Change(Change::Set {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
    })
}

fn deleted(key: &str) -> Told {
    Told::Change(Change::Deleted { key: key.to_owned() })
}

fn told(changes: &mut Changes) -> Vec<Told> {
    std::iter::from_fn(|| now(changes.next())).collect()
}

#[test]
fn every_change_is_told() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let bucket = open(&backend, "b");
    now(bucket.set("before", vec![])).unwrap().unwrap();
    let mut changes = watch(&backend, "b");
    let mut others = watch(&backend, "b");
    now(bucket.set("a", b"1".to_vec())).unwrap().unwrap();
    now(bucket.increment("a", 4)).unwrap().unwrap();
    now(bucket.compare_and_swap("a", Some(b"5"), b"6".to_vec()))
        .unwrap()
        .unwrap();
    now(bucket.compare_and_swap("a", Some(b"5"), b"7".to_vec()))
        .unwrap()
        .unwrap();
    let many = vec![("x".to_owned(), b"1".to_vec()), ("y".to_owned(), b"2".to_vec())];
    now(bucket.set_many(many)).unwrap().ended.unwrap();
    now(bucket.delete("a")).unwrap().unwrap();
    now(bucket.delete("a")).unwrap().unwrap();
    let keys = ["x", "x", "z", "y"].map(str::to_owned).to_vec();
    now(bucket.delete_many(keys)).unwrap().ended.unwrap();
    now(bucket.increment("before", 1)).unwrap().unwrap_err();
    now(bucket.get("before")).unwrap().unwrap();
    let expected = [
        set("a", "1"),
        set("a", "5"),
        set("a", "6"),
        set("x", "1"),
        set("y", "2"),
        deleted("a"),
        deleted("x"),
        deleted("y"),
    ];
    assert_eq!(told(&mut changes), expected);
    assert_eq!(told(&mut others), expected);
}

#[test]
fn only_the_bucket_that_is_watched_is_told_of() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let mut changes = watch(&backend, "b");
    now(open(&backend, "other").set("a", vec![])).unwrap().unwrap();
    now(open(&*backend.untold().unwrap(), "b").set("a", vec![]))
        .unwrap()
        .unwrap();
    assert_eq!(told(&mut changes), []);
    now(open(&backend.clone(), "b").set("a", vec![]))
        .unwrap()
        .unwrap();
    assert_eq!(told(&mut changes), [set("a", "")]);
}

#[test]
fn what_a_failed_batch_did_is_told() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let quota = Quota {
        keys: 2,
        ..Quota::default()
    };
    let bucket = now(backend.open(&name("b"), quota)).unwrap().unwrap();
    let mut changes = watch(&backend, "b");
    let entries = ["x", "y", "z", "x"].map(|key| (key.to_owned(), b"1".to_vec()));
    let batch = now(bucket.set_many(entries.into())).unwrap();
    assert_eq!(
        (batch.changed, batch.ended),
        (vec![0, 1], Err(StoreError::TooManyKeys(2)))
    );
    assert_eq!(told(&mut changes), [set("x", "1"), set("y", "1")]);
}

/// Where a value that is put has to wait until it is let through.
#[derive(Debug)]
struct Gate(Arc<dyn Bucket>, Arc<tokio::sync::Semaphore>);

#[async_trait]
impl Bucket for Gate {
    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()> {
        drop(self.1.acquire().await);
        self.0.set(key, value).await
    }
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        self.0.get(key).await
    }
    async fn delete(&self, key: &str) -> StoreResult<bool> {
        self.0.delete(key).await
    }
    async fn exists(&self, key: &str) -> StoreResult<bool> {
        self.0.exists(key).await
    }
    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        self.0.list_keys(cursor).await
    }
    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        self.0.increment(key, delta).await
    }
    async fn compare_and_swap(&self, key: &str, old: Option<&[u8]>, new: Vec<u8>) -> StoreResult<Swap> {
        self.0.compare_and_swap(key, old, new).await
    }
    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        self.0.get_many(keys).await
    }
    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        self.0.set_many(entries).await
    }
    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        self.0.delete_many(keys).await
    }
}

#[derive(Debug)]
struct Gated(MemoryBackend, Arc<tokio::sync::Semaphore>);

#[async_trait]
impl Backend for Gated {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        Ok(Arc::new(Gate(self.0.open(name, quota).await?, self.1.clone())))
    }
}

#[test]
fn what_is_made_after_its_guest_is_gone_is_told() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let backend = WatchedBackend::new(Arc::new(Gated(MemoryBackend::new(), gate.clone())));
    let bucket = open(&backend, "b");
    let mut changes = watch(&backend, "b");
    // The guest asks, and is stopped while it waits.
    assert_eq!(now(bucket.set("a", b"1".to_vec())), None);
    gate.add_permits(1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(changes.next()), set("a", "1"));
    assert_eq!(now(bucket.get("a")), Some(Ok(Some(b"1".to_vec()))));
}

#[test]
fn those_who_left_cost_nothing() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let bucket = open(&backend, "b");
    drop(watch(&backend, "b"));
    now(bucket.set("a", vec![])).unwrap().unwrap();
    let _stays = watch(&backend, "b");
    assert_eq!(
        backend.watchers.lock().unwrap()[&name("b")]
            .tellers
            .lock()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn the_last_one_told_is_the_last_one_made() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    for round in 0..20 {
        let bucket = open(&backend, &round.to_string());
        let mut changes = watch(&backend, &round.to_string());
        std::thread::scope(|scope| {
            for i in 0..4 {
                let bucket = bucket.clone();
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    for j in 0..20 {
                        runtime
                            .block_on(bucket.set("k", format!("{i} {j}").into_bytes()))
                            .unwrap();
                    }
                });
            }
        });
        let told = told(&mut changes);
        assert_eq!(told.len(), 80);
        let last = now(bucket.get("k")).unwrap().unwrap().unwrap();
        assert_eq!(told.last(), Some(&set("k", std::str::from_utf8(&last).unwrap())));
    }
}
