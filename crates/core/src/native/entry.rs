//! Entering machine code and leaving it in one jump.
//!
//! The frame that [`enter`] makes is the outermost of a segment. It is recognised by its return address, so that frames can be walked from
//! anywhere inside the segment to its end with nothing but frame pointers.

use super::Outcome;
use crate::runtime::vm::{VmCtx, VmRuntime};

/// Machine code of a stub that calls machine code of a function with parameters and results in slots.
pub(crate) type EntryStub = *const u8;

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".hidden wharf_0_1_enter_native",
    ".global wharf_0_1_enter_native",
    ".type wharf_0_1_enter_native,@function",
    "wharf_0_1_enter_native:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "push r8", // the runtime block, 48 bytes below the frame pointer
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov rcx, r9",
    "call rax",
    ".hidden wharf_0_1_native_returned",
    ".global wharf_0_1_native_returned",
    "wharf_0_1_native_returned:",
    "xor eax, eax",
    "lea rsp, [rbp - 40]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".size wharf_0_1_enter_native, . - wharf_0_1_enter_native",
    ".hidden wharf_0_1_leave_native",
    ".global wharf_0_1_leave_native",
    ".type wharf_0_1_leave_native,@function",
    "wharf_0_1_leave_native:",
    "mov rbp, rdi",
    "mov rax, rsi",
    "lea rsp, [rbp - 40]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    ".size wharf_0_1_leave_native, . - wharf_0_1_leave_native",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".hidden wharf_0_1_enter_native",
    ".global wharf_0_1_enter_native",
    ".type wharf_0_1_enter_native,%function",
    "wharf_0_1_enter_native:",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    "stp x19, x20, [sp, #-16]!",
    "stp x21, x22, [sp, #-16]!",
    "stp x23, x24, [sp, #-16]!",
    "stp x25, x26, [sp, #-16]!",
    "stp x27, x28, [sp, #-16]!",
    "stp d8, d9, [sp, #-16]!",
    "stp d10, d11, [sp, #-16]!",
    "stp d12, d13, [sp, #-16]!",
    "stp d14, d15, [sp, #-16]!",
    "stp x4, xzr, [sp, #-16]!", // the runtime block, 160 bytes below the frame pointer
    "mov x9, x0",
    "mov x0, x1",
    "mov x1, x2",
    "mov x2, x3",
    "mov x3, x5",
    "blr x9",
    ".hidden wharf_0_1_native_returned",
    ".global wharf_0_1_native_returned",
    "wharf_0_1_native_returned:",
    "mov x0, x29",
    "mov x1, #0",
    ".hidden wharf_0_1_leave_native",
    ".global wharf_0_1_leave_native",
    ".type wharf_0_1_leave_native,%function",
    "wharf_0_1_leave_native:",
    "mov x29, x0",
    "mov x0, x1",
    "sub sp, x29, #144",
    "ldp d14, d15, [sp], #16",
    "ldp d12, d13, [sp], #16",
    "ldp d10, d11, [sp], #16",
    "ldp d8, d9, [sp], #16",
    "ldp x27, x28, [sp], #16",
    "ldp x25, x26, [sp], #16",
    "ldp x23, x24, [sp], #16",
    "ldp x21, x22, [sp], #16",
    "ldp x19, x20, [sp], #16",
    "ldp x29, x30, [sp], #16",
    "ret",
    ".size wharf_0_1_enter_native, . - wharf_0_1_enter_native",
);

/// Where the frame of [`enter`] keeps the runtime block, in words below its frame pointer.
#[cfg(target_arch = "x86_64")]
const RUNTIME: usize = 6;
#[cfg(target_arch = "aarch64")]
const RUNTIME: usize = 20;

unsafe extern "C" {
    fn wharf_0_1_enter_native(
        stub: EntryStub,
        code: *const u8,
        vm: *mut u8,
        slots: *mut u64,
        rt: *mut u8,
        called_as: u64,
    ) -> usize;
    fn wharf_0_1_leave_native(entry: *const usize, outcome: usize) -> !;
    static wharf_0_1_native_returned: u8;
}

/// Calls machine code through an entry stub: a function from its start, or with [`CALLED_AS_LOOP`](crate::tier::abi::CALLED_AS_LOOP) and `slots` from a loop on.
///
/// # Safety
/// The stub fits the code; the slots hold what it takes and have room for what it leaves; `vm` is the state block of an instance of
/// the code's module; `rt.stack_top` is above everything on the value stack that is still needed.
#[inline]
pub(crate) unsafe fn enter(
    stub: EntryStub,
    code: *const u8,
    vm: *mut VmCtx,
    slots: *mut u64,
    rt: *mut VmRuntime,
    called_as: u64,
) -> Outcome {
    // SAFETY: by the contract above.
    match unsafe { wharf_0_1_enter_native(stub, code, vm.cast(), slots, rt.cast(), called_as) } {
        0 => Outcome::Done,
        1 => Outcome::Stopped,
        _ => Outcome::TailCall,
    }
}

/// The frame of the `enter` call that a segment began with.
#[derive(Copy, Clone)]
pub(super) struct EntryFrame(*const usize);

impl EntryFrame {
    /// Whether a frame with this return address was called by `enter`.
    pub(super) fn returns_here(return_address: usize) -> bool {
        // SAFETY: only the address of the label is taken.
        return_address == (&raw const wharf_0_1_native_returned) as usize
    }

    /// # Safety
    /// It is the frame pointer of a live call of `enter`.
    pub(super) unsafe fn new(frame: *const usize) -> EntryFrame {
        EntryFrame(frame)
    }

    pub(super) fn runtime(self) -> *mut VmRuntime {
        // SAFETY: by the contract of `new`; `enter` keeps it there.
        unsafe { *self.0.sub(RUNTIME) as *mut VmRuntime }
    }

    /// Makes `enter` return this outcome.
    ///
    /// # Safety
    /// Called from the segment that began with this frame; nothing in the frames between needs to be dropped.
    pub(super) unsafe fn leave(self, outcome: Outcome) -> ! {
        // SAFETY: by the contract above.
        unsafe { wharf_0_1_leave_native(self.0, outcome as usize) }
    }
}
