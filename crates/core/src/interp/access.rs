//! Handlers of loads and stores.

use std::marker::PhantomData;

use super::{
    machine::{Exec, Flow, Handler, Regs, make, next, operands, slot, trap},
    operand::{Acc, Slot, Source, Target, Word, field, imm32},
};
use crate::{bytecode::ops, trap::TrapCode};

/// A value as it is in memory.
pub(super) trait InMemory: Copy {}

impl InMemory for u8 {}
impl InMemory for u16 {}
impl InMemory for u32 {}
impl InMemory for u64 {}
impl InMemory for u128 {}
impl InMemory for i8 {}
impl InMemory for i16 {}
impl InMemory for i32 {}
impl InMemory for f32 {}
impl InMemory for f64 {}

/// How the address of an access is found; gives where the `size` bytes are, or `None` when they are not all in memory 0.
pub(super) trait Place {
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8>;
}

#[inline(always)]
unsafe fn check(r: &Regs, address: u32, offset: u64, size: usize) -> Option<*mut u8> {
    let at = u64::from(address) + offset;
    // No overflow: both are below 2^32.
    if at + size as u64 > r.len as u64 {
        None
    } else {
        Some(r.mem.add(at as usize))
    }
}

/// The address in a slot, the offset in `imm`.
pub(super) struct InSlot;
/// The address in the accumulator, the offset in `imm`.
pub(super) struct InAcc;
/// The sum of two slots, the offset in `d`.
pub(super) struct Sum;
/// A slot and a slot shifted by the upper two bits of `d`, the offset in the rest of it.
pub(super) struct SumShl;
/// The sum of a slot and `imm`.
pub(super) struct SumImm;
/// Address and offset together in `imm`.
pub(super) struct Constant;
/// A host address in the accumulator, checked by `EffectiveAddress`.
pub(super) struct Checked;

impl Place for InSlot {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        check(r, Slot::<ADDRESS>::get(r), imm32(r).into(), size)
    }
}

impl Place for InAcc {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        check(r, r.acc as u32, imm32(r).into(), size)
    }
}

impl Place for Sum {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        let address = Slot::<ADDRESS>::get::<u32>(r).wrapping_add(Slot::<2>::get(r));
        check(r, address, field::<3>(r).into(), size)
    }
}

impl Place for SumShl {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        let d = field::<3>(r);
        let shifted = Slot::<2>::get::<u32>(r) << (d >> 14);
        check(
            r,
            Slot::<ADDRESS>::get::<u32>(r).wrapping_add(shifted),
            (d & 0x3fff).into(),
            size,
        )
    }
}

impl Place for SumImm {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        check(r, Slot::<ADDRESS>::get::<u32>(r).wrapping_add(imm32(r)), 0, size)
    }
}

impl Place for Constant {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, size: usize) -> Option<*mut u8> {
        check(r, imm32(r), 0, size)
    }
}

impl Place for Checked {
    #[inline(always)]
    unsafe fn at<const ADDRESS: usize>(r: &Regs, _: usize) -> Option<*mut u8> {
        Some(r.acc as *mut u8)
    }
}

trait LoadOp {
    type Mem: InMemory;
    type Out: Word;
    fn extend(value: Self::Mem) -> Self::Out;
}

trait StoreOp {
    type In: Word;
    type Mem: InMemory;
    fn wrap(value: Self::In) -> Self::Mem;
}

struct LoadExec<L, P, D>(PhantomData<(L, P, D)>);

impl<L: LoadOp, P: Place, D: Target> Exec for LoadExec<L, P, D> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match P::at::<1>(r, size_of::<L::Mem>()) {
            Some(at) => {
                D::set(r, L::extend(at.cast::<L::Mem>().read_unaligned()));
                next(r)
            }
            None => trap(TrapCode::MemoryOutOfBounds),
        }
    }
}

struct StoreExec<S, P, V>(PhantomData<(S, P, V)>);

impl<S: StoreOp, P: Place, V: Source> Exec for StoreExec<S, P, V> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match P::at::<0>(r, size_of::<S::Mem>()) {
            Some(at) => {
                at.cast::<S::Mem>().write_unaligned(S::wrap(V::get(r)));
                next(r)
            }
            None => trap(TrapCode::MemoryOutOfBounds),
        }
    }
}

macro_rules! load_handlers {
    ($($op:ident: $mem:ty => $out:ty;)*) => {
        $(struct $op;

        impl LoadOp for $op {
            type Mem = $mem;
            type Out = $out;

            #[inline(always)]
            fn extend(value: $mem) -> $out {
                value.into()
            }
        })*

        pub(super) const LOAD: &[[Handler; 14]] = &[$([
            make::<LoadExec<$op, InSlot, Slot<0>>>(),
            make::<LoadExec<$op, InSlot, Acc>>(),
            make::<LoadExec<$op, InAcc, Slot<0>>>(),
            make::<LoadExec<$op, InAcc, Acc>>(),
            make::<LoadExec<$op, Sum, Slot<0>>>(),
            make::<LoadExec<$op, Sum, Acc>>(),
            make::<LoadExec<$op, SumShl, Slot<0>>>(),
            make::<LoadExec<$op, SumShl, Acc>>(),
            make::<LoadExec<$op, SumImm, Slot<0>>>(),
            make::<LoadExec<$op, SumImm, Acc>>(),
            make::<LoadExec<$op, Constant, Slot<0>>>(),
            make::<LoadExec<$op, Constant, Acc>>(),
            make::<LoadExec<$op, Checked, Slot<0>>>(),
            make::<LoadExec<$op, Checked, Acc>>(),
        ]),*];
    };
}
ops::for_each_load!(load_handlers);

