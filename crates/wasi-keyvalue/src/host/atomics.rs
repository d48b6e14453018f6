//! `wasi:keyvalue/atomics`.
//!
//! A handle has the value itself, and a swap compares with that: a value that was changed and changed back is as good
//! as one that never changed.

use super::{HostResult, answer, store};
use crate::backend::Swap;
use crate::bindings::wasi::keyvalue::atomics::{CasError, Host, HostCas};
use crate::ctx::{BucketHandle, CasHandle, WasiKeyValue};
use crate::error::StoreResult;
use wharf::Result;
use wharf::component::Resource;

impl Host for WasiKeyValue<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
        delta: i64,
    ) -> HostResult<i64> {
        let handle = self.bucket(&bucket)?;
        answer(increment(&handle, &key, delta).await)
    }

    async fn swap(
        &mut self,
        cas: Resource<CasHandle>,
        value: Vec<u8>,
    ) -> Result<std::result::Result<(), CasError>> {
        // The guest has given the handle away, whatever comes of it.
        let cas = self.table.delete(cas)?;
        let noted = match swap(&cas, value).await {
            Ok(Swap::Done) => return Ok(Ok(())),
            Ok(Swap::Changed(now)) => {
                let (bucket, key) = (cas.bucket.clone(), cas.key.clone());
                drop(cas);
                self.ctx.note(bucket, key, now)
            }
            Err(error) => Err(error),
        };
        Ok(Err(match noted {
            Ok(newer) => CasError::CasFailed(self.table.push(newer)?),
            Err(error) => CasError::StoreError(error.for_guest()),
        }))
    }
}

pub(super) async fn increment(handle: &BucketHandle, key: &str, delta: i64) -> StoreResult<i64> {
    let bucket = handle.writable()?;
    handle.quota.check_key(key)?;
    bucket.increment(key, delta).await
}

async fn swap(cas: &CasHandle, value: Vec<u8>) -> StoreResult<Swap> {
    let bucket = cas.bucket.writable()?;
    cas.bucket.quota.check_value(&value)?;
    bucket
        .compare_and_swap(&cas.key, cas.value.as_deref(), value)
        .await
}

impl HostCas for WasiKeyValue<'_> {
    async fn new_(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<Resource<CasHandle>> {
        let handle = self.bucket(&bucket)?;
        let noted = match store::get(&handle, &key).await {
            Ok(value) => self.ctx.note(handle, key, value),
            Err(error) => Err(error),
        };
        match noted {
            Ok(cas) => Ok(Ok(self.table.push(cas)?)),
            Err(error) => Ok(Err(error.for_guest())),
        }
    }

    async fn current(&mut self, cas: Resource<CasHandle>) -> HostResult<Option<Vec<u8>>> {
        Ok(Ok(self.table.get(&cas)?.value.clone()))
    }

    fn drop(&mut self, cas: Resource<CasHandle>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
