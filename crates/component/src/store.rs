//! Access to a store through whatever holds it.

use wharf_core::{Result, Store, suspend};

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

/// Runs `f` on a fiber.
pub(crate) async fn on_fiber<R: Send>(
    store: &mut Store,
    f: impl FnOnce(&mut Store) -> Result<R> + Send,
) -> Result<R> {
    let stack = store.engine().config().fiber_stack_bytes();
    suspend::on_fiber(stack, move || f(store)).await?
}
