//! Telling of changes.

use super::{Backend, Bucket, BucketName, KeyPage, Swap};
use crate::error::StoreResult;
use crate::quota::Quota;
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Poll, Waker};

/// How many changes wait for a watcher.
const MAX_CHANGES: usize = 1024;

/// How many bytes of keys and values wait for a watcher.
const MAX_BYTES: usize = 16 << 20;

/// A change of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A value was put under a key.
    Set {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
    },
    /// A key was removed.
    Deleted {
        /// The key.
        key: String,
    },
}

/// A backend that tells of the changes which are made through it. Clones are the same one.
///
/// What others change in the same file or server is not told, nor what a batch did that failed. Of changes to one key
/// that are made at the same time, the last one told need not be the last one made.
#[derive(Clone, Debug)]
pub struct WatchedBackend {
    inner: Arc<dyn Backend>,
    watchers: Arc<Watchers>,
}

/// The watchers by bucket. They go when nobody waits for them any more.
type Watchers = Mutex<HashMap<BucketName, Vec<Weak<Queue>>>>;

impl WatchedBackend {
    /// Tells of changes in this backend.
    pub fn new(inner: Arc<dyn Backend>) -> WatchedBackend {
        WatchedBackend {
            inner,
            watchers: Arc::default(),
        }
    }

    /// The changes of a bucket from now on.
    pub fn watch(&self, name: &BucketName) -> Changes {
        let queue = Arc::<Queue>::default();
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let those = watchers.entry(name.clone()).or_default();
        those.retain(|other| other.strong_count() > 0);
        those.push(Arc::downgrade(&queue));
        Changes(queue)
    }

    /// The backend that changes can be made in without telling.
    pub(crate) fn inner(&self) -> &Arc<dyn Backend> {
        &self.inner
    }
}

#[async_trait]
impl Backend for WatchedBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        Ok(Arc::new(WatchedBucket {
            inner: self.inner.open(name, quota).await?,
            name: name.clone(),
            watchers: self.watchers.clone(),
        }))
    }

    fn watched(&self) -> Option<&WatchedBackend> {
        Some(self)
    }
}

/// The changes of one bucket, in the order in which they were told.
///
/// If nobody takes them, only so many are kept (1024, and 16 MiB); later ones are lost, and counted.
#[derive(Debug)]
pub struct Changes(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    changes: VecDeque<Change>,
    bytes: usize,
    lost: u64,
    waker: Option<Waker>,
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Change::Set { key, value } => key.len() + value.len(),
            Change::Deleted { key } => key.len(),
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: Change) {
        let mut waiting = self.lock();
        let bytes = waiting.bytes.saturating_add(change.bytes());
        if waiting.changes.len() >= MAX_CHANGES || bytes > MAX_BYTES {
            waiting.lost += 1;
            return;
        }
        waiting.bytes = bytes;
        waiting.changes.push_back(change);
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Changes {
    /// Waits for the next change.
    pub async fn next(&mut self) -> Change {
        std::future::poll_fn(|cx| {
            let mut waiting = self.0.lock();
            if let Some(change) = waiting.changes.pop_front() {
                waiting.bytes -= change.bytes();
                return Poll::Ready(change);
            }
            waiting.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// How many changes were lost since this was last asked.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.0.lock().lost)
    }
}

#[derive(Debug)]
struct WatchedBucket {
    inner: Arc<dyn Bucket>,
    name: BucketName,
    watchers: Arc<Watchers>,
}

impl WatchedBucket {
    /// Those who are told now.
    fn watchers(&self) -> Vec<Arc<Queue>> {
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let those = watchers.get(&self.name).into_iter().flatten();
        those.filter_map(Weak::upgrade).collect()
    }

    /// Makes a change that puts `entries`, and tells of it if it was made.
    async fn put<T>(
        watchers: Vec<Arc<Queue>>,
        entries: Vec<(String, Vec<u8>)>,
        change: impl Future<Output = StoreResult<T>>,
        made: impl FnOnce(&T) -> bool,
    ) -> StoreResult<T> {
        let result = change.await?;
        if made(&result) {
            for (key, value) in entries {
                tell(&watchers, &Change::Set { key, value });
            }
        }
        Ok(result)
    }

    /// Those of the keys that there are, each once, if somebody is told.
    async fn existing<'a>(
        &self,
        watchers: &[Arc<Queue>],
        keys: impl Iterator<Item = &'a str> + Send,
    ) -> StoreResult<BTreeSet<String>> {
        let mut existing = BTreeSet::new();
        if !watchers.is_empty() {
            for key in keys {
                if !existing.contains(key) && self.inner.exists(key).await? {
                    existing.insert(key.to_owned());
                }
            }
        }
        Ok(existing)
    }
}

fn tell_deleted(watchers: &[Arc<Queue>], keys: BTreeSet<String>) {
    for key in keys {
        tell(watchers, &Change::Deleted { key });
    }
}

fn tell(watchers: &[Arc<Queue>], change: &Change) {
    for watcher in watchers {
        watcher.tell(change.clone());
    }
}

#[async_trait]
impl Bucket for WatchedBucket {
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        self.inner.get(key).await
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()> {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.set(key, value).await;
        }
        let entries = vec![(key.to_owned(), value.clone())];
        WatchedBucket::put(watchers, entries, self.inner.set(key, value), |()| true).await
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        let watchers = self.watchers();
        let existing = self.existing(&watchers, std::iter::once(key)).await?;
        self.inner.delete(key).await?;
        tell_deleted(&watchers, existing);
        Ok(())
    }

    async fn exists(&self, key: &str) -> StoreResult<bool> {
        self.inner.exists(key).await
    }

    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        self.inner.list_keys(cursor).await
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let sum = self.inner.increment(key, delta).await?;
        let watchers = self.watchers();
        if !watchers.is_empty() {
            let value = sum.to_string().into_bytes();
            let key = key.to_owned();
            tell(&watchers, &Change::Set { key, value });
        }
        Ok(sum)
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Vec<u8>,
    ) -> StoreResult<Swap> {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.compare_and_swap(key, expected, value).await;
        }
        let entries = vec![(key.to_owned(), value.clone())];
        let change = self.inner.compare_and_swap(key, expected, value);
        WatchedBucket::put(watchers, entries, change, |swap| *swap == Swap::Done).await
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        self.inner.get_many(keys).await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> StoreResult<()> {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.set_many(entries).await;
        }
        WatchedBucket::put(watchers, entries.clone(), self.inner.set_many(entries), |()| true).await
    }

    async fn delete_many(&self, keys: Vec<String>) -> StoreResult<()> {
        let watchers = self.watchers();
        let existing = self.existing(&watchers, keys.iter().map(String::as_str)).await?;
        self.inner.delete_many(keys).await?;
        tell_deleted(&watchers, existing);
        Ok(())
    }
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
