//! Handlers of vector instructions. Vectors are in slot pairs.

use std::marker::PhantomData;

use super::{
    access::{Checked, InMemory, InSlot, Place},
    machine::{Exec, Flow, Handler, Regs, make, next, simple, slot, trap},
    operand::{Slot, Source, Target, field},
};
use crate::{
    bytecode::ops,
    numeric::simd::{self, V128},
    trap::TrapCode,
};

#[inline(always)]
unsafe fn get<const AT: usize>(r: &Regs) -> V128 {
    slot(r, field::<AT>(r)).cast::<V128>().read()
}

#[inline(always)]
unsafe fn set(r: &mut Regs, value: V128) {
    slot(r, field::<0>(r)).cast::<V128>().write(value);
}

/// Runs the body of a vector operation by its shape.
macro_rules! shape {
    (unary $f:ident $r:ident) => {
        set($r, simd::$f(get::<1>($r)))
    };
    (binary $f:ident $r:ident) => {
        set($r, simd::$f(get::<1>($r), get::<2>($r)))
    };
    (ternary $f:ident $r:ident) => {
        set($r, simd::$f(get::<1>($r), get::<2>($r), get::<3>($r)))
    };
    (shift $f:ident $r:ident) => {
        set($r, simd::$f(get::<1>($r), Slot::<2>::get::<u32>($r)))
    };
    (test $f:ident $r:ident) => {
        Slot::<0>::set($r, simd::$f(get::<1>($r)))
    };
    (splat32 $f:ident $r:ident) => {
        set($r, simd::$f(Slot::<1>::get::<u32>($r)))
    };
    (splat64 $f:ident $r:ident) => {
        set($r, simd::$f(Slot::<1>::get::<u64>($r)))
    };
    (splatf32 $f:ident $r:ident) => {
        set($r, simd::$f(Slot::<1>::get::<f32>($r)))
    };
    (splatf64 $f:ident $r:ident) => {
        set($r, simd::$f(Slot::<1>::get::<f64>($r)))
    };
    (extract32 $f:ident $r:ident) => {
        Slot::<0>::set($r, simd::$f(get::<1>($r), field::<2>($r) as u8))
    };
    (extract64 $f:ident $r:ident) => {
        Slot::<0>::set($r, simd::$f(get::<1>($r), field::<2>($r) as u8))
    };
    (extractf32 $f:ident $r:ident) => {
        Slot::<0>::set($r, simd::$f(get::<1>($r), field::<2>($r) as u8))
    };
    (extractf64 $f:ident $r:ident) => {
        Slot::<0>::set($r, simd::$f(get::<1>($r), field::<2>($r) as u8))
    };
    (replace32 $f:ident $r:ident) => {
        set(
            $r,
            simd::$f(get::<1>($r), field::<3>($r) as u8, Slot::<2>::get::<u32>($r)),
        )
    };
    (replace64 $f:ident $r:ident) => {
        set(
            $r,
            simd::$f(get::<1>($r), field::<3>($r) as u8, Slot::<2>::get::<u64>($r)),
        )
    };
    (replacef32 $f:ident $r:ident) => {
        set(
            $r,
            simd::$f(get::<1>($r), field::<3>($r) as u8, Slot::<2>::get::<f32>($r)),
        )
    };
    (replacef64 $f:ident $r:ident) => {
        set(
            $r,
            simd::$f(get::<1>($r), field::<3>($r) as u8, Slot::<2>::get::<f64>($r)),
        )
    };
}

macro_rules! simd_handlers {
    ($($shape:ident $visit:ident $func:ident $op:ident;)*) => {
        $(struct $op;

        impl Exec for $op {
            #[inline(always)]
            unsafe fn exec(r: &mut Regs) -> Flow {
                shape!($shape $func r);
                next(r)
            }
        })*

        pub(super) const SIMD: &[[Handler; 1]] = &[$([make::<$op>()]),*];
    };
}
simd::for_each_simd_op!(simd_handlers);

trait VectorLoadOp {
    type Mem: InMemory;
    fn extend(value: Self::Mem) -> V128;
}

