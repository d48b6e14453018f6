//! SIMD: fixed-width and relaxed vector instructions as functions on [`V128`].
//!
//! A function is named like its instruction, with `.` replaced by `_`. Its signature follows from the shape that
//! [`table`] gives it. Instructions that access memory are built from lane accesses, splats and the extending
//! functions in [`convert`]; `i8x16.shuffle` has its lane indices as an argument; `v128.const` needs no function.
//!
//! The functions are loops over arrays of lanes, which LLVM turns into vector instructions at opt-level 3.

mod arith;
mod bits;
mod compare;
mod convert;
mod float;
mod lanes;
mod permute;
mod relaxed;
mod shift;
mod table;
mod v128;
mod widen;

pub(crate) use arith::*;
pub(crate) use bits::*;
pub(crate) use compare::*;
pub(crate) use convert::*;
pub(crate) use float::*;
pub(crate) use lanes::*;
pub(crate) use permute::*;
pub(crate) use relaxed::*;
pub(crate) use shift::*;
pub(crate) use table::for_each_simd_op;
pub(crate) use v128::{Lanes, V128};
pub(crate) use widen::*;
