//! The interpreter.
//!
//! Each operation is a type that implements [`Exec`]; a handler is made from it in one of two ways (see `build.rs`): *threaded*, a
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
mod native;
mod numeric;
mod operand;
mod table;
mod vector;

pub(crate) use backtrace::{note_frames, resolve_frames};
pub(crate) use native::CROSSING;
pub(crate) use table::handler;

use crate::{
    bytecode::{CodeCell, Inst, Op, Operands, Single},
    runtime::vm::{VmCtx, VmRuntime},
    trap::TrapCode,
};

/// Slots between the parameters and the locals of a frame: return address, the caller's frame, the caller's state block.
pub(crate) const LINKAGE: usize = 3;

/// How guest code came to its end.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Outcome {
    /// The outermost function returned; its results are in its frame.
    Done,
    /// A trap, or an error or panic of a host function; the runtime block says which.
    Stopped,
}

/// The state of the interpreter.
#[derive(Copy, Clone)]
pub(crate) struct Regs {
    pub(crate) ip: *const Inst,
    pub(crate) sp: *mut u64,
    pub(crate) mem: *mut u8,
    pub(crate) len: usize,
    /// Accumulator for integers and references; at the entry of a host function, its reference.
    pub(crate) acc: u64,
    pub(crate) vm: *mut VmCtx,
    /// Accumulators for floats.
    pub(crate) f64: f64,
    pub(crate) f32: f32,
}

/// What comes after an operation.
pub(crate) enum Flow {
    /// The instruction at `ip`.
    Next,
    /// A rare path, as a handler of its own so that the usual path needs no stack frame.
    Jump(Handler),
    /// Back to the host.
    Exit(Outcome),
}

/// An operation in one form.
pub(crate) trait Exec {
    /// Does it, and moves `ip` on.
    unsafe fn exec(r: &mut Regs) -> Flow;
}

#[cfg(wharf_threaded)]
mod dispatch {
    use super::*;

    macro_rules! handler_type {
        ($($abi:literal)?) => {
            pub(crate) type Handler = unsafe extern $($abi)? fn(
                *const Inst, *mut u64, *mut u8, usize, u64, *mut VmCtx, f64, f32,
            ) -> Outcome;
        };
    }
    #[cfg(target_arch = "x86_64")]
    handler_type!("sysv64");
    #[cfg(not(target_arch = "x86_64"))]
    handler_type!("C");

