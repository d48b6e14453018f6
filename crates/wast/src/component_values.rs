//! Component values: arguments written in scripts, and results compared with what scripts expect.

use wast::component::WastVal;
use wharf::component::Val;
use wharf::component::types::Type;

/// The value of type `ty` that an argument of a script stands for.
pub(crate) fn argument(arg: &WastVal<'_>, ty: &Type) -> Result<Val, String> {
    let mismatch = || Err(format!("the argument {arg:?} does not fit its parameter's type"));
    Ok(match arg {
        WastVal::Bool(v) => Val::Bool(*v),
        WastVal::U8(v) => Val::U8(*v),
        WastVal::S8(v) => Val::S8(*v),
        WastVal::U16(v) => Val::U16(*v),
        WastVal::S16(v) => Val::S16(*v),
        WastVal::U32(v) => Val::U32(*v),
        WastVal::S32(v) => Val::S32(*v),
        WastVal::U64(v) => Val::U64(*v),
        WastVal::S64(v) => Val::S64(*v),
        WastVal::F32(v) => Val::Float32(f32::from_bits(v.bits)),
        WastVal::F64(v) => Val::Float64(f64::from_bits(v.bits)),
        WastVal::Char(v) => Val::Char(*v),
        WastVal::String(v) => Val::String((*v).to_string()),
        WastVal::List(items) => match ty {
            Type::List(list) => {
                let element = list.ty();
                Val::List(
                    items
                        .iter()
                        .map(|i| argument(i, &element))
                        .collect::<Result<_, _>>()?,
                )
            }
            Type::FixedLengthList(list) if list.len() as usize == items.len() => {
                let element = list.ty();
                Val::FixedLengthList(
                    items
                        .iter()
                        .map(|i| argument(i, &element))
                        .collect::<Result<_, _>>()?,
                )
            }
            _ => return mismatch(),
        },
        WastVal::Map(entries) => match ty {
            Type::Map(map) => {
                let (key, value) = (map.key(), map.value());
                let entry =
                    |(k, v): &(WastVal<'_>, WastVal<'_>)| Ok((argument(k, &key)?, argument(v, &value)?));
                Val::Map(entries.iter().map(entry).collect::<Result<_, String>>()?)
            }
            _ => return mismatch(),
        },
        WastVal::Record(fields) => match ty {
            Type::Record(record) => {
                // The official scripts write fields in declaration order, but nothing obliges them to.
                let mut out = Vec::with_capacity(fields.len());
                for field in record.fields() {
                    let Some((_, value)) = fields.iter().find(|(name, _)| *name == field.name) else {
                        return mismatch();
                    };
                    out.push((field.name.to_string(), argument(value, &field.ty)?));
                }
                Val::Record(out)
            }
            _ => return mismatch(),
        },
        WastVal::Tuple(items) => match ty {
            Type::Tuple(tuple) if tuple.types().len() == items.len() => Val::Tuple(
                items
                    .iter()
                    .zip(tuple.types())
                    .map(|(i, t)| argument(i, &t))
                    .collect::<Result<_, _>>()?,
            ),
            _ => return mismatch(),
        },
        WastVal::Variant(name, payload) => match ty {
            Type::Variant(variant) => {
                let Some(case) = variant.cases().find(|c| c.name == *name) else {
                    return mismatch();
                };
                Val::Variant((*name).to_string(), payload_argument(payload, case.ty.as_ref())?)
            }
            _ => return mismatch(),
        },
        WastVal::Enum(name) => Val::Enum((*name).to_string()),
        WastVal::Option(payload) => match ty {
            Type::Option(option) => {
                let inner = payload.as_ref().map(|_| option.ty());
                Val::Option(payload_argument(payload, inner.as_ref())?)
            }
            _ => return mismatch(),
        },
        WastVal::Result(payload) => match ty {
            Type::Result(result) => Val::Result(match payload {
                Ok(v) => Ok(payload_argument(v, result.ok().as_ref())?),
                Err(v) => Err(payload_argument(v, result.err().as_ref())?),
            }),
            _ => return mismatch(),
        },
        WastVal::Flags(names) => Val::Flags(names.iter().map(|n| (*n).to_string()).collect()),
    })
}

fn payload_argument(
    payload: &Option<Box<WastVal<'_>>>,
    ty: Option<&Type>,
) -> Result<Option<Box<Val>>, String> {
    match (payload, ty) {
        (None, None) => Ok(None),
        (Some(v), Some(ty)) => Ok(Some(Box::new(argument(v, ty)?))),
        _ => Err("the payload of an argument does not fit its parameter's type".to_string()),
    }
}

