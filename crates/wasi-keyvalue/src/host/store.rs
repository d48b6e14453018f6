//! `wasi:keyvalue/store`.

use super::{HostResult, answer};
use crate::backend::KeyPage;
use crate::bindings::wasi::keyvalue::store::{Host, HostBucket, KeyResponse};
use crate::ctx::{BucketHandle, WasiKeyValue};
use crate::error::{StoreError, StoreResult};
use wharf::Result;
use wharf::component::Resource;

/// The most bytes of a cursor, if keys may not be longer.
const MAX_CURSOR: u64 = 1 << 20;

impl Host for WasiKeyValue<'_> {
    async fn open(&mut self, identifier: String) -> HostResult<Resource<BucketHandle>> {
        match self.ctx.open(&identifier).await {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(error) => Ok(Err(error.for_guest())),
        }
    }
}

impl HostBucket for WasiKeyValue<'_> {
    async fn get(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<Option<Vec<u8>>> {
        let handle = self.bucket(&bucket)?;
        answer(get(&handle, &key).await)
    }

    async fn set(&mut self, bucket: Resource<BucketHandle>, key: String, value: Vec<u8>) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(set(&handle, &key, value).await)
    }

    async fn delete(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(delete(&handle, &key).await)
    }

    async fn exists(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<bool> {
        let handle = self.bucket(&bucket)?;
        answer(exists(&handle, &key).await)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<BucketHandle>,
        cursor: Option<String>,
    ) -> HostResult<KeyResponse> {
        let handle = self.bucket(&bucket)?;
        let page = list_keys(&handle, cursor.as_deref()).await;
        answer(page.map(|page| KeyResponse {
            keys: page.keys,
            cursor: page.cursor,
        }))
    }

    fn drop(&mut self, bucket: Resource<BucketHandle>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

pub(super) async fn get(handle: &BucketHandle, key: &str) -> StoreResult<Option<Vec<u8>>> {
    handle.quota.check_key(key)?;
    handle.bucket.get(key).await
}

pub(super) async fn set(handle: &BucketHandle, key: &str, value: Vec<u8>) -> StoreResult<()> {
    let bucket = handle.writable()?;
    handle.quota.check_key(key)?;
    handle.quota.check_value(&value)?;
    bucket.set(key, value).await
}

pub(super) async fn delete(handle: &BucketHandle, key: &str) -> StoreResult<()> {
    let bucket = handle.writable()?;
    handle.quota.check_key(key)?;
    bucket.delete(key).await?;
    Ok(())
}

pub(super) async fn exists(handle: &BucketHandle, key: &str) -> StoreResult<bool> {
    handle.quota.check_key(key)?;
    handle.bucket.exists(key).await
}

pub(super) async fn list_keys(handle: &BucketHandle, cursor: Option<&str>) -> StoreResult<KeyPage> {
    // A cursor is a key, maybe one that was put when longer keys were allowed.
    if cursor.is_some_and(|cursor| cursor.len() as u64 > handle.quota.key_bytes.max(MAX_CURSOR)) {
        return Err(StoreError::UnknownCursor);
    }
    handle.bucket.list_keys(cursor).await
}
