//! Component values in WAVE, the text form of `--invoke`'s arguments and results.

use std::borrow::Cow;

use wasm_wave::wasm::{WasmType, WasmTypeKind, WasmValue, WasmValueError};
use wharf::component::Val;
use wharf::component::types::Type;

/// A type of the component model, seen by the WAVE parser.
#[derive(Clone)]
pub struct WaveType(pub Type);

/// A value of the component model, seen by the WAVE parser and writer.
#[derive(Clone, Debug)]
pub struct WaveVal(pub Val);

/// The values that the arguments `text`, a comma-separated list, stand for.
///
/// # Errors
/// A message for the person at the keyboard if the text does not fit the types.
pub fn parse_arguments(text: &str, types: &[Type]) -> Result<Vec<Val>, String> {
    let call = format!("f({text})");
    let call = wasm_wave::untyped::UntypedFuncCall::parse(&call).map_err(|e| e.to_string())?;
    let types: Vec<WaveType> = types.iter().cloned().map(WaveType).collect();
    let values: Vec<WaveVal> = call.to_wasm_params(types.iter()).map_err(|e| e.to_string())?;
    Ok(values.into_iter().map(|v| v.0).collect())
}

/// A value in WAVE.
///
/// # Errors
/// If it holds a resource handle, which has no text form.
pub fn to_string(val: &Val) -> Result<String, String> {
    wasm_wave::to_string(&WaveVal(val.clone())).map_err(|e| e.to_string())
}

/// Whether values of this type can be written in WAVE.
fn type_kind(ty: &Type) -> WasmTypeKind {
    match ty {
        Type::Bool => WasmTypeKind::Bool,
        Type::S8 => WasmTypeKind::S8,
        Type::S16 => WasmTypeKind::S16,
        Type::S32 => WasmTypeKind::S32,
        Type::S64 => WasmTypeKind::S64,
        Type::U8 => WasmTypeKind::U8,
        Type::U16 => WasmTypeKind::U16,
        Type::U32 => WasmTypeKind::U32,
        Type::U64 => WasmTypeKind::U64,
        Type::Float32 => WasmTypeKind::F32,
        Type::Float64 => WasmTypeKind::F64,
        Type::Char => WasmTypeKind::Char,
        Type::String => WasmTypeKind::String,
        Type::List(_) => WasmTypeKind::List,
        Type::Record(_) => WasmTypeKind::Record,
        Type::Tuple(_) => WasmTypeKind::Tuple,
        Type::Variant(_) => WasmTypeKind::Variant,
        Type::Enum(_) => WasmTypeKind::Enum,
        Type::Option(_) => WasmTypeKind::Option,
        Type::Result(_) => WasmTypeKind::Result,
        Type::Flags(_) => WasmTypeKind::Flags,
        _ => WasmTypeKind::Unsupported,
    }
}

impl WasmType for WaveType {
    fn kind(&self) -> WasmTypeKind {
        type_kind(&self.0)
    }

    fn list_element_type(&self) -> Option<Self> {
        match &self.0 {
            Type::List(list) => Some(WaveType(list.ty())),
            _ => None,
        }
    }

