//! Resources: their types, the host's handles, and typed handles.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use wharf_core::{Error, RawFunc, Result, Store};

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

/// What a [`ResourceAny`] stands for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum AnyKind {
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
    pub(crate) kind: AnyKind,
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
