//! Leaving machine code: calls of what is not compiled, deadlines, and traps.

use std::sync::atomic::Ordering;

use super::{Outcome, trace::note, walk::NativeFrame};
use crate::{
    bytecode::{CodeCell, LINKAGE},
    error::Error,
    interp,
    runtime::{
        deadline, host_call,
        stack::native_stack_pointer,
        vm::{RawFrame, VmCtx, VmFuncRef, VmRuntime},
    },
    tier::abi::CALLED_AS_CELL,
    trap::TrapCode,
};

/// Calls a function for machine code: with parameters in the slots from `slots` on, where it leaves the results. Returns only if the callee did.
///
/// # Safety
/// Called by an exit stub whose frame is `frame`; `shape` are the numbers of its parameter slots (low half) and result slots; `vm` is the
/// state block that it was called with, and `called_as` what it was called as.
pub(super) unsafe extern "C" fn call_out(
    rt: *mut VmRuntime,
    slots: *mut u64,
    frame: *const usize,
    shape: u64,
    vm: *mut VmCtx,
    called_as: u64,
) {
    // SAFETY: by the contract above.
    unsafe {
        let frame = NativeFrame::new(frame);
        let (cell, func, caller) = if called_as & CALLED_AS_CELL != 0 {
            (
                (called_as ^ CALLED_AS_CELL) as *const CodeCell,
                std::ptr::null(),
                vm,
            )
        } else {
            let func = called_as as *const VmFuncRef;
            ((*func).code, func, (*rt).native_caller)
        };
        let (params, results) = (shape as u32 as usize, (shape >> 32) as usize);
        if cell == interp::host_enter_cell() {
            if !host_call(rt, func, slots, caller) {
                (*rt).trap.code = None;
                stop(rt, frame);
            }
            return look_at_deadline(rt, frame);
        }
        if let Some(entry) = frame.outermost() {
            // The result of the call is that of the segment: the interpreter around it goes on with the callee, so that tail calls
            // between the tiers use no stack.
            (*rt).callee_cell = cell;
            (*rt).callee_vm = vm;
            (*rt).callee_func = func;
            (*rt).tail_args = slots;
            (*rt).tail_params = params;
            entry.leave(Outcome::TailCall);
        }
        let needed = (params + LINKAGE).max(results);
        let room = ((*rt).stack_limit as usize).saturating_sub(slots as usize) / 8;
        if native_stack_pointer() < (*rt).host_stack_limit || room < needed {
            (*rt).error = Some(Error::trap(TrapCode::StackOverflow));
            (*rt).trap.code = None;
            stop(rt, frame);
        }
        interp::write_exit_linkage(slots.add(params), caller);
        let top = (*rt).stack_top;
        (*vm).budget -= interp::CROSSING;
        let outcome = interp::run(rt, (*cell).get(), slots, vm);
        (*rt).stack_top = top;
        if outcome == interp::Outcome::Stopped {
            interp::note_frames(rt);
            stop(rt, frame);
        }
        look_at_deadline(rt, frame);
    }
}

/// Does what the store says if its deadline has come: the code that called may be from before there were deadlines, and not look itself.
///
/// # Safety
/// As `stop`.
unsafe fn look_at_deadline(rt: *mut VmRuntime, frame: NativeFrame) {
    // SAFETY: by the contract above; the engine outlives the store.
    unsafe {
        if (*(*rt).epoch).load(Ordering::Relaxed) >= (*rt).deadline && !deadline::reached(rt) {
            stop(rt, frame);
        }
    }
}

/// Does what the store says for its deadline, which compiled code has seen to have come. Returns if the guest goes on.
///
/// # Safety
/// Called by the stub whose frame is `frame`, which compiled code called.
pub(super) unsafe extern "C" fn late(frame: *const usize) {
    // SAFETY: by the contract above. While the guest is suspended its frames stay as they are.
    unsafe {
        let frame = NativeFrame::new(frame);
        let rt = frame.walk(|_| ()).runtime();
        if !deadline::reached(rt) {
            stop(rt, frame);
        }
    }
}

/// Leaves the segment that a stub belongs to, noting its frames; the reason is in the runtime block.
///
/// # Safety
/// `frame` is the live frame of the stub, or of a function that trapped.
unsafe fn stop(rt: *mut VmRuntime, frame: NativeFrame) -> ! {
    // SAFETY: by the contract above; frames of machine code own nothing.
    unsafe {
        frame
            .walk(|address| note(rt, RawFrame::Native(address)))
            .leave(Outcome::Stopped)
    }
}

/// Where the signal handler lets a thread go on that trapped in machine code, at address `at`, in the frame `frame`.
///
/// # Safety
/// The thread was executing machine code of a function there.
pub(super) unsafe extern "C" fn trapped(at: usize, frame: *const usize, code: u8) -> ! {
    // SAFETY: by the contract above.
    unsafe {
        let frame = NativeFrame::new(frame);
        let rt = frame.walk(|_| ()).runtime();
        (*rt).trap.code = TrapCode::from_byte(code);
        // Addresses of calls are those behind the call, so that one less is inside; so is one more for the trapping instruction.
        note(rt, RawFrame::Native(at + 1));
        stop(rt, frame)
    }
}
