//! What a guest is given: [`WasiKeyValueCtx`] and its builder.

use crate::backend::{Backend, Bucket, BucketName, Changes};
use crate::error::{StoreError, StoreResult};
use crate::quota::Quota;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use wharf::component::ResourceTable;

/// How many bytes a guest may hold in compare-and-swap handles.
const HANDLE_BYTES: u64 = 16 << 20;

/// How many cursors with numbers are remembered.
const CURSORS: usize = 64;

/// What a compare-and-swap handle counts besides its key and value.
const HANDLE_COST: u64 = 256;

/// A bucket that a guest may open.
#[derive(Clone, Debug)]
pub struct BucketGrant {
    backend: Arc<dyn Backend>,
    namespace: Option<String>,
    name: Option<String>,
    quota: Quota,
    read_only: bool,
}

impl BucketGrant {
    /// A bucket in this backend, with the default quota.
    pub fn new(backend: Arc<dyn Backend>) -> BucketGrant {
        BucketGrant {
            backend,
            namespace: None,
            name: None,
            quota: Quota::default(),
            read_only: false,
        }
    }

    /// The namespace that the bucket is in, if not that of the context.
    pub fn namespace(mut self, namespace: impl Into<String>) -> BucketGrant {
        self.namespace = Some(namespace.into());
        self
    }

    /// The name that the bucket has in the backend, if not the one that the guest opens.
    pub fn name(mut self, name: impl Into<String>) -> BucketGrant {
        self.name = Some(name.into());
        self
    }

    /// How much the bucket may hold.
    pub fn quota(mut self, quota: Quota) -> BucketGrant {
        self.quota = quota;
        self
    }

    /// Tells nobody of changes: for guests that are told of them, and would be told of their own.
    pub fn untold(mut self) -> BucketGrant {
        if let Some(untold) = self.backend.untold() {
            self.backend = untold;
        }
        self
    }

    /// Lets the guest only read. Changes are answered with `access-denied`.
    pub fn read_only(mut self) -> BucketGrant {
        self.read_only = true;
        self
    }
}

/// Is told the name of a bucket that is not granted.
#[derive(Clone)]
struct OnUnknown(Arc<dyn Fn(&str) + Send + Sync>);

impl std::fmt::Debug for OnUnknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnUnknown")
    }
}

/// The buckets that a guest may open. Made by [`WasiKeyValueCtxBuilder`].
#[derive(Debug)]
pub struct WasiKeyValueCtx {
    namespace: String,
    grants: HashMap<String, BucketGrant>,
    on_unknown: Option<OnUnknown>,
    handle_bytes: Arc<AtomicU64>,
    cursors: Mutex<Cursors>,
}

/// The cursors of the interface whose cursors are numbers: each stands for the text that a bucket gave.
#[derive(Debug, Default)]
struct Cursors {
    /// The oldest one first.
    given: VecDeque<(u64, String)>,
    next: u64,
}

/// Makes a [`WasiKeyValueCtx`]. What is not granted can't be opened.
#[derive(Debug)]
pub struct WasiKeyValueCtxBuilder {
    namespace: String,
    grants: HashMap<String, BucketGrant>,
    on_unknown: Option<OnUnknown>,
}

impl WasiKeyValueCtx {
    /// A builder that grants nothing yet. Buckets are in this namespace, unless their grant names another one: guests
    /// with different namespaces have nothing in common, even with the same names in the same backend.
    pub fn builder(namespace: impl Into<String>) -> WasiKeyValueCtxBuilder {
        WasiKeyValueCtxBuilder {
            namespace: namespace.into(),
            grants: HashMap::new(),
            on_unknown: None,
        }
    }

    /// Opens a bucket as the guest would, for an embedder that calls a guest's exports with it.
    ///
    /// # Errors
    /// [`StoreError::NoSuchStore`] if it is not granted, and those of the backend.
    pub async fn open(&self, name: &str) -> StoreResult<BucketHandle> {
        let Some(grant) = self.grants.get(name) else {
            if let Some(OnUnknown(tell)) = &self.on_unknown {
                tell(name);
            }
            return Err(StoreError::NoSuchStore);
        };
        let bucket = self.bucket_name(name, grant);
        Ok(BucketHandle {
            bucket: grant.backend.open(&bucket, grant.quota).await?,
            quota: grant.quota,
            read_only: grant.read_only,
        })
    }

