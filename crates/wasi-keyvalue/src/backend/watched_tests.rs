//! Tests of telling of changes.

use super::*;
use crate::backend::MemoryBackend;
use std::task::Context;

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

fn set(key: &str, value: &str) -> Change {
    Change::Set {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

fn deleted(key: &str) -> Change {
    Change::Deleted { key: key.to_owned() }
}

fn told(changes: &mut Changes) -> Vec<Change> {
    std::iter::from_fn(|| now(changes.next())).collect()
}

#[test]
fn every_change_is_told() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let bucket = open(&backend, "b");
    now(bucket.set("before", vec![])).unwrap().unwrap();
    let mut changes = backend.watch(&name("b"));
    let mut others = backend.watch(&name("b"));
    now(bucket.set("a", b"1".to_vec())).unwrap().unwrap();
    now(bucket.increment("a", 4)).unwrap().unwrap();
    now(bucket.compare_and_swap("a", Some(b"5"), b"6".to_vec()))
        .unwrap()
        .unwrap();
    now(bucket.compare_and_swap("a", Some(b"5"), b"7".to_vec()))
        .unwrap()
        .unwrap();
    let many = vec![("x".to_owned(), b"1".to_vec()), ("y".to_owned(), b"2".to_vec())];
    now(bucket.set_many(many)).unwrap().unwrap();
    now(bucket.delete("a")).unwrap().unwrap();
    now(bucket.delete("a")).unwrap().unwrap();
    let keys = ["x", "x", "z", "y"].map(str::to_owned).to_vec();
    now(bucket.delete_many(keys)).unwrap().unwrap();
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
    let mut changes = backend.watch(&name("b"));
    now(open(&backend, "other").set("a", vec![])).unwrap().unwrap();
    now(open(&**backend.inner(), "b").set("a", vec![]))
        .unwrap()
        .unwrap();
    assert_eq!(told(&mut changes), []);
    now(open(&backend.clone(), "b").set("a", vec![]))
        .unwrap()
        .unwrap();
    assert_eq!(told(&mut changes), [set("a", "")]);
}

#[test]
fn what_nobody_takes_is_bounded() {
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let bucket = open(&backend, "b");
    let mut changes = backend.watch(&name("b"));
    for _ in 0..MAX_CHANGES + 7 {
        now(bucket.set("a", vec![])).unwrap().unwrap();
    }
    assert_eq!(changes.take_lost(), 7);
    assert_eq!(told(&mut changes).len(), MAX_CHANGES);
    for _ in 0..3 {
        now(bucket.set("a", vec![0; MAX_BYTES / 2 - 1])).unwrap().unwrap();
    }
    assert_eq!((told(&mut changes).len(), changes.take_lost()), (2, 1));
    now(bucket.set("a", vec![0; MAX_BYTES / 2 - 1])).unwrap().unwrap();
    assert_eq!((told(&mut changes).len(), changes.take_lost()), (1, 0));
}

#[test]
fn those_who_wait_are_woken() {
    struct Count(std::sync::atomic::AtomicU32);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let count = Arc::new(Count(0.into()));
    let backend = WatchedBackend::new(Arc::new(MemoryBackend::new()));
    let bucket = open(&backend, "b");
    let mut changes = backend.watch(&name("b"));
    let waker = Waker::from(count.clone());
    {
        let next = std::pin::pin!(changes.next());
        assert!(next.poll(&mut Context::from_waker(&waker)).is_pending());
    }
    now(bucket.set("a", vec![])).unwrap().unwrap();
    assert_eq!(count.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    // Those who do not wait any more cost nothing.
    drop(changes);
    now(bucket.set("a", vec![])).unwrap().unwrap();
    drop(backend.watch(&name("b")));
    assert_eq!(backend.watchers.lock().unwrap()[&name("b")].len(), 1);
}
