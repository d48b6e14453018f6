//! `wasi:keyvalue/batch`.

use super::{HostResult, answer};
use crate::bindings::wasi::keyvalue::batch::Host;
use crate::ctx::{BucketHandle, WasiKeyValue};
use crate::error::{StoreError, StoreResult};
use wharf::component::Resource;

/// The most keys that one call may name.
const MAX_BATCH: usize = 10_000;

/// The most bytes of all values that one call may put.
const MAX_BATCH_BYTES: u64 = 64 << 20;

/// What a guest gets for each key that it asked for.
pub(super) type Found = Option<(String, Vec<u8>)>;

impl Host for WasiKeyValue<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        keys: Vec<String>,
    ) -> HostResult<Vec<Found>> {
        let handle = self.bucket(&bucket)?;
        answer(get_many(&handle, keys).await)
    }

    async fn set_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(set_many(&handle, key_values).await)
    }

    async fn delete_many(&mut self, bucket: Resource<BucketHandle>, keys: Vec<String>) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(delete_many(&handle, keys).await)
    }
}

fn check_keys<'a>(
    handle: &BucketHandle,
    number: usize,
    keys: impl Iterator<Item = &'a String>,
) -> StoreResult<()> {
    if number > MAX_BATCH {
        return Err(StoreError::BatchTooLong(MAX_BATCH));
    }
    let mut keys = keys;
    keys.try_for_each(|key| handle.quota.check_key(key))
}

pub(super) async fn get_many(handle: &BucketHandle, keys: Vec<String>) -> StoreResult<Vec<Found>> {
    check_keys(handle, keys.len(), keys.iter())?;
    let values = handle.bucket.get_many(keys.clone()).await?;
    let pairs = keys.into_iter().zip(values);
    Ok(pairs
        .map(|(key, value)| value.map(|value| (key, value)))
        .collect())
}

pub(super) async fn set_many(handle: &BucketHandle, entries: Vec<(String, Vec<u8>)>) -> StoreResult<()> {
    let bucket = handle.writable()?;
    check_keys(handle, entries.len(), entries.iter().map(|(key, _)| key))?;
    entries
        .iter()
        .try_for_each(|(_, value)| handle.quota.check_value(value))?;
    let bytes: u64 = entries.iter().map(|(_, value)| value.len() as u64).sum();
    if bytes > MAX_BATCH_BYTES {
        return Err(StoreError::BatchTooLarge(MAX_BATCH_BYTES));
    }
    bucket.set_many(entries).await.ended
}

pub(super) async fn delete_many(handle: &BucketHandle, keys: Vec<String>) -> StoreResult<()> {
    let bucket = handle.writable()?;
    check_keys(handle, keys.len(), keys.iter())?;
    bucket.delete_many(keys).await.ended
}
