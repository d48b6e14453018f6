//! The contexts in which values are lifted out of and lowered into a guest.

use wharf_core::{Error, Memory, RawFunc, Result, Store, TrapCode, suspend};

use crate::resource::{HostHandle, ResourceAny, Resources, RuntimeResource};
use crate::runtime::handles::{Handle, HandleKind};
use crate::runtime::state::{ComponentState, Lender, state};
use crate::types::{ResourceIndex, TypeArena, TypeDef, TypeIndex};

/// How a guest wants its strings.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum StringEncoding {
    /// UTF-8
    #[default]
    Utf8,
    /// UTF-16, little endian
    Utf16,
    /// Latin-1 or UTF-16, told apart by the highest bit of the length
    Latin1OrUtf16,
}

/// The canonical options of a lifted or lowered function, as run-time values.
#[derive(Copy, Clone, Debug, Default)]
pub struct CanonOptions {
    pub(crate) encoding: StringEncoding,
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<RawFunc>,
}

/// Reads core values one after the other.
pub struct FlatReader<'a> {
    slots: &'a [u64],
    position: usize,
}

impl<'a> FlatReader<'a> {
    /// Reads from the first of `slots`.
    pub fn new(slots: &'a [u64]) -> Self {
        FlatReader { slots, position: 0 }
    }

    /// The next value as an `i64` or the bits of an `f64`.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let value = self.slots.get(self.position).copied().unwrap_or(0);
        self.position += 1;
        value
    }

    /// The next value as an `i32` or the bits of an `f32`.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    /// How many values were read.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Goes to value number `position`: the end of a variant whose case has fewer values than others.
    pub fn skip_to(&mut self, position: usize) {
        self.position = position;
    }
}

/// Writes core values one after the other.
pub struct FlatWriter<'a> {
    slots: &'a mut [u64],
    position: usize,
}

impl<'a> FlatWriter<'a> {
    /// Writes from the first of `slots`.
    pub fn new(slots: &'a mut [u64]) -> Self {
        FlatWriter { slots, position: 0 }
    }

    /// Adds a value; those of 32 bits are zero-extended.
    #[inline]
    pub fn push(&mut self, value: u64) {
        if let Some(slot) = self.slots.get_mut(self.position) {
            *slot = value;
        }
        self.position += 1;
    }

    /// How many values were written.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Adds zeros up to value number `position`: the rest of a variant whose case has fewer values than others.
    pub fn pad_to(&mut self, position: usize) {
        while self.position < position {
            self.push(0);
        }
    }
}

/// What lifting needs: the guest's memory, which does not change meanwhile, its handles and the types.
pub struct LiftContext<'a> {
    pub(crate) memory: &'a [u8],
    pub(crate) state: &'a mut ComponentState,
    /// The types of the component.
    pub types: &'a TypeArena,
    pub(crate) encoding: StringEncoding,
    pub(crate) resources: &'a Resources,
    /// The instance that the values come from.
    pub(crate) instance: u32,
    /// Bytes that the host may still allocate for values.
    pub(crate) budget: u64,
}

