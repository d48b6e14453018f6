//! The meaning of the numeric instructions that are more than one call of the standard library.
//!
//! Everything here is a pure function of values: no memory, no traps, no state. Integer instructions that are a
//! single method of Rust's integers are not repeated here.
//!
//! NaNs: results that the specification calls *arithmetic NaNs* are always quiet, and the sign and payload are what
//! the host's floating-point unit makes of the operands; instructions that only move bits (`abs`, `neg`,
//! `copysign`, `pmin`, `pmax`, lane accesses) keep a NaN's bits.

// The scalar functions are a complete set by family; handlers call those for which Rust has no equal operator.
#![allow(dead_code, unused_imports, unused_macros)]

pub(crate) mod float;
pub(crate) mod int;
pub(crate) mod simd;
