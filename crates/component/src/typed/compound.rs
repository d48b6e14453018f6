//! Tuples, `Option` and `Result`.

use wharf_core::Result;

use super::{ComponentNamedList, ComponentType, Lift, Lower, TypeCheck, field_bytes, invalid_discriminant};
use crate::abi::{CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext};
use crate::types::{TypeDef, TypeIndex};

macro_rules! tuple {
    ($count:literal: $($name:ident $index:tt),*) => {
        impl<$($name: ComponentType),*> ComponentType for ($($name,)*) {
            const ABI: CanonicalAbi = CanonicalAbi::record(&[$($name::ABI),*]);
            #[allow(unused_variables)]
            fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
                let TypeDef::Tuple(types) = cx.def(ty) else { return Err(cx.mismatch(ty, "tuple")) };
                match &**types {
                    #[allow(non_snake_case)]
                    [$($name),*] => {
                        $($name::typecheck(*$name, cx)?;)*
                        Ok(())
                    }
                    _ => Err(cx.mismatch(ty, concat!("tuple of ", $count))),
                }
            }
        }
        impl<$($name: ComponentType),*> ComponentNamedList for ($($name,)*) {}
        #[allow(unused_variables, unused_mut)]
        impl<$($name: Lower),*> Lower for ($($name,)*) {
            #[inline]
            fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
                $(self.$index.lower_flat(cx, cx.field(ty, $index), to)?;)*
                Ok(())
            }
            #[inline]
            fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
                let mut layout = CanonicalAbi::EMPTY;
                $(
                    let field = layout.push_field(&$name::ABI);
                    self.$index.lower_memory(cx, cx.field(ty, $index), offset + field)?;
                )*
                Ok(())
            }
        }
        #[allow(unused_variables, unused_mut)]
        impl<$($name: Lift),*> Lift for ($($name,)*) {
            #[inline]
            fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
                Ok(($($name::lift_flat(cx, cx.field(ty, $index), from)?,)*))
            }
            #[inline]
            fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
                let mut layout = CanonicalAbi::EMPTY;
                Ok(($({
                    let field = layout.push_field(&$name::ABI);
                    $name::lift_memory(cx, cx.field(ty, $index), field_bytes(bytes, field, $name::ABI.size32)?)?
                },)*))
            }
        }
    };
}
tuple!(0:);
tuple!(1: A 0);
tuple!(2: A 0, B 1);
tuple!(3: A 0, B 1, C 2);
tuple!(4: A 0, B 1, C 2, D 3);
tuple!(5: A 0, B 1, C 2, D 3, E 4);
tuple!(6: A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
tuple!(13: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
tuple!(14: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
tuple!(15: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
tuple!(16: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
tuple!(17: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16);

fn flat_len(abi: CanonicalAbi) -> usize {
    usize::from(abi.flat_count.unwrap_or(0))
}

impl<T: ComponentType> ComponentType for Option<T> {
    const ABI: CanonicalAbi = CanonicalAbi::variant(&[None, Some(T::ABI)]);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        match cx.def(ty) {
            TypeDef::Option(payload) => T::typecheck(*payload, cx),
            _ => Err(cx.mismatch(ty, "option")),
        }
    }
}

/// Offset of the payload of an option.
const fn option_payload<T: ComponentType>() -> u32 {
    CanonicalAbi::payload_offset(&[None, Some(T::ABI)])
}

impl<T: Lower> Lower for Option<T> {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        let end = to.position() + flat_len(Self::ABI);
        to.push(u64::from(self.is_some()));
        if let Some(value) = self {
            value.lower_flat(cx, cx.case(ty, 1), to)?;
        }
        to.pad_to(end);
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        *cx.slice(offset)? = [u8::from(self.is_some())];
        match self {
            Some(value) => value.lower_memory(cx, cx.case(ty, 1), offset + const { option_payload::<T>() }),
            None => Ok(()),
        }
    }
}

impl<T: Lift> Lift for Option<T> {
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        let end = from.position() + flat_len(Self::ABI);
        let value = match from.next_u32() {
            0 => None,
            1 => Some(T::lift_flat(cx, cx.case(ty, 1), from)?),
            _ => return invalid_discriminant(),
        };
        from.skip_to(end);
        Ok(value)
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        match bytes.first() {
            Some(0) => Ok(None),
            Some(1) => {
                let bytes = field_bytes(bytes, const { option_payload::<T>() }, T::ABI.size32)?;
                Ok(Some(T::lift_memory(cx, cx.case(ty, 1), bytes)?))
            }
            _ => invalid_discriminant(),
        }
    }
}

impl<T: ComponentType, E: ComponentType> ComponentType for Result<T, E> {
    const ABI: CanonicalAbi = CanonicalAbi::variant(&[Some(T::ABI), Some(E::ABI)]);
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
        let TypeDef::Result(ok, err) = cx.def(ty) else {
            return Err(cx.mismatch(ty, "result"));
        };
        payload::<T>(*ok, ty, cx).map_err(|e| e.context("case `ok`"))?;
        payload::<E>(*err, ty, cx).map_err(|e| e.context("case `err`"))
    }
}

/// `()` stands for no payload; a tuple without elements is not a component type.
fn payload<T: ComponentType>(payload: Option<TypeIndex>, ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()> {
    match payload {
        Some(payload) => T::typecheck(payload, cx),
        None if T::ABI.size32 == 0 => Ok(()),
        None => Err(cx.mismatch(ty, "result with a payload in each case")),
    }
}

/// Offset of the payload of a result.
const fn result_payload<T: ComponentType, E: ComponentType>() -> u32 {
    CanonicalAbi::payload_offset(&[Some(T::ABI), Some(E::ABI)])
}

impl<T: Lower, E: Lower> Lower for Result<T, E> {
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        let end = to.position() + flat_len(Self::ABI);
        to.push(u64::from(self.is_err()));
        match self {
            Ok(value) => value.lower_flat(cx, cx.case(ty, 0), to)?,
            Err(value) => value.lower_flat(cx, cx.case(ty, 1), to)?,
        }
        to.pad_to(end);
        Ok(())
    }
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        *cx.slice(offset)? = [u8::from(self.is_err())];
        match self {
            Ok(value) => value.lower_memory(cx, cx.case(ty, 0), offset + const { result_payload::<T, E>() }),
            Err(value) => value.lower_memory(cx, cx.case(ty, 1), offset + const { result_payload::<T, E>() }),
        }
    }
}

impl<T: Lift, E: Lift> Lift for Result<T, E> {
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self> {
        let end = from.position() + flat_len(Self::ABI);
        let value = match from.next_u32() {
            0 => Ok(T::lift_flat(cx, cx.case(ty, 0), from)?),
            1 => Err(E::lift_flat(cx, cx.case(ty, 1), from)?),
            _ => return invalid_discriminant(),
        };
        from.skip_to(end);
        Ok(value)
    }
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self> {
        match bytes.first() {
            Some(0) => {
                let bytes = field_bytes(bytes, const { result_payload::<T, E>() }, T::ABI.size32)?;
                Ok(Ok(T::lift_memory(cx, cx.case(ty, 0), bytes)?))
            }
            Some(1) => {
                let bytes = field_bytes(bytes, const { result_payload::<T, E>() }, E::ABI.size32)?;
                Ok(Err(E::lift_memory(cx, cx.case(ty, 1), bytes)?))
            }
            _ => invalid_discriminant(),
        }
    }
}