macro_rules! store_handlers {
    ($($op:ident: $in:ty => $mem:ty;)*) => {
        $(struct $op;

        impl StoreOp for $op {
            type In = $in;
            type Mem = $mem;

            #[inline(always)]
            fn wrap(value: $in) -> $mem {
                value as $mem
            }
        })*

        pub(super) const STORE: &[[Handler; 21]] = &[$([
            make::<StoreExec<$op, InSlot, Slot<1>>>(),
            make::<StoreExec<$op, InSlot, Acc>>(),
            make::<StoreExec<$op, InSlot, super::operand::Imm16>>(),
            make::<StoreExec<$op, InAcc, Slot<1>>>(),
            make::<StoreExec<$op, InAcc, Acc>>(),
            make::<StoreExec<$op, InAcc, super::operand::Imm16>>(),
            make::<StoreExec<$op, Sum, Slot<1>>>(),
            make::<StoreExec<$op, Sum, Acc>>(),
            make::<StoreExec<$op, Sum, super::operand::Imm16>>(),
            make::<StoreExec<$op, SumShl, Slot<1>>>(),
            make::<StoreExec<$op, SumShl, Acc>>(),
            make::<StoreExec<$op, SumShl, super::operand::Imm16>>(),
            make::<StoreExec<$op, SumImm, Slot<1>>>(),
            make::<StoreExec<$op, SumImm, Acc>>(),
            make::<StoreExec<$op, SumImm, super::operand::Imm16>>(),
            make::<StoreExec<$op, Constant, Slot<1>>>(),
            make::<StoreExec<$op, Constant, Acc>>(),
            make::<StoreExec<$op, Constant, super::operand::Imm16>>(),
            make::<StoreExec<$op, Checked, Slot<1>>>(),
            make::<StoreExec<$op, Checked, Acc>>(),
            make::<StoreExec<$op, Checked, super::operand::Imm16>>(),
        ]),*];
    };
}
ops::for_each_store!(store_handlers);

macro_rules! float_store_handlers {
    ($name:ident: $($op:ident: $ty:ty),*) => {
        $(struct $op;

        impl StoreOp for $op {
            type In = $ty;
            type Mem = $ty;

            #[inline(always)]
            fn wrap(value: $ty) -> $ty {
                value
            }
        })*

        pub(super) const $name: &[[Handler; 7]] = &[$([
            make::<StoreExec<$op, InSlot, Acc>>(),
            make::<StoreExec<$op, InAcc, Acc>>(),
            make::<StoreExec<$op, Sum, Acc>>(),
            make::<StoreExec<$op, SumShl, Acc>>(),
            make::<StoreExec<$op, SumImm, Acc>>(),
            make::<StoreExec<$op, Constant, Acc>>(),
            make::<StoreExec<$op, Checked, Acc>>(),
        ]),*];
    };
}
float_store_handlers!(FLOAT_STORE: StoreF32: f32, StoreF64: f64);

/// The host address of an access to any memory: `a` address slot, `b` memory in the upper 12 bits and log2 of the size in the lower
/// four, `imm` offset. Addresses are slots of 64 bits, 32-bit ones zero-extended.
pub(super) struct EffectiveAddress;

/// As `EffectiveAddress`, `imm` being the distance to a cell with the offset.
pub(super) struct EffectiveAddressWide;

#[inline(always)]
unsafe fn effective_address(r: &mut Regs, offset: u64) -> Flow {
    let o = operands(r);
    let memory = *(*r.vm).memories.add((o.b >> 4) as usize);
    let address = *slot(r, o.a);
    let size = 1u64 << (o.b & 15);
    let end = address.checked_add(offset).and_then(|at| at.checked_add(size));
    match end {
        Some(end) if end <= (*memory).len as u64 => {
            r.acc = (*memory).base.add((end - size) as usize) as u64;
            next(r)
        }
        _ => trap(TrapCode::MemoryOutOfBounds),
    }
}

impl Exec for EffectiveAddress {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        effective_address(r, imm32(r).into())
    }
}

impl Exec for EffectiveAddressWide {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let cell = r.ip.offset(imm32(r) as i32 as isize);
        effective_address(r, (*cell).operands.value())
    }
}

/// `(b + (c << d))` wrapped to 32 bits, to the accumulator.
pub(super) struct AddShl;

impl Exec for AddShl {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let shifted = Slot::<2>::get::<u32>(r).wrapping_shl(field::<3>(r).into());
        r.acc = Slot::<1>::get::<u32>(r).wrapping_add(shifted).into();
        next(r)
    }
}
