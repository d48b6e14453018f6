//! Whether dynamic values are of a type.

use wharf_core::{Error, Result};

use super::Val;
use crate::abi::type_mismatch;
use crate::resource::Resources;
use crate::types::{TypeArena, TypeDef, TypeIndex};

impl Val {
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
            _ => Err(type_mismatch(types, ty, self.desc())),
        }
    }
}
