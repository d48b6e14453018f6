//! Buckets in a file, by means of the embedded database redb.
//!
//! Each change is one transaction, durable when the operation returns. One table has the values, under namespace,
//! bucket and key; another one what each bucket holds, changed in the same transactions.

use super::redb_file::{DatabaseFile, ENTRIES, EntryKey, Failed, USAGE};
use super::{Backend, Batch, Bucket, BucketName, KeyPage, MAX_RESPONSE_BYTES, Pager, Swap, add};
use crate::error::{StoreError, StoreResult};
use crate::quota::{Quota, Usage, cost};
use crate::runtime::blocking;
use async_trait::async_trait;
use redb::{Database, DatabaseError, ReadableDatabase as _, ReadableTable, Table};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

/// How much of the file may be cached in memory.
const CACHE_BYTES: usize = 32 << 20;

/// Keeps buckets in one file, which one process at a time can use. Clones are the same backend.
#[derive(Clone, Debug)]
pub struct RedbBackend {
    file: Arc<DatabaseFile>,
}

impl RedbBackend {
    /// Opens the file, and makes it if it is not there. After a crash it is repaired first.
    ///
    /// # Errors
    /// When it can't be opened, is no such file, or is open already.
    pub fn open(path: impl Into<PathBuf>) -> StoreResult<RedbBackend> {
        let path = path.into();
        RedbBackend::with_opener(move || Database::builder().set_cache_size(CACHE_BYTES).create(&path))
    }

    fn with_opener(
        open: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> StoreResult<RedbBackend> {
        Ok(RedbBackend {
            file: Arc::new(DatabaseFile::open(open)?),
        })
    }
}

#[async_trait]
impl Backend for RedbBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        Ok(Arc::new(RedbBucket(Arc::new(Inner {
            file: self.file.clone(),
            name: name.clone(),
            quota,
        }))))
    }
}

#[derive(Debug)]
struct RedbBucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Arc<DatabaseFile>,
    name: BucketName,
    quota: Quota,
}

/// A transaction that changes a bucket.
struct Change<'a, 't> {
    bucket: &'a Inner,
    entries: Table<'t, EntryKey, &'static [u8]>,
    usage: Usage,
}

impl Inner {
    fn id<'a>(&'a self, key: &'a str) -> (&'a str, &'a str, &'a str) {
        (&self.name.namespace, &self.name.bucket, key)
    }

    /// Runs `work`, and makes its changes durable if it does not fail and says so.
    fn change<T>(
        &self,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<(bool, T), Failed>,
    ) -> StoreResult<T> {
        self.file.with(|database| {
            let transaction = database.begin_write()?;
            let id = (self.name.namespace.as_str(), self.name.bucket.as_str());
            let (changed, result) = {
                let mut usages = transaction.open_table(USAGE)?;
                let before = usages.get(id)?.map(|usage| usage.value()).unwrap_or_default();
                let mut change = Change {
                    bucket: self,
                    entries: transaction.open_table(ENTRIES)?,
                    usage: Usage {
                        keys: before.0,
                        bytes: before.1,
                    },
                };
                let (changed, result) = work(&mut change)?;
                let after = (change.usage.keys, change.usage.bytes);
                if changed && after != before {
                    match after {
                        (0, 0) => usages.remove(id)?.map(drop),
                        after => usages.insert(id, after)?.map(drop),
                    };
                }
                (changed, result)
            };
            match changed {
                true => transaction.commit()?,
                false => transaction.abort()?,
            }
            Ok(result)
        })
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&dyn Fn(&str) -> Result<Option<Vec<u8>>, Failed>) -> Result<T, Failed>,
    ) -> StoreResult<T> {
        self.file.with(|database| {
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            work(&|key| Ok(entries.get(self.id(key))?.map(|value| value.value().to_vec())))
        })
    }

    fn list(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        self.file.with(|database| {
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            let start = match cursor {
                Some(last) => Bound::Excluded(self.id(last)),
                None => Bound::Included(self.id("")),
            };
            let mut pager = Pager::default();
            for entry in entries.range((start, Bound::Unbounded))? {
                let (id, _) = entry?;
                let (namespace, bucket, key) = id.value();
                if namespace != self.name.namespace || bucket != self.name.bucket || !pager.take(key) {
                    break;
                }
            }
            Ok(pager.finish())
        })
    }
}

