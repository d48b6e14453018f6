//! Pages of the system: others, where they are allocated.

use std::alloc::{Layout, alloc_zeroed, dealloc};

fn layout(len: usize) -> Option<Layout> {
    Layout::from_size_align(len, 4096).ok()
}

/// Without reservations everything is allocated at once, so large reservations are refused.
pub(super) fn reserve(len: usize) -> Option<*mut u8> {
    const LARGEST: usize = 64 << 20;
    let layout = layout(len).filter(|l| l.size() <= LARGEST)?;
    // SAFETY: the layout is not empty.
    let base = unsafe { alloc_zeroed(layout) };
    (!base.is_null()).then_some(base)
}

pub(super) unsafe fn commit(_base: *mut u8, _len: usize) -> bool {
    true
}

pub(super) unsafe fn share(_base: *mut u8, _pages: &super::SharedPages) -> bool {
    false
}

pub(super) unsafe fn reset(_base: *mut u8, _len: usize) -> bool {
    false
}

pub(super) unsafe fn renew(_base: *mut u8, _len: usize) -> bool {
    false
}

pub(super) unsafe fn hide(_base: *mut u8, _len: usize) -> bool {
    false
}

pub(super) unsafe fn release(base: *mut u8, len: usize) {
    if let Some(layout) = layout(len) {
        // SAFETY: allocated in `reserve` with the same layout.
        unsafe { dealloc(base, layout) }
    }
}
