//! Dynamic values.

use wharf_core::{Error, Result, TrapCode};

use crate::abi::{FlatReader, FlatWriter, LiftContext, LowerContext, strings};
use crate::resource::{ResourceAny, Resources};
use crate::runtime::call::{place, pointed};
use crate::types::{TypeArena, TypeDef, TypeIndex};

/// A component value of any type.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Val {
    Bool(bool),
    S8(i8),
    U8(u8),
    S16(i16),
    U16(u16),
    S32(i32),
    U32(u32),
    S64(i64),
    U64(u64),
    Float32(f32),
    Float64(f64),
    Char(char),
    String(String),
    List(Vec<Val>),
    Map(Vec<(Val, Val)>),
    FixedLengthList(Vec<Val>),
    Record(Vec<(String, Val)>),
    Tuple(Vec<Val>),
    Variant(String, Option<Box<Val>>),
    Enum(String),
    Option(Option<Box<Val>>),
    Result(Result<Option<Box<Val>>, Option<Box<Val>>>),
    Flags(Vec<String>),
    Resource(ResourceAny),
}

/// Equality of the values' bits: a NaN is equal to one with the same payload, or to any other NaN.
impl PartialEq for Val {
    fn eq(&self, other: &Val) -> bool {
        use Val::*;
        match (self, other) {
            (Float32(a), Float32(b)) => (a.is_nan() && b.is_nan()) || a == b,
            (Float64(a), Float64(b)) => (a.is_nan() && b.is_nan()) || a == b,
            (Bool(a), Bool(b)) => a == b,
            (S8(a), S8(b)) => a == b,
            (U8(a), U8(b)) => a == b,
            (S16(a), S16(b)) => a == b,
            (U16(a), U16(b)) => a == b,
            (S32(a), S32(b)) => a == b,
            (U32(a), U32(b)) => a == b,
            (S64(a), S64(b)) => a == b,
            (U64(a), U64(b)) => a == b,
            (Char(a), Char(b)) => a == b,
            (String(a), String(b)) | (Enum(a), Enum(b)) => a == b,
            (List(a), List(b)) | (FixedLengthList(a), FixedLengthList(b)) | (Tuple(a), Tuple(b)) => a == b,
            (Map(a), Map(b)) => a == b,
            (Record(a), Record(b)) => a == b,
            (Variant(a, x), Variant(b, y)) => a == b && x == y,
            (Option(a), Option(b)) => a == b,
            (Result(a), Result(b)) => a == b,
            (Flags(a), Flags(b)) => a.len() == b.len() && a.iter().all(|f| b.contains(f)),
            (Resource(a), Resource(b)) => a == b,
            _ => false,
        }
    }
}

fn bad_case() -> Error {
    Error::usage("value does not fit its type")
}

