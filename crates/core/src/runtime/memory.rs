//! Linear memories (core spec, "Memory Instances").

use super::{
    Store, StoreId,
    mapping::{Image, Mapping},
    mapping_pool,
    store::StoreInner,
    vm::VmMemory,
};
use crate::{
    error::{Error, Result},
    types::MemoryType,
};

/// A linear memory of a store.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    pub(crate) store: StoreId,
    pub(crate) index: u32,
}

/// A memory's state; instances point at its first field.
#[repr(C)]
pub(crate) struct MemoryData {
    pub(crate) vm: VmMemory,
    ty: MemoryType,
    mapping: Mapping,
}

/// Address space set aside for a memory with 32-bit addresses, so that it never moves.
const RESERVE: u64 = 4 << 30;

impl Memory {
    /// Makes a memory of the type's minimum size, all zero.
    ///
    /// # Errors
    /// `Limit` when the store's quota or the system does not allow that size; `Unsupported` for shared memories.
    pub fn new(store: &mut Store, ty: MemoryType) -> Result<Memory> {
        let inner = store.inner_mut();
        let index = MemoryData::create(inner, ty, None)?;
        Ok(Memory {
            store: inner.id,
            index,
        })
    }

    fn get<'a>(&self, store: &'a Store) -> &'a MemoryData {
        let inner = store.inner();
        inner.check(self.store);
        &inner.memories[self.index as usize]
    }

    /// Its type, with the current size as the minimum.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn ty(&self, store: &Store) -> MemoryType {
        let data = self.get(store);
        MemoryType {
            minimum: data.pages(),
            ..data.ty
        }
    }

    /// The bytes.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn data<'a>(&self, store: &'a Store) -> &'a [u8] {
        let vm = &self.get(store).vm;
        // SAFETY: `base` and `len` describe committed pages of the memory's mapping; guests, which could write to them, can't run
        // while the store is borrowed.
        unsafe { std::slice::from_raw_parts(vm.base, vm.len) }
    }

    /// The bytes, to change them.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn data_mut<'a>(&self, store: &'a mut Store) -> &'a mut [u8] {
        let vm = &self.get(store).vm;
        // SAFETY: as in `data`; the exclusive borrow of the store makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(vm.base, vm.len) }
    }

    /// Current size in pages.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn size(&self, store: &Store) -> u64 {
        self.get(store).pages()
    }

    /// Adds `delta` pages and returns the size before.
    ///
    /// # Errors
    /// `Limit` when its type, the store's quota or the system does not allow it.
    ///
    /// # Panics
    /// If it belongs to another store.
    pub fn grow(&self, store: &mut Store, delta: u64) -> Result<u64> {
        let inner = store.inner_mut();
        inner.check(self.store);
        MemoryData::grow(inner, self.index as usize, delta)
            .ok_or_else(|| Error::limit(format!("a memory could not grow by {delta} pages")))
    }
}

impl Drop for MemoryData {
    fn drop(&mut self) {
        mapping_pool::put(std::mem::replace(&mut self.mapping, Mapping::empty()));
    }
}

impl MemoryData {
    /// Makes a memory in the store, zeroed or with what is in the image, and returns its index there.
    pub(crate) fn create(store: &mut StoreInner, ty: MemoryType, image: Option<&Image>) -> Result<u32> {
        if ty.shared {
            return Err(Error::unsupported("shared memories (threads)"));
        }
        let too_big = || {
            Error::limit(format!(
                "a memory of {} pages is beyond the quota of the store",
                ty.minimum
            ))
        };
        let bytes = ty
            .minimum
            .checked_shl(ty.page_size_log2)
            .filter(|b| b >> ty.page_size_log2 == ty.minimum);
        let bytes = bytes.ok_or_else(too_big)?;
        if store
            .memory_bytes
            .checked_add(bytes)
            .is_none_or(|total| total > store.limits.memory_bytes)
        {
            return Err(too_big());
        }
        let pages = ty.maximum.unwrap_or(u64::MAX).min(ty.address_pages());
        let reserve = pages
            .saturating_mul(1 << ty.page_size_log2)
            .min(RESERVE.max(bytes));
        let len = usize::try_from(bytes).map_err(|_| too_big())?;
        let mapping = if !ty.memory64 && store.engine.0.tier.guarded() {
            mapping_pool::take(len, image)?
        } else {
            let mut mapping = Mapping::new(len, usize::try_from(reserve).unwrap_or(len))?;
            mapping.share(image)?;
            mapping
        };
        store.memory_bytes += bytes;
        store.memories.push(Box::new(MemoryData {
            vm: VmMemory {
                base: mapping.base(),
                len,
            },
            ty,
            mapping,
        }));
        Ok(store.memories.len() as u32 - 1)
    }

    fn pages(&self) -> u64 {
        (self.vm.len as u64) >> self.ty.page_size_log2
    }

    /// Grows the memory of this index and returns its size before in pages; `None` if it can't.
    pub(crate) fn grow(store: &mut StoreInner, index: usize, delta: u64) -> Option<u64> {
        let memory = &mut *store.memories[index];
        let old = memory.pages();
        let new = old.checked_add(delta)?;
        if new
            > memory
                .ty
                .maximum
                .unwrap_or(u64::MAX)
                .min(memory.ty.address_pages())
        {
            return None;
        }
        let bytes = usize::try_from(new.checked_mul(1 << memory.ty.page_size_log2)?).ok()?;
        let total = store.memory_bytes.checked_add((bytes - memory.vm.len) as u64)?;
        if total > store.limits.memory_bytes || !memory.mapping.grow(memory.vm.len, bytes) {
            return None;
        }
        store.memory_bytes = total;
        memory.vm = VmMemory {
            base: memory.mapping.base(),
            len: bytes,
        };
        Some(old)
    }
}
