//! Dynamic values on their way out of a guest.

use wharf_core::{Error, Result, TrapCode};

use super::{Val, bad_case};
use crate::abi::{FlatReader, LiftContext, strings};
use crate::types::{TypeDef, TypeIndex};

impl Val {
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
            let bytes = cx.pointed(ty, slots)?;
            Val::lift_memory(cx, ty, bytes)?
        };
        match value {
            Val::Tuple(values) => Ok(values),
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
