//! Core instances, functions and memories.

use wharf_core::{ExternType, FuncType, Result, Val};

use crate::{AsContext, AsContextMut, Global, Table, Tag};

/// An instance of a core module.
#[derive(Copy, Clone)]
pub struct Instance(wharf_core::Instance);

impl Instance {
    pub(crate) fn new(instance: wharf_core::Instance) -> Instance {
        Instance(instance)
    }

    /// An export.
    pub fn get_export(&self, store: impl AsContext, name: &str) -> Option<Extern> {
        self.0
            .get_export(store.as_context().core(), name)
            .map(Extern::from_core)
    }

    /// An exported function.
    pub fn get_func(&self, store: impl AsContext, name: &str) -> Option<Func> {
        self.get_export(store, name)?.into_func()
    }

    /// An exported memory.
    pub fn get_memory(&self, store: impl AsContext, name: &str) -> Option<Memory> {
        self.get_export(store, name)?.into_memory()
    }

    /// The instance as the core crate knows it.
    pub fn core(&self) -> wharf_core::Instance {
        self.0
    }
}

/// What a core instance exports.
#[derive(Copy, Clone)]
#[allow(missing_docs)]
pub enum Extern {
    Func(Func),
    Memory(Memory),
    Table(Table),
    Global(Global),
    Tag(Tag),
}

impl Extern {
    pub(crate) fn from_core(item: wharf_core::Extern) -> Extern {
        match item {
            wharf_core::Extern::Func(f) => Extern::Func(Func(f)),
            wharf_core::Extern::Memory(m) => Extern::Memory(Memory(m)),
            wharf_core::Extern::Table(t) => Extern::Table(t),
            wharf_core::Extern::Global(g) => Extern::Global(g),
            wharf_core::Extern::Tag(t) => Extern::Tag(t),
        }
    }

    pub(crate) fn to_core(self) -> wharf_core::Extern {
        match self {
            Extern::Func(f) => wharf_core::Extern::Func(f.0),
            Extern::Memory(m) => wharf_core::Extern::Memory(m.0),
            Extern::Table(t) => wharf_core::Extern::Table(t),
            Extern::Global(g) => wharf_core::Extern::Global(g),
            Extern::Tag(t) => wharf_core::Extern::Tag(t),
        }
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> ExternType {
        self.to_core().ty(store.as_context().core())
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        match self {
            Extern::Func(f) => Some(f),
            _ => None,
        }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Extern::Memory(m) => Some(m),
            _ => None,
        }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(g) => Some(g),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(t) => Some(t),
            _ => None,
        }
    }
}

impl From<Func> for Extern {
    fn from(f: Func) -> Extern {
        Extern::Func(f)
    }
}

impl From<Memory> for Extern {
    fn from(m: Memory) -> Extern {
        Extern::Memory(m)
    }
}

impl From<Global> for Extern {
    fn from(g: Global) -> Extern {
        Extern::Global(g)
    }
}

impl From<Table> for Extern {
    fn from(t: Table) -> Extern {
        Extern::Table(t)
    }
}

/// A core function.
#[derive(Copy, Clone)]
pub struct Func(wharf_core::Func);

impl Func {
    pub(crate) fn from_core(func: wharf_core::Func) -> Func {
        Func(func)
    }

    /// The function as the core crate knows it.
    pub fn core(&self) -> wharf_core::Func {
        self.0
    }

    /// Its type.
    pub fn ty(&self, store: impl AsContext) -> FuncType {
        FuncType::clone(&self.0.ty(store.as_context().core()))
    }

    /// Calls with values.
    ///
    /// # Errors
    /// `Usage` when the values are not of the function's types, `Trap` when the guest traps.
    pub fn call(&self, mut store: impl AsContextMut, params: &[Val], results: &mut [Val]) -> Result<()> {
        wharf_core::suspend::synchronously(|| self.0.call(store.as_store(), params, results))
    }
}

/// A linear memory.
#[derive(Copy, Clone)]
pub struct Memory(wharf_core::Memory);

impl Memory {
    /// The memory as the core crate knows it.
    pub fn core(&self) -> wharf_core::Memory {
        self.0
    }

    /// Its bytes.
    pub fn data<'a, T: 'static>(&self, store: impl Into<crate::StoreContext<'a, T>>) -> &'a [u8] {
        self.0.data(store.into().core())
    }

    /// Its bytes, to be changed.
    pub fn data_mut<'a>(&self, store: &'a mut impl AsContextMut) -> &'a mut [u8] {
        self.0.data_mut(store.as_store())
    }

    /// Its bytes and the embedder's data at once.
    pub fn data_and_store_mut<'a, S: AsContextMut>(
        &self,
        store: &'a mut S,
    ) -> (&'a mut [u8], &'a mut S::Data) {
        store.as_store().memory_and_data::<S::Data>(self.0)
    }

    /// Its size in pages.
    pub fn size(&self, store: impl AsContext) -> u64 {
        self.0.size(store.as_context().core())
    }

    /// Grows it by `delta` pages and returns the size before.
    ///
    /// # Errors
    /// `Limit` when it can't grow so far.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64> {
        self.0.grow(store.as_store(), delta)
    }
}
