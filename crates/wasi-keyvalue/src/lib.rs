//! `wasi:keyvalue` for Wharf: buckets in memory, in a file, or in Redis.
//!
//! A guest can open the buckets that its [`WasiKeyValueCtx`] grants, and no others. Each grant says in which backend
//! the bucket is, in which namespace, and how much it may hold.
//!
//! ```no_run
//! use std::sync::Arc;
//! use wharf::component::{Component, Linker, ResourceTable};
//! use wharf::{Engine, Store};
//! use wharf_wasi_keyvalue::{BucketGrant, Quota, RedbBackend, WasiKeyValue, WasiKeyValueCtx};
//!
//! struct State {
//!     keyvalue: WasiKeyValueCtx,
//!     table: ResourceTable,
//! }
//!
//! # fn main() -> wharf::Result<()> {
//! let backend = RedbBackend::open("sessions.redb").map_err(wharf::Error::host)?;
//! let sessions = BucketGrant::new(Arc::new(backend)).quota(Quota { keys: 1000, ..Quota::default() });
//! let keyvalue = WasiKeyValueCtx::builder("tenant-1").bucket("sessions", sessions).build();
//!
//! let engine = Engine::default();
//! let bytes = std::fs::read("program.wasm").map_err(wharf::Error::host)?;
//! let component = Component::new(&engine, bytes)?;
//! let mut linker = Linker::<State>::new(&engine);
//! wharf_wasi_keyvalue::add_to_linker(&mut linker, |state| {
//!     WasiKeyValue::new(&state.keyvalue, &mut state.table)
//! })?;
//! let mut store = Store::new(&engine, State { keyvalue, table: ResourceTable::new() });
//! let instance = linker.instantiate(&mut store, &component)?;
//! # let _ = instance;
//! # Ok(())
//! # }
//! ```
//!
//! The features `redb` and `redis`, both on by default, bring buckets in files and in Redis.
//!
//! A guest that exports `wasi:keyvalue/watcher` is called through [`bindings::WatchService`], with buckets from
//! [`WasiKeyValueCtx::open`], for each of the changes that [`WasiKeyValueCtx::watch`] gives. A [`WatchedBackend`] tells of
//! those that are made through it, in this process; a [`RedisBackend`] of those that any process makes through one.
#![forbid(unsafe_code)]

mod backend;
pub mod bindings;
mod ctx;
mod error;
mod host;
mod quota;
#[cfg(any(feature = "redb", feature = "redis"))]
mod runtime;

pub use async_trait::async_trait;
#[cfg(feature = "redb")]
pub use backend::RedbBackend;
#[cfg(feature = "redis")]
pub use backend::RedisBackend;
pub use backend::{
    Backend, BackendUrl, Backends, Batch, Bucket, BucketName, Change, Changes, KeyPage, MemoryBackend,
    OpenError, Swap, Teller, Told, WatchedBackend,
};
pub use ctx::{BucketGrant, BucketHandle, CasHandle, WasiKeyValue, WasiKeyValueCtx, WasiKeyValueCtxBuilder};
pub use error::{StoreError, StoreResult};
pub use quota::Quota;

use wharf::Result;
use wharf::component::{HasData, Linker};

/// Stands for [`WasiKeyValue`] in the signatures of generated functions.
#[derive(Debug)]
pub struct HasKeyValue(());

impl HasData for HasKeyValue {
    type Data<'a> = WasiKeyValue<'a>;
}

/// Adds `store`, `atomics` and `batch` to a linker, in the versions 0.2.0-draft2 and 0.2.0-draft.
///
/// # Errors
/// If the linker has one of them already and does not allow that.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> WasiKeyValue<'_>,
) -> Result<()> {
    use bindings::draft::wasi::keyvalue as draft;
    use bindings::wasi::keyvalue::{atomics, batch, store};
    store::add_to_linker::<T, HasKeyValue>(linker, get)?;
    atomics::add_to_linker::<T, HasKeyValue>(linker, get)?;
    batch::add_to_linker::<T, HasKeyValue>(linker, get)?;
    draft::store::add_to_linker::<T, HasKeyValue>(linker, get)?;
    draft::atomics::add_to_linker::<T, HasKeyValue>(linker, get)?;
    draft::batch::add_to_linker::<T, HasKeyValue>(linker, get)
}
