//! The state that guest code works on directly: plain `repr(C)` structures with known offsets.
//!
//! They are reached through raw pointers, because guest code and host functions see the same state in turns. The store owns all of
//! them and frees them when it is dropped; nothing else holds such a pointer longer than the call it was passed to, except the
//! handles ([`Func`](crate::Func) and others), which can only be used together with their store.

use std::{
    any::Any,
    sync::atomic::{AtomicPtr, AtomicU64},
    time::Instant,
};

use super::store::StoreInner;
use crate::{
    bytecode::{CodeCell, Inst},
    engine::SigId,
    error::Error,
    module::ModuleInner,
    native::Builtins,
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
    /// The base of memory 0 if it never moves, for compiled code.
    pub(crate) memory0_base: *mut u8,
    /// The numbers of the module's function types.
    pub(crate) sigs: *const SigId,
    /// The stubs through which compiled code leaves, one per function type of the module.
    pub(crate) exit_stubs: *const AtomicPtr<u8>,
    /// Null for the store's own block, which stands for the host.
    pub(crate) module: *const ModuleInner,
    pub(crate) instance: u32,
    _pad: u32,
}

impl VmCtx {
    /// The block that stands for the host.
    pub(crate) fn host(rt: *mut VmRuntime, empty_memory: *mut VmMemory) -> VmCtx {
        VmCtx {
            budget: i64::MAX,
            rt,
            memory0: empty_memory,
            code: std::ptr::null(),
            memories: std::ptr::null(),
            memory0_base: std::ptr::null_mut(),
            sigs: std::ptr::null(),
            exit_stubs: std::ptr::null(),
            module: std::ptr::null(),
            instance: u32::MAX,
            _pad: 0,
        }
    }

    /// The block of an instance. `memory0` is a live memory.
    pub(crate) fn new(
        rt: *mut VmRuntime,
        memory0: *mut VmMemory,
        memories: *const *mut VmMemory,
        module: &ModuleInner,
        instance: u32,
    ) -> VmCtx {
        VmCtx {
            budget: module.engine.config().budget(),
            rt,
            memory0,
            code: module.code.cells(),
            memories,
            // SAFETY: by the contract above.
            memory0_base: unsafe { (*memory0).base },
            sigs: module.sigs.as_ptr(),
            exit_stubs: module.exit_stubs.as_ptr(),
            module,
            instance,
            _pad: 0,
        }
    }
}
/// What a store keeps for its running guest.
#[repr(C)]
pub(crate) struct VmRuntime {
    /// Frames end below this address.
    pub(crate) stack_limit: *mut u64,
    /// Where the frame of the next call from the host begins.
    pub(crate) stack_top: *mut u64,
    /// The native stack may not go below this address.
    pub(crate) host_stack_limit: usize,
    /// Which native stack that limit is for.
    pub(crate) host_stack: usize,
    /// Calls of guests by the host that are active.
    pub(crate) depth: u32,
    pub(crate) store: *mut StoreInner,
    /// The block that stands for the host where a frame needs one.
    pub(crate) host_vm: *mut VmCtx,
    /// The instance whose call of a host function is active.
    pub(crate) caller: *mut VmCtx,
    /// The function that compiled code calls in tail position, see [`Outcome::TailCall`](crate::native::Outcome): its code cell, state block, and
    /// reference (null if it belongs to the caller's module).
    pub(crate) callee_cell: *const CodeCell,
    pub(crate) callee_vm: *mut VmCtx,
    pub(crate) callee_func: *const VmFuncRef,
    /// The instance whose compiled code calls an exit stub through a reference.
    pub(crate) native_caller: *mut VmCtx,
    /// The engine's epoch, and the one that must not be reached.
    pub(crate) epoch: *const AtomicU64,
    pub(crate) deadline: u64,
    /// The functions that compiled code calls.
    pub(crate) builtins: *const Builtins,
    /// The instance whose bytecode calls a host function in tail position; null but between that call and its callee.
    pub(crate) tail_caller: *mut VmCtx,
    /// Arguments of a tail call that leaves compiled code, see [`Outcome::TailCall`](crate::native::Outcome).
    pub(crate) tail_args: *mut u64,
    pub(crate) tail_params: usize,
    /// When the tiers looked at where the guest is last.
    pub(crate) sampled: Option<Instant>,
    /// The frames of the trap that is on its way out, as far as it has come.
    pub(crate) trace: Vec<RawFrame>,
    pub(crate) trace_omitted: usize,
    /// Where the trap happened that is on its way out, if it was in the interpreter.
    pub(crate) trap: TrapSite,
    /// What a host function returned instead of results.
    pub(crate) error: Option<Error>,
    /// What a host function panicked with.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

/// A frame of a guest function, noted while a trap leaves it.
#[derive(Copy, Clone, Debug)]
pub(crate) enum RawFrame {
    /// An instruction of the interpreter, and the instance.
    Bytecode(*const Inst, *mut VmCtx),
    /// An address in machine code.
    Native(usize),
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
