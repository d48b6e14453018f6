//! Dynamic values on their way into a guest.

use wharf_core::Result;

use super::{Val, bad_case};
use crate::abi::{FlatWriter, LowerContext, strings};
use crate::types::{TypeDef, TypeIndex};

impl Val {
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
        let base = cx.place(ty, pointer, slots)?;
        for (i, value) in values.iter().enumerate() {
            let offset = cx.types.node(ty).offsets.get(i).copied().ok_or_else(bad_case)?;
            value.lower_memory(cx, cx.field(ty, i), base + offset)?;
        }
        Ok(())
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
}
