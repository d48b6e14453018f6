//! The stack of guest frames, and how much native stack is left.

use std::sync::{Mutex, PoisonError};

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

/// Stacks of stores that are gone, for the next ones, with their number of slots. Frames find in a slot what others left there in any case.
static POOL: Mutex<Vec<(usize, Mapping)>> = Mutex::new(Vec::new());

/// More than these are given back to the system.
const POOLED: usize = 64;

impl ValueStack {
    pub(crate) fn new(bytes: usize) -> Result<ValueStack> {
        let slots = bytes / 8;
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        let mapping = match pool.iter().rposition(|(s, _)| *s == slots) {
            Some(at) => pool.swap_remove(at).1,
            None => {
                drop(pool);
                let mapped = bytes.saturating_add(OVERHANG);
                Mapping::new(mapped, mapped)?
            }
        };
        Ok(ValueStack { mapping, slots })
    }

    pub(crate) fn base(&self) -> *mut u64 {
        self.mapping.base().cast()
    }

    /// The end of the usable part.
    pub(crate) fn limit(&self) -> *mut u64 {
        self.base().wrapping_add(self.slots)
    }
}

impl Drop for ValueStack {
    fn drop(&mut self) {
        let mapping = std::mem::replace(&mut self.mapping, Mapping::empty());
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOLED {
            pool.push((self.slots, mapping));
            return;
        }
        drop(pool);
        drop(mapping);
    }
}

/// An address in the native frame of the caller, more or less.
#[inline(never)]
pub(crate) fn native_stack_pointer() -> usize {
    let marker = 0u8;
    std::ptr::from_ref(std::hint::black_box(&marker)) as usize
}
