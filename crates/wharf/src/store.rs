//! Stores with the embedder's data, and access to them.

use std::marker::PhantomData;

use wharf_component::AsStore;
use wharf_core::{Engine, Limits, Result, UpdateDeadline};

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

    /// Lets guests run until the engine's epoch has been increased `ticks` times from now. Then they trap, with
    /// [`TrapCode::Interrupt`](crate::TrapCode::Interrupt), unless one of the methods below says otherwise.
    ///
    /// A guest looks at the deadline at calls and loops. A store that was never given one has none.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.inner.set_epoch_deadline(ticks);
    }

    /// At the deadline, guests trap: what they do if nothing else was said.
    pub fn epoch_deadline_trap(&mut self) {
        self.inner.epoch_deadline_trap();
    }

    /// At the deadline, guests in an asynchronous call (`call_async`, `instantiate_async`) let its executor run others: the future is
    /// pending once, having woken its waker, and when it is polled again the guest goes on until `delta` ticks from then. If it has
    /// waited for something else since the last time, the executor has had its turn, and the guest goes on at once. Dropping
    /// the future meanwhile ends the guest.
    ///
    /// In synchronous calls there is nobody to yield to: the guest goes on for another `delta` ticks. That includes what is called
    /// synchronously in the course of an asynchronous call, such as a guest's allocator for what a host function returned. A guest's time
    /// is bounded in these with [`epoch_deadline_callback`](Self::epoch_deadline_callback).
    ///
    /// The first deadline is set with [`set_epoch_deadline`](Self::set_epoch_deadline).
    ///
    /// ```
    /// # use std::future::Future;
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// # fn main() -> wharf::Result<()> {
    /// use wharf::{Engine, Linker, Module, Store};
    ///
    /// let engine = Engine::default();
    /// let wasm = wat::parse_str("(module (func (export \"spin\") (loop (br 0))))").unwrap();
    /// let module = Module::new(&engine, wasm)?;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    /// let spin = instance.get_typed_func::<(), ()>(&store, "spin")?;
    ///
    /// store.set_epoch_deadline(1);
    /// store.epoch_deadline_async_yield_and_update(1);
    /// // In real life a thread does that every few milliseconds.
    /// engine.increment_epoch();
    /// let mut call = pin!(spin.call_async(&mut store, ()));
    /// assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    /// # Ok(())
    /// # }
    /// ```
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        self.inner.epoch_deadline_async_yield_and_update(delta);
    }

    /// At the deadline, `callback` decides what guests do. An error that it returns ends the guest and comes out of its call. The
    /// callback may use the store, but not call guests, which fails with a `Usage` error.
    pub fn epoch_deadline_callback(
        &mut self,
        mut callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.inner
            .epoch_deadline_callback(move |store| callback(StoreContextMut::new(store)));
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

    /// As [`Store::set_epoch_deadline`].
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        self.inner.set_epoch_deadline(ticks);
    }

    /// As [`Store::epoch_deadline_trap`].
    pub fn epoch_deadline_trap(&mut self) {
        self.inner.epoch_deadline_trap();
    }

    /// As [`Store::epoch_deadline_async_yield_and_update`].
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        self.inner.epoch_deadline_async_yield_and_update(delta);
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
