//! Global variables (core spec, "Global Instances").

use super::{Store, StoreId, Val, vm::VmGlobal};
use crate::{
    error::{Error, Result},
    types::GlobalType,
};

/// A global variable of a store.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Global {
    pub(crate) store: StoreId,
    pub(crate) index: u32,
}

/// Where a global's value is: in the block of its instance, or in `own` for one that the host made.
pub(crate) struct GlobalData {
    pub(crate) ty: GlobalType,
    pub(crate) cell: *mut VmGlobal,
    #[expect(dead_code, reason = "owns what `cell` points at")]
    pub(crate) own: Option<OwnedCell>,
}

/// A cell that lives outside of any instance.
pub(crate) struct OwnedCell(*mut VmGlobal);

impl Drop for OwnedCell {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw`, and only the store that is going away refers to it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl Global {
    /// Makes a global variable.
    ///
    /// # Errors
    /// `Usage` when the value does not fit the type.
    pub fn new(store: &mut Store, ty: GlobalType, value: Val) -> Result<Global> {
        let raw = value.to_raw(store, ty.content)?;
        let cell = Box::into_raw(Box::new(VmGlobal([raw as u64, (raw >> 64) as u64])));
        let inner = store.inner_mut();
        inner.globals.push(GlobalData {
            ty,
            cell,
            own: Some(OwnedCell(cell)),
        });
        Ok(Global {
            store: inner.id,
            index: inner.globals.len() as u32 - 1,
        })
    }

    fn data<'a>(&self, store: &'a Store) -> &'a GlobalData {
        let inner = store.inner();
        inner.check(self.store);
        &inner.globals[self.index as usize]
    }

    /// Its type.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, store: &Store) -> GlobalType {
        self.data(store).ty
    }

    /// Its value.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn get(&self, store: &Store) -> Val {
        let data = self.data(store);
        // SAFETY: cells live as long as their store, and guests can't write to it while the store is borrowed.
        let [low, high] = unsafe { (*data.cell).0 };
        Val::from_raw(
            self.store,
            data.ty.content,
            u128::from(low) | u128::from(high) << 64,
        )
    }

    /// Sets its value.
    ///
    /// # Errors
    /// `Usage` when it is immutable or the value does not fit.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn set(&self, store: &mut Store, value: Val) -> Result<()> {
        let data = self.data(store);
        if !data.ty.mutable {
            return Err(Error::usage("an immutable global can't be set"));
        }
        let raw = value.to_raw(store, data.ty.content)?;
        // SAFETY: as in `get`; the exclusive borrow of the store makes this the only access.
        unsafe { (*data.cell).0 = [raw as u64, (raw >> 64) as u64] };
        Ok(())
    }
}
