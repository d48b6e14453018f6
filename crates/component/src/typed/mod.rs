//! Rust types as component values: lifted and lowered without a dynamic value in between.

mod compound;
mod flags;
mod lists;
mod macros;
mod primitives;
mod resources;

use wharf_core::{Error, Result};

use crate::abi::{CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext};
use crate::resource::{ResourceType, Resources};
use crate::types::{TypeArena, TypeDef, TypeIndex};

/// What a typecheck looks types up in: those of a component, with the resource types of an instance.
pub struct TypeCheck<'a> {
    /// The component's types.
    pub types: &'a TypeArena,
    pub(crate) resources: &'a Resources,
}

impl<'a> TypeCheck<'a> {
    /// The shape of a type.
    pub fn def(&self, ty: TypeIndex) -> &'a TypeDef {
        &self.types.node(ty).def
    }

    /// The error for a Rust type that is not a component type.
    pub fn mismatch(&self, ty: TypeIndex, found: &str) -> Error {
        crate::abi::type_mismatch(self.types, ty, found)
    }

    /// The resource type of an `own` or `borrow`, and whether it is `own`.
    pub(crate) fn resource(&self, ty: TypeIndex) -> Result<Option<(ResourceType, bool)>> {
        match self.def(ty) {
            TypeDef::Own(index) => Ok(Some((self.resources.get(*index)?.ty, true))),
            TypeDef::Borrow(index) => Ok(Some((self.resources.get(*index)?.ty, false))),
            _ => Ok(None),
        }
    }

    /// Checks that `ty` is a record with these fields.
    ///
    /// # Errors
    /// Says which field is missing or has another type.
    #[allow(clippy::type_complexity)]
    pub fn record(
        &self,
        ty: TypeIndex,
        fields: &[(&str, fn(TypeIndex, &TypeCheck<'_>) -> Result<()>)],
    ) -> Result<()> {
        let TypeDef::Record(found) = self.def(ty) else {
            return Err(self.mismatch(ty, "record"));
        };
        if found.len() != fields.len() {
            let (found, expected) = (found.len(), fields.len());
            return Err(Error::usage(format!(
                "type mismatch: the record has {found} fields, the Rust type {expected}"
            )));
        }
        for ((name, ty), (expected, check)) in found.iter().zip(fields) {
            if **name != **expected {
                let message =
                    format!("type mismatch: expected field `{name}`, found `{expected}` in the Rust type");
                return Err(Error::usage(message));
            }
            check(*ty, self).map_err(|e| e.context(format!("field `{name}`")))?;
        }
        Ok(())
    }

    /// Checks that `ty` is a variant with these cases.
    ///
    /// # Errors
    /// Says which case is missing or has another type.
    #[allow(clippy::type_complexity)]
    pub fn variant(
        &self,
        ty: TypeIndex,
        cases: &[(&str, Option<fn(TypeIndex, &TypeCheck<'_>) -> Result<()>>)],
    ) -> Result<()> {
        let TypeDef::Variant(found) = self.def(ty) else {
            return Err(self.mismatch(ty, "variant"));
        };
        if found.len() != cases.len() {
            let (found, expected) = (found.len(), cases.len());
            return Err(Error::usage(format!(
                "type mismatch: the variant has {found} cases, the Rust type {expected}"
            )));
        }
        for ((name, ty), (expected, check)) in found.iter().zip(cases) {
            if **name != **expected {
                let message =
                    format!("type mismatch: expected case `{name}`, found `{expected}` in the Rust type");
                return Err(Error::usage(message));
            }
            match (ty, check) {
                (Some(ty), Some(check)) => {
                    check(*ty, self).map_err(|e| e.context(format!("case `{name}`")))?
                }
                (None, None) => {}
                _ => return Err(Error::usage(format!("type mismatch: payload of case `{name}`"))),
            }
        }
        Ok(())
    }

    /// Checks that `ty` is an enum with these names.
    ///
    /// # Errors
    /// Says which name differs.
    pub fn enumeration(&self, ty: TypeIndex, names: &[&str]) -> Result<()> {
        match self.def(ty) {
            TypeDef::Enum(found) => self.names("enum", found, names),
            _ => Err(self.mismatch(ty, "enum")),
        }
    }

    /// Checks that `ty` is a flags type with these names.
    ///
    /// # Errors
    /// Says which name differs.
    pub fn flags(&self, ty: TypeIndex, names: &[&str]) -> Result<()> {
        match self.def(ty) {
            TypeDef::Flags(found) => self.names("flags", found, names),
            _ => Err(self.mismatch(ty, "flags")),
        }
    }

    fn names(&self, kind: &str, found: &[Box<str>], expected: &[&str]) -> Result<()> {
        if found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| **a == **b) {
            return Ok(());
        }
        let first = found.iter().zip(expected).find(|(a, b)| ***a != ***b);
        Err(Error::usage(match first {
            Some((name, other)) => {
                format!("type mismatch: {kind} has `{name}` where the Rust type has `{other}`")
            }
            None => format!(
                "type mismatch: {kind} has {} names, the Rust type {}",
                found.len(),
                expected.len()
            ),
        }))
    }
}

/// A Rust type that stands for a component type.
///
/// Implemented for the primitive types, strings, lists, options, results, tuples and resources; the macros
/// [`record!`](crate::record), [`variant!`](crate::variant), [`enumeration!`](crate::enumeration) and
/// [`flags!`](crate::flags) implement it for types of your own.
pub trait ComponentType: Send + Sync {
    /// Layout in memory and as core values.
    const ABI: CanonicalAbi;

    /// Checks that the component's type is the one that this Rust type stands for.
    ///
    /// # Errors
    /// Says what was expected and what was found.
    fn typecheck(ty: TypeIndex, cx: &TypeCheck<'_>) -> Result<()>;
}

/// A Rust type that can be given to a guest.
pub trait Lower: ComponentType {
    /// Writes the value as core values: exactly as many as its flat count.
    ///
    /// # Errors
    /// When the guest's allocator traps or gives bad memory, or the value is too large.
    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()>;

    /// Writes the value to memory.
    ///
    /// # Errors
    /// As for [`lower_flat`](Self::lower_flat).
    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()>;

    /// Writes values of type `ty` one after the other.
    ///
    /// # Errors
    /// As for [`lower_flat`](Self::lower_flat).
    fn lower_list(values: &[Self], cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()>
    where
        Self: Sized,
    {
        for (i, value) in values.iter().enumerate() {
            value.lower_memory(cx, ty, offset + i as u32 * Self::ABI.size32)?;
        }
        Ok(())
    }
}

/// A Rust type that can be taken from a guest.
pub trait Lift: ComponentType + Sized {
    /// Reads the value from core values: exactly as many as its flat count.
    ///
    /// # Errors
    /// Traps when what the guest gave is not a value of the type.
    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Self>;

    /// Reads the value from its bytes in memory.
    ///
    /// # Errors
    /// Traps when what the guest gave is not a value of the type.
    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Self>;

    /// Reads values of type `ty` that lie one after the other.
    ///
    /// # Errors
    /// Traps when what the guest gave is not a value of the type.
    fn lift_list(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Vec<Self>> {
        let size = Self::ABI.size32.max(1) as usize;
        let mut values = Vec::with_capacity(bytes.len() / size);
        for bytes in bytes.chunks_exact(size) {
            values.push(Self::lift_memory(cx, ty, bytes)?);
        }
        Ok(values)
    }
}

/// A tuple: the parameters of a function, or its none or one results.
pub trait ComponentNamedList: ComponentType {}

/// The bytes of a field, for the macros.
#[doc(hidden)]
#[inline]
pub fn field_bytes(bytes: &[u8], offset: u32, size: u32) -> Result<&[u8]> {
    let (start, end) = (offset as usize, offset as usize + size as usize);
    bytes
        .get(start..end)
        .ok_or_else(|| Error::trap(wharf_core::TrapCode::PointerOutOfBounds))
}

/// Reads a discriminant of 1, 2 or 4 bytes, for the macros.
#[doc(hidden)]
#[inline]
pub fn read_discriminant(bytes: &[u8], size: u32) -> Result<u32> {
    let bytes = field_bytes(bytes, 0, size)?;
    Ok(bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// Writes a discriminant of 1, 2 or 4 bytes, for the macros.
#[doc(hidden)]
pub fn write_discriminant(cx: &mut LowerContext<'_>, offset: u32, size: u32, value: u32) -> Result<()> {
    cx.write_discriminant(offset, size as u8, value)
}

/// The trap for a discriminant that no case has, for the macros.
#[doc(hidden)]
pub fn invalid_discriminant<T>() -> Result<T> {
    Err(Error::trap(wharf_core::TrapCode::InvalidDiscriminant))
}

/// Size of the discriminant of a variant, for the macros.
#[doc(hidden)]
pub const fn discriminant_size(cases: usize) -> u32 {
    CanonicalAbi::enumeration(cases).size32
}