    macro_rules! threaded {
        ($name:ident $($abi:literal)? $(#[$attribute:meta])*) => {
            $(#[$attribute])*
            unsafe extern $($abi)? fn $name<E: Exec>(
                ip: *const Inst,
                sp: *mut u64,
                mem: *mut u8,
                len: usize,
                acc: u64,
                vm: *mut VmCtx,
                f64: f64,
                f32: f32,
            ) -> Outcome {
                let mut r = Regs { ip, sp, mem, len, acc, vm, f64, f32 };
                match E::exec(&mut r) {
                    Flow::Next => {
                        let next: Handler = std::mem::transmute::<usize, Handler>((*r.ip).handler);
                        next(r.ip, r.sp, r.mem, r.len, r.acc, r.vm, r.f64, r.f32)
                    }
                    Flow::Jump(handler) => handler(r.ip, r.sp, r.mem, r.len, r.acc, r.vm, r.f64, r.f32),
                    Flow::Exit(outcome) => outcome,
                }
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    threaded!(threaded "sysv64");
    #[cfg(not(target_arch = "x86_64"))]
    threaded!(threaded "C");

    // Not inlined into the handlers that jump to them, which would need a stack frame then.
    #[cfg(target_arch = "x86_64")]
    threaded!(threaded_cold "sysv64" #[cold] #[inline(never)]);
    #[cfg(not(target_arch = "x86_64"))]
    threaded!(threaded_cold "C" #[cold] #[inline(never)]);

    pub(crate) const fn make<E: Exec>() -> Handler {
        threaded::<E>
    }

    /// A handler for [`Flow::Jump`].
    pub(crate) const fn make_cold<E: Exec>() -> Handler {
        threaded_cold::<E>
    }

    pub(super) unsafe fn start(r: &mut Regs) -> Outcome {
        let first: Handler = std::mem::transmute::<usize, Handler>((*r.ip).handler);
        first(r.ip, r.sp, r.mem, r.len, r.acc, r.vm, r.f64, r.f32)
    }
}

#[cfg(not(wharf_threaded))]
mod dispatch {
    use super::*;

    pub(crate) type Handler = unsafe fn(&mut Regs) -> Flow;

    pub(crate) const fn make<E: Exec>() -> Handler {
        E::exec
    }

    /// A handler for [`Flow::Jump`].
    pub(crate) const fn make_cold<E: Exec>() -> Handler {
        E::exec
    }

    pub(super) unsafe fn start(r: &mut Regs) -> Outcome {
        let mut handler: Handler = std::mem::transmute::<usize, Handler>((*r.ip).handler);
        loop {
            handler = match handler(r) {
                Flow::Next => std::mem::transmute::<usize, Handler>((*r.ip).handler),
                Flow::Jump(handler) => handler,
                Flow::Exit(outcome) => return outcome,
            };
        }
    }
}

pub(crate) use dispatch::{Handler, make, make_cold};

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
    dispatch::start(&mut regs)
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

/// Notes where a trap happened and leaves.
pub(crate) struct Trap<const CODE: u8>;

impl<const CODE: u8> Exec for Trap<CODE> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        stop(r.ip, r.sp, r.vm, CODE)
    }
}

#[cold]
#[inline(never)]
unsafe fn record(ip: *const Inst, sp: *mut u64, vm: *mut VmCtx, code: u8) -> Outcome {
    let rt = (*vm).rt;
    (*rt).trap.ip = ip;
    (*rt).trap.sp = sp;
    (*rt).trap.vm = vm;
    if code != SAME_CODE {
        (*rt).trap.code = TrapCode::from_byte(code);
    }
    Outcome::Stopped
}

/// No trap: the runtime block has an error or a panic. No trap code has this number.
const NO_CODE: u8 = u8::MAX;
/// The trap code that the runtime block has already.
const SAME_CODE: u8 = u8::MAX - 1;

#[inline(always)]
unsafe fn stop(ip: *const Inst, sp: *mut u64, vm: *mut VmCtx, code: u8) -> Flow {
    Flow::Exit(record(ip, sp, vm, code))
}

/// Leaves with a trap at the current instruction.
#[inline(always)]
pub(crate) fn trap(code: TrapCode) -> Flow {
    macro_rules! by_code {
        ($($code:ident),*) => {
            match code {
                $(TrapCode::$code => make_cold::<Trap<{ TrapCode::$code as u8 }>>(),)*
                // No instruction has the codes of components.
                _ => make::<Trap<{ TrapCode::Unreachable as u8 }>>(),
            }
        };
    }
    Flow::Jump(by_code!(
        Unreachable,
        MemoryOutOfBounds,
        TableOutOfBounds,
        UndefinedElement,
        IndirectCallToNull,
        BadSignature,
        IntegerOverflow,
        IntegerDivisionByZero,
        BadConversionToInteger,
        StackOverflow,
        NullReference,
        Interrupt,
        InvalidBody
    ))
}

/// Leaves with the error or panic that is in the runtime block already.
#[inline(always)]
pub(crate) unsafe fn stop_with_error(r: &Regs) -> Flow {
    stop(r.ip, r.sp, r.vm, NO_CODE)
}

/// Leaves because machine code did, or because of the deadline: the runtime block has the reason.
#[inline(always)]
pub(crate) unsafe fn stop_on(r: &Regs) -> Flow {
    stop(r.ip, r.sp, r.vm, SAME_CODE)
}

/// Continues at `distance` instructions from here, having counted a jump back.
#[inline(always)]
pub(crate) unsafe fn branch(r: &mut Regs, distance: i32) -> Flow {
    r.ip = r.ip.offset(distance as isize);
    // Takes one off the budget for jumps back (or to itself) only, without a branch.
    let budget = (*r.vm).budget + i64::from((distance - 1) >> 31);
    (*r.vm).budget = budget;
    if budget < 0 {
        Flow::Jump(make_cold::<control::OutOfBudget>())
    } else {
        Flow::Next
    }
}

/// Goes to the next instruction.
#[inline(always)]
pub(crate) unsafe fn next(r: &mut Regs) -> Flow {
    r.ip = r.ip.add(1);
    Flow::Next
}

/// The operands of the current instruction.
#[inline(always)]
pub(crate) unsafe fn operands(r: &Regs) -> Operands {
    (*r.ip).operands
}

/// The distance of the current branch instruction.
#[inline(always)]
pub(crate) unsafe fn distance(r: &Regs) -> i32 {
    (*(&raw const (*r.ip).operands.c).cast::<i32>()).to_owned()
}

/// The value of a slot.
#[inline(always)]
pub(crate) unsafe fn slot(r: &Regs, at: u16) -> *mut u64 {
    r.sp.add(at as usize)
}
