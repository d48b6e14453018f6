//! The handle table of a component instance.

use wharf_core::{Error, Result, TrapCode};

use crate::resource::ResourceType;

/// Index of a handle; 0 is never one.
const MAX_HANDLES: usize = (1 << 28) - 1;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum HandleKind {
    Own,
    /// A borrow that ends with the call whose position on the stack of scopes this is.
    Borrow {
        scope: u32,
    },
}

#[derive(Copy, Clone, Debug)]
pub(crate) struct Handle {
    pub ty: ResourceType,
    pub rep: u32,
    pub kind: HandleKind,
    /// Calls that are under way and hold a borrow of this handle.
    pub lends: u32,
}

enum Slot {
    Free { next: u32 },
    Used(Handle),
}

/// Freed indices are used again, last first.
#[derive(Default)]
pub(crate) struct HandleTable {
    slots: Vec<Slot>,
    /// Index of the first free slot, 0 if there is none.
    free: u32,
    used: u32,
}

impl HandleTable {
    pub fn insert(&mut self, handle: Handle) -> Result<u32> {
        self.used += 1;
        if self.free != 0 {
            let index = self.free;
            if let Some(slot) = self.slots.get_mut(index as usize - 1) {
                if let Slot::Free { next } = *slot {
                    self.free = next;
                }
                *slot = Slot::Used(handle);
            }
            return Ok(index);
        }
        if self.slots.len() >= MAX_HANDLES {
            return Err(Error::trap(TrapCode::HandleTableFull));
        }
        self.slots.push(Slot::Used(handle));
        Ok(self.slots.len() as u32)
    }

    pub fn get_mut(&mut self, index: u32) -> Result<&mut Handle> {
        let slot = (index as usize)
            .checked_sub(1)
            .and_then(|i| self.slots.get_mut(i));
        match slot {
            Some(Slot::Used(handle)) => Ok(handle),
            _ => Err(Error::trap(TrapCode::UnknownHandle).context(format!("unknown handle index {index}"))),
        }
    }

    /// The handle at `index`, which has to be one of `ty`.
    pub fn get_typed(&mut self, index: u32, ty: ResourceType) -> Result<&mut Handle> {
        let handle = self.get_mut(index)?;
        if handle.ty != ty {
            return Err(wrong_type(index, ty, handle.ty));
        }
        Ok(handle)
    }

    /// Takes a handle of `ty` out that nobody holds a borrow of.
    pub fn remove(&mut self, index: u32, ty: ResourceType) -> Result<Handle> {
        let handle = *self.get_typed(index, ty)?;
        if handle.lends != 0 {
            return Err(Error::trap(TrapCode::HandleLent));
        }
        self.free(index);
        Ok(handle)
    }

    /// Takes an owned handle of `ty` out that nobody holds a borrow of.
    pub fn remove_own(&mut self, index: u32, ty: ResourceType) -> Result<u32> {
        let handle = *self.get_typed(index, ty)?;
        if handle.lends != 0 {
            return Err(Error::trap(TrapCode::HandleLent));
        }
        if handle.kind != HandleKind::Own {
            return Err(Error::trap(TrapCode::HandleNotOwned).context(format!("handle index {index}")));
        }
        self.free(index);
        Ok(handle.rep)
    }

    fn free(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize - 1) {
            *slot = Slot::Free { next: self.free };
            self.free = index;
            self.used -= 1;
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> u32 {
        self.used
    }
}

fn wrong_type(index: u32, expected: ResourceType, found: ResourceType) -> Error {
    let kind = |ty: ResourceType| {
        if ty.is_host() {
            "host-defined"
        } else {
            "guest-defined"
        }
    };
    let (expected, found) = (kind(expected), kind(found));
    let different = if expected == found { "different " } else { "" };
    Error::trap(TrapCode::HandleType).context(format!(
        "handle index {index} used with the wrong type, expected {expected} resource but found a {different}{found} resource"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(rep: u32) -> Handle {
        Handle {
            ty: ResourceType::host::<u8>(),
            rep,
            kind: HandleKind::Own,
            lends: 0,
        }
    }

    #[test]
    fn indices_start_at_one_and_are_used_again_last_first() {
        let ty = ResourceType::host::<u8>();
        let mut table = HandleTable::default();
        assert_eq!(
            (1..=3).map(|i| table.insert(own(i)).unwrap()).collect::<Vec<_>>(),
            [1, 2, 3]
        );
        assert_eq!(table.remove_own(1, ty).unwrap(), 1);
        assert_eq!(table.remove_own(3, ty).unwrap(), 3);
        assert_eq!(table.insert(own(4)).unwrap(), 3);
        assert_eq!(table.insert(own(5)).unwrap(), 1);
        assert_eq!(table.insert(own(6)).unwrap(), 4);
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn wrong_type_and_lent_handles_are_refused() {
        let ty = ResourceType::host::<u8>();
        let mut table = HandleTable::default();
        let index = table.insert(own(1)).unwrap();
        let wrong = table.remove(index, ResourceType::host::<u16>()).unwrap_err();
        assert!(matches!(wrong.trap_code(), Some(TrapCode::HandleType)));
        table.get_mut(index).unwrap().lends = 1;
        assert_eq!(
            table.remove(index, ty).unwrap_err().trap_code(),
            Some(TrapCode::HandleLent)
        );
        assert_eq!(
            table.remove(0, ty).unwrap_err().trap_code(),
            Some(TrapCode::UnknownHandle)
        );
    }
}
