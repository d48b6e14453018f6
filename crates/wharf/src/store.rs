//! Stores with the embedder's data, and access to them.

use std::marker::PhantomData;

use wharf_component::AsStore;
use wharf_core::{Engine, Limits};

/// Holds instances and everything that belongs to them, and the embedder's data of type `T`. Nothing in a store is ever
/// freed before the store is.
pub struct Store<T: Send + 'static> {
    inner: wharf_core::Store,
    marker: PhantomData<fn() -> T>,
}

impl<T: Send + 'static> Store<T> {
    /// An empty store.
    pub fn new(engine: &Engine, data: T) -> Self {
        Store {
            inner: wharf_core::Store::new(engine, Box::new(data)),
            marker: PhantomData,
        }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.inner.data()
    }

    /// The embedder's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.inner.data_mut()
    }

    /// Drops the store and gives the embedder's data back.
    pub fn into_data(self) -> T {
        self.inner.into_data()
    }

    /// The engine that the store was made for.
    pub fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    /// Sets the quotas of the store.
    pub fn set_limits(&mut self, limits: Limits) {
        self.inner.set_limits(limits);
    }

    /// Lets guests run until the engine's epoch has been increased `ticks` times from now.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.inner.set_epoch_deadline(ticks);
    }

    /// The store as the core crate knows it.
    pub fn core(&self) -> &wharf_core::Store {
        &self.inner
    }

    /// The store as the core crate knows it.
    pub fn core_mut(&mut self) -> &mut wharf_core::Store {
        &mut self.inner
    }
}

/// A store that is borrowed.
pub struct StoreContext<'a, T: 'static> {
    inner: &'a wharf_core::Store,
    marker: PhantomData<fn() -> T>,
}

impl<'a, T: 'static> StoreContext<'a, T> {
    /// The embedder's data.
    pub fn data(&self) -> &'a T {
        self.inner.data()
    }

    /// The engine that the store was made for.
    pub fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    /// The store as the core crate knows it.
    pub fn core(&self) -> &'a wharf_core::Store {
        self.inner
    }
}

impl<T: 'static> Clone for StoreContext<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for StoreContext<'_, T> {}

/// A store that is borrowed to be changed: what host functions get.
pub struct StoreContextMut<'a, T: 'static> {
    inner: &'a mut wharf_core::Store,
    // Not `T`: sending the context sends the store, which is `Send` by itself.
    marker: PhantomData<fn() -> T>,
}

impl<'a, T: 'static> StoreContextMut<'a, T> {
    pub(crate) fn new(inner: &'a mut wharf_core::Store) -> Self {
        StoreContextMut {
            inner,
            marker: PhantomData,
        }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.inner.data()
    }

    /// The embedder's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.inner.data_mut()
    }

    /// The engine that the store was made for.
    pub fn engine(&self) -> &Engine {
        self.inner.engine()
    }

    /// The store as the core crate knows it.
    pub fn core(&self) -> &wharf_core::Store {
        self.inner
    }

    /// The store as the core crate knows it.
    pub fn core_mut(&mut self) -> &mut wharf_core::Store {
        self.inner
    }
}

/// Something that gives a [`StoreContext`].
pub trait AsContext {
    /// The type of the embedder's data.
    type Data: Send + 'static;

    /// The store, borrowed.
    fn as_context(&self) -> StoreContext<'_, Self::Data>;
}

/// Something that gives a [`StoreContextMut`]: a store, a context, a [`Caller`](crate::Caller), or a mutable reference to one.
pub trait AsContextMut: AsContext + AsStore + Send {
    /// The store, borrowed to be changed.
    fn as_context_mut(&mut self) -> StoreContextMut<'_, Self::Data>;
}

impl<T: Send + 'static> AsContext for Store<T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            inner: &self.inner,
            marker: PhantomData,
        }
    }
}

impl<T: Send + 'static> AsContextMut for Store<T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut::new(&mut self.inner)
    }
}

impl<T: Send + 'static> AsStore for Store<T> {
    fn as_store(&mut self) -> &mut wharf_core::Store {
        &mut self.inner
    }
}

impl<T: Send + 'static> AsContext for StoreContext<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        *self
    }
}

impl<T: Send + 'static> AsContext for StoreContextMut<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        StoreContext {
            inner: self.inner,
            marker: PhantomData,
        }
    }
}

impl<T: Send + 'static> AsContextMut for StoreContextMut<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        StoreContextMut::new(self.inner)
    }
}

impl<T: 'static> AsStore for StoreContextMut<'_, T> {
    fn as_store(&mut self) -> &mut wharf_core::Store {
        self.inner
    }
}

impl<S: AsContext + ?Sized> AsContext for &S {
    type Data = S::Data;
    fn as_context(&self) -> StoreContext<'_, S::Data> {
        S::as_context(self)
    }
}

impl<S: AsContext + ?Sized> AsContext for &mut S {
    type Data = S::Data;
    fn as_context(&self) -> StoreContext<'_, S::Data> {
        S::as_context(self)
    }
}

impl<S: AsContextMut + ?Sized> AsContextMut for &mut S {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, S::Data> {
        S::as_context_mut(self)
    }
}

impl<'a, T: Send + 'static> From<&'a Store<T>> for StoreContext<'a, T> {
    fn from(store: &'a Store<T>) -> Self {
        StoreContext {
            inner: &store.inner,
            marker: PhantomData,
        }
    }
}

impl<'a, T: 'static> From<&'a StoreContextMut<'_, T>> for StoreContext<'a, T> {
    fn from(store: &'a StoreContextMut<'_, T>) -> Self {
        StoreContext {
            inner: store.inner,
            marker: PhantomData,
        }
    }
}