    fn record_fields(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Self)> + '_> {
        match &self.0 {
            Type::Record(record) => Box::new(
                record
                    .fields()
                    .map(|f| (Cow::Owned(f.name.to_string()), WaveType(f.ty))),
            ),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn tuple_element_types(&self) -> Box<dyn Iterator<Item = Self> + '_> {
        match &self.0 {
            Type::Tuple(tuple) => Box::new(tuple.types().map(WaveType)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn variant_cases(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Option<Self>)> + '_> {
        match &self.0 {
            Type::Variant(variant) => Box::new(
                variant
                    .cases()
                    .map(|c| (Cow::Owned(c.name.to_string()), c.ty.map(WaveType))),
            ),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn enum_cases(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Type::Enum(e) => Box::new(e.names().map(|n| Cow::Owned(n.to_string()))),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn option_some_type(&self) -> Option<Self> {
        match &self.0 {
            Type::Option(option) => Some(WaveType(option.ty())),
            _ => None,
        }
    }

    fn result_types(&self) -> Option<(Option<Self>, Option<Self>)> {
        match &self.0 {
            Type::Result(result) => Some((result.ok().map(WaveType), result.err().map(WaveType))),
            _ => None,
        }
    }

    fn flags_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Type::Flags(flags) => Box::new(flags.names().map(|n| Cow::Owned(n.to_string()))),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// The error for a value that does not fit its type.
fn mismatch(expected: &'static str) -> WasmValueError {
    WasmValueError::Other(format!("the value does not fit its type, {expected}"))
}

/// A payload checked for being there when its case has one.
fn payload(val: Option<WaveVal>, ty: bool, case: &str) -> Result<Option<Box<Val>>, WasmValueError> {
    match (val, ty) {
        (None, false) => Ok(None),
        (Some(v), true) => Ok(Some(Box::new(v.0))),
        (None, true) => Err(WasmValueError::Other(format!("`{case}` needs a payload"))),
        (Some(_), false) => Err(WasmValueError::Other(format!("`{case}` takes no payload"))),
    }
}

/// A part of a value, for the writer.
fn part(val: &Val) -> Cow<'_, WaveVal> {
    Cow::Owned(WaveVal(val.clone()))
}

/// Makes and unwraps a type whose values are one plain Rust value.
macro_rules! plain {
    ($($make:ident $unwrap:ident $case:ident $ty:ty, $default:expr;)*) => {
        $(
            fn $make(val: $ty) -> Self {
                WaveVal(Val::$case(val))
            }

            fn $unwrap(&self) -> $ty {
                match &self.0 {
                    Val::$case(v) => *v,
                    _ => $default,
                }
            }
        )*
    };
}

impl WasmValue for WaveVal {
    type Type = WaveType;

    fn kind(&self) -> WasmTypeKind {
        match &self.0 {
            Val::Bool(_) => WasmTypeKind::Bool,
            Val::S8(_) => WasmTypeKind::S8,
            Val::S16(_) => WasmTypeKind::S16,
            Val::S32(_) => WasmTypeKind::S32,
            Val::S64(_) => WasmTypeKind::S64,
            Val::U8(_) => WasmTypeKind::U8,
            Val::U16(_) => WasmTypeKind::U16,
            Val::U32(_) => WasmTypeKind::U32,
            Val::U64(_) => WasmTypeKind::U64,
            Val::Float32(_) => WasmTypeKind::F32,
            Val::Float64(_) => WasmTypeKind::F64,
            Val::Char(_) => WasmTypeKind::Char,
            Val::String(_) => WasmTypeKind::String,
            Val::List(_) => WasmTypeKind::List,
            Val::Record(_) => WasmTypeKind::Record,
            Val::Tuple(_) => WasmTypeKind::Tuple,
            Val::Variant(..) => WasmTypeKind::Variant,
            Val::Enum(_) => WasmTypeKind::Enum,
            Val::Option(_) => WasmTypeKind::Option,
            Val::Result(_) => WasmTypeKind::Result,
            Val::Flags(_) => WasmTypeKind::Flags,
            _ => WasmTypeKind::Unsupported,
        }
    }

    plain! {
        make_bool unwrap_bool Bool bool, false;
        make_s8 unwrap_s8 S8 i8, 0;
        make_s16 unwrap_s16 S16 i16, 0;
        make_s32 unwrap_s32 S32 i32, 0;
        make_s64 unwrap_s64 S64 i64, 0;
        make_u8 unwrap_u8 U8 u8, 0;
        make_u16 unwrap_u16 U16 u16, 0;
        make_u32 unwrap_u32 U32 u32, 0;
        make_u64 unwrap_u64 U64 u64, 0;
        make_f32 unwrap_f32 Float32 f32, 0.0;
        make_f64 unwrap_f64 Float64 f64, 0.0;
        make_char unwrap_char Char char, ' ';
    }

    fn make_string(val: Cow<'_, str>) -> Self {
        WaveVal(Val::String(val.into_owned()))
    }

    fn make_list(_: &Self::Type, vals: impl IntoIterator<Item = Self>) -> Result<Self, WasmValueError> {
        Ok(WaveVal(Val::List(vals.into_iter().map(|v| v.0).collect())))
    }

    fn make_record<'a>(
        ty: &Self::Type,
        fields: impl IntoIterator<Item = (&'a str, Self)>,
    ) -> Result<Self, WasmValueError> {
        let mut given: Vec<(&str, WaveVal)> = fields.into_iter().collect();
        let mut out = Vec::with_capacity(given.len());
        for (name, field) in ty.record_fields() {
            let val = match given.iter().position(|(n, _)| *n == name) {
                Some(at) => given.swap_remove(at).1.0,
                // An optional field may be left out.
                None if field.kind() == WasmTypeKind::Option => Val::Option(None),
                None => return Err(WasmValueError::MissingField(name.into_owned())),
            };
            out.push((name.into_owned(), val));
        }
        match given.first() {
            Some((name, _)) => Err(WasmValueError::UnknownField((*name).to_string())),
            None => Ok(WaveVal(Val::Record(out))),
        }
    }

    fn make_tuple(ty: &Self::Type, vals: impl IntoIterator<Item = Self>) -> Result<Self, WasmValueError> {
        let vals: Vec<Val> = vals.into_iter().map(|v| v.0).collect();
        if vals.len() != ty.tuple_element_types().count() {
            return Err(mismatch("a tuple of another length"));
        }
        Ok(WaveVal(Val::Tuple(vals)))
    }

    fn make_variant(ty: &Self::Type, case: &str, val: Option<Self>) -> Result<Self, WasmValueError> {
        match ty.variant_cases().find(|(name, _)| name == case) {
            Some((_, ty)) => Ok(WaveVal(Val::Variant(
                case.to_string(),
                payload(val, ty.is_some(), case)?,
            ))),
            None => Err(WasmValueError::UnknownCase(case.to_string())),
        }
    }

    fn make_enum(ty: &Self::Type, case: &str) -> Result<Self, WasmValueError> {
        match ty.enum_cases().any(|name| name == case) {
            true => Ok(WaveVal(Val::Enum(case.to_string()))),
            false => Err(WasmValueError::UnknownCase(case.to_string())),
        }
    }

    fn make_option(_: &Self::Type, val: Option<Self>) -> Result<Self, WasmValueError> {
        Ok(WaveVal(Val::Option(val.map(|v| Box::new(v.0)))))
    }

    fn make_result(ty: &Self::Type, val: Result<Option<Self>, Option<Self>>) -> Result<Self, WasmValueError> {
        let Some((ok, err)) = ty.result_types() else {
            return Err(mismatch("not a result"));
        };
        Ok(WaveVal(Val::Result(match val {
            Ok(v) => Ok(payload(v, ok.is_some(), "ok")?),
            Err(v) => Err(payload(v, err.is_some(), "err")?),
        })))
    }

    fn make_flags<'a>(
        ty: &Self::Type,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, WasmValueError> {
        let mut out: Vec<String> = Vec::new();
        for name in names {
            if !ty.flags_names().any(|n| n == name) {
                return Err(WasmValueError::UnknownCase(name.to_string()));
            }
            out.push(name.to_string());
        }
        Ok(WaveVal(Val::Flags(out)))
    }

    fn unwrap_string(&self) -> Cow<'_, str> {
        match &self.0 {
            Val::String(s) => Cow::Borrowed(s),
            _ => Cow::Borrowed(""),
        }
    }

    fn unwrap_list(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        match &self.0 {
            Val::List(items) => Box::new(items.iter().map(part)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_record(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Cow<'_, Self>)> + '_> {
        match &self.0 {
            Val::Record(fields) => Box::new(fields.iter().map(|(n, v)| (Cow::Borrowed(n.as_str()), part(v)))),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_tuple(&self) -> Box<dyn Iterator<Item = Cow<'_, Self>> + '_> {
        match &self.0 {
            Val::Tuple(items) => Box::new(items.iter().map(part)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn unwrap_variant(&self) -> (Cow<'_, str>, Option<Cow<'_, Self>>) {
        match &self.0 {
            Val::Variant(case, val) => (Cow::Borrowed(case), val.as_deref().map(part)),
            _ => (Cow::Borrowed(""), None),
        }
    }

    fn unwrap_enum(&self) -> Cow<'_, str> {
        match &self.0 {
            Val::Enum(case) => Cow::Borrowed(case),
            _ => Cow::Borrowed(""),
        }
    }

    fn unwrap_option(&self) -> Option<Cow<'_, Self>> {
        match &self.0 {
            Val::Option(val) => val.as_deref().map(part),
            _ => None,
        }
    }

    fn unwrap_result(&self) -> Result<Option<Cow<'_, Self>>, Option<Cow<'_, Self>>> {
        match &self.0 {
            Val::Result(Ok(val)) => Ok(val.as_deref().map(part)),
            Val::Result(Err(val)) => Err(val.as_deref().map(part)),
            _ => Ok(None),
        }
    }

    fn unwrap_flags(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Val::Flags(names) => Box::new(names.iter().map(|n| Cow::Borrowed(n.as_str()))),
            _ => Box::new(std::iter::empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written() {
        let val = Val::Record(vec![
            ("name".into(), Val::String("a\"b".into())),
            ("ids".into(), Val::List(vec![Val::U8(1), Val::U8(2)])),
            (
                "kind".into(),
                Val::Variant("circle".into(), Some(Box::new(Val::Float64(1.5)))),
            ),
            ("more".into(), Val::Option(None)),
            (
                "res".into(),
                Val::Result(Err(Some(Box::new(Val::Enum("bad".into()))))),
            ),
            ("set".into(), Val::Flags(vec!["x".into()])),
        ]);
        assert_eq!(
            to_string(&val).unwrap(),
            r#"{name: "a\"b", ids: [1, 2], kind: circle(1.5), res: err(bad), set: {x}}"#
        );
    }

    #[test]
    fn arguments_are_parsed() {
        let values = parse_arguments(
            r#"1, "x", 'c', -1.5"#,
            &[Type::U8, Type::String, Type::Char, Type::Float32],
        );
        let expected = [
            Val::U8(1),
            Val::String("x".into()),
            Val::Char('c'),
            Val::Float32(-1.5),
        ];
        assert_eq!(values.unwrap(), expected);
        assert!(parse_arguments("256", &[Type::U8]).is_err());
        assert!(parse_arguments("", &[Type::U8]).is_err());
        assert!(parse_arguments("1, 2", &[Type::U8]).is_err());
        assert_eq!(parse_arguments("", &[]).unwrap(), []);
    }
}
