//! Numbers, `bool`, `char` and strings.

use std::sync::Arc;

use wharf_core::{Error, Result, TrapCode};

use super::{ComponentType, Lift, Lower, TypeCheck};
use crate::abi::{CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext, strings};
use crate::types::{TypeDef, TypeIndex};

macro_rules! numbers {
    ($($rust:ty, $def:ident, $wit:literal, $to:expr, $from:expr;)*) => {$(
        impl ComponentType for $rust {
            const ABI: CanonicalAbi = CanonicalAbi::scalar(size_of::<$rust>() as u32);
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                match cx.def(ty) {
                    TypeDef::$def => Ok(()),
                    _ => Err(cx.mismatch(ty, $wit)),
                }
            }
        }
        impl Lower for $rust {
            #[inline]
            fn lower_flat(&self, _: &mut LowerContext<'_>, _: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                let to_slot: fn($rust) -> u64 = $to;
                to.push(to_slot(*self));
                Ok(())
            }
            #[inline]
            fn lower_memory(&self, cx: &mut LowerContext<'_>, _: TypeIndex, offset: u32) -> Result<()> {
                *cx.slice(offset)? = self.to_le_bytes();
                Ok(())
            }
            fn lower_list(values: &[Self], cx: &mut LowerContext<'_>, _: TypeIndex, offset: u32) -> Result<()> {
                const SIZE: usize = size_of::<$rust>();
                let target = cx.bytes_mut(offset, SIZE * values.len())?;
                for (bytes, value) in target.chunks_exact_mut(SIZE).zip(values) {
                    bytes.copy_from_slice(&value.to_le_bytes());
                }
                Ok(())
            }
        }
        impl Lift for $rust {
            #[inline]
            fn lift_flat(_: &mut LiftContext<'_>, _: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                let from_slot: fn(u64) -> $rust = $from;
                Ok(from_slot(from.next_u64()))
            }
            #[inline]
            fn lift_memory(_: &mut LiftContext<'_>, _: TypeIndex, bytes: &[u8]) -> Result<Self> {
                match bytes.first_chunk() {
                    Some(bytes) => Ok(<$rust>::from_le_bytes(*bytes)),
                    None => Err(Error::trap(TrapCode::PointerOutOfBounds)),
                }
            }
            fn lift_list(_: &mut LiftContext<'_>, _: TypeIndex, bytes: &[u8]) -> Result<Vec<Self>> {
                let (chunks, _) = bytes.as_chunks::<{ size_of::<$rust>() }>();
                Ok(chunks.iter().map(|bytes| <$rust>::from_le_bytes(*bytes)).collect())
            }
        }
    )*};
}
numbers! {
    u8, U8, "u8", u64::from, |v| v as u8;
    i8, S8, "s8", |v| u64::from(i32::from(v) as u32), |v| v as i8;
    u16, U16, "u16", u64::from, |v| v as u16;
    i16, S16, "s16", |v| u64::from(i32::from(v) as u32), |v| v as i16;
    u32, U32, "u32", u64::from, |v| v as u32;
    i32, S32, "s32", |v| u64::from(v as u32), |v| v as i32;
    u64, U64, "u64", |v| v, |v| v;
    i64, S64, "s64", |v| v as u64, |v| v as i64;
    f32, F32, "f32", |v| u64::from(v.to_bits()), |v| f32::from_bits(v as u32);
    f64, F64, "f64", f64::to_bits, f64::from_bits;
}

impl ComponentType for bool {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(1);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::Bool => Ok(()),
            _ => Err(cx.mismatch(ty, "bool")),
        }
    }
}

impl Lower for bool {
    fn lower_flat(&self, _: &mut LowerContext<'_>, _: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        to.push(u64::from(*self));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, _: TypeIndex, offset: u32) -> Result<()> {
        *cx.slice(offset)? = [u8::from(*self)];
        Ok(())
    }
}

impl Lift for bool {
    fn lift_flat(_: &mut LiftContext<'_>, _: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        Ok(from.next_u32() != 0)
    }
    fn lift_memory(_: &mut LiftContext<'_>, _: TypeIndex, bytes: &[u8]) -> Result<Self> {
        Ok(bytes.first().is_some_and(|b| *b != 0))
    }
}

impl ComponentType for char {
    const ABI: CanonicalAbi = CanonicalAbi::scalar(4);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::Char => Ok(()),
            _ => Err(cx.mismatch(ty, "char")),
        }
    }
}

impl Lower for char {
    fn lower_flat(&self, _: &mut LowerContext<'_>, _: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        to.push(u64::from(u32::from(*self)));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, _: TypeIndex, offset: u32) -> Result<()> {
        cx.write_u32(offset, u32::from(*self))
    }
}

impl Lift for char {
    fn lift_flat(_: &mut LiftContext<'_>, _: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        char::from_u32(from.next_u32()).ok_or_else(|| Error::trap(TrapCode::InvalidChar))
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        let bits = u32::lift_memory(cx, ty, bytes)?;
        char::from_u32(bits).ok_or_else(|| Error::trap(TrapCode::InvalidChar))
    }
}

impl ComponentType for str {
    const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::String => Ok(()),
            _ => Err(cx.mismatch(ty, "string")),
        }
    }
}

impl Lower for str {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, _: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        let (pointer, length) = strings::lower(cx, self)?;
        to.push(u64::from(pointer));
        to.push(u64::from(length));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, _: TypeIndex, offset: u32) -> Result<()> {
        let (pointer, length) = strings::lower(cx, self)?;
        cx.write_u32(offset, pointer)?;
        cx.write_u32(offset + 4, length)
    }
}

macro_rules! owned_strings {
    ($($ty:ty),*) => {$(
        impl ComponentType for $ty {
            const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                str::typecheck(ty, cx)
            }
        }
        impl Lower for $ty {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                str::lower_flat(self, cx, ty, to)
            }
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                str::lower_memory(self, cx, ty, offset)
            }
        }
        impl Lift for $ty {
            fn lift_flat(cx: &mut LiftContext<'_>, _: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                let (pointer, length) = (from.next_u32(), from.next_u32());
                Ok(strings::lift(cx, pointer, length)?.into())
            }
            fn lift_memory(cx: &mut LiftContext<'_>, _: TypeIndex, bytes: &[u8]) -> Result<Self> {
                let (pointer, length) = super::lists::pair(bytes)?;
                Ok(strings::lift(cx, pointer, length)?.into())
            }
        }
    )*};
}
owned_strings!(String, Box<str>, Arc<str>);
