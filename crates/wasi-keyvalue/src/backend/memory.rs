//! Buckets in memory, gone with the backend.

use super::{Backend, Batch, Bucket, BucketName, KeyPage, MAX_RESPONSE_BYTES, Pager, Swap, add};
use crate::error::{StoreError, StoreResult};
use crate::quota::{Quota, Usage, cost};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps buckets in memory. Clones are the same backend.
#[derive(Clone, Debug, Default)]
pub struct MemoryBackend {
    buckets: Arc<Mutex<HashMap<BucketName, Arc<Mutex<Data>>>>>,
}

/// What one bucket holds.
#[derive(Default)]
struct Data {
    entries: BTreeMap<String, Vec<u8>>,
    usage: Usage,
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Data")
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

impl MemoryBackend {
    /// An empty backend.
    pub fn new() -> MemoryBackend {
        MemoryBackend::default()
    }
}

#[async_trait]
impl Backend for MemoryBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let data = buckets.entry(name.clone()).or_default().clone();
        Ok(Arc::new(MemoryBucket { data, quota }))
    }
}

#[derive(Debug)]
struct MemoryBucket {
    data: Arc<Mutex<Data>>,
    quota: Quota,
}

impl MemoryBucket {
    fn lock(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Data {
    fn put(&mut self, key: &str, value: Vec<u8>, quota: &Quota) -> StoreResult<()> {
        let before = self.entries.get(key).map(|old| cost(key, old.len()));
        self.usage = self.usage.put(before, cost(key, value.len()), quota)?;
        match self.entries.get_mut(key) {
            Some(old) => *old = value,
            None => {
                self.entries.insert(key.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Whether the key was there.
    fn remove(&mut self, key: &str) -> bool {
        let Some(old) = self.entries.remove(key) else {
            return false;
        };
        self.usage = self.usage.removed(cost(key, old.len()));
        true
    }
}

#[async_trait]
impl Bucket for MemoryBucket {
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.lock().entries.get(key).cloned())
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()> {
        self.lock().put(key, value, &self.quota)
    }

    async fn delete(&self, key: &str) -> StoreResult<bool> {
        Ok(self.lock().remove(key))
    }

    async fn exists(&self, key: &str) -> StoreResult<bool> {
        Ok(self.lock().entries.contains_key(key))
    }

    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        let start = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut pager = Pager::default();
        for key in self
            .lock()
            .entries
            .range::<str, _>((start, Bound::Unbounded))
            .map(|(key, _)| key)
        {
            if !pager.take(key) {
                break;
            }
        }
        Ok(pager.finish())
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let mut data = self.lock();
        let sum = add(data.entries.get(key).map(Vec::as_slice), delta)?;
        data.put(key, sum.to_string().into_bytes(), &self.quota)?;
        Ok(sum)
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Vec<u8>,
    ) -> StoreResult<Swap> {
        let mut data = self.lock();
        let now = data.entries.get(key);
        if now.map(Vec::as_slice) != expected {
            return Ok(Swap::Changed(now.cloned()));
        }
        data.put(key, value, &self.quota)?;
        Ok(Swap::Done)
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        let data = self.lock();
        let found = || keys.iter().map(|key| data.entries.get(key));
        let total: u64 = found().flatten().map(|value| value.len() as u64).sum();
        if total > MAX_RESPONSE_BYTES {
            return Err(StoreError::ResponseTooLarge(MAX_RESPONSE_BYTES));
        }
        Ok(found().map(Option::<&Vec<u8>>::cloned).collect())
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        let mut data = self.lock();
        let mut changed = Vec::with_capacity(entries.len());
        for (i, (key, value)) in entries.into_iter().enumerate() {
            if let Err(error) = data.put(&key, value, &self.quota) {
                return Batch {
                    changed,
                    ended: Err(error),
                };
            }
            changed.push(i);
        }
        Batch {
            changed,
            ended: Ok(()),
        }
    }

    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        let mut data = self.lock();
        let changed = keys.iter().enumerate();
        Batch {
            changed: changed
                .filter(|(_, key)| data.remove(key))
                .map(|(i, _)| i)
                .collect(),
            ended: Ok(()),
        }
    }
}
