//! Types as an embedder sees them.

use std::fmt;
use std::sync::Arc;

use super::{FuncTypeIndex, ResourceIndex, TypeArena, TypeDef, TypeIndex};
use crate::plan::ItemType;
use crate::resource::{ResourceType, Resources};

/// What a type handle refers to: the arena, and the run-time resource types when an instance is known.
#[derive(Clone)]
pub(crate) struct Scope {
    pub types: Arc<TypeArena>,
    pub resources: Option<Arc<Resources>>,
}

impl Scope {
    /// The resource type as it is at run time; before instantiation a stand-in that is only equal to itself.
    fn resource(&self, index: ResourceIndex) -> ResourceType {
        match self.resources.as_ref().and_then(|r| r.get(index).ok()) {
            Some(resource) => resource.ty,
            None => ResourceType::host_dynamic(index.0),
        }
    }

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

    pub(crate) fn item(&self, item: &ItemType) -> ComponentItem {
        match item {
            ItemType::Func(ty) => ComponentItem::ComponentFunc(ComponentFunc {
                scope: self.clone(),
                index: *ty,
            }),
            ItemType::Instance(items) => ComponentItem::ComponentInstance(ComponentInstance {
                scope: self.clone(),
                items: items.clone(),
            }),
            ItemType::Module => ComponentItem::Module,
            ItemType::Component | ItemType::OtherType => ComponentItem::Component,
            ItemType::Resource(index) => ComponentItem::Resource(self.resource(*index)),
            ItemType::Type(index) => ComponentItem::Type(self.ty(*index)),
        }
    }
}

#[derive(Clone)]
struct Handle {
    scope: Scope,
    index: TypeIndex,
}

impl Handle {
    fn def(&self) -> &TypeDef {
        &self.scope.types.node(self.index).def
    }
}

/// Same shape, with equal resource types.
fn equal(a: &Scope, x: TypeIndex, b: &Scope, y: TypeIndex) -> bool {
    if Arc::ptr_eq(&a.types, &b.types) && x == y && !a.types.node(x).has_handles {
        return true;
    }
    let both = |x: &TypeIndex, y: &TypeIndex| equal(a, *x, b, *y);
    let optional = |x: &Option<TypeIndex>, y: &Option<TypeIndex>| match (x, y) {
        (Some(x), Some(y)) => equal(a, *x, b, *y),
        (None, None) => true,
        _ => false,
    };
    match (&a.types.node(x).def, &b.types.node(y).def) {
        (TypeDef::List(x), TypeDef::List(y)) | (TypeDef::Option(x), TypeDef::Option(y)) => both(x, y),
        (TypeDef::FixedList(x, n), TypeDef::FixedList(y, m)) => n == m && both(x, y),
        (TypeDef::Map(k, v, _), TypeDef::Map(l, w, _)) => both(k, l) && both(v, w),
        (TypeDef::Record(x), TypeDef::Record(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((n, x), (m, y))| n == m && both(x, y))
        }
        (TypeDef::Tuple(x), TypeDef::Tuple(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| both(x, y))
        }
        (TypeDef::Variant(x), TypeDef::Variant(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|((n, x), (m, y))| n == m && optional(x, y))
        }
        (TypeDef::Result(o, e), TypeDef::Result(p, f)) => optional(o, p) && optional(e, f),
        (TypeDef::Own(x), TypeDef::Own(y)) | (TypeDef::Borrow(x), TypeDef::Borrow(y)) => {
            a.resource(*x) == b.resource(*y)
        }
        (TypeDef::Stream(x), TypeDef::Stream(y)) | (TypeDef::Future(x), TypeDef::Future(y)) => optional(x, y),
        // Primitives, enums and flags have no types inside.
        (x, y) => x == y,
    }
}

/// The function types have the same parameters (names included) and result.
pub(crate) fn equal_funcs(a: &Scope, x: FuncTypeIndex, b: &Scope, y: FuncTypeIndex) -> bool {
    let (x, y) = (a.types.func(x), b.types.func(y));
    x.params.len() == y.params.len()
        && x.params
            .iter()
            .zip(&y.params)
            .all(|((n, x), (m, y))| n == m && equal(a, *x, b, *y))
        && x.is_async == y.is_async
        && match (x.result, y.result) {
            (Some(x), Some(y)) => equal(a, x, b, y),
            (None, None) => true,
            _ => false,
        }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Handle) -> bool {
        equal(&self.scope, self.index, &other.scope, other.index)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scope.types.display(self.index))
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

/// The type of a component function.
#[derive(Clone)]
pub struct ComponentFunc {
    scope: Scope,
    index: FuncTypeIndex,
}

impl ComponentFunc {
    pub(crate) fn new(scope: Scope, index: FuncTypeIndex) -> ComponentFunc {
        ComponentFunc { scope, index }
    }

    /// Names and types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> + '_ {
        self.scope
            .types
            .func(self.index)
            .params
            .iter()
            .map(|(name, ty)| (&**name, self.scope.ty(*ty)))
    }

    /// The types of the results: none or one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        self.scope
            .types
            .func(self.index)
            .result
            .iter()
            .map(|ty| self.scope.ty(*ty))
    }

    /// The function is declared `async`.
    pub fn async_(&self) -> bool {
        self.scope.types.func(self.index).is_async
    }
}

impl fmt::Debug for ComponentFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        for (i, (name, ty)) in self.scope.types.func(self.index).params.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{name}: {}", self.scope.types.display(*ty))?;
        }
        f.write_str(")")?;
        if let Some(ty) = self.scope.types.func(self.index).result {
            write!(f, " -> {}", self.scope.types.display(ty))?;
        }
        Ok(())
    }
}

/// The type of a component instance: its exports.
#[derive(Clone)]
pub struct ComponentInstance {
    scope: Scope,
    items: Arc<[(Box<str>, ItemType)]>,
}

impl ComponentInstance {
    /// Names and types of the exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.items
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }
}

impl fmt::Debug for ComponentInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.exports()).finish()
    }
}

/// The type of an import or export.
#[derive(Clone, Debug)]
pub enum ComponentItem {
    /// A component function
    ComponentFunc(ComponentFunc),
    /// An instance
    ComponentInstance(ComponentInstance),
    /// A core module
    Module,
    /// A component, or a type of components or instances
    Component,
    /// A value type
    Type(Type),
    /// A resource type
    Resource(ResourceType),
}

/// The imports and exports of a component.
#[derive(Clone)]
pub struct ComponentType {
    pub(crate) scope: Scope,
    pub(crate) plan: Arc<crate::plan::Plan>,
}

impl ComponentType {
    /// Names and types of the imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.plan
            .import_types
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }

    /// Names and types of the exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.plan
            .export_types
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }
}

impl fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("imports", &self.imports().collect::<Vec<_>>())
            .field("exports", &self.exports().collect::<Vec<_>>())
            .finish()
    }
}
