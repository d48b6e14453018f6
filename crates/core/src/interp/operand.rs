//! Where operands come from and where results go.

use super::machine::{Regs, slot};

/// A value of one of the four number types, as the interpreter holds it.
pub(super) trait Word: Copy {
    fn from_bits(bits: u64) -> Self;
    fn to_bits(self) -> u64;
    /// From the accumulator of the type.
    unsafe fn from_acc(r: &Regs) -> Self;
    unsafe fn to_acc(self, r: &mut Regs);
    /// From a 32-bit immediate; for `f64`, which does not fit, the immediate is the distance to a pool cell.
    unsafe fn from_imm(r: &Regs) -> Self;
    /// From the 16-bit immediate `b`.
    unsafe fn from_imm16(r: &Regs) -> Self;
}

#[inline(always)]
pub(super) unsafe fn imm32(r: &Regs) -> u32 {
    *(&raw const (*r.ip).operands.c).cast::<u32>()
}

macro_rules! int_word {
    ($($ty:ty as $wide:ty = $signed:ty),*) => {
        $(impl Word for $ty {
            #[inline(always)]
            fn from_bits(bits: u64) -> $ty {
                bits as $ty
            }

            #[inline(always)]
            fn to_bits(self) -> u64 {
                // Through the unsigned type, so that 32-bit values are zero-extended.
                self as $wide as u64
            }

            #[inline(always)]
            unsafe fn from_acc(r: &Regs) -> $ty {
                r.acc as $ty
            }

            #[inline(always)]
            unsafe fn to_acc(self, r: &mut Regs) {
                r.acc = self.to_bits();
            }

            #[inline(always)]
            unsafe fn from_imm(r: &Regs) -> $ty {
                imm32(r) as i32 as $signed as $ty
            }

            #[inline(always)]
            unsafe fn from_imm16(r: &Regs) -> $ty {
                (*r.ip).operands.b as i16 as $signed as $ty
            }
        })*
    };
}
int_word!(
    u32 as u32 = i32,
    i32 as u32 = i32,
    u64 as u64 = i64,
    i64 as u64 = i64
);

impl Word for f32 {
    #[inline(always)]
    fn from_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }

    #[inline(always)]
    fn to_bits(self) -> u64 {
        f32::to_bits(self).into()
    }

    #[inline(always)]
    unsafe fn from_acc(r: &Regs) -> f32 {
        r.f32
    }

    #[inline(always)]
    unsafe fn to_acc(self, r: &mut Regs) {
        r.f32 = self;
    }

    #[inline(always)]
    unsafe fn from_imm(r: &Regs) -> f32 {
        f32::from_bits(imm32(r))
    }

    #[inline(always)]
    unsafe fn from_imm16(_: &Regs) -> f32 {
        0.0
    }
}

impl Word for f64 {
    #[inline(always)]
    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }

    #[inline(always)]
    fn to_bits(self) -> u64 {
        f64::to_bits(self)
    }

    #[inline(always)]
    unsafe fn from_acc(r: &Regs) -> f64 {
        r.f64
    }

    #[inline(always)]
    unsafe fn to_acc(self, r: &mut Regs) {
        r.f64 = self;
    }

    #[inline(always)]
    unsafe fn from_imm(r: &Regs) -> f64 {
        let cell = r.ip.offset(imm32(r) as i32 as isize);
        f64::from_bits((*cell).operands.value())
    }

    #[inline(always)]
    unsafe fn from_imm16(_: &Regs) -> f64 {
        0.0
    }
}

/// Where an operand is.
pub(super) trait Source {
    unsafe fn get<W: Word>(r: &Regs) -> W;
}

/// The slot that operand `a`, `b`, `c` or `d` (0 to 3) names.
pub(super) struct Slot<const AT: usize>;

/// The accumulator of the type.
pub(super) struct Acc;

/// The 32-bit immediate.
pub(super) struct Imm;

/// The 16-bit immediate `b`.
pub(super) struct Imm16;

#[inline(always)]
pub(super) unsafe fn field<const AT: usize>(r: &Regs) -> u16 {
    *(&raw const (*r.ip).operands).cast::<u16>().add(AT)
}

impl<const AT: usize> Source for Slot<AT> {
    #[inline(always)]
    unsafe fn get<W: Word>(r: &Regs) -> W {
        let p = slot(r, field::<AT>(r));
        if size_of::<W>() == 4 {
            W::from_bits((*p.cast::<u32>()).into())
        } else {
            W::from_bits(*p)
        }
    }
}

impl Source for Acc {
    #[inline(always)]
    unsafe fn get<W: Word>(r: &Regs) -> W {
        W::from_acc(r)
    }
}

impl Source for Imm {
    #[inline(always)]
    unsafe fn get<W: Word>(r: &Regs) -> W {
        W::from_imm(r)
    }
}

impl Source for Imm16 {
    #[inline(always)]
    unsafe fn get<W: Word>(r: &Regs) -> W {
        W::from_imm16(r)
    }
}

/// Where a result goes.
pub(super) trait Target {
    unsafe fn set<W: Word>(r: &mut Regs, value: W);
}

impl<const AT: usize> Target for Slot<AT> {
    #[inline(always)]
    unsafe fn set<W: Word>(r: &mut Regs, value: W) {
        *slot(r, field::<AT>(r)) = value.to_bits();
    }
}

impl Target for Acc {
    #[inline(always)]
    unsafe fn set<W: Word>(r: &mut Regs, value: W) {
        value.to_acc(r);
    }
}
