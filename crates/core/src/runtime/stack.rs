//! The stack of guest frames, and how much native stack is left.

use super::mapping::Mapping;
use crate::error::Result;

/// The frames of a store's guest functions.
#[derive(Debug)]
pub(crate) struct ValueStack {
    mapping: Mapping,
    slots: usize,
}

/// Bytes behind the end of the usable part: exit stubs of machine code write parameters before it is known whether they have room. Functions
/// have at most 1,000 parameters, of two slots each.
const OVERHANG: usize = 2_000 * 8;

impl ValueStack {
    pub(crate) fn new(bytes: usize) -> Result<ValueStack> {
        let mapped = bytes.saturating_add(OVERHANG);
        Ok(ValueStack {
            mapping: Mapping::new(mapped, mapped)?,
            slots: bytes / 8,
        })
    }

    pub(crate) fn base(&self) -> *mut u64 {
        self.mapping.base().cast()
    }

    /// The end of the usable part.
    pub(crate) fn limit(&self) -> *mut u64 {
        self.base().wrapping_add(self.slots)
    }
}

/// An address in the native frame of the caller, more or less.
#[inline(never)]
pub(crate) fn native_stack_pointer() -> usize {
    let marker = 0u8;
    std::ptr::from_ref(std::hint::black_box(&marker)) as usize
}
