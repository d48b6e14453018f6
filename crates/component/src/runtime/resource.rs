//! What happens to resources in a store: destructors, and the handles of the host.

use std::sync::Arc;

use wharf_core::{Error, Result, Store, suspend};

use super::state::state;
use crate::resource::{
    AnyKind, Destructor, HostHandle, Resource, ResourceAny, ResourceType, RuntimeResource,
};
use crate::store::{AsStore, on_fiber};

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

impl ResourceAny {
    /// Drops the handle, and with it the resource if the handle owns it: runs the destructor.
    ///
    /// # Errors
    /// When the handle was passed on or dropped before, or the destructor fails.
    pub fn resource_drop(self, mut store: impl AsStore) -> Result<()> {
        suspend::synchronously(|| self.drop_in(store.as_store()))
    }

    /// As [`resource_drop`](Self::resource_drop), on a fiber: a destructor that waits makes the future pending.
    ///
    /// # Errors
    /// As for `resource_drop`.
    pub async fn resource_drop_async(self, mut store: impl AsStore + Send) -> Result<()> {
        on_fiber(store.as_store(), |store| self.drop_in(store)).await
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
        if self.ty() != ResourceType::host::<T>() {
            return Err(Error::usage("resource handle of another type"));
        }
        match self.kind {
            AnyKind::Borrowed { rep } => Ok(Resource::new_borrow(rep)),
            AnyKind::Handle { .. } => Ok(Resource::new_own(state(store).host_handles.take(self)?.rep)),
        }
    }
}
