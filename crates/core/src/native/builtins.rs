//! The functions that compiled code calls, in the C convention but for one.

use std::ffi::{c_int, c_void};

use super::{deadline::wharf_0_1_deadline, exit::call_out};
use crate::{
    interp::bulk,
    runtime::{
        memory_grow as grow_memory,
        store::StoreInner,
        table_grow as grow_table,
        vm::{VmCtx, VmRuntime},
    },
    tier::abi::builtin,
};

/// The list that compiled code finds them in, in the order of [`builtin`].
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Builtins {
    call_out: unsafe extern "C" fn(*mut VmRuntime, *mut u64, *const usize, u64, *mut VmCtx, u64),
    memory_grow: unsafe extern "C" fn(*mut VmCtx, u64, u64) -> u64,
    fill: unsafe extern "C" fn(*mut c_void, c_int, usize) -> *mut c_void,
    copy: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void,
    memory_init: unsafe extern "C" fn(*mut VmCtx, u64, u64, u64, u64) -> u64,
    data_drop: unsafe extern "C" fn(*mut VmCtx, u64),
    table_grow: unsafe extern "C" fn(*mut VmCtx, u64, u64, u64) -> u64,
    table_fill: unsafe extern "C" fn(*mut VmCtx, u64, u64, u64, u64) -> u64,
    table_copy: unsafe extern "C" fn(*mut VmCtx, u64, u64, u64, u64) -> u64,
    table_init: unsafe extern "C" fn(*mut VmCtx, u64, u64, u64, u64) -> u64,
    elem_drop: unsafe extern "C" fn(*mut VmCtx, u64),
    /// Has a convention of its own.
    deadline: unsafe extern "C" fn(),
}

const _: () = assert!(std::mem::offset_of!(Builtins, deadline) == builtin::DEADLINE as usize);

static BUILTINS: Builtins = Builtins {
    call_out,
    memory_grow,
    fill: libc::memset,
    copy: libc::memmove,
    memory_init,
    data_drop,
    table_grow,
    table_fill,
    table_copy,
    table_init,
    elem_drop,
    deadline: wharf_0_1_deadline,
};

pub(crate) fn builtins() -> *const Builtins {
    &BUILTINS
}

/// # Safety
/// `vm` is the state block of a live instance whose guest code is running; no reference to its store is live.
unsafe fn store<'a>(vm: *mut VmCtx) -> &'a mut StoreInner {
    // SAFETY: by the contract above.
    unsafe { &mut *(*(*vm).rt).store }
}

const fn low(pair: u64) -> u16 {
    pair as u16
}

const fn high(pair: u64) -> u32 {
    (pair >> 32) as u32
}

const fn status(done: Option<u64>) -> u64 {
    done.is_none() as u64
}

// SAFETY of all that follow: compiled code of a valid function passes its own state block, and indices of the module.

unsafe extern "C" fn memory_grow(vm: *mut VmCtx, memory: u64, delta: u64) -> u64 {
    // SAFETY: see above.
    unsafe { grow_memory(store(vm), (*vm).instance, low(memory), delta) }.unwrap_or(u64::MAX)
}

unsafe extern "C" fn memory_init(vm: *mut VmCtx, pair: u64, at: u64, from: u64, len: u64) -> u64 {
    // SAFETY: see above.
    status(unsafe { bulk::memory_init(vm, high(pair), low(pair), at, from, len) })
}

unsafe extern "C" fn data_drop(vm: *mut VmCtx, segment: u64) {
    // SAFETY: see above.
    unsafe { store(vm).instances[(*vm).instance as usize].dropped_data[segment as usize] = true };
}

unsafe extern "C" fn table_grow(vm: *mut VmCtx, table: u64, delta: u64, value: u64) -> u64 {
    // SAFETY: see above.
    unsafe { grow_table(store(vm), (*vm).instance, low(table), delta, value) }
}

unsafe extern "C" fn table_fill(vm: *mut VmCtx, table: u64, at: u64, value: u64, len: u64) -> u64 {
    // SAFETY: see above.
    status(unsafe { bulk::table_fill(bulk::table(vm, low(table)), at, value, len) })
}

unsafe extern "C" fn table_copy(vm: *mut VmCtx, tables: u64, at: u64, source: u64, len: u64) -> u64 {
    // SAFETY: see above.
    status(unsafe { bulk::table_copy(vm, low(tables), at, high(tables) as u16, source, len) })
}

unsafe extern "C" fn table_init(vm: *mut VmCtx, pair: u64, at: u64, from: u64, len: u64) -> u64 {
    // SAFETY: see above.
    status(unsafe { bulk::table_init(vm, high(pair), low(pair), at, from, len) })
}

unsafe extern "C" fn elem_drop(vm: *mut VmCtx, segment: u64) {
    // SAFETY: see above.
    unsafe { store(vm).instances[(*vm).instance as usize].dropped_elements[segment as usize] = true };
}
