//! Resources: their types, the host's handles, and typed handles.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use wharf_core::{Error, RawFunc, Result, Store};

use crate::runtime::state::state;
use crate::store::AsStore;
use crate::types::ResourceIndex;

/// A resource type. Those of guests are new in each instantiation; those of the host stand for a Rust type.
#[derive(Copy, Clone, PartialEq, Eq, Hash)]
pub struct ResourceType(Definition);

#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
enum Definition {
    Guest(u64),
    Host(TypeId),
    HostDynamic(u32),
}

impl ResourceType {
    /// The resource type that stands for `T` in the host, whatever the WIT name is.
    pub fn host<T: 'static>() -> ResourceType {
        ResourceType(Definition::Host(TypeId::of::<T>()))
    }

    /// A resource type of the host that is told apart by a number that the embedder chooses.
    pub fn host_dynamic(payload: u32) -> ResourceType {
        ResourceType(Definition::HostDynamic(payload))
    }

    /// A new resource type of a guest.
    pub(crate) fn guest() -> ResourceType {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ResourceType(Definition::Guest(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The host defines the type.
    pub fn is_host(&self) -> bool {
        !matches!(self.0, Definition::Guest(_))
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResourceType({:?})", self.0)
    }
}

/// A destructor in the host. Gets the representation.
pub type HostDestructor = Arc<dyn Fn(&mut Store, u32) -> Result<()> + Send + Sync>;

#[derive(Clone)]
pub(crate) enum Destructor {
    None,
    Guest(RawFunc),
    Host(HostDestructor),
}

/// A resource type as an instance sees it.
#[derive(Clone)]
pub(crate) struct RuntimeResource {
    pub ty: ResourceType,
    /// The component instance that defines it, and those around it; none for the host's.
    pub owner: Option<u32>,
    pub chain: Arc<[u32]>,
    pub dtor: Destructor,
}

/// The resource types of one root instance, filled in as instantiation proceeds.
pub(crate) struct Resources(Box<[OnceLock<RuntimeResource>]>);

impl Resources {
    pub fn new(count: u32) -> Resources {
        Resources((0..count).map(|_| OnceLock::new()).collect())
    }

    #[inline]
    pub fn get(&self, index: ResourceIndex) -> Result<&RuntimeResource> {
        let found = self.0.get(index.0 as usize).and_then(OnceLock::get);
        found.ok_or_else(|| Error::usage("resource type is not defined yet"))
    }

    pub fn set(&self, index: ResourceIndex, resource: RuntimeResource) {
        if let Some(slot) = self.0.get(index.0 as usize) {
            // Each index has one definition in the plan.
            let _ = slot.set(resource);
        }
    }
}

/// Runs the destructor of a resource whose last handle is gone.
///
/// `around`: the instances that the caller is in, which are not entered again.
pub(crate) fn destroy(store: &mut Store, resource: &RuntimeResource, rep: u32, around: &[u32]) -> Result<()> {
    match &resource.dtor {
        Destructor::Host(dtor) => dtor(store, rep),
        Destructor::None => Ok(()),
        Destructor::Guest(func) => {
            let entering: Vec<u32> = resource
                .chain
                .iter()
                .copied()
                .filter(|i| !around.contains(i))
                .collect();
            state(store).enter(&entering)?;
            let mut slots = [u64::from(rep)];
            func.call(store, &mut slots)?;
            state(store).leave(&entering);
            Ok(())
        }
    }
}

/// A resource that the host holds through a [`ResourceAny`].
#[derive(Clone)]
pub(crate) struct HostHandle {
    pub resource: RuntimeResource,
    pub rep: u32,
    pub owned: bool,
}

/// The host's handles, by number; numbers are not used again so that a stale handle is noticed.
#[derive(Default)]
pub(crate) struct HostHandles {
    next: u64,
    handles: HashMap<u64, HostHandle>,
}

impl HostHandles {
    pub fn insert(&mut self, handle: HostHandle) -> ResourceAny {
        self.next += 1;
        let any = ResourceAny {
            ty: handle.resource.ty,
            kind: AnyKind::Handle {
                id: self.next,
                owned: handle.owned,
            },
        };
        self.handles.insert(self.next, handle);
        any
    }

    pub fn take(&mut self, any: ResourceAny) -> Result<HostHandle> {
        match any.kind {
            AnyKind::Handle { id, .. } => self
                .handles
                .remove(&id)
                .ok_or_else(|| Error::usage("resource handle was used already")),
            AnyKind::Borrowed { .. } => Err(Error::usage("expected an owned resource, found a borrowed one")),
        }
    }

    pub fn rep(&self, any: ResourceAny) -> Result<u32> {
        match any.kind {
            AnyKind::Handle { id, .. } => {
                let handle = self
                    .handles
                    .get(&id)
                    .ok_or_else(|| Error::usage("resource handle was used already"))?;
                Ok(handle.rep)
            }
            AnyKind::Borrowed { rep } => Ok(rep),
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum AnyKind {
    Handle {
        id: u64,
        owned: bool,
    },
    /// Borrowed from a guest for the call of a host function.
    Borrowed {
        rep: u32,
    },
}

/// A handle of any resource type, of a guest or of the host. An owned one has to be passed on or dropped with
/// [`resource_drop`](Self::resource_drop); otherwise the resource stays until the store is dropped.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct ResourceAny {
    ty: ResourceType,
    kind: AnyKind,
}

impl ResourceAny {
    pub(crate) fn borrowed(ty: ResourceType, rep: u32) -> ResourceAny {
        ResourceAny {
            ty,
            kind: AnyKind::Borrowed { rep },
        }
    }

    /// The resource's type.
    pub fn ty(&self) -> ResourceType {
        self.ty
    }

    /// The handle owns the resource.
    pub fn owned(&self) -> bool {
        matches!(self.kind, AnyKind::Handle { owned: true, .. })
    }

    /// Drops the handle, and with it the resource if the handle owns it: runs the destructor.
    ///
    /// # Errors
    /// When the handle was passed on or dropped before, or the destructor fails.
    pub fn resource_drop(self, mut store: impl AsStore) -> Result<()> {
        wharf_core::suspend::synchronously(|| self.drop_in(store.as_store()))
    }

    /// As [`resource_drop`](Self::resource_drop), on a fiber: a destructor that waits makes the future pending.
    ///
    /// # Errors
    /// As for `resource_drop`.
    pub async fn resource_drop_async(self, mut store: impl AsStore + Send) -> Result<()> {
        crate::func::on_fiber(store.as_store(), |store| self.drop_in(store)).await
    }

    fn drop_in(self, store: &mut Store) -> Result<()> {
        if let AnyKind::Borrowed { .. } = self.kind {
            return Ok(());
        }
        let handle = state(store).host_handles.take(self)?;
        if handle.owned {
            destroy(store, &handle.resource, handle.rep, &[])
        } else {
            Ok(())
        }
    }

    /// Takes a host resource for a handle of any type.
    ///
    /// # Errors
    /// When `resource` is not of the host type that stands for `T` (it always is) or the store is another one.
    pub fn try_from_resource<T: 'static>(
        resource: Resource<T>,
        mut store: impl AsStore,
    ) -> Result<ResourceAny> {
        let store = store.as_store();
        let ty = ResourceType::host::<T>();
        if !resource.owned() {
            return Ok(ResourceAny::borrowed(ty, resource.rep()));
        }
        let runtime = RuntimeResource {
            ty,
            owner: None,
            chain: Arc::new([]),
            dtor: Destructor::None,
        };
        Ok(state(store).host_handles.insert(HostHandle {
            resource: runtime,
            rep: resource.rep(),
            owned: true,
        }))
    }

    /// The handle as one of the host type that stands for `T`.
    ///
    /// # Errors
    /// When it is of another type or was used already.
    pub fn try_into_resource<T: 'static>(self, mut store: impl AsStore) -> Result<Resource<T>> {
        let store = store.as_store();
        if self.ty != ResourceType::host::<T>() {
            return Err(Error::usage("resource handle of another type"));
        }
        match self.kind {
            AnyKind::Borrowed { rep } => Ok(Resource::new_borrow(rep)),
            AnyKind::Handle { .. } => Ok(Resource::new_own(state(store).host_handles.take(self)?.rep)),
        }
    }
}

/// A handle of the host's resource type that stands for `T`. The representation is a number that the host chooses,
/// mostly the key of a [`ResourceTable`](crate::ResourceTable).
pub struct Resource<T: 'static> {
    rep: u32,
    owned: bool,
    marker: PhantomData<fn() -> T>,
}

impl<T: 'static> Resource<T> {
    /// An owned handle.
    pub fn new_own(rep: u32) -> Self {
        Resource {
            rep,
            owned: true,
            marker: PhantomData,
        }
    }

    /// A borrowed handle.
    pub fn new_borrow(rep: u32) -> Self {
        Resource {
            rep,
            owned: false,
            marker: PhantomData,
        }
    }

    /// The representation.
    pub fn rep(&self) -> u32 {
        self.rep
    }

    /// The handle owns the resource.
    pub fn owned(&self) -> bool {
        self.owned
    }
}

impl<T: 'static> fmt::Debug for Resource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource")
            .field("rep", &self.rep)
            .field("owned", &self.owned)
            .finish()
    }
}
