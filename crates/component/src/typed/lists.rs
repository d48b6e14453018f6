//! Lists, maps, and pointers to values.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use wharf_core::{Error, Result, TrapCode};

use super::{ComponentType, Lift, Lower, TypeCheck};
use crate::abi::{CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext};
use crate::types::{TypeDef, TypeIndex};

/// Pointer and length, as they lie in memory.
pub(super) fn pair(bytes: &[u8]) -> Result<(u32, u32)> {
    let (words, _) = bytes.as_chunks::<4>();
    match words {
        [pointer, length, ..] => Ok((u32::from_le_bytes(*pointer), u32::from_le_bytes(*length))),
        _ => Err(Error::trap(TrapCode::PointerOutOfBounds)),
    }
}

impl<T: ComponentType> ComponentType for [T] {
    const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::List(element) => T::typecheck(*element, cx),
            _ => Err(cx.mismatch(ty, "list")),
        }
    }
}

fn lower_slice<T: Lower>(values: &[T], cx: &mut LowerContext<'_>, ty: TypeIndex) -> Result<(u32, u32)> {
    let size = LowerContext::list_size(values.len(), T::ABI.size32)?;
    let pointer = cx.allocate(T::ABI.align32, size)?;
    T::lower_list(values, cx, cx.element(ty), pointer)?;
    Ok((pointer, values.len() as u32))
}

impl<T: Lower> Lower for [T] {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        let (pointer, length) = lower_slice(self, cx, ty)?;
        to.push(u64::from(pointer));
        to.push(u64::from(length));
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        let (pointer, length) = lower_slice(self, cx, ty)?;
        cx.write_u32(offset, pointer)?;
        cx.write_u32(offset + 4, length)
    }
}

fn lift_vec<T: Lift>(cx: &mut LiftContext<'_>, ty: TypeIndex, pointer: u32, length: u32) -> Result<Vec<T>> {
    let bytes = cx.list_bytes(pointer, length, T::ABI.size32, T::ABI.align32)?;
    cx.spend(u64::from(length) * size_of::<T>() as u64)?;
    T::lift_list(cx, cx.element(ty), bytes)
}

macro_rules! owned_lists {
    ($($ty:ident),*) => {$(
        impl<T: ComponentType> ComponentType for $ty<[T]> {
            const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                <[T]>::typecheck(ty, cx)
            }
        }
        impl<T: Lower> Lower for $ty<[T]> {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                <[T]>::lower_flat(self, cx, ty, to)
            }
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                <[T]>::lower_memory(self, cx, ty, offset)
            }
        }
        impl<T: Lift> Lift for $ty<[T]> {
            fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                Ok(Vec::lift_flat(cx, ty, from)?.into())
            }
            fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
                Ok(Vec::lift_memory(cx, ty, bytes)?.into())
            }
        }
    )*};
}
owned_lists!(Box, Arc);

impl<T: ComponentType> ComponentType for Vec<T> {
    const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        <[T]>::typecheck(ty, cx)
    }
}

impl<T: Lower> Lower for Vec<T> {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        <[T]>::lower_flat(self, cx, ty, to)
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        <[T]>::lower_memory(self, cx, ty, offset)
    }
}

impl<T: Lift> Lift for Vec<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        let (pointer, length) = (from.next_u32(), from.next_u32());
        lift_vec(cx, ty, pointer, length)
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        let (pointer, length) = pair(bytes)?;
        lift_vec(cx, ty, pointer, length)
    }
}

macro_rules! maps {
    ($($map:ident: $($bound:path),*;)*) => {$(
        impl<K: ComponentType, V: ComponentType> ComponentType for $map<K, V> {
            const ABI: CanonicalAbi = CanonicalAbi::POINTER_PAIR;
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                match cx.def(ty) {
                    TypeDef::Map(key, value, _) => {
                        K::typecheck(*key, cx)?;
                        V::typecheck(*value, cx)
                    }
                    _ => Err(cx.mismatch(ty, "map")),
                }
            }
        }
        impl<K: Lower, V: Lower> Lower for $map<K, V> {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                let (pointer, length) = lower_entries(self.iter(), self.len(), cx, ty)?;
                to.push(u64::from(pointer));
                to.push(u64::from(length));
                Ok(())
            }
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                let (pointer, length) = lower_entries(self.iter(), self.len(), cx, ty)?;
                cx.write_u32(offset, pointer)?;
                cx.write_u32(offset + 4, length)
            }
        }
        impl<K: Lift $(+ $bound)*, V: Lift> Lift for $map<K, V> {
            fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                Ok(Vec::<(K, V)>::lift_flat(cx, ty, from)?.into_iter().collect())
            }
            fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
                Ok(Vec::<(K, V)>::lift_memory(cx, ty, bytes)?.into_iter().collect())
            }
        }
    )*};
}
maps! {
    HashMap: Eq, Hash;
    BTreeMap: Ord;
}

fn lower_entries<'a, K: Lower + 'a, V: Lower + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    len: usize,
    cx: &mut LowerContext<'_>,
    ty: TypeIndex,
) -> Result<(u32, u32)> {
    let abi = CanonicalAbi::record(&[K::ABI, V::ABI]);
    let value_offset = CanonicalAbi::field_offset(&[K::ABI, V::ABI], 1);
    let pointer = cx.allocate(abi.align32, LowerContext::list_size(len, abi.size32)?)?;
    let element = cx.element(ty);
    let (key_ty, value_ty) = (cx.field(element, 0), cx.field(element, 1));
    for (i, (key, value)) in entries.enumerate() {
        let base = pointer + i as u32 * abi.size32;
        key.lower_memory(cx, key_ty, base)?;
        value.lower_memory(cx, value_ty, base + value_offset)?;
    }
    Ok((pointer, len as u32))
}

macro_rules! pointers {
    ($($(#[$generics:meta])* ($($life:lifetime)?) $ty:ty),*) => {$(
        impl<$($life,)? T: ComponentType + ?Sized> ComponentType for $ty {
            const ABI: CanonicalAbi = T::ABI;
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                T::typecheck(ty, cx)
            }
        }
        impl<$($life,)? T: Lower + ?Sized> Lower for $ty {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                T::lower_flat(self, cx, ty, to)
            }
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                T::lower_memory(self, cx, ty, offset)
            }
        }
    )*};
}
pointers!(('a) &'a T);

macro_rules! boxes {
    ($($ty:ident),*) => {$(
        impl<T: ComponentType> ComponentType for $ty<T> {
            const ABI: CanonicalAbi = T::ABI;
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                T::typecheck(ty, cx)
            }
        }
        impl<T: Lower> Lower for $ty<T> {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                T::lower_flat(self, cx, ty, to)
            }
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                T::lower_memory(self, cx, ty, offset)
            }
        }
        impl<T: Lift> Lift for $ty<T> {
            fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                Ok($ty::new(T::lift_flat(cx, ty, from)?))
            }
            fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
                Ok($ty::new(T::lift_memory(cx, ty, bytes)?))
            }
        }
    )*};
}
boxes!(Box, Arc);
