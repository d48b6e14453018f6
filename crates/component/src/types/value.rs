//! Value types as an embedder sees them.

use std::fmt;

use super::scope::{Handle, Scope};
use super::{TypeDef, TypeIndex};
use crate::resource::ResourceType;

impl Scope {
    /// The type at `index`.
    pub(crate) fn ty(&self, index: TypeIndex) -> Type {
        let handle = || Handle {
            scope: self.clone(),
            index,
        };
        match &self.types.node(index).def {
            TypeDef::Bool => Type::Bool,
            TypeDef::S8 => Type::S8,
            TypeDef::U8 => Type::U8,
            TypeDef::S16 => Type::S16,
            TypeDef::U16 => Type::U16,
            TypeDef::S32 => Type::S32,
            TypeDef::U32 => Type::U32,
            TypeDef::S64 => Type::S64,
            TypeDef::U64 => Type::U64,
            TypeDef::F32 => Type::Float32,
            TypeDef::F64 => Type::Float64,
            TypeDef::Char => Type::Char,
            TypeDef::String => Type::String,
            TypeDef::ErrorContext => Type::ErrorContext,
            TypeDef::List(_) => Type::List(List(handle())),
            TypeDef::FixedList(..) => Type::FixedLengthList(FixedLengthList(handle())),
            TypeDef::Map(..) => Type::Map(Map(handle())),
            TypeDef::Record(_) => Type::Record(Record(handle())),
            TypeDef::Tuple(_) => Type::Tuple(Tuple(handle())),
            TypeDef::Variant(_) => Type::Variant(Variant(handle())),
            TypeDef::Enum(_) => Type::Enum(Enum(handle())),
            TypeDef::Option(_) => Type::Option(OptionType(handle())),
            TypeDef::Result(..) => Type::Result(ResultType(handle())),
            TypeDef::Flags(_) => Type::Flags(Flags(handle())),
            TypeDef::Own(r) => Type::Own(self.resource(*r)),
            TypeDef::Borrow(r) => Type::Borrow(self.resource(*r)),
            TypeDef::Stream(_) => Type::Stream,
            TypeDef::Future(_) => Type::Future,
        }
    }
}

/// A component value type.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    String,
    List(List),
    FixedLengthList(FixedLengthList),
    Map(Map),
    Record(Record),
    Tuple(Tuple),
    Variant(Variant),
    Enum(Enum),
    Option(OptionType),
    Result(ResultType),
    Flags(Flags),
    Own(ResourceType),
    Borrow(ResourceType),
    Stream,
    Future,
    ErrorContext,
}

impl Type {
    /// What WIT calls the kind of type.
    pub fn desc(&self) -> &'static str {
        match self {
            Type::Bool => "bool",
            Type::S8 => "s8",
            Type::U8 => "u8",
            Type::S16 => "s16",
            Type::U16 => "u16",
            Type::S32 => "s32",
            Type::U32 => "u32",
            Type::S64 => "s64",
            Type::U64 => "u64",
            Type::Float32 => "f32",
            Type::Float64 => "f64",
            Type::Char => "char",
            Type::String => "string",
            Type::List(_) => "list",
            Type::FixedLengthList(_) => "fixed-length list",
            Type::Map(_) => "map",
            Type::Record(_) => "record",
            Type::Tuple(_) => "tuple",
            Type::Variant(_) => "variant",
            Type::Enum(_) => "enum",
            Type::Option(_) => "option",
            Type::Result(_) => "result",
            Type::Flags(_) => "flags",
            Type::Own(_) => "own",
            Type::Borrow(_) => "borrow",
            Type::Stream => "stream",
            Type::Future => "future",
            Type::ErrorContext => "error-context",
        }
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq)]
        pub struct $name(Handle);
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}
handles! {
    /// A `list` type.
    List;
    /// A `list` type with a fixed number of elements.
    FixedLengthList;
    /// A `map` type.
    Map;
    /// A `record` type.
    Record;
    /// A `tuple` type.
    Tuple;
    /// A `variant` type.
    Variant;
    /// An `enum` type.
    Enum;
    /// An `option` type.
    OptionType;
    /// A `result` type.
    ResultType;
    /// A `flags` type.
    Flags;
}

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: Type,
}

/// A case of a variant.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// Its name.
    pub name: &'a str,
    /// The type of its payload.
    pub ty: Option<Type>,
}

impl List {
    /// The type of the elements.
    pub fn ty(&self) -> Type {
        match self.0.def() {
            TypeDef::List(ty) => self.0.scope.ty(*ty),
            _ => Type::Bool,
        }
    }
}

impl FixedLengthList {
    /// The type of the elements.
    pub fn ty(&self) -> Type {
        match self.0.def() {
            TypeDef::FixedList(ty, _) => self.0.scope.ty(*ty),
            _ => Type::Bool,
        }
    }

    /// The number of elements.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u32 {
        match self.0.def() {
            TypeDef::FixedList(_, n) => *n,
            _ => 0,
        }
    }
}

impl Map {
    /// The type of the keys.
    pub fn key(&self) -> Type {
        match self.0.def() {
            TypeDef::Map(key, ..) => self.0.scope.ty(*key),
            _ => Type::Bool,
        }
    }

    /// The type of the values.
    pub fn value(&self) -> Type {
        match self.0.def() {
            TypeDef::Map(_, value, _) => self.0.scope.ty(*value),
            _ => Type::Bool,
        }
    }
}

impl Record {
    /// The fields in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        let fields: &[_] = match self.0.def() {
            TypeDef::Record(fields) => fields,
            _ => &[],
        };
        fields.iter().map(|(name, ty)| Field {
            name,
            ty: self.0.scope.ty(*ty),
        })
    }
}

impl Tuple {
    /// The types in order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        let types: &[_] = match self.0.def() {
            TypeDef::Tuple(types) => types,
            _ => &[],
        };
        types.iter().map(|ty| self.0.scope.ty(*ty))
    }
}

impl Variant {
    /// The cases in order.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = Case<'_>> {
        let cases: &[_] = match self.0.def() {
            TypeDef::Variant(cases) => cases,
            _ => &[],
        };
        cases.iter().map(|(name, ty)| Case {
            name,
            ty: ty.map(|ty| self.0.scope.ty(ty)),
        })
    }
}

impl Enum {
    /// The names of the cases in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        let names: &[_] = match self.0.def() {
            TypeDef::Enum(names) => names,
            _ => &[],
        };
        names.iter().map(|n| &**n)
    }
}

impl Flags {
    /// The names of the flags in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        let names: &[_] = match self.0.def() {
            TypeDef::Flags(names) => names,
            _ => &[],
        };
        names.iter().map(|n| &**n)
    }
}

impl OptionType {
    /// The type of the payload.
    pub fn ty(&self) -> Type {
        match self.0.def() {
            TypeDef::Option(ty) => self.0.scope.ty(*ty),
            _ => Type::Bool,
        }
    }
}

impl ResultType {
    /// The type of the `ok` payload.
    pub fn ok(&self) -> Option<Type> {
        match self.0.def() {
            TypeDef::Result(ok, _) => ok.map(|ty| self.0.scope.ty(ty)),
            _ => None,
        }
    }

    /// The type of the `err` payload.
    pub fn err(&self) -> Option<Type> {
        match self.0.def() {
            TypeDef::Result(_, err) => err.map(|ty| self.0.scope.ty(ty)),
            _ => None,
        }
    }
}
