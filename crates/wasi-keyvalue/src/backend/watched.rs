//! Telling of changes that are made in this process.

use super::{Backend, Batch, Bucket, BucketName, Change, Changes, KeyPage, Swap, Teller, Told};
use crate::error::StoreResult;
use crate::quota::Quota;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A backend that tells of the changes which are made through it. Clones are the same one.
///
/// It is for backends that nobody else changes. One that tells of changes by itself goes on doing that. Changes of a bucket
/// that is watched are made one after the other, so that they are told in the order in which they were made. Who begins to
/// watch waits for those that are under way.
#[derive(Clone, Debug)]
pub struct WatchedBackend {
    inner: Arc<dyn Backend>,
    watchers: Arc<Watchers>,
}

/// The watchers of each bucket that was opened or watched.
type Watchers = Mutex<HashMap<BucketName, Arc<Watched>>>;

#[derive(Debug, Default)]
struct Watched {
    /// They go when nobody waits for them any more.
    tellers: Mutex<Vec<Teller>>,
    /// Without the features that bring it, nothing here keeps changes in order.
    #[cfg(any(feature = "redb", feature = "redis"))]
    order: Order,
}

/// Held from before a change is made until it is told; shared by changes that nobody is told of.
#[cfg(any(feature = "redb", feature = "redis"))]
type Order = Arc<tokio::sync::RwLock<()>>;

impl Watched {
    /// Those who are told now.
    fn tellers(&self) -> Vec<Teller> {
        let mut tellers = self.tellers.lock().unwrap_or_else(PoisonError::into_inner);
        tellers.retain(|teller| !teller.is_closed());
        tellers.clone()
    }

    /// What a change that nobody is told of holds meanwhile; nothing if there is somebody.
    async fn unwatched(&self) -> Option<impl Send + use<>> {
        #[cfg(any(feature = "redb", feature = "redis"))]
        let turn = self.order.clone().read_owned().await;
        #[cfg(not(any(feature = "redb", feature = "redis")))]
        let turn = ();
        self.tellers().is_empty().then_some(turn)
    }
}

impl WatchedBackend {
    /// Tells of changes in this backend.
    pub fn new(inner: Arc<dyn Backend>) -> WatchedBackend {
        WatchedBackend {
            inner,
            watchers: Arc::default(),
        }
    }

    fn watched(&self, name: &BucketName) -> Arc<Watched> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.entry(name.clone()).or_default().clone()
    }
}

#[async_trait]
impl Backend for WatchedBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        Ok(Arc::new(WatchedBucket {
            inner: self.inner.open(name, quota).await?,
            watched: self.watched(name),
        }))
    }

    async fn watch(&self, name: &BucketName) -> Option<Changes> {
        if let Some(changes) = self.inner.watch(name).await {
            return Some(changes);
        }
        let (teller, changes) = Changes::new();
        let watched = self.watched(name);
        #[cfg(any(feature = "redb", feature = "redis"))]
        let _order = watched.order.write().await;
        let mut tellers = watched.tellers.lock().unwrap_or_else(PoisonError::into_inner);
        tellers.retain(|other| !other.is_closed());
        tellers.push(teller);
        Some(changes)
    }

    fn untold(&self) -> Option<Arc<dyn Backend>> {
        Some(self.inner.untold().unwrap_or_else(|| self.inner.clone()))
    }
}

#[derive(Debug)]
struct WatchedBucket {
    inner: Arc<dyn Bucket>,
    watched: Arc<Watched>,
}

/// Runs a change, which tells of what it did; to its end also if the guest that asked for it is gone in the meantime.
async fn whole<T, F>(
    watched: Arc<Watched>,
    change: impl FnOnce(Vec<Teller>) -> F + Send + 'static,
) -> StoreResult<T>
where
    T: Send + 'static,
    F: Future<Output = StoreResult<T>> + Send + 'static,
{
    #[cfg(any(feature = "redb", feature = "redis"))]
    return crate::runtime::to_the_end(async move {
        let _order = watched.order.clone().write_owned().await;
        change(watched.tellers()).await
    })
    .await;
    // Nothing here waits.
    #[cfg(not(any(feature = "redb", feature = "redis")))]
    change(watched.tellers()).await
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
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.set(key, value).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(self.watched.clone(), move |tellers| async move {
            inner.set(&key, value.clone()).await?;
            tell(&tellers, &Change::Set { key, value });
            Ok(())
        })
        .await
    }

    async fn delete(&self, key: &str) -> StoreResult<bool> {
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.delete(key).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(self.watched.clone(), move |tellers| async move {
            let was_there = inner.delete(&key).await?;
            if was_there {
                tell(&tellers, &Change::Deleted { key });
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
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.increment(key, delta).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        whole(self.watched.clone(), move |tellers| async move {
            let sum = inner.increment(&key, delta).await?;
            let value = sum.to_string().into_bytes();
            tell(&tellers, &Change::Set { key, value });
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
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.compare_and_swap(key, expected, value).await;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        let expected = expected.map(<[u8]>::to_vec);
        whole(self.watched.clone(), move |tellers| async move {
            let swap = inner
                .compare_and_swap(&key, expected.as_deref(), value.clone())
                .await?;
            if swap == Swap::Done {
                tell(&tellers, &Change::Set { key, value });
            }
            Ok(swap)
        })
        .await
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        self.inner.get_many(keys).await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.set_many(entries).await;
        }
        let inner = self.inner.clone();
        let batch = whole(self.watched.clone(), move |tellers| async move {
            let batch = inner.set_many(entries.clone()).await;
            for (key, value) in batch.changed.iter().filter_map(|i| entries.get(*i)).cloned() {
                tell(&tellers, &Change::Set { key, value });
            }
            Ok(batch)
        });
        batch.await.unwrap_or_else(Batch::failed)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        if let Some(_turn) = self.watched.unwatched().await {
            return self.inner.delete_many(keys).await;
        }
        let inner = self.inner.clone();
        let batch = whole(self.watched.clone(), move |tellers| async move {
            let batch = inner.delete_many(keys.clone()).await;
            for key in batch.changed.iter().filter_map(|i| keys.get(*i)).cloned() {
                tell(&tellers, &Change::Deleted { key });
            }
            Ok(batch)
        });
        batch.await.unwrap_or_else(Batch::failed)
    }
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
