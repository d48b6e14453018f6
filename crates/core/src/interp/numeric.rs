//! Handlers of the numeric operations and of compare-and-branch.

use std::marker::PhantomData;

use super::{
    control::branch,
    machine::{Exec, Flow, Handler, Regs, distance, make, next, slot, trap},
    operand::{Acc, Imm, Imm16, Slot, Source, Target, Word, field},
};
use crate::{bytecode::ops, numeric::float, trap::TrapCode};

/// A binary operation.
trait BinaryOp {
    type In: Word;
    type Out: Word;
    fn eval(a: Self::In, b: Self::In) -> Result<Self::Out, TrapCode>;
}

/// A unary operation.
trait UnaryOp {
    type In: Word;
    type Out: Word;
    fn eval(a: Self::In) -> Result<Self::Out, TrapCode>;
}

/// A condition.
trait Condition {
    type In: Word;
    fn holds(a: Self::In, b: Self::In) -> bool;
}

struct BinaryExec<O, D, A, B>(PhantomData<(O, D, A, B)>);

impl<O: BinaryOp, D: Target, A: Source, B: Source> Exec for BinaryExec<O, D, A, B> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match O::eval(A::get(r), B::get(r)) {
            Ok(value) => {
                D::set(r, value);
                next(r)
            }
            Err(code) => trap(code),
        }
    }
}

struct UnaryExec<O, D, A>(PhantomData<(O, D, A)>);

impl<O: UnaryOp, D: Target, A: Source> Exec for UnaryExec<O, D, A> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match O::eval(A::get(r)) {
            Ok(value) => {
                D::set(r, value);
                next(r)
            }
            Err(code) => trap(code),
        }
    }
}

/// The end of a counted loop: adds `c` to slot `a`, compares it with `B` and branches by `d`.
struct LatchExec<C, B>(PhantomData<(C, B)>);

impl<C: Condition, B: Source> Exec for LatchExec<C, B> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let counter = slot(r, field::<0>(r));
        let value = C::In::from_bits((*counter).wrapping_add(field::<2>(r) as i16 as u64));
        *counter = value.to_bits();
        if C::holds(value, B::get(r)) {
            branch(r, (field::<3>(r) as i16).into())
        } else {
            next(r)
        }
    }
}

struct BranchExec<C, A, B>(PhantomData<(C, A, B)>);

impl<C: Condition, A: Source, B: Source> Exec for BranchExec<C, A, B> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        if C::holds(A::get(r), B::get(r)) {
            branch(r, distance(r))
        } else {
            next(r)
        }
    }
}

macro_rules! binary_handlers {
    ($($op:ident: $in:ty => $out:ty = |$a:ident, $b:ident| $e:expr;)*) => {
        $(struct $op;

        impl BinaryOp for $op {
            type In = $in;
            type Out = $out;

            #[inline(always)]
            fn eval($a: $in, $b: $in) -> Result<$out, TrapCode> {
                $e
            }
        })*

        /// In the order of the forms: for each `Operand2`, result to a slot, then to the accumulator.
        pub(super) const BINARY: &[[Handler; 10]] = &[$([
            make::<BinaryExec<$op, Slot<0>, Slot<1>, Slot<2>>>(),
            make::<BinaryExec<$op, Acc, Slot<1>, Slot<2>>>(),
            make::<BinaryExec<$op, Slot<0>, Acc, Slot<2>>>(),
            make::<BinaryExec<$op, Acc, Acc, Slot<2>>>(),
            make::<BinaryExec<$op, Slot<0>, Slot<1>, Acc>>(),
            make::<BinaryExec<$op, Acc, Slot<1>, Acc>>(),
            make::<BinaryExec<$op, Slot<0>, Slot<1>, Imm>>(),
            make::<BinaryExec<$op, Acc, Slot<1>, Imm>>(),
            make::<BinaryExec<$op, Slot<0>, Acc, Imm>>(),
            make::<BinaryExec<$op, Acc, Acc, Imm>>(),
        ]),*];
    };
}
ops::for_each_binary!(binary_handlers);

macro_rules! unary_handlers {
    ($($op:ident: $in:ty => $out:ty = |$a:ident| $e:expr;)*) => {
        $(struct $op;

        impl UnaryOp for $op {
            type In = $in;
            type Out = $out;

            #[inline(always)]
            fn eval($a: $in) -> Result<$out, TrapCode> {
                $e
            }
        })*

        pub(super) const UNARY: &[[Handler; 4]] = &[$([
            make::<UnaryExec<$op, Slot<0>, Slot<1>>>(),
            make::<UnaryExec<$op, Acc, Slot<1>>>(),
            make::<UnaryExec<$op, Slot<0>, Acc>>(),
            make::<UnaryExec<$op, Acc, Acc>>(),
        ]),*];
    };
}
ops::for_each_unary!(unary_handlers);

macro_rules! condition {
    ($op:ident: $in:ty = |$a:ident, $b:ident| $e:expr) => {
        struct $op;

        impl Condition for $op {
            type In = $in;

            #[inline(always)]
            #[allow(clippy::neg_cmp_op_on_partial_ord)]
            fn holds($a: $in, $b: $in) -> bool {
                $e
            }
        }
    };
}

macro_rules! int_branch_handlers {
    ($($op:ident: $in:ty = |$a:ident, $b:ident| $e:expr, $not:ident;)*) => {
        $(condition!($op: $in = |$a, $b| $e);)*

        pub(super) const INT_BRANCH: &[[Handler; 5]] = &[$([
            make::<BranchExec<$op, Slot<0>, Slot<1>>>(),
            make::<BranchExec<$op, Acc, Slot<1>>>(),
            make::<BranchExec<$op, Slot<0>, Acc>>(),
            make::<BranchExec<$op, Slot<0>, Imm16>>(),
            make::<BranchExec<$op, Acc, Imm16>>(),
        ]),*];

        pub(super) const LATCH: &[[Handler; 2]] = &[$([
            make::<LatchExec<$op, Slot<1>>>(),
            make::<LatchExec<$op, Imm16>>(),
        ]),*];
    };
}
ops::for_each_int_branch!(int_branch_handlers);

macro_rules! float_branch_handlers {
    ($($op:ident: $in:ty = |$a:ident, $b:ident| $e:expr, $not:ident;)*) => {
        $(condition!($op: $in = |$a, $b| $e);)*

        pub(super) const FLOAT_BRANCH: &[[Handler; 3]] = &[$([
            make::<BranchExec<$op, Slot<0>, Slot<1>>>(),
            make::<BranchExec<$op, Acc, Slot<1>>>(),
            make::<BranchExec<$op, Slot<0>, Acc>>(),
        ]),*];
    };
}
ops::for_each_float_branch!(float_branch_handlers);
