//! The context in which values are lowered into a guest.

use wharf_core::{Error, Result, Store, TrapCode, suspend};

use super::mismatch::type_mismatch;
use super::options::CanonOptions;
use crate::resource::{ResourceAny, Resources, RuntimeResource};
use crate::runtime::handles::{Handle, HandleKind};
use crate::runtime::state::state;
use crate::types::{ResourceIndex, TypeArena, TypeDef, TypeIndex};

/// What lowering needs: the store, because `realloc` runs guest code, and the guest's options and types.
pub struct LowerContext<'a> {
    pub(crate) store: &'a mut Store,
    /// The types of the component.
    pub types: &'a TypeArena,
    pub(crate) options: CanonOptions,
    pub(crate) resources: &'a Resources,
    /// The instance that the values go to.
    pub(crate) instance: u32,
    /// The scope of borrows that are lowered.
    pub(crate) scope: u32,
    /// Part of a call between guests: traps are worded for that.
    pub(crate) adapter: bool,
}

impl LowerContext<'_> {
    /// Asks the guest for memory.
    ///
    /// # Errors
    /// Traps when the guest's allocator does, or when it returns memory that isn't there or is not aligned.
    pub fn allocate(&mut self, align: u32, size: u32) -> Result<u32> {
        self.reallocate(0, 0, align, size, size)
    }

    /// As [`allocate`](Self::allocate), for an allocation that grows or shrinks. `used`: bytes that must be in bounds.
    pub(crate) fn reallocate(
        &mut self,
        old: u32,
        old_size: u32,
        align: u32,
        size: u32,
        used: u32,
    ) -> Result<u32> {
        let realloc = self
            .options
            .realloc
            .ok_or_else(|| Error::usage("function needs a `realloc` option"))?;
        let mut slots = [
            u64::from(old),
            u64::from(old_size),
            u64::from(align),
            u64::from(size),
        ];
        let components = state(self.store);
        components.instance(self.instance)?.no_leave = true;
        // `realloc` runs as a task of its own, with its own storage.
        let storage = components
            .scopes
            .last_mut()
            .map(|s| std::mem::take(&mut s.storage));
        if self.adapter {
            realloc.call(self.store, &mut slots)?;
        } else {
            // Implementations of `Lower`, which may be anybody's, are further out on the stack: it must not go on on another thread.
            suspend::synchronously(|| realloc.call(self.store, &mut slots))?;
        }
        let components = state(self.store);
        components.instance(self.instance)?.no_leave = false;
        if let (Some(scope), Some(storage)) = (components.scopes.last_mut(), storage) {
            scope.storage = storage;
        }
        let pointer = slots[0] as u32;
        if pointer & (align - 1) != 0 {
            let code = if self.adapter {
                TrapCode::UnalignedPointer
            } else {
                TrapCode::ReallocUnaligned
            };
            return Err(Error::trap(code));
        }
        if u64::from(pointer) + u64::from(used) > self.memory()?.len() as u64 {
            let code = if self.adapter {
                TrapCode::ListOutOfBounds
            } else {
                TrapCode::ReallocOutOfBounds
            };
            return Err(Error::trap(code));
        }
        Ok(pointer)
    }

    /// Checks that `size` bytes at a pointer that the guest gave can be written.
    pub(crate) fn check(&mut self, pointer: u32, size: u32, align: u32) -> Result<()> {
        if pointer & (align - 1) != 0 {
            return Err(Error::trap(TrapCode::UnalignedPointer));
        }
        if u64::from(pointer) + u64::from(size) > self.memory()?.len() as u64 {
            return Err(Error::trap(TrapCode::PointerOutOfBounds));
        }
        Ok(())
    }

    /// Where values that do not fit into core values go: to `pointer` if the guest gave one, else to new memory, whose pointer
    /// becomes the first of `slots`.
    pub(crate) fn place(&mut self, ty: TypeIndex, pointer: Option<u32>, slots: &mut [u64]) -> Result<u32> {
        let abi = self.types.node(ty).abi;
        match pointer {
            Some(pointer) => {
                self.check(pointer, abi.size32, abi.align32)?;
                Ok(pointer)
            }
            None => {
                let pointer = self.allocate(abi.align32, abi.size32)?;
                if let Some(slot) = slots.first_mut() {
                    *slot = u64::from(pointer);
                }
                Ok(pointer)
            }
        }
    }

    fn memory(&mut self) -> Result<&mut [u8]> {
        match self.options.memory {
            Some(memory) => Ok(memory.data_mut(self.store)),
            None => Err(Error::usage("function needs a `memory` option")),
        }
    }

    /// `N` bytes of the guest's memory, to be written.
    ///
    /// # Errors
    /// Traps when they are out of bounds, which can't be when they are part of a checked allocation.
    #[inline]
    pub fn slice<const N: usize>(&mut self, offset: u32) -> Result<&mut [u8; N]> {
        self.memory()?
            .get_mut(offset as usize..)
            .and_then(|bytes| bytes.first_chunk_mut::<N>())
            .ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))
    }

    /// `len` bytes of the guest's memory, to be written.
    ///
    /// # Errors
    /// As for [`slice`](Self::slice).
    pub fn bytes_mut(&mut self, offset: u32, len: usize) -> Result<&mut [u8]> {
        let start = offset as usize;
        let end = start
            .checked_add(len)
            .ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))?;
        self.memory()?
            .get_mut(start..end)
            .ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))
    }

    /// Writes a `u32`, little endian.
    ///
    /// # Errors
    /// As for [`slice`](Self::slice).
    #[inline]
    pub fn write_u32(&mut self, offset: u32, value: u32) -> Result<()> {
        *self.slice(offset)? = value.to_le_bytes();
        Ok(())
    }

    /// Writes the discriminant of a variant with `size` bytes.
    pub(crate) fn write_discriminant(&mut self, offset: u32, size: u8, value: u32) -> Result<()> {
        let bytes = value.to_le_bytes();
        let target = self.bytes_mut(offset, usize::from(size))?;
        target.copy_from_slice(&bytes[..target.len().min(4)]);
        Ok(())
    }

    /// The bytes of a list or a string, checked against the most that the ABI allows.
    pub(crate) fn list_size(len: usize, size: u32) -> Result<u32> {
        let bytes = (len as u64)
            .checked_mul(u64::from(size))
            .filter(|n| *n <= super::MAX_LIST_BYTES);
        bytes
            .map(|n| n as u32)
            .ok_or_else(|| Error::trap(TrapCode::ListTooLong))
    }

    /// The type of a field of a record or tuple.
    #[inline]
    pub fn field(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        self.types.field(ty, index)
    }

    /// The type of a case's payload; `ty` itself if the case has none.
    #[inline]
    pub fn case(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        self.types.case(ty, index)
    }

    /// The type of a list's elements.
    #[inline]
    pub fn element(&self, ty: TypeIndex) -> TypeIndex {
        self.types.element(ty)
    }

    /// Gives the guest an owned handle.
    pub(crate) fn lower_own(&mut self, resource: ResourceIndex, rep: u32) -> Result<u32> {
        let ty = self.resources.get(resource)?.ty;
        let handle = Handle {
            ty,
            rep,
            kind: HandleKind::Own,
            lends: 0,
        };
        state(self.store).instance(self.instance)?.handles.insert(handle)
    }

    /// Gives the guest a borrow for the call: the representation itself if the guest defines the resource.
    pub(crate) fn lower_borrow(&mut self, resource: ResourceIndex, rep: u32) -> Result<u32> {
        let RuntimeResource { ty, owner, .. } = self.resources.get(resource)?;
        if *owner == Some(self.instance) {
            return Ok(rep);
        }
        let handle = Handle {
            ty: *ty,
            rep,
            kind: HandleKind::Borrow { scope: self.scope },
            lends: 0,
        };
        let state = state(self.store);
        if let Some(scope) = state.scopes.get_mut(self.scope as usize) {
            scope.borrows += 1;
        }
        state.instance(self.instance)?.handles.insert(handle)
    }

    /// Lowers a handle that the host holds.
    pub(crate) fn lower_any(&mut self, ty: TypeIndex, value: ResourceAny) -> Result<u32> {
        let (resource, own) = match self.types.node(ty).def {
            TypeDef::Own(resource) => (resource, true),
            TypeDef::Borrow(resource) => (resource, false),
            _ => return Err(type_mismatch(self.types, ty, "resource")),
        };
        if self.resources.get(resource)?.ty != value.ty() {
            return Err(Error::usage("resource handle of another type"));
        }
        if own {
            let rep = state(self.store).host_handles.take(value)?.rep;
            self.lower_own(resource, rep)
        } else {
            let rep = state(self.store).host_handles.rep(value)?;
            self.lower_borrow(resource, rep)
        }
    }
}