/// Whether a result is what the script expects; `Err` names a type that Wharf does not have.
pub(crate) fn result_matches(expected: &WastVal<'_>, got: &Val) -> Result<bool, String> {
    Ok(match (expected, got) {
        (WastVal::Bool(e), Val::Bool(g)) => e == g,
        (WastVal::U8(e), Val::U8(g)) => e == g,
        (WastVal::S8(e), Val::S8(g)) => e == g,
        (WastVal::U16(e), Val::U16(g)) => e == g,
        (WastVal::S16(e), Val::S16(g)) => e == g,
        (WastVal::U32(e), Val::U32(g)) => e == g,
        (WastVal::S32(e), Val::S32(g)) => e == g,
        (WastVal::U64(e), Val::U64(g)) => e == g,
        (WastVal::S64(e), Val::S64(g)) => e == g,
        (WastVal::F32(e), Val::Float32(g)) => e.bits == g.to_bits() || is_nan32(e.bits) && g.is_nan(),
        (WastVal::F64(e), Val::Float64(g)) => e.bits == g.to_bits() || is_nan64(e.bits) && g.is_nan(),
        (WastVal::Char(e), Val::Char(g)) => e == g,
        (WastVal::String(e), Val::String(g)) => *e == g.as_str(),
        (WastVal::List(e), Val::List(g) | Val::FixedLengthList(g)) | (WastVal::Tuple(e), Val::Tuple(g)) => {
            if e.len() != g.len() {
                return Ok(false);
            }
            for (e, g) in e.iter().zip(g.iter()) {
                if !result_matches(e, g)? {
                    return Ok(false);
                }
            }
            true
        }
        (WastVal::Record(e), Val::Record(g)) => {
            if e.len() != g.len() {
                return Ok(false);
            }
            for (name, e) in e {
                let Some((_, g)) = g.iter().find(|(n, _)| n == name) else {
                    return Ok(false);
                };
                if !result_matches(e, g)? {
                    return Ok(false);
                }
            }
            true
        }
        (WastVal::Variant(e, ep), Val::Variant(g, gp)) => e == g && payload_matches(ep, gp)?,
        (WastVal::Enum(e), Val::Enum(g)) => e == g,
        (WastVal::Option(e), Val::Option(g)) => payload_matches(e, g)?,
        (WastVal::Result(Ok(e)), Val::Result(Ok(g))) => payload_matches(e, g)?,
        (WastVal::Result(Err(e)), Val::Result(Err(g))) => payload_matches(e, g)?,
        (WastVal::Flags(e), Val::Flags(g)) => {
            e.len() == g.len() && e.iter().all(|name| g.iter().any(|n| n == name))
        }
        (WastVal::Map(e), Val::Map(g)) => {
            if e.len() != g.len() {
                return Ok(false);
            }
            for ((ek, ev), (gk, gv)) in e.iter().zip(g.iter()) {
                if !result_matches(ek, gk)? || !result_matches(ev, gv)? {
                    return Ok(false);
                }
            }
            true
        }
        _ => false,
    })
}

fn payload_matches(expected: &Option<Box<WastVal<'_>>>, got: &Option<Box<Val>>) -> Result<bool, String> {
    match (expected, got) {
        (None, None) => Ok(true),
        (Some(e), Some(g)) => result_matches(e, g),
        _ => Ok(false),
    }
}

// NaN payloads do not survive the component boundary, so any NaN stands for all.
fn is_nan32(bits: u32) -> bool {
    f32::from_bits(bits).is_nan()
}

fn is_nan64(bits: u64) -> bool {
    f64::from_bits(bits).is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_compare_by_structure() {
        let got = Val::Record(vec![
            ("a".into(), Val::U8(1)),
            ("b".into(), Val::Option(Some(Box::new(Val::String("x".into()))))),
        ]);
        let b = |s| WastVal::Option(Some(Box::new(WastVal::String(s))));
        assert_eq!(
            result_matches(&WastVal::Record(vec![("b", b("x")), ("a", WastVal::U8(1))]), &got),
            Ok(true)
        );
        assert_eq!(
            result_matches(&WastVal::Record(vec![("b", b("y")), ("a", WastVal::U8(1))]), &got),
            Ok(false)
        );
        assert_eq!(
            result_matches(&WastVal::Record(vec![("a", WastVal::U8(1))]), &got),
            Ok(false)
        );
        assert_eq!(result_matches(&WastVal::U16(1), &Val::U8(1)), Ok(false));
        assert_eq!(
            result_matches(
                &WastVal::Flags(vec!["p", "q"]),
                &Val::Flags(vec!["q".into(), "p".into()])
            ),
            Ok(true)
        );
    }
}
