//! Telling of changes that are made in this process.

use super::{Backend, Batch, Bucket, BucketName, Change, Changes, KeyPage, Swap, Teller, Told};
use crate::error::StoreResult;
use crate::quota::Quota;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A backend that tells of the changes which are made through it. Clones are the same one.
///
/// It is for backends that nobody else changes. One that tells of changes by itself goes on doing that. Of changes to one
/// key that are made at the same time, the last one told need not be the last one made.
#[derive(Clone, Debug)]
pub struct WatchedBackend {
    inner: Arc<dyn Backend>,
    watchers: Arc<Watchers>,
}

/// The watchers by bucket. They go when nobody waits for them any more.
type Watchers = Mutex<HashMap<BucketName, Vec<Teller>>>;

impl WatchedBackend {
    /// Tells of changes in this backend.
    pub fn new(inner: Arc<dyn Backend>) -> WatchedBackend {
        WatchedBackend {
            inner,
            watchers: Arc::default(),
        }
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

    async fn watch(&self, name: &BucketName) -> Option<Changes> {
        if let Some(changes) = self.inner.watch(name).await {
            return Some(changes);
        }
        let (teller, changes) = Changes::new();
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let those = watchers.entry(name.clone()).or_default();
        those.retain(|other| !other.is_closed());
        those.push(teller);
        Some(changes)
    }

    fn untold(&self) -> Option<Arc<dyn Backend>> {
        Some(self.inner.untold().unwrap_or_else(|| self.inner.clone()))
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
    fn watchers(&self) -> Vec<Teller> {
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let those = watchers.get(&self.name).into_iter().flatten();
        those.filter(|teller| !teller.is_closed()).cloned().collect()
    }
}

/// Runs a change and what tells of it, also if the guest that asked for it is gone in the meantime.
async fn whole<T: Send + 'static>(
    change: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    #[cfg(any(feature = "redb", feature = "redis"))]
    return crate::runtime::to_the_end(change).await;
    // Nothing here waits.
    #[cfg(not(any(feature = "redb", feature = "redis")))]
    return change.await;
}

fn tell(watchers: &[Teller], change: &Change) {
    for watcher in watchers {
        watcher.tell(Told::Change(change.clone()));
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
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(async move {
            inner.set(&key, value.clone()).await?;
            tell(&watchers, &Change::Set { key, value });
            Ok(())
        })
        .await
    }

    async fn delete(&self, key: &str) -> StoreResult<bool> {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.delete(key).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(async move {
            let was_there = inner.delete(&key).await?;
            if was_there {
                tell(&watchers, &Change::Deleted { key });
            }
            Ok(was_there)
        })
        .await
    }

    async fn exists(&self, key: &str) -> StoreResult<bool> {
        self.inner.exists(key).await
    }

    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        self.inner.list_keys(cursor).await
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.increment(key, delta).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(async move {
            let sum = inner.increment(&key, delta).await?;
            let value = sum.to_string().into_bytes();
            tell(&watchers, &Change::Set { key, value });
            Ok(sum)
        })
        .await
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
        let (inner, key) = (self.inner.clone(), key.to_owned());
        let expected = expected.map(<[u8]>::to_vec);
        whole(async move {
            let swap = inner
                .compare_and_swap(&key, expected.as_deref(), value.clone())
                .await?;
            if swap == Swap::Done {
                tell(&watchers, &Change::Set { key, value });
            }
            Ok(swap)
        })
        .await
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        self.inner.get_many(keys).await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.set_many(entries).await;
        }
        let inner = self.inner.clone();
        let batch = whole(async move {
            let batch = inner.set_many(entries.clone()).await;
            for (key, value) in batch.changed.iter().filter_map(|i| entries.get(*i)).cloned() {
                tell(&watchers, &Change::Set { key, value });
            }
            Ok(batch)
        });
        batch.await.unwrap_or_else(Batch::failed)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        let watchers = self.watchers();
        if watchers.is_empty() {
            return self.inner.delete_many(keys).await;
        }
        let inner = self.inner.clone();
        let batch = whole(async move {
            let batch = inner.delete_many(keys.clone()).await;
            for key in batch.changed.iter().filter_map(|i| keys.get(*i)).cloned() {
                tell(&watchers, &Change::Deleted { key });
            }
            Ok(batch)
        });
        batch.await.unwrap_or_else(Batch::failed)
    }
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