impl Change<'_, '_> {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failed> {
        Ok(self
            .entries
            .get(self.bucket.id(key))?
            .map(|value| value.value().to_vec()))
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), Failed> {
        let id = self.bucket.id(key);
        let before = self.entries.get(id)?.map(|old| cost(key, old.value().len()));
        self.usage = self
            .usage
            .put(before, cost(key, value.len()), &self.bucket.quota)?;
        self.entries.insert(id, value)?;
        Ok(())
    }

    /// Whether the key was there.
    fn remove(&mut self, key: &str) -> Result<bool, Failed> {
        let Some(before) = self
            .entries
            .remove(self.bucket.id(key))?
            .map(|old| cost(key, old.value().len()))
        else {
            return Ok(false);
        };
        self.usage = self.usage.removed(before);
        Ok(true)
    }
}

#[async_trait]
impl Bucket for RedbBucket {
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        blocking(move || inner.read(|get| get(&key))).await
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        blocking(move || inner.change(|change| Ok((true, change.put(&key, &value)?)))).await
    }

    async fn delete(&self, key: &str) -> StoreResult<bool> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        blocking(move || {
            inner.change(|change| {
                let was_there = change.remove(&key)?;
                Ok((was_there, was_there))
            })
        })
        .await
    }

    async fn exists(&self, key: &str) -> StoreResult<bool> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        blocking(move || {
            inner.file.with(|database| {
                let entries = database.begin_read()?.open_table(ENTRIES)?;
                Ok(entries.get(inner.id(&key))?.is_some())
            })
        })
        .await
    }

    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        let (inner, cursor) = (self.0.clone(), cursor.map(str::to_owned));
        blocking(move || inner.list(cursor.as_deref())).await
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        blocking(move || {
            inner.change(|change| {
                let sum = add(change.get(&key)?.as_deref(), delta)?;
                change.put(&key, sum.to_string().as_bytes())?;
                Ok((true, sum))
            })
        })
        .await
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Vec<u8>,
    ) -> StoreResult<Swap> {
        let (inner, key) = (self.0.clone(), key.to_owned());
        let expected = expected.map(<[u8]>::to_vec);
        blocking(move || {
            inner.change(|change| {
                let now = change.get(&key)?;
                if now != expected {
                    return Ok((false, Swap::Changed(now)));
                }
                change.put(&key, &value)?;
                Ok((true, Swap::Done))
            })
        })
        .await
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        let inner = self.0.clone();
        blocking(move || {
            inner.read(|get| {
                let (mut found, mut total) = (Vec::with_capacity(keys.len()), 0u64);
                for key in &keys {
                    let value = get(key)?;
                    total = total.saturating_add(value.as_ref().map_or(0, Vec::len) as u64);
                    if total > MAX_RESPONSE_BYTES {
                        return Err(StoreError::ResponseTooLarge(MAX_RESPONSE_BYTES).into());
                    }
                    found.push(value);
                }
                Ok(found)
            })
        })
        .await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        let inner = self.0.clone();
        let work = move || {
            inner.change(|change| {
                let mut batch = Batch {
                    changed: Vec::with_capacity(entries.len()),
                    ended: Ok(()),
                };
                for (i, (key, value)) in entries.iter().enumerate() {
                    match change.put(key, value) {
                        Ok(()) => batch.changed.push(i),
                        // What was in front of it stays, as it does in other backends.
                        Err(Failed::Store(error)) => {
                            batch.ended = Err(error);
                            break;
                        }
                        Err(failed) => return Err(failed),
                    }
                }
                Ok((!batch.changed.is_empty(), batch))
            })
        };
        blocking(work).await.unwrap_or_else(Batch::failed)
    }

    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        let inner = self.0.clone();
        let work = move || {
            inner.change(|change| {
                let mut changed = Vec::new();
                for (i, key) in keys.iter().enumerate() {
                    if change.remove(key)? {
                        changed.push(i);
                    }
                }
                let ended = Ok(());
                Ok((!changed.is_empty(), Batch { changed, ended }))
            })
        };
        blocking(work).await.unwrap_or_else(Batch::failed)
    }
}

#[cfg(test)]
#[path = "redb_tests.rs"]
mod tests;
