//! The machine: its state, what an operation is, how one comes after the other, and how one leaves.

use crate::{
    bytecode::{Inst, Operands},
    runtime::vm::VmCtx,
    trap::TrapCode,
};

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

    pub(crate) unsafe fn start(r: &mut Regs) -> Outcome {
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

    pub(crate) unsafe fn start(r: &mut Regs) -> Outcome {
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

pub(crate) use dispatch::{Handler, make, make_cold, start};

/// Defines operations with one form by what they do before going on to the next instruction.
macro_rules! simple {
    ($($(#[$doc:meta])* $name:ident |$r:ident| $body:block)*) => {
        $($(#[$doc])*
        pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec($r: &mut Regs) -> Flow {
                $body
                next($r)
            }
        })*
    };
}
pub(super) use simple;

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

/// Reads where memory 0 is now.
#[inline(always)]
pub(super) unsafe fn reload_memory(r: &mut Regs) {
    let memory = (*r.vm).memory0;
    r.mem = (*memory).base;
    r.len = (*memory).len;
}
