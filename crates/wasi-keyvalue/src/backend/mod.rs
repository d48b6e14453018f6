//! Where buckets are kept.

mod changes;
mod memory;
mod open;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redb")]
mod redb_file;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_scripts;
#[cfg(feature = "redis")]
mod redis_server;
#[cfg(feature = "redis")]
mod redis_tls;
#[cfg(feature = "redis")]
mod redis_watch;
mod watched;

#[cfg(feature = "redb")]
pub use self::redb::RedbBackend;
#[cfg(feature = "redis")]
pub use self::redis::RedisBackend;
pub use changes::{Change, Changes, Teller, Told};
pub use memory::MemoryBackend;
pub use open::{BackendUrl, Backends, OpenError};
pub use watched::WatchedBackend;

use crate::error::{StoreError, StoreResult};
use crate::quota::Quota;
use async_trait::async_trait;
use std::fmt::Debug;
use std::sync::Arc;

/// The most keys in one page of [`Bucket::list_keys`].
pub(crate) const PAGE_KEYS: usize = 1000;

/// The most bytes that the keys in one page of [`Bucket::list_keys`] have, if there is more than one.
pub(crate) const PAGE_BYTES: usize = 1 << 20;

/// The most bytes that [`Bucket::get_many`] gives.
pub(crate) const MAX_RESPONSE_BYTES: u64 = 64 << 20;

/// Names a bucket in a backend. Buckets in different namespaces have nothing in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName {
    /// Whose bucket it is.
    pub namespace: String,
    /// Its name there.
    pub bucket: String,
}

/// A place where buckets are kept.
#[async_trait]
pub trait Backend: Debug + Send + Sync + 'static {
    /// A bucket, which begins to exist when something is put into it. It never holds more than the quota allows,
    /// however many use it at once.
    ///
    /// # Errors
    /// When the backend can't be reached.
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>>;

    /// The changes of a bucket from now on, if this backend tells of changes. When those of others can't be had for a
    /// while, [`Told::Interrupted`] says so.
    async fn watch(&self, name: &BucketName) -> Option<Changes> {
        let _ = name;
        None
    }

    /// The same backend, if it tells of changes, in such a way that what is changed through it is told to nobody.
    fn untold(&self) -> Option<Arc<dyn Backend>> {
        None
    }
}

/// What a page of keys holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<String>,
    /// Where the next page begins, if there is one.
    pub cursor: Option<String>,
}

/// What a [`Bucket::compare_and_swap`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The value was as expected, and is the new one now.
    Done,
    /// It was not, but this one; nothing was changed.
    Changed(Option<Vec<u8>>),
}

/// What an operation on many keys came to. After an error some of them may have been changed and others not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Those that were changed, by their places in what was asked for, as far as that is known.
    pub changed: Vec<usize>,
    /// How it ended.
    pub ended: StoreResult<()>,
}

impl Batch {
    /// Nothing was changed, for this reason.
    pub fn failed(error: StoreError) -> Batch {
        Batch {
            changed: Vec::new(),
            ended: Err(error),
        }
    }
}

/// A bucket of a backend. Each operation but those on many keys happens as a whole or not at all.
///
/// The caller has checked the length of keys and values.
#[async_trait]
pub trait Bucket: Debug + Send + Sync + 'static {
    /// The value under a key.
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>>;

    /// Puts a value under a key.
    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()>;

    /// Removes a key, and says whether it was there.
    async fn delete(&self, key: &str) -> StoreResult<bool>;

    /// Whether there is a value under a key.
    async fn exists(&self, key: &str) -> StoreResult<bool>;

    /// A page of keys, in the order of their bytes: the first one, or the one that a cursor stands for.
    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage>;

    /// Adds to the decimal number under a key; none counts as zero.
    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64>;

    /// Puts a value under a key if what is there has these bytes (or is not there).
    async fn compare_and_swap(&self, key: &str, expected: Option<&[u8]>, value: Vec<u8>)
    -> StoreResult<Swap>;

    /// The values under keys.
    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>>;

    /// Puts values under keys, one after the other, up to the first that has no room.
    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch;

    /// Removes keys. Those that are not there are not changed.
    async fn delete_many(&self, keys: Vec<String>) -> Batch;
}

/// Adds to a number as [`Bucket::increment`] does.
pub(crate) fn add(value: Option<&[u8]>, delta: i64) -> StoreResult<i64> {
    let number = match value {
        None => 0,
        Some(bytes) => parse(bytes).ok_or(StoreError::NotANumber)?,
    };
    number.checked_add(delta).ok_or(StoreError::Overflow)
}

/// A number as it is written by [`Bucket::increment`]: without leading zeros, spaces or a plus sign. Redis takes the
/// same.
fn parse(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Makes pages of keys that come in order.
#[derive(Default)]
pub(crate) struct Pager {
    page: KeyPage,
    bytes: usize,
}

impl Pager {
    /// Whether the key is still part of the page; if not, the page is complete.
    pub(crate) fn take(&mut self, key: &str) -> bool {
        self.bytes = self.bytes.saturating_add(key.len());
        if self.page.keys.len() >= PAGE_KEYS || (self.bytes > PAGE_BYTES && !self.page.keys.is_empty()) {
            self.page.cursor = self.page.keys.last().cloned();
            return false;
        }
        self.page.keys.push(key.to_owned());
        true
    }

    pub(crate) fn finish(self) -> KeyPage {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        assert_eq!(add(None, -3), Ok(-3));
        assert_eq!(add(Some(b"40"), 2), Ok(42));
        assert_eq!(add(Some(b"-9223372036854775808"), 0), Ok(i64::MIN));
        for bad in [
            "",
            "+1",
            "01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "9223372036854775808",
            "x",
        ] {
            assert_eq!(
                add(Some(bad.as_bytes()), 0),
                Err(StoreError::NotANumber),
                "{bad:?}"
            );
        }
        assert_eq!(add(Some(b"\xff"), 0), Err(StoreError::NotANumber));
        assert_eq!(add(Some(b"9223372036854775807"), 1), Err(StoreError::Overflow));
    }

    #[test]
    fn pages_are_bounded_by_number_and_size() {
        let mut pager = Pager::default();
        assert!((0..PAGE_KEYS).all(|i| pager.take(&i.to_string())));
        assert!(!pager.take("x"));
        let page = pager.finish();
        assert_eq!(page.cursor.as_deref(), Some("999"));
        assert_eq!(page.keys.len(), PAGE_KEYS);
        let long = "x".repeat(PAGE_BYTES * 2);
        let mut pager = Pager::default();
        assert!(pager.take(&long));
        assert!(!pager.take(&long));
        assert_eq!(Pager::default().finish(), KeyPage::default());
    }
}
