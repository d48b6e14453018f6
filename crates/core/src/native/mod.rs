//! Machine code at run time: where it lies, how it is entered and left, what it calls, how its traps are caught.
//!
//! Guest code runs in *segments*: a segment of the interpreter is one call of `interp::run`, a segment of machine code one call of
//! [`enter`]. They nest on the native stack in any order. A trap leaves the innermost segment only (machine code by resetting the stack
//! pointer, since its frames need no cleaning up) and comes out of it as [`Outcome::Stopped`]; the segment around does the same.

#[cfg(not(wharf_native))]
mod absent;
#[cfg(wharf_native)]
mod builtins;
#[cfg(wharf_native)]
mod code_chunk;
#[cfg(wharf_native)]
mod code_memory;
#[cfg(wharf_native)]
mod deadline;
#[cfg(wharf_native)]
mod entry;
#[cfg(wharf_native)]
mod exit;
#[cfg(wharf_native)]
pub(crate) mod perf;
#[cfg(wharf_native)]
mod registry;
#[cfg(wharf_native)]
mod signal;
mod trace;
#[cfg(wharf_native)]
mod walk;

#[cfg(not(wharf_native))]
pub(crate) use absent::{
    Builtins, CodeMemory, CodeObject, builtins, enter, find, find_code, install_signal_handlers, perf,
};
pub(crate) use trace::note;
#[cfg(wharf_native)]
pub(crate) use {
    builtins::{Builtins, builtins},
    code_memory::CodeMemory,
    entry::enter,
    registry::{CodeObject, find, find_code},
    signal::install as install_signal_handlers,
};

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