impl Val {
    /// What kind of value it is.
    pub fn desc(&self) -> &'static str {
        match self {
            Val::Bool(_) => "bool",
            Val::S8(_) => "s8",
            Val::U8(_) => "u8",
            Val::S16(_) => "s16",
            Val::U16(_) => "u16",
            Val::S32(_) => "s32",
            Val::U32(_) => "u32",
            Val::S64(_) => "s64",
            Val::U64(_) => "u64",
            Val::Float32(_) => "f32",
            Val::Float64(_) => "f64",
            Val::Char(_) => "char",
            Val::String(_) => "string",
            Val::List(_) => "list",
            Val::Map(_) => "map",
            Val::FixedLengthList(_) => "fixed-length list",
            Val::Record(_) => "record",
            Val::Tuple(_) => "tuple",
            Val::Variant(..) => "variant",
            Val::Enum(_) => "enum",
            Val::Option(_) => "option",
            Val::Result(_) => "result",
            Val::Flags(_) => "flags",
            Val::Resource(_) => "resource",
        }
    }

    /// Checks that the value is of a type.
    pub(crate) fn typecheck(&self, types: &TypeArena, resources: &Resources, ty: TypeIndex) -> Result<()> {
        let all =
            |values: &[Val], ty: TypeIndex| values.iter().try_for_each(|v| v.typecheck(types, resources, ty));
        let payload = |value: &Option<Box<Val>>, ty: Option<TypeIndex>, name: &str| match (value, ty) {
            (Some(value), Some(ty)) => value
                .typecheck(types, resources, ty)
                .map_err(|e| e.context(format!("case `{name}`"))),
            (None, None) => Ok(()),
            (Some(_), None) => Err(Error::usage(format!(
                "type mismatch: case `{name}` has no payload"
            ))),
            (None, Some(_)) => Err(Error::usage(format!(
                "type mismatch: case `{name}` needs a payload"
            ))),
        };
        let unknown = |name: &str| {
            Err(Error::usage(format!(
                "type mismatch: no `{name}` in `{}`",
                types.display(ty)
            )))
        };
        match (&types.node(ty).def, self) {
            (TypeDef::Bool, Val::Bool(_))
            | (TypeDef::S8, Val::S8(_))
            | (TypeDef::U8, Val::U8(_))
            | (TypeDef::S16, Val::S16(_))
            | (TypeDef::U16, Val::U16(_))
            | (TypeDef::S32, Val::S32(_))
            | (TypeDef::U32, Val::U32(_))
            | (TypeDef::S64, Val::S64(_))
            | (TypeDef::U64, Val::U64(_))
            | (TypeDef::F32, Val::Float32(_))
            | (TypeDef::F64, Val::Float64(_))
            | (TypeDef::Char, Val::Char(_))
            | (TypeDef::String, Val::String(_)) => Ok(()),
            (TypeDef::List(ty), Val::List(values)) => all(values, *ty),
            (TypeDef::FixedList(ty, n), Val::FixedLengthList(values) | Val::List(values)) => {
                if values.len() != *n as usize {
                    return Err(Error::usage(format!(
                        "type mismatch: expected {n} elements, found {}",
                        values.len()
                    )));
                }
                all(values, *ty)
            }
            (TypeDef::Map(key, value, _), Val::Map(entries)) => entries.iter().try_for_each(|(k, v)| {
                k.typecheck(types, resources, *key)?;
                v.typecheck(types, resources, *value)
            }),
            (TypeDef::Record(fields), Val::Record(values)) => {
                if fields.len() != values.len() {
                    let (expected, found) = (fields.len(), values.len());
                    return Err(Error::usage(format!(
                        "type mismatch: expected {expected} fields, found {found}"
                    )));
                }
                for ((name, ty), (given, value)) in fields.iter().zip(values) {
                    if **name != **given {
                        return Err(Error::usage(format!(
                            "type mismatch: expected field `{name}`, found `{given}`"
                        )));
                    }
                    value
                        .typecheck(types, resources, *ty)
                        .map_err(|e| e.context(format!("field `{name}`")))?;
                }
                Ok(())
            }
            (TypeDef::Tuple(fields), Val::Tuple(values)) => {
                if fields.len() != values.len() {
                    let (expected, found) = (fields.len(), values.len());
                    return Err(Error::usage(format!(
                        "type mismatch: expected {expected} values, found {found}"
                    )));
                }
                fields
                    .iter()
                    .zip(values)
                    .try_for_each(|(ty, value)| value.typecheck(types, resources, *ty))
            }
            (TypeDef::Variant(cases), Val::Variant(name, value)) => {
                match cases.iter().find(|(case, _)| **case == **name) {
                    Some((_, ty)) => payload(value, *ty, name),
                    None => unknown(name),
                }
            }
            (TypeDef::Enum(names), Val::Enum(name)) => {
                if names.iter().any(|n| **n == **name) {
                    Ok(())
                } else {
                    unknown(name)
                }
            }
            (TypeDef::Option(ty), Val::Option(value)) => match value {
                Some(value) => value.typecheck(types, resources, *ty),
                None => Ok(()),
            },
            (TypeDef::Result(ok, err), Val::Result(value)) => match value {
                Ok(value) => payload(value, *ok, "ok"),
                Err(value) => payload(value, *err, "err"),
            },
            (TypeDef::Flags(names), Val::Flags(set)) => {
                match set.iter().find(|flag| !names.iter().any(|n| **n == ***flag)) {
                    Some(flag) => unknown(flag),
                    None => Ok(()),
                }
            }
            (TypeDef::Own(resource) | TypeDef::Borrow(resource), Val::Resource(any)) => {
                if resources.get(*resource)?.ty == any.ty() {
                    Ok(())
                } else {
                    Err(Error::usage("type mismatch: resource handle of another type"))
                }
            }
            _ => Err(crate::abi::type_mismatch(types, ty, self.desc())),
        }
    }

    /// Lowers the values of a tuple type, which have been checked.
    pub(crate) fn lower_all(
        cx: &mut LowerContext<'_>,
        values: &[Val],
        ty: TypeIndex,
        flat: bool,
        pointer: Option<u32>,
        slots: &mut [u64],
    ) -> Result<()> {
        if flat {
            let mut writer = FlatWriter::new(slots);
            for (i, value) in values.iter().enumerate() {
                value.lower_flat(cx, cx.field(ty, i), &mut writer)?;
            }
            return Ok(());
        }
        let base = place(cx, ty, pointer, slots)?;
        for (i, value) in values.iter().enumerate() {
            let offset = cx.types.node(ty).offsets.get(i).copied().ok_or_else(bad_case)?;
            value.lower_memory(cx, cx.field(ty, i), base + offset)?;
        }
        Ok(())
    }

    /// Lifts the values of a tuple type.
    pub(crate) fn lift_all(
        cx: &mut LiftContext<'_>,
        ty: TypeIndex,
        flat: bool,
        slots: &[u64],
    ) -> Result<Vec<Val>> {
        let value = if flat {
            Val::lift_flat(cx, ty, &mut FlatReader::new(slots))?
        } else {
            let bytes = pointed(cx, ty, slots)?;
            Val::lift_memory(cx, ty, bytes)?
        };
        match value {
            Val::Tuple(values) => Ok(values),
            _ => Err(bad_case()),
        }
    }

    fn lower_flat(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, to: &mut FlatWriter<'_>) -> Result<()> {
        let types = cx.types;
        let node = types.node(ty);
        let start = to.position();
        match (&node.def, self) {
            (TypeDef::String, Val::String(s)) => {
                let (pointer, length) = strings::lower(cx, s)?;
                to.push(u64::from(pointer));
                to.push(u64::from(length));
            }
            (TypeDef::List(_), Val::List(_)) | (TypeDef::Map(..), Val::Map(_)) => {
                let (pointer, length) = self.lower_elements(cx, ty)?;
                to.push(u64::from(pointer));
                to.push(u64::from(length));
            }
            (TypeDef::FixedList(ty, _), Val::FixedLengthList(values) | Val::List(values)) => {
                for value in values {
                    value.lower_flat(cx, *ty, to)?;
                }
            }
            (TypeDef::Record(fields), Val::Record(values)) => {
                for ((_, ty), (_, value)) in fields.iter().zip(values) {
                    value.lower_flat(cx, *ty, to)?;
                }
            }
            (TypeDef::Tuple(fields), Val::Tuple(values)) => {
                for (ty, value) in fields.iter().zip(values) {
                    value.lower_flat(cx, *ty, to)?;
                }
            }
            _ => match self.scalar(cx, ty)? {
                Some(bits) => to.push(bits),
                None => {
                    let (case, ty, value) = self.case(&node.def)?;
                    to.push(u64::from(case));
                    if let (Some(ty), Some(value)) = (ty, value) {
                        value.lower_flat(cx, ty, to)?;
                    }
                    to.pad_to(start + usize::from(node.abi.flat_count.unwrap_or(0)));
                }
            },
        }
        Ok(())
    }

    fn lower_memory(&self, cx: &mut LowerContext<'_>, ty: TypeIndex, offset: u32) -> Result<()> {
        let types = cx.types;
        let node = types.node(ty);
        match (&node.def, self) {
            (TypeDef::String, Val::String(s)) => {
                let (pointer, length) = strings::lower(cx, s)?;
                cx.write_u32(offset, pointer)?;
                cx.write_u32(offset + 4, length)
            }
            (TypeDef::List(_), Val::List(_)) | (TypeDef::Map(..), Val::Map(_)) => {
                let (pointer, length) = self.lower_elements(cx, ty)?;
                cx.write_u32(offset, pointer)?;
                cx.write_u32(offset + 4, length)
            }
            (TypeDef::FixedList(ty, _), Val::FixedLengthList(values) | Val::List(values)) => {
                let size = types.node(*ty).abi.size32;
                for (i, value) in values.iter().enumerate() {
                    value.lower_memory(cx, *ty, offset + i as u32 * size)?;
                }
                Ok(())
            }
            (TypeDef::Record(fields), Val::Record(values)) => {
                for (((_, ty), (_, value)), field) in fields.iter().zip(values).zip(&node.offsets) {
                    value.lower_memory(cx, *ty, offset + field)?;
                }
                Ok(())
            }
            (TypeDef::Tuple(fields), Val::Tuple(values)) => {
                for ((ty, value), field) in fields.iter().zip(values).zip(&node.offsets) {
                    value.lower_memory(cx, *ty, offset + field)?;
                }
                Ok(())
            }
            _ => match self.scalar(cx, ty)? {
                Some(bits) => {
                    let bytes = bits.to_le_bytes();
                    let target = cx.bytes_mut(offset, node.abi.size32 as usize)?;
                    target.copy_from_slice(&bytes[..target.len().min(8)]);
                    Ok(())
                }
                None => {
                    let (case, ty, value) = self.case(&node.def)?;
                    cx.write_discriminant(offset, node.discriminant, case)?;
                    if let (Some(ty), Some(value)) = (ty, value) {
                        let payload = node.offsets.first().copied().unwrap_or(0);
                        value.lower_memory(cx, ty, offset + payload)?;
                    }
                    Ok(())
                }
            },
        }
    }

    /// A list's or map's elements, written to new memory.
    fn lower_elements(&self, cx: &mut LowerContext<'_>, ty: TypeIndex) -> Result<(u32, u32)> {
        let element = cx.element(ty);
        let abi = cx.types.node(element).abi;
        let len = match self {
            Val::List(values) => values.len(),
            Val::Map(entries) => entries.len(),
            _ => return Err(bad_case()),
        };
        let pointer = cx.allocate(abi.align32, LowerContext::list_size(len, abi.size32)?)?;
        match self {
            Val::List(values) if element == TypeIndex::U8 => {
                let target = cx.bytes_mut(pointer, len)?;
                for (byte, value) in target.iter_mut().zip(values) {
                    let Val::U8(value) = value else {
                        return Err(bad_case());
                    };
                    *byte = *value;
                }
            }
            Val::List(values) => {
                for (i, value) in values.iter().enumerate() {
                    value.lower_memory(cx, element, pointer + i as u32 * abi.size32)?;
                }
            }
            Val::Map(entries) => {
                let value_offset = cx
                    .types
                    .node(element)
                    .offsets
                    .get(1)
                    .copied()
                    .ok_or_else(bad_case)?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    let base = pointer + i as u32 * abi.size32;
                    key.lower_memory(cx, cx.field(element, 0), base)?;
                    value.lower_memory(cx, cx.field(element, 1), base + value_offset)?;
                }
            }
            _ => return Err(bad_case()),
        }
        Ok((pointer, len as u32))
    }

    /// The bits of a value that is one core value and no variant.
    fn scalar(&self, cx: &mut LowerContext<'_>, ty: TypeIndex) -> Result<Option<u64>> {
        Ok(Some(match self {
            Val::Bool(v) => u64::from(*v),
            Val::S8(v) => u64::from(i32::from(*v) as u32),
            Val::U8(v) => u64::from(*v),
            Val::S16(v) => u64::from(i32::from(*v) as u32),
            Val::U16(v) => u64::from(*v),
            Val::S32(v) => u64::from(*v as u32),
            Val::U32(v) => u64::from(*v),
            Val::S64(v) => *v as u64,
            Val::U64(v) => *v,
            Val::Float32(v) => u64::from(v.to_bits()),
            Val::Float64(v) => v.to_bits(),
            Val::Char(v) => u64::from(u32::from(*v)),
            Val::Flags(set) => {
                let TypeDef::Flags(names) = &cx.types.node(ty).def else {
                    return Err(bad_case());
                };
                let bit = |name: &str| u64::from(set.iter().any(|flag| flag == name));
                names.iter().enumerate().map(|(i, name)| bit(name) << i).sum()
            }
            Val::Resource(any) => u64::from(cx.lower_any(ty, *any)?),
            _ => return Ok(None),
        }))
    }

    /// Number, payload type and payload of a variant-like value.
    fn case(&self, def: &TypeDef) -> Result<(u32, Option<TypeIndex>, Option<&Val>)> {
        match (def, self) {
            (TypeDef::Variant(cases), Val::Variant(name, value)) => {
                let index = cases
                    .iter()
                    .position(|(case, _)| **case == **name)
                    .ok_or_else(bad_case)?;
                Ok((index as u32, cases[index].1, value.as_deref()))
            }
            (TypeDef::Enum(names), Val::Enum(name)) => {
                let index = names
                    .iter()
                    .position(|case| **case == **name)
                    .ok_or_else(bad_case)?;
                Ok((index as u32, None, None))
            }
            (TypeDef::Option(ty), Val::Option(value)) => {
                Ok((u32::from(value.is_some()), Some(*ty), value.as_deref()))
            }
            (TypeDef::Result(ok, _), Val::Result(Ok(value))) => Ok((0, *ok, value.as_deref())),
            (TypeDef::Result(_, err), Val::Result(Err(value))) => Ok((1, *err, value.as_deref())),
            _ => Err(bad_case()),
        }
    }

    fn lift_flat(cx: &mut LiftContext<'_>, ty: TypeIndex, from: &mut FlatReader<'_>) -> Result<Val> {
        let types = cx.types;
        let node = types.node(ty);
        let start = from.position();
        Ok(match &node.def {
            TypeDef::String => {
                let (pointer, length) = (from.next_u32(), from.next_u32());
                Val::String(strings::lift(cx, pointer, length)?)
            }
            TypeDef::List(_) | TypeDef::Map(..) => {
                let (pointer, length) = (from.next_u32(), from.next_u32());
                Val::lift_elements(cx, ty, pointer, length)?
            }
            TypeDef::FixedList(ty, n) => {
                let values = (0..*n).map(|_| Val::lift_flat(cx, *ty, from));
                Val::FixedLengthList(values.collect::<Result<_>>()?)
            }
            TypeDef::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, ty)| Ok((name.to_string(), Val::lift_flat(cx, *ty, from)?)));
                Val::Record(fields.collect::<Result<_>>()?)
            }
            TypeDef::Tuple(fields) => Val::Tuple(
                fields
                    .iter()
                    .map(|ty| Val::lift_flat(cx, *ty, from))
                    .collect::<Result<_>>()?,
            ),
            TypeDef::Variant(_) | TypeDef::Enum(_) | TypeDef::Option(_) | TypeDef::Result(..) => {
                let case = from.next_u32();
                let value = Val::lift_case(&node.def, case, |ty| Val::lift_flat(cx, ty, from))?;
                from.skip_to(start + usize::from(node.abi.flat_count.unwrap_or(0)));
                value
            }
            TypeDef::Bool => Val::Bool(from.next_u32() != 0),
            _ => Val::lift_scalar(cx, ty, from.next_u64())?,
        })
    }

    fn lift_memory(cx: &mut LiftContext<'_>, ty: TypeIndex, bytes: &[u8]) -> Result<Val> {
        let types = cx.types;
        let node = types.node(ty);
        cx.spend(Val::host_size(&node.def))?;
        let part = |offset: u32, ty: TypeIndex| {
            let size = types.node(ty).abi.size32 as usize;
            bytes
                .get(offset as usize..)
                .and_then(|b| b.get(..size))
                .ok_or_else(bad_case)
        };
        let pair = || {
            Ok::<_, Error>((
                read(part(0, TypeIndex::U32)?) as u32,
                read(part(4, TypeIndex::U32)?) as u32,
            ))
        };
        Ok(match &node.def {
            TypeDef::String => {
                let (pointer, length) = pair()?;
                Val::String(strings::lift(cx, pointer, length)?)
            }
            TypeDef::List(_) | TypeDef::Map(..) => {
                let (pointer, length) = pair()?;
                Val::lift_elements(cx, ty, pointer, length)?
            }
            TypeDef::FixedList(ty, _) => {
                let size = types.node(*ty).abi.size32.max(1) as usize;
                let values = bytes.chunks_exact(size).map(|b| Val::lift_memory(cx, *ty, b));
                Val::FixedLengthList(values.collect::<Result<_>>()?)
            }
            TypeDef::Record(fields) => {
                let mut out = Vec::with_capacity(fields.len());
                for ((name, ty), offset) in fields.iter().zip(&node.offsets) {
                    out.push((name.to_string(), Val::lift_memory(cx, *ty, part(*offset, *ty)?)?));
                }
                Val::Record(out)
            }
            TypeDef::Tuple(fields) => {
                let mut out = Vec::with_capacity(fields.len());
                for (ty, offset) in fields.iter().zip(&node.offsets) {
                    out.push(Val::lift_memory(cx, *ty, part(*offset, *ty)?)?);
                }
                Val::Tuple(out)
            }
            TypeDef::Variant(_) | TypeDef::Enum(_) | TypeDef::Option(_) | TypeDef::Result(..) => {
                let case = read(bytes.get(..usize::from(node.discriminant)).ok_or_else(bad_case)?) as u32;
                let offset = node.offsets.first().copied().unwrap_or(0);
                Val::lift_case(&node.def, case, |ty| Val::lift_memory(cx, ty, part(offset, ty)?))?
            }
            _ => Val::lift_scalar(cx, ty, read(bytes))?,
        })
    }

    fn lift_elements(cx: &mut LiftContext<'_>, ty: TypeIndex, pointer: u32, length: u32) -> Result<Val> {
        let types = cx.types;
        let element = cx.element(ty);
        let abi = types.node(element).abi;
        let bytes = cx.list_bytes(pointer, length, abi.size32, abi.align32)?;
        cx.spend(u64::from(length) * size_of::<Val>() as u64)?;
        if matches!(types.node(ty).def, TypeDef::List(_)) {
            if element == TypeIndex::U8 {
                return Ok(Val::List(bytes.iter().map(|b| Val::U8(*b)).collect()));
            }
            let values = bytes
                .chunks_exact(abi.size32.max(1) as usize)
                .map(|b| Val::lift_memory(cx, element, b));
            return Ok(Val::List(values.collect::<Result<_>>()?));
        }
        let mut entries = Vec::new();
        for bytes in bytes.chunks_exact(abi.size32.max(1) as usize) {
            if let Val::Tuple(pair) = Val::lift_memory(cx, element, bytes)?
                && let Ok([key, value]) = <[Val; 2]>::try_from(pair)
            {
                entries.push((key, value));
            }
        }
        Ok(Val::Map(entries))
    }

    /// About the bytes that a value allocates beside itself and its parts.
    fn host_size(def: &TypeDef) -> u64 {
        let names =
            |names: &mut dyn Iterator<Item = usize>| names.map(|n| (n + size_of::<String>()) as u64).sum();
        let value = size_of::<Val>() as u64;
        match def {
            TypeDef::Record(fields) => {
                names(&mut fields.iter().map(|(n, _)| n.len())) + fields.len() as u64 * value
            }
            TypeDef::Tuple(fields) => fields.len() as u64 * value,
            TypeDef::FixedList(_, n) => u64::from(*n) * value,
            TypeDef::Flags(flags) => names(&mut flags.iter().map(|n| n.len())),
            TypeDef::Variant(_) | TypeDef::Enum(_) | TypeDef::Option(_) | TypeDef::Result(..) => 2 * value,
            _ => 0,
        }
    }

    fn lift_case(def: &TypeDef, case: u32, mut lift: impl FnMut(TypeIndex) -> Result<Val>) -> Result<Val> {
        let invalid = || Error::trap(TrapCode::InvalidDiscriminant);
        let mut payload = |ty: &Option<TypeIndex>| -> Result<Option<Box<Val>>> {
            ty.map(|ty| Ok(Box::new(lift(ty)?))).transpose()
        };
        Ok(match def {
            TypeDef::Variant(cases) => {
                let (name, ty) = cases.get(case as usize).ok_or_else(invalid)?;
                Val::Variant(name.to_string(), payload(ty)?)
            }
            TypeDef::Enum(names) => Val::Enum(names.get(case as usize).ok_or_else(invalid)?.to_string()),
            TypeDef::Option(ty) => match case {
                0 => Val::Option(None),
                1 => Val::Option(payload(&Some(*ty))?),
                _ => return Err(invalid()),
            },
            TypeDef::Result(ok, err) => match case {
                0 => Val::Result(Ok(payload(ok)?)),
                1 => Val::Result(Err(payload(err)?)),
                _ => return Err(invalid()),
            },
            _ => return Err(bad_case()),
        })
    }

    fn lift_scalar(cx: &mut LiftContext<'_>, ty: TypeIndex, bits: u64) -> Result<Val> {
        Ok(match &cx.types.node(ty).def {
            TypeDef::Bool => Val::Bool(bits != 0),
            TypeDef::S8 => Val::S8(bits as i8),
            TypeDef::U8 => Val::U8(bits as u8),
            TypeDef::S16 => Val::S16(bits as i16),
            TypeDef::U16 => Val::U16(bits as u16),
            TypeDef::S32 => Val::S32(bits as i32),
            TypeDef::U32 => Val::U32(bits as u32),
            TypeDef::S64 => Val::S64(bits as i64),
            TypeDef::U64 => Val::U64(bits),
            TypeDef::F32 => Val::Float32(f32::from_bits(bits as u32)),
            TypeDef::F64 => Val::Float64(f64::from_bits(bits)),
            TypeDef::Char => {
                Val::Char(char::from_u32(bits as u32).ok_or_else(|| Error::trap(TrapCode::InvalidChar))?)
            }
            TypeDef::Flags(names) => {
                let set = names.iter().enumerate().filter(|(i, _)| bits >> i & 1 != 0);
                Val::Flags(set.map(|(_, name)| name.to_string()).collect())
            }
            TypeDef::Own(_) | TypeDef::Borrow(_) => Val::Resource(cx.lift_any(ty, bits as u32)?),
            other => return Err(Error::unsupported(format!("values of type `{}`", other.desc()))),
        })
    }
}

/// Up to eight bytes, little endian.
fn read(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
