//! Stores and what lives in them (core spec, "Runtime Structure").

pub(crate) mod deadline;
mod func;
mod global;
mod imports;
mod instance;
mod mapping;
mod mapping_pool;
mod memory;
pub(crate) mod memory_guard;
pub(crate) mod memory_image;
pub(crate) mod segments;
pub(crate) mod stack;
pub(crate) mod store;
mod table;
mod value;
pub(crate) mod vm;

pub use deadline::UpdateDeadline;
pub use func::{Func, RawFunc};
pub(crate) use func::{HostFunc, host_call, host_param_slots};
pub use global::Global;
pub use instance::Instance;
pub(crate) use instance::InstanceData;
pub use memory::Memory;
pub use store::{Limits, Store, StoreId};
pub use table::Table;
pub use value::{ExternRef, Val};

use crate::{
    error::{Error, Result},
    types::{ExternType, TagType},
};

use store::StoreInner;

/// An exception tag of a store. Tags can be imported and exported; throwing is not supported yet.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Tag {
    store: StoreId,
    index: u32,
}

impl Tag {
    /// Makes a tag; two tags made by two calls differ.
    pub fn new(store: &mut Store, ty: TagType) -> Tag {
        let inner = store.inner_mut();
        inner.tags.push(ty);
        Tag {
            store: inner.id,
            index: inner.tags.len() as u32 - 1,
        }
    }

    /// Its type.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty<'a>(&self, store: &'a Store) -> &'a TagType {
        store.inner().check(self.store);
        &store.inner().tags[self.index as usize]
    }
}

/// Something that modules import and export (core spec, "External Values").
#[derive(Copy, Clone, Debug)]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A linear memory.
    Memory(Memory),
    /// A table.
    Table(Table),
    /// A global variable.
    Global(Global),
    /// An exception tag.
    Tag(Tag),
}

impl Extern {
    /// The type that it has now: memories and tables tell their current size as the minimum.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, store: &Store) -> ExternType {
        match self {
            Extern::Func(f) => ExternType::Func((*f.ty(store)).clone()),
            Extern::Memory(m) => ExternType::Memory(m.ty(store)),
            Extern::Table(t) => ExternType::Table(t.ty(store)),
            Extern::Global(g) => ExternType::Global(g.ty(store)),
            Extern::Tag(t) => ExternType::Tag(t.ty(store).clone()),
        }
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

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        match self {
            Extern::Table(t) => Some(t),
            _ => None,
        }
    }

    /// The global variable, if it is one.
    pub fn into_global(self) -> Option<Global> {
        match self {
            Extern::Global(g) => Some(g),
            _ => None,
        }
    }

    fn store_id(&self) -> StoreId {
        match self {
            Extern::Func(f) => f.store,
            Extern::Memory(m) => m.store,
            Extern::Table(t) => t.store,
            Extern::Global(g) => g.store,
            Extern::Tag(t) => t.store,
        }
    }

    fn check_store(&self, store: &Store) -> Result<()> {
        if self.store_id() == store.inner().id {
            Ok(())
        } else {
            Err(Error::usage("an import belongs to another store"))
        }
    }
}

macro_rules! extern_from {
    ($($name:ident),*) => {
        $(impl From<$name> for Extern {
            fn from(x: $name) -> Extern {
                Extern::$name(x)
            }
        })*
    };
}
extern_from!(Func, Memory, Table, Global, Tag);

/// `memory.grow` on a memory of an instance; the old size in pages, or `None`.
pub(crate) fn memory_grow(store: &mut StoreInner, instance: u32, memory: u16, delta: u64) -> Option<u64> {
    let index = store.instances[instance as usize].memories[memory as usize];
    memory::MemoryData::grow(store, index as usize, delta)
}

/// `table.grow` on a table of an instance; the old size, or -1 in the width of the table's indices.
pub(crate) fn table_grow(store: &mut StoreInner, instance: u32, table: u16, delta: u64, init: u64) -> u64 {
    let index = store.instances[instance as usize].tables[table as usize] as usize;
    let failed = if store.tables[index].ty().table64 {
        u64::MAX
    } else {
        u32::MAX.into()
    };
    table::TableData::grow(store, index, delta, init).unwrap_or(failed)
}
