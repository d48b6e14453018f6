//! Machine code at run time: where it lies, how it is entered and left, what it calls, how its traps are caught.
//!
//! Guest code runs in *segments*: a segment of the interpreter is one call of `interp::run`, a segment of machine code one call of
//! [`enter`]. They nest on the native stack in any order. A trap leaves the innermost segment only (machine code by resetting the stack
//! pointer, since its frames need no cleaning up) and comes out of it as [`Outcome::Stopped`]; the segment around does the same.

mod builtins;
mod code_memory;
mod entry;
mod exit;
mod registry;
mod signal;
mod walk;

pub(crate) use builtins::{Builtins, builtins};
pub(crate) use code_memory::CodeMemory;
pub(crate) use entry::enter;
pub(crate) use registry::find;
pub(crate) use signal::install as install_signal_handlers;
pub(crate) use walk::note;

/// How a segment of machine code ended.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Outcome {
    /// The function returned; its results are in the slots.
    Done = 0,
    /// A trap, or an error or panic of a host function; the runtime block says which.
    Stopped = 1,
    /// The function's last act is to call another one, which the interpreter must run: `callee_*` of the runtime block say which,
    /// and `tail_args` where its arguments are.
    TailCall = 2,
}
