//! What guests see must not depend on which of their functions are interpreted and which are machine code, nor on when that changes.
//!
//! Each module of this target runs its guests in several [modes](support::Mode) and compares them with what is expected, or with the
//! interpreter.

mod calls;
mod efforts;
mod endless;
mod fibers;
mod host;
mod interrupts;
mod lifetime;
mod memory;
mod osr;
mod overflow;
mod random;
mod signals;
mod support;
mod tail;
mod traps;
mod yields;
