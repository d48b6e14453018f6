//! The interfaces of `wasi:keyvalue` over buckets.

mod atomics;
mod batch;
mod draft;
mod store;

use crate::bindings::wasi::keyvalue::store::Error;
use crate::ctx::{BucketHandle, WasiKeyValue};
use crate::error::StoreResult;
use wharf::Result;
use wharf::component::Resource;

/// What a host function gives: an error of the store is a value for the guest.
type HostResult<T> = Result<std::result::Result<T, Error>>;

fn answer<T>(result: StoreResult<T>) -> HostResult<T> {
    Ok(result.map_err(|e| e.for_guest()))
}

impl WasiKeyValue<'_> {
    /// The open bucket; others may be opened and closed while one waits for it.
    fn bucket(&self, bucket: &Resource<BucketHandle>) -> Result<BucketHandle> {
        Ok(self.table.get(bucket)?.clone())
    }
}
