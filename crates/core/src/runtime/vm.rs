//! The state that guest code works on directly: plain `repr(C)` structures with known offsets.
//!
//! They are reached through raw pointers, because guest code and host functions see the same state in turns. The store owns all of
//! them and frees them when it is dropped; nothing else holds such a pointer longer than the call it was passed to, except the
//! handles ([`Func`](crate::Func) and others), which can only be used together with their store.

use std::any::Any;

use super::store::StoreInner;
use crate::{
    bytecode::{CodeCell, Inst},
    error::Error,
    module::ModuleInner,
    trap::TrapCode,
};

/// The head of an instance's state block; what follows is laid out by [`Layout`](crate::module::Layout).
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmCtx {
    /// Goes down with each taken back-edge and call; below zero the slow path looks at the deadline and refills it.
    pub(crate) budget: i64,
    pub(crate) rt: *mut VmRuntime,
    /// Memory 0, or an empty one.
    pub(crate) memory0: *mut VmMemory,
    /// The code of the defined functions.
    pub(crate) code: *const CodeCell,
    /// `*mut VmMemory` for each memory.
    pub(crate) memories: *const *mut VmMemory,
    /// Null for the store's own block, which stands for the host.
    pub(crate) module: *const ModuleInner,
    pub(crate) instance: u32,
    _pad: u32,
}

impl VmCtx {
    pub(crate) fn new(
        rt: *mut VmRuntime,
        memory0: *mut VmMemory,
        code: *const CodeCell,
        memories: *const *mut VmMemory,
        module: *const ModuleInner,
        instance: u32,
    ) -> VmCtx {
        VmCtx {
            budget: BUDGET,
            rt,
            memory0,
            code,
            memories,
            module,
            instance,
            _pad: 0,
        }
    }
}

/// Back-edges and calls between two looks at the deadline: microseconds of work.
pub(crate) const BUDGET: i64 = 20_000;

/// What a store keeps for its running guest.
#[repr(C)]
pub(crate) struct VmRuntime {
    /// Frames end below this address.
    pub(crate) stack_limit: *mut u64,
    /// Where the frame of the next call from the host begins.
    pub(crate) stack_top: *mut u64,
    /// The native stack may not go below this address.
    pub(crate) host_stack_limit: usize,
    /// Calls of guests by the host that are active.
    pub(crate) depth: u32,
    pub(crate) store: *mut StoreInner,
    /// The block that stands for the host where a frame needs one.
    pub(crate) host_vm: *mut VmCtx,
    /// The instance whose call of a host function is active.
    pub(crate) caller: *mut VmCtx,
    /// Where the trap happened that is on its way out.
    pub(crate) trap: TrapSite,
    /// What a host function returned instead of results.
    pub(crate) error: Option<Error>,
    /// What a host function panicked with.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

/// Where and why a trap happened.
#[derive(Copy, Clone)]
pub(crate) struct TrapSite {
    pub(crate) code: Option<TrapCode>,
    pub(crate) ip: *const Inst,
    pub(crate) sp: *mut u64,
    pub(crate) vm: *mut VmCtx,
}

/// A linear memory as guest code sees it.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmMemory {
    pub(crate) base: *mut u8,
    /// Bytes.
    pub(crate) len: usize,
}

/// A table as guest code sees it: function references are `*const VmFuncRef`, references of the host numbers above zero; null is 0.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmTable {
    pub(crate) base: *mut u64,
    pub(crate) len: usize,
}

/// A global variable; the value begins in the low bytes.
#[derive(Debug)]
#[repr(C, align(16))]
pub(crate) struct VmGlobal(pub(crate) [u64; 2]);

/// What a function reference points at. It lives as long as its store.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct VmFuncRef {
    pub(crate) code: *const CodeCell,
    pub(crate) vm: *mut VmCtx,
    /// The function's type, as a `SigId`.
    pub(crate) sig: u32,
    /// The function's index in its module; for a host function, in the store.
    pub(crate) index: u32,
}
