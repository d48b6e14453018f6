//! The context in which values are lifted out of a guest.

use wharf_core::{Error, Result, TrapCode};

use super::mismatch::type_mismatch;
use super::options::StringEncoding;
use crate::resource::{HostHandle, ResourceAny, Resources};
use crate::runtime::state::{ComponentState, Lender};
use crate::types::{ResourceIndex, TypeArena, TypeDef, TypeIndex};

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

    /// The bytes of values that are not core values: at the pointer that is the first of `slots`.
    pub(crate) fn pointed(&self, ty: TypeIndex, slots: &[u64]) -> Result<&'a [u8]> {
        let abi = self.types.node(ty).abi;
        let pointer = slots
            .first()
            .copied()
            .ok_or_else(|| Error::trap(TrapCode::PointerOutOfBounds))? as u32;
        self.bytes(pointer, u64::from(abi.size32), abi.align32)
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