impl<'a> LiftContext<'a> {
    /// Accounts for `bytes` that the host is about to allocate for a value.
    ///
    /// # Errors
    /// `Limit` when the values of the call take too much of the host's memory.
    pub fn spend(&mut self, bytes: u64) -> Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(Error::limit(
                "the values of a call need too much memory of the host",
            )),
        }
    }

    /// `len` bytes of the guest's memory at `offset`, which must be aligned.
    ///
    /// # Errors
    /// Traps when the bytes are not all inside the memory or `offset` is not a multiple of `align`.
    pub fn bytes(&self, offset: u32, len: u64, align: u32) -> Result<&'a [u8]> {
        if offset & (align - 1) != 0 {
            return Err(Error::trap(TrapCode::UnalignedPointer));
        }
        let start = u64::from(offset);
        let range = usize::try_from(start).ok().zip(usize::try_from(start + len).ok());
        range
            .and_then(|(start, end)| self.memory.get(start..end))
            .ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))
    }

    /// The elements of a list: checks length, alignment and bounds before anything is allocated for them.
    ///
    /// # Errors
    /// Traps when a check fails.
    pub fn list_bytes(&self, offset: u32, len: u32, size: u32, align: u32) -> Result<&'a [u8]> {
        let bytes = u64::from(len) * u64::from(size);
        if bytes > super::MAX_LIST_BYTES {
            return Err(Error::trap(TrapCode::ListTooLong));
        }
        self.bytes(offset, bytes, align).map_err(|e| match e.trap_code() {
            Some(TrapCode::PointerOutOfBounds) => Error::trap(TrapCode::ListPointerOutOfBounds),
            _ => e,
        })
    }

    /// The type of a field of a record or tuple.
    #[inline]
    pub fn field(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        field(self.types, ty, index)
    }

    /// The type of a case's payload; `ty` itself if the case has none.
    #[inline]
    pub fn case(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        case(self.types, ty, index)
    }

    /// The type of a list's elements.
    #[inline]
    pub fn element(&self, ty: TypeIndex) -> TypeIndex {
        element(self.types, ty)
    }

    /// Takes an owned handle away from the guest and returns its representation.
    pub(crate) fn lift_own(&mut self, resource: ResourceIndex, handle: u32) -> Result<u32> {
        let ty = self.resources.get(resource)?.ty;
        self.state.instance(self.instance)?.handles.remove_own(handle, ty)
    }

    /// Borrows a handle of the guest until the call ends and returns its representation.
    pub(crate) fn lift_borrow(&mut self, resource: ResourceIndex, handle: u32) -> Result<u32> {
        let ty = self.resources.get(resource)?.ty;
        let entry = self
            .state
            .instance(self.instance)?
            .handles
            .get_typed(handle, ty)?;
        entry.lends += 1;
        let rep = entry.rep;
        self.state.lenders.push(Lender {
            instance: self.instance,
            handle,
        });
        Ok(rep)
    }

    /// Lifts the handle of a resource that is only known at run time.
    pub(crate) fn lift_any(&mut self, ty: TypeIndex, handle: u32) -> Result<ResourceAny> {
        match self.types.node(ty).def {
            TypeDef::Own(resource) => {
                let rep = self.lift_own(resource, handle)?;
                let resource = self.resources.get(resource)?.clone();
                Ok(self.state.host_handles.insert(HostHandle {
                    resource,
                    rep,
                    owned: true,
                }))
            }
            TypeDef::Borrow(resource) => {
                let rep = self.lift_borrow(resource, handle)?;
                Ok(ResourceAny::borrowed(self.resources.get(resource)?.ty, rep))
            }
            _ => Err(type_mismatch(self.types, ty, "resource")),
        }
    }
}

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
        field(self.types, ty, index)
    }

    /// The type of a case's payload; `ty` itself if the case has none.
    #[inline]
    pub fn case(&self, ty: TypeIndex, index: usize) -> TypeIndex {
        case(self.types, ty, index)
    }

    /// The type of a list's elements.
    #[inline]
    pub fn element(&self, ty: TypeIndex) -> TypeIndex {
        element(self.types, ty)
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

#[inline]
fn field(types: &TypeArena, ty: TypeIndex, index: usize) -> TypeIndex {
    match &types.node(ty).def {
        TypeDef::Record(fields) => fields.get(index).map_or(ty, |(_, ty)| *ty),
        TypeDef::Tuple(fields) => fields.get(index).copied().unwrap_or(ty),
        _ => ty,
    }
}

#[inline]
fn case(types: &TypeArena, ty: TypeIndex, index: usize) -> TypeIndex {
    match &types.node(ty).def {
        TypeDef::Variant(cases) => cases.get(index).and_then(|(_, ty)| *ty).unwrap_or(ty),
        TypeDef::Option(payload) => *payload,
        TypeDef::Result(ok, err) => (if index == 0 { ok } else { err }).unwrap_or(ty),
        _ => ty,
    }
}

#[inline]
fn element(types: &TypeArena, ty: TypeIndex) -> TypeIndex {
    match &types.node(ty).def {
        TypeDef::List(element) | TypeDef::FixedList(element, _) | TypeDef::Map(_, _, element) => *element,
        _ => ty,
    }
}

/// The error for a Rust type or a `Val` that does not fit the component's type.
pub(crate) fn type_mismatch(types: &TypeArena, ty: TypeIndex, found: &str) -> Error {
    Error::usage(format!(
        "type mismatch: expected `{}`, found `{found}`",
        types.display(ty)
    ))
}
