//! The interpreter.
//!
//! Each operation is a type that implements [`Exec`](machine::Exec); a handler is made from it in one of two ways (see `build.rs`): *threaded*, a
//! function that ends in a jump to the next instruction's handler, with the machine state in registers, or *looped*, for builds where
//! LLVM would not turn that call into a jump, with the state in memory.
//!
//! # Safety
//! Handlers work on raw pointers: `ip` into bytecode that the translator made for this module, `sp` into the store's value stack with
//! a whole frame below the limit (`Enter*` checks it), `vm` the state block of an instance of the module, `mem`/`len` its memory 0. The
//! translator, on validated code, keeps slots, offsets and branch targets inside of these; that argument covers the unsafe
//! operations of this folder, which is why it does not repeat it at each.
#![allow(
    unsafe_op_in_unsafe_fn,
    clippy::undocumented_unsafe_blocks,
    clippy::missing_safety_doc
)]

mod access;
mod backtrace;
pub(crate) mod bulk;
mod call;
mod control;
mod machine;
mod native;
mod numeric;
mod operand;
mod table;
mod vector;

pub(crate) use backtrace::{note_frames, resolve_frames};
pub(crate) use machine::Outcome;
pub(crate) use native::CROSSING;
pub(crate) use table::handler;

use crate::{
    bytecode::{CodeCell, Inst, Op, Operands, Single},
    runtime::vm::{VmCtx, VmRuntime},
};
use machine::Regs;

/// Runs guest code from an instruction on, until it returns to the exit linkage or stops.
///
/// # Safety
/// `ip` is the first instruction of a function of `vm`'s module (or of a host function), whose parameters and exit linkage are at `sp`.
pub(crate) unsafe fn run(rt: *mut VmRuntime, ip: *const Inst, sp: *mut u64, vm: *mut VmCtx) -> Outcome {
    (*rt).trap.code = None;
    let memory = (*vm).memory0;
    let mut regs = Regs {
        ip,
        sp,
        mem: (*memory).base,
        len: (*memory).len,
        acc: 0,
        vm,
        f64: 0.0,
        f32: 0.0,
    };
    machine::start(&mut regs)
}

/// Writes the linkage of a frame that returns to the host.
///
/// # Safety
/// There is room for it at `at`.
pub(crate) unsafe fn write_exit_linkage(at: *mut u64, host_vm: *mut VmCtx) {
    *at = exit_inst() as u64;
    *at.add(1) = 0;
    *at.add(2) = host_vm as u64;
}

/// An instruction that belongs to no function.
struct Static<T>(T);

// SAFETY: immutable.
unsafe impl<T> Sync for Static<T> {}

/// Where frames that the host made return to.
pub(crate) fn exit_inst() -> *const Inst {
    static EXIT: std::sync::LazyLock<Static<Inst>> = std::sync::LazyLock::new(|| {
        Static(Inst {
            handler: handler(Op::single(Single::Exit)),
            operands: Operands::NONE,
        })
    });
    &EXIT.0
}

/// The code of all host functions.
pub(crate) fn host_enter_cell() -> *const CodeCell {
    static ENTER: std::sync::LazyLock<Static<Inst>> = std::sync::LazyLock::new(|| {
        Static(Inst {
            handler: handler(Op::single(Single::HostEnter)),
            operands: Operands::NONE,
        })
    });
    static CELL: std::sync::LazyLock<CodeCell> = std::sync::LazyLock::new(|| CodeCell::new(&ENTER.0));
    &*CELL
}