    /// The changes of a bucket that is granted, from now on; none if its backend tells of none. Those of Redis and of
    /// [`Backends`](crate::Backends) do, and a [`WatchedBackend`](crate::WatchedBackend).
    pub async fn watch(&self, name: &str) -> Option<Changes> {
        let grant = self.grants.get(name)?;
        grant.backend.watch(&self.bucket_name(name, grant)).await
    }

    /// What a granted bucket is called in its backend.
    fn bucket_name(&self, name: &str, grant: &BucketGrant) -> BucketName {
        BucketName {
            namespace: grant.namespace.as_ref().unwrap_or(&self.namespace).clone(),
            bucket: grant.name.clone().unwrap_or_else(|| name.to_owned()),
        }
    }

    /// A number for a cursor. Only the newest [`CURSORS`] are kept.
    pub(crate) fn number_cursor(&self, cursor: String) -> u64 {
        let mut cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        let number = cursors.next;
        cursors.next = number.wrapping_add(1);
        if cursors.given.len() >= CURSORS {
            cursors.given.pop_front();
        }
        cursors.given.push_back((number, cursor));
        number
    }

    /// The cursor of a number.
    pub(crate) fn numbered_cursor(&self, number: u64) -> StoreResult<String> {
        let cursors = self.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cursors.given.iter().find(|(given, _)| *given == number);
        found
            .map(|(_, cursor)| cursor.clone())
            .ok_or(StoreError::UnknownCursor)
    }

    /// A handle for a value that was read.
    pub(crate) fn note(
        &self,
        bucket: BucketHandle,
        key: String,
        value: Option<Vec<u8>>,
    ) -> StoreResult<CasHandle> {
        let cost = HANDLE_COST + (key.len() + value.as_ref().map_or(0, Vec::len)) as u64;
        let taken = self.handle_bytes.fetch_add(cost, Ordering::Relaxed);
        let share = Share {
            all: self.handle_bytes.clone(),
            cost,
        };
        if taken.saturating_add(cost) > HANDLE_BYTES {
            return Err(StoreError::TooManyHandles);
        }
        Ok(CasHandle {
            bucket,
            key,
            value,
            _share: share,
        })
    }
}

impl WasiKeyValueCtxBuilder {
    /// Lets the guest open a bucket of this name.
    pub fn bucket(&mut self, name: impl Into<String>, grant: BucketGrant) -> &mut Self {
        self.grants.insert(name.into(), grant);
        self
    }

    /// Is called with the name whenever the guest opens a bucket that is not granted: to tell a person which grant is
    /// missing. The name is the guest's, and may be anything.
    pub fn on_unknown_bucket(&mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> &mut Self {
        self.on_unknown = Some(OnUnknown(Arc::new(tell)));
        self
    }

    /// The context. The builder grants nothing again after that.
    pub fn build(&mut self) -> WasiKeyValueCtx {
        WasiKeyValueCtx {
            namespace: self.namespace.clone(),
            grants: std::mem::take(&mut self.grants),
            on_unknown: self.on_unknown.clone(),
            handle_bytes: Arc::default(),
            cursors: Mutex::default(),
        }
    }
}

/// What the hosts of `wasi:keyvalue` work on. They are implemented for this type.
pub struct WasiKeyValue<'a> {
    pub(crate) ctx: &'a WasiKeyValueCtx,
    pub(crate) table: &'a mut ResourceTable,
}

impl<'a> WasiKeyValue<'a> {
    /// A view of what a store holds.
    pub fn new(ctx: &'a WasiKeyValueCtx, table: &'a mut ResourceTable) -> WasiKeyValue<'a> {
        WasiKeyValue { ctx, table }
    }
}

impl std::fmt::Debug for WasiKeyValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiKeyValue")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

/// An open bucket with what the guest may do with it: the `bucket` resource.
#[derive(Clone, Debug)]
pub struct BucketHandle {
    pub(crate) bucket: Arc<dyn Bucket>,
    pub(crate) quota: Quota,
    read_only: bool,
}

impl BucketHandle {
    /// The bucket, to be changed.
    pub(crate) fn writable(&self) -> StoreResult<&Arc<dyn Bucket>> {
        match self.read_only {
            true => Err(StoreError::AccessDenied),
            false => Ok(&self.bucket),
        }
    }
}

/// A value to be compared with: the `cas` resource.
#[derive(Debug)]
pub struct CasHandle {
    pub(crate) bucket: BucketHandle,
    pub(crate) key: String,
    pub(crate) value: Option<Vec<u8>>,
    _share: Share,
}

/// The part of the bound on all handles that one takes.
#[derive(Debug)]
struct Share {
    all: Arc<AtomicU64>,
    cost: u64,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.cost, Ordering::Relaxed);
    }
}