struct VectorLoadExec<L, P>(PhantomData<(L, P)>);

impl<L: VectorLoadOp, P: Place> Exec for VectorLoadExec<L, P> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match P::at::<1>(r, size_of::<L::Mem>()) {
            Some(at) => {
                set(r, L::extend(at.cast::<L::Mem>().read_unaligned()));
                next(r)
            }
            None => trap(TrapCode::MemoryOutOfBounds),
        }
    }
}

macro_rules! vector_load_handlers {
    ($($op:ident: $mem:ty = |$x:ident| $e:expr;)*) => {
        $(struct $op;

        impl VectorLoadOp for $op {
            type Mem = $mem;

            #[inline(always)]
            fn extend($x: $mem) -> V128 {
                $e
            }
        })*

        pub(super) const VECTOR_LOAD: &[[Handler; 2]] =
            &[$([make::<VectorLoadExec<$op, InSlot>>(), make::<VectorLoadExec<$op, Checked>>()]),*];
    };
}
ops::for_each_vector_load!(vector_load_handlers);

/// The slot of the vector and the lane, from the cell behind the instruction.
#[inline(always)]
unsafe fn lane(r: &Regs) -> (*mut u64, usize) {
    let cell = (*r.ip.add(1)).operands;
    (slot(r, cell.a), cell.b as usize)
}

struct LoadLane<M, P>(PhantomData<(M, P)>);

impl<M: InMemory, P: Place> Exec for LoadLane<M, P> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let Some(at) = P::at::<1>(r, size_of::<M>()) else {
            return trap(TrapCode::MemoryOutOfBounds);
        };
        let (vector, lane) = lane(r);
        let mut value = vector.cast::<V128>().read();
        (&raw mut value)
            .cast::<M>()
            .add(lane)
            .write_unaligned(at.cast::<M>().read_unaligned());
        set(r, value);
        r.ip = r.ip.add(2);
        Flow::Next
    }
}

struct StoreLane<M, P>(PhantomData<(M, P)>);

impl<M: InMemory, P: Place> Exec for StoreLane<M, P> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let Some(at) = P::at::<1>(r, size_of::<M>()) else {
            return trap(TrapCode::MemoryOutOfBounds);
        };
        let (vector, lane) = lane(r);
        at.cast::<M>()
            .write_unaligned(vector.cast::<M>().add(lane).read_unaligned());
        r.ip = r.ip.add(2);
        Flow::Next
    }
}

macro_rules! lane_handlers {
    ($($load:ident, $store:ident: $mem:ty;)*) => {
        pub(super) const LANE_ACCESS: &[[Handler; 2]] = &[$(
            [make::<LoadLane<$mem, InSlot>>(), make::<LoadLane<$mem, Checked>>()],
            [make::<StoreLane<$mem, InSlot>>(), make::<StoreLane<$mem, Checked>>()],
        )*];
    };
}
ops::for_each_lane_access!(lane_handlers);

struct VectorStore<P>(PhantomData<P>);

impl<P: Place> Exec for VectorStore<P> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let Some(at) = P::at::<0>(r, 16) else {
            return trap(TrapCode::MemoryOutOfBounds);
        };
        at.cast::<V128>().write_unaligned(get::<1>(r));
        next(r)
    }
}

macro_rules! vector_store {
    ($($name:ident = $place:ty;)*) => {
        $(pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec(r: &mut Regs) -> Flow {
                VectorStore::<$place>::exec(r)
            }
        })*
    };
}
vector_store! {
    V128Store = InSlot;
    V128StoreX = Checked;
}

simple! {
    /// Bytes of `b` and `c` by the 16 indices in the two cells behind it, to `a`.
    Shuffle |r| {
        let (low, high) = ((*r.ip.add(1)).operands.value(), (*r.ip.add(2)).operands.value());
        let mut indices = [0; 16];
        indices[..8].copy_from_slice(&low.to_le_bytes());
        indices[8..].copy_from_slice(&high.to_le_bytes());
        set(r, simd::i8x16_shuffle(get::<1>(r), get::<2>(r), indices));
        r.ip = r.ip.add(2);
    }
}
