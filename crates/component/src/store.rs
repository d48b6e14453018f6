//! Access to a store through whatever holds it.

use wharf_core::Store;

/// Something that holds a [`Store`]: the store itself, or what the crate `wharf` wraps around it.
pub trait AsStore {
    /// The store.
    fn as_store(&mut self) -> &mut Store;
}

impl AsStore for Store {
    fn as_store(&mut self) -> &mut Store {
        self
    }
}

impl<S: AsStore + ?Sized> AsStore for &mut S {
    fn as_store(&mut self) -> &mut Store {
        S::as_store(self)
    }
}
