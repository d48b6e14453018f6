//! Tables (core spec, "Table Instances").

use super::{Store, StoreId, Val, store::StoreInner, vm::VmTable};
use crate::{
    error::{Error, Result},
    types::{TableType, ValType},
};

/// A table of a store.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Table {
    pub(crate) store: StoreId,
    pub(crate) index: u32,
}

/// A table's state; instances point at its first field.
#[repr(C)]
pub(crate) struct TableData {
    pub(crate) vm: VmTable,
    ty: TableType,
    elements: Vec<u64>,
}

impl Table {
    /// Makes a table of the type's minimum size, filled with `init`.
    ///
    /// # Errors
    /// `Limit` when the store's quota does not allow that size; `Usage` when `init` does not fit.
    pub fn new(store: &mut Store, ty: TableType, init: Val) -> Result<Table> {
        let raw = init.to_raw(store, ValType::Ref(ty.element))? as u64;
        let inner = store.inner_mut();
        let index = TableData::create(inner, ty, raw)?;
        Ok(Table {
            store: inner.id,
            index,
        })
    }

    fn data<'a>(&self, store: &'a Store) -> &'a TableData {
        let inner = store.inner();
        inner.check(self.store);
        &inner.tables[self.index as usize]
    }

    /// Its type, with the current size as the minimum.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, store: &Store) -> TableType {
        let data = self.data(store);
        TableType {
            minimum: data.vm.len as u64,
            ..data.ty
        }
    }

    /// Current number of elements.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn size(&self, store: &Store) -> u64 {
        self.data(store).vm.len as u64
    }

    /// An element; `None` outside of the table.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn get(&self, store: &Store, index: u64) -> Option<Val> {
        let data = self.data(store);
        let raw = *data.elements.get(usize::try_from(index).ok()?)?;
        Some(Val::from_raw(
            self.store,
            ValType::Ref(data.ty.element),
            raw.into(),
        ))
    }

    /// Sets an element.
    ///
    /// # Errors
    /// `Usage` outside of the table, or when the value does not fit.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn set(&self, store: &mut Store, index: u64, value: Val) -> Result<()> {
        let raw = value.to_raw(store, ValType::Ref(self.data(store).ty.element))? as u64;
        let elements = &mut store.inner_mut().tables[self.index as usize].elements;
        match usize::try_from(index).ok().and_then(|i| elements.get_mut(i)) {
            Some(element) => {
                *element = raw;
                Ok(())
            }
            None => Err(Error::usage(format!("there is no table element {index}"))),
        }
    }

    /// Adds `delta` elements of value `init` and returns the size before.
    ///
    /// # Errors
    /// `Limit` when its type or the store's quota does not allow it; `Usage` when `init` does not fit.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn grow(&self, store: &mut Store, delta: u64, init: Val) -> Result<u64> {
        let raw = init.to_raw(store, ValType::Ref(self.data(store).ty.element))? as u64;
        TableData::grow(store.inner_mut(), self.index as usize, delta, raw)
            .ok_or_else(|| Error::limit(format!("a table could not grow by {delta} elements")))
    }
}

impl TableData {
    /// Makes a table in the store and returns its index there.
    pub(crate) fn create(store: &mut StoreInner, ty: TableType, init: u64) -> Result<u32> {
        if store
            .table_elements
            .checked_add(ty.minimum)
            .is_none_or(|total| total > store.limits.table_elements)
        {
            return Err(Error::limit(format!(
                "a table of {} elements is beyond the quota of the store",
                ty.minimum
            )));
        }
        store.table_elements += ty.minimum;
        let mut elements = vec![init; ty.minimum as usize];
        let vm = VmTable {
            base: elements.as_mut_ptr(),
            len: elements.len(),
        };
        store.tables.push(Box::new(TableData { vm, ty, elements }));
        Ok(store.tables.len() as u32 - 1)
    }

    pub(crate) fn ty(&self) -> &TableType {
        &self.ty
    }

    pub(crate) fn elements_mut(&mut self) -> &mut [u64] {
        &mut self.elements
    }

    pub(crate) fn elements(&self) -> &[u64] {
        &self.elements
    }

    /// Grows the table of this index and returns its size before; `None` if it can't.
    pub(crate) fn grow(store: &mut StoreInner, index: usize, delta: u64, init: u64) -> Option<u64> {
        let table = &mut *store.tables[index];
        let old = table.elements.len() as u64;
        let new = old.checked_add(delta)?;
        let largest = if table.ty.table64 {
            u64::MAX
        } else {
            u32::MAX.into()
        };
        let total = store.table_elements.checked_add(delta)?;
        if new > table.ty.maximum.unwrap_or(u64::MAX).min(largest) || total > store.limits.table_elements {
            return None;
        }
        table.elements.try_reserve(delta as usize).ok()?;
        table.elements.resize(new as usize, init);
        table.vm = VmTable {
            base: table.elements.as_mut_ptr(),
            len: table.elements.len(),
        };
        store.table_elements = total;
        Some(old)
    }
}
