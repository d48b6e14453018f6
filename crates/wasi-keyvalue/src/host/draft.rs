//! `wasi:keyvalue` as it was in 0.2.0-draft: cursors are numbers, sums have no sign, and there is no compare-and-swap.

use super::{atomics, batch, store};
use crate::bindings::draft::wasi::keyvalue as draft;
use crate::bindings::wasi::keyvalue::store::Error as NewError;
use crate::ctx::{BucketHandle, WasiKeyValue};
use crate::error::{StoreError, StoreResult};
use draft::store::{Error, KeyResponse};
use wharf::Result;
use wharf::component::Resource;

type HostResult<T> = Result<std::result::Result<T, Error>>;

fn answer<T>(result: StoreResult<T>) -> HostResult<T> {
    Ok(result.map_err(|e| match e.for_guest() {
        NewError::NoSuchStore => Error::NoSuchStore,
        NewError::AccessDenied => Error::AccessDenied,
        NewError::Other(message) => Error::Other(message),
    }))
}

impl draft::store::Host for WasiKeyValue<'_> {
    async fn open(&mut self, identifier: String) -> HostResult<Resource<BucketHandle>> {
        match self.ctx.open(&identifier).await {
            Ok(bucket) => Ok(Ok(self.table.push(bucket)?)),
            Err(error) => answer(Err(error)),
        }
    }
}

impl draft::store::HostBucket for WasiKeyValue<'_> {
    async fn get(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<Option<Vec<u8>>> {
        let handle = self.bucket(&bucket)?;
        answer(store::get(&handle, &key).await)
    }

    async fn set(&mut self, bucket: Resource<BucketHandle>, key: String, value: Vec<u8>) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(store::set(&handle, &key, value).await)
    }

    async fn delete(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(store::delete(&handle, &key).await)
    }

    async fn exists(&mut self, bucket: Resource<BucketHandle>, key: String) -> HostResult<bool> {
        let handle = self.bucket(&bucket)?;
        answer(store::exists(&handle, &key).await)
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<BucketHandle>,
        cursor: Option<u64>,
    ) -> HostResult<KeyResponse> {
        let handle = self.bucket(&bucket)?;
        let cursor = match cursor.map(|number| self.ctx.numbered_cursor(number)).transpose() {
            Ok(cursor) => cursor,
            Err(error) => return answer(Err(error)),
        };
        let page = store::list_keys(&handle, cursor.as_deref()).await;
        answer(page.map(|page| KeyResponse {
            keys: page.keys,
            cursor: page.cursor.map(|cursor| self.ctx.number_cursor(cursor)),
        }))
    }

    fn drop(&mut self, bucket: Resource<BucketHandle>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl draft::atomics::Host for WasiKeyValue<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
        delta: u64,
    ) -> HostResult<u64> {
        let handle = self.bucket(&bucket)?;
        let Ok(delta) = i64::try_from(delta) else {
            return answer(Err(StoreError::Overflow));
        };
        let sum = atomics::increment(&handle, &key, delta).await;
        answer(sum.and_then(|sum| u64::try_from(sum).map_err(|_| StoreError::Negative)))
    }
}

impl draft::batch::Host for WasiKeyValue<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        keys: Vec<String>,
    ) -> HostResult<Vec<batch::Found>> {
        let handle = self.bucket(&bucket)?;
        answer(batch::get_many(&handle, keys).await)
    }

    async fn set_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(batch::set_many(&handle, key_values).await)
    }

    async fn delete_many(&mut self, bucket: Resource<BucketHandle>, keys: Vec<String>) -> HostResult<()> {
        let handle = self.bucket(&bucket)?;
        answer(batch::delete_many(&handle, keys).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BucketGrant, MemoryBackend, WasiKeyValueCtx};
    use draft::atomics::Host as _;
    use draft::batch::Host as _;
    use draft::store::{Host as _, HostBucket};
    use std::future::Future;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use wharf::component::ResourceTable;

    fn now<T>(future: impl Future<Output = Result<T>>) -> T {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output.unwrap(),
            Poll::Pending => panic!("the future waits"),
        }
    }

    fn other<T>(result: std::result::Result<T, Error>) -> String {
        match result {
            Err(Error::Other(message)) => message,
            _ => panic!("another answer"),
        }
    }

    #[test]
    fn the_older_interfaces_do_the_same() {
        let backend = Arc::new(MemoryBackend::new());
        let ctx = WasiKeyValueCtx::builder("n")
            .bucket("b", BucketGrant::new(backend))
            .build();
        let mut table = ResourceTable::new();
        let mut host = WasiKeyValue::new(&ctx, &mut table);
        let opened = now(draft::store::Host::open(&mut host, "x".to_owned()));
        assert!(matches!(opened, Err(Error::NoSuchStore)));
        let bucket = now(host.open("b".to_owned())).unwrap();
        let rep = bucket.rep();
        let borrow = || Resource::new_borrow(rep);

        now(HostBucket::set(&mut host, borrow(), "a".to_owned(), vec![1])).unwrap();
        assert_eq!(
            now(HostBucket::get(&mut host, borrow(), "a".to_owned())).unwrap(),
            Some(vec![1])
        );
        now(HostBucket::delete(&mut host, borrow(), "a".to_owned())).unwrap();
        assert!(!now(HostBucket::exists(&mut host, borrow(), "a".to_owned())).unwrap());

        assert_eq!(now(host.increment(borrow(), "i".to_owned(), 7)).unwrap(), 7);
        let error = other(now(host.increment(borrow(), "i".to_owned(), u64::MAX)));
        assert_eq!(error, "the number overflows");
        now(HostBucket::set(
            &mut host,
            borrow(),
            "i".to_owned(),
            b"-5".to_vec(),
        ))
        .unwrap();
        assert_eq!(
            other(now(host.increment(borrow(), "i".to_owned(), 1))),
            "the number is negative"
        );
        now(HostBucket::delete(&mut host, borrow(), "i".to_owned())).unwrap();

        let entries: Vec<_> = (0..2100).map(|i| (format!("{i:04}"), vec![0])).collect();
        now(host.set_many(borrow(), entries)).unwrap();
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = now(HostBucket::list_keys(&mut host, borrow(), cursor)).unwrap();
            keys.extend(page.keys);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(keys.len(), 2100);
        assert!(keys.is_sorted());
        let error = other(now(HostBucket::list_keys(&mut host, borrow(), Some(999))));
        assert!(error.contains("cursor"), "{error}");
        // Old cursors are forgotten.
        for _ in 0..100 {
            now(HostBucket::list_keys(&mut host, borrow(), None)).unwrap();
        }
        other(now(HostBucket::list_keys(&mut host, borrow(), Some(0))));

        let found = now(host.get_many(borrow(), vec!["0001".to_owned(), "x".to_owned()])).unwrap();
        assert_eq!(found, [Some(("0001".to_owned(), vec![0])), None]);
        now(host.delete_many(borrow(), keys)).unwrap();
        assert!(
            now(HostBucket::list_keys(&mut host, borrow(), None))
                .unwrap()
                .keys
                .is_empty()
        );
        HostBucket::drop(&mut host, bucket).unwrap();
    }
}
