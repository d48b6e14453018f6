//! The interned value types of one component, each with its memory and flat layout.

use std::collections::HashMap;

use crate::abi::CanonicalAbi;

/// A function with more flat parameters than this takes a pointer to them.
pub const MAX_FLAT_PARAMS: usize = 16;
/// A function with more flat results than this returns a pointer to them.
pub const MAX_FLAT_RESULTS: usize = 1;
/// Slots that every flat buffer of a call has: all parameters and a return pointer.
pub(crate) const FLAT_SLOTS: usize = MAX_FLAT_PARAMS + 1;

/// A value type of a component: an index into its [`TypeArena`].
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct TypeIndex(pub(crate) u32);

/// A resource type of a component: an index into the resources of its instances.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ResourceIndex(pub(crate) u32);

/// A function type of a component.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct FuncTypeIndex(pub(crate) u32);

macro_rules! primitives {
    ($($name:ident = $n:literal, $upper:ident, $size:literal, $flat:literal, $wit:literal;)*) => {
        impl TypeIndex {
            $(#[doc = concat!("The primitive type `", $wit, "`.")] pub const $upper: TypeIndex = TypeIndex($n);)*
        }
        /// The shape of a value type.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum TypeDef {
            $(#[doc = concat!("`", $wit, "`")] $name,)*
            /// `list<T>`
            List(TypeIndex),
            /// `list<T, N>`
            FixedList(TypeIndex, u32),
            /// `map<K, V>`: key, value and the tuple that the ABI makes of them.
            Map(TypeIndex, TypeIndex, TypeIndex),
            /// `record`: names and types
            Record(Box<[(Box<str>, TypeIndex)]>),
            /// `tuple`
            Tuple(Box<[TypeIndex]>),
            /// `variant`: names and payloads
            Variant(Box<[(Box<str>, Option<TypeIndex>)]>),
            /// `enum`
            Enum(Box<[Box<str>]>),
            /// `option<T>`
            Option(TypeIndex),
            /// `result<T, E>`
            Result(Option<TypeIndex>, Option<TypeIndex>),
            /// `flags`
            Flags(Box<[Box<str>]>),
            /// `own<R>`
            Own(ResourceIndex),
            /// `borrow<R>`
            Borrow(ResourceIndex),
            /// `stream<T>`; cannot be lifted or lowered yet
            Stream(Option<TypeIndex>),
            /// `future<T>`; cannot be lifted or lowered yet
            Future(Option<TypeIndex>),
        }
        const PRIMITIVES: &[(TypeDef, u32, u8)] = &[$((TypeDef::$name, $size, $flat)),*];
        impl TypeDef {
            /// What the type is called in WIT (without its arguments).
            pub fn desc(&self) -> &'static str {
                match self {
                    $(TypeDef::$name => $wit,)*
                    TypeDef::List(_) => "list",
                    TypeDef::FixedList(..) => "fixed-length list",
                    TypeDef::Map(..) => "map",
                    TypeDef::Record(_) => "record",
                    TypeDef::Tuple(_) => "tuple",
                    TypeDef::Variant(_) => "variant",
                    TypeDef::Enum(_) => "enum",
                    TypeDef::Option(_) => "option",
                    TypeDef::Result(..) => "result",
                    TypeDef::Flags(_) => "flags",
                    TypeDef::Own(_) => "own",
                    TypeDef::Borrow(_) => "borrow",
                    TypeDef::Stream(_) => "stream",
                    TypeDef::Future(_) => "future",
                }
            }
        }
    };
}
primitives! {
    Bool = 0, BOOL, 1, 1, "bool";
    S8 = 1, S8, 1, 1, "s8";
    U8 = 2, U8, 1, 1, "u8";
    S16 = 3, S16, 2, 1, "s16";
    U16 = 4, U16, 2, 1, "u16";
    S32 = 5, S32, 4, 1, "s32";
    U32 = 6, U32, 4, 1, "u32";
    S64 = 7, S64, 8, 1, "s64";
    U64 = 8, U64, 8, 1, "u64";
    F32 = 9, F32, 4, 1, "f32";
    F64 = 10, F64, 8, 1, "f64";
    Char = 11, CHAR, 4, 1, "char";
    String = 12, STRING, 8, 2, "string";
    ErrorContext = 13, ERROR_CONTEXT, 4, 1, "error-context";
}

/// A value type with its layout.
#[derive(Debug)]
pub struct TypeNode {
    /// The shape.
    pub def: TypeDef,
    /// Size, alignment and flat count.
    pub abi: CanonicalAbi,
    /// Offset of each field of a record or tuple; the payload's offset of a variant, option or result.
    pub offsets: Box<[u32]>,
    /// Size of the discriminant of a variant-like type, or the size of a flags type.
    pub discriminant: u8,
    /// Every bit pattern is a valid value and means the same in each memory: a copy of the bytes is a copy of the value.
    pub plain: bool,
    /// Holds an `own` or `borrow` somewhere.
    pub has_handles: bool,
    /// Holds a stream, future or error-context somewhere, which Wharf cannot pass yet.
    pub unsupported: bool,
}

/// A function type with the layout of its parameters as a tuple.
#[derive(Debug)]
pub struct FuncTypeDef {
    /// Names and types of the parameters.
    pub params: Box<[(Box<str>, TypeIndex)]>,
    /// The type of the result.
    pub result: Option<TypeIndex>,
    /// Declared `async`.
    pub is_async: bool,
    /// Offset of each parameter when they go through memory.
    pub offsets: Box<[u32]>,
    /// Layout of the parameters as a tuple.
    pub params_abi: CanonicalAbi,
    /// Layout of the result.
    pub result_abi: CanonicalAbi,
    /// The parameters as a tuple type.
    pub params_tuple: TypeIndex,
    /// The result as a tuple type of none or one.
    pub result_tuple: TypeIndex,
    /// Has a type that cannot be passed yet: a stream, future or error-context.
    pub unsupported: bool,
}

impl FuncTypeDef {
    /// The parameters are passed as core values, not through memory.
    pub fn params_flat(&self) -> bool {
        self.params_abi.flat_count.is_some()
    }

    /// The result is passed as a core value, not through memory.
    pub fn result_flat(&self) -> bool {
        self.result_abi
            .flat_count
            .is_some_and(|n| usize::from(n) <= MAX_FLAT_RESULTS)
    }

    /// Core parameters of the function as lifted.
    pub(crate) fn core_params(&self) -> usize {
        self.params_abi.flat_count.map_or(1, usize::from)
    }
}

/// All the types of one component.
#[derive(Debug)]
pub struct TypeArena {
    nodes: Vec<TypeNode>,
    funcs: Vec<FuncTypeDef>,
    interned: HashMap<TypeDef, TypeIndex>,
    #[allow(clippy::type_complexity)]
    interned_funcs: HashMap<(Box<[(Box<str>, TypeIndex)]>, Option<TypeIndex>, bool), FuncTypeIndex>,
}

impl Default for TypeArena {
    fn default() -> Self {
        let mut arena = TypeArena {
            nodes: Vec::new(),
            funcs: Vec::new(),
            interned: HashMap::new(),
            interned_funcs: HashMap::new(),
        };
        for (def, size, flat) in PRIMITIVES {
            let plain = !matches!(
                def,
                TypeDef::Bool | TypeDef::Char | TypeDef::String | TypeDef::ErrorContext
            );
            let index = TypeIndex(arena.nodes.len() as u32);
            arena.interned.insert(def.clone(), index);
            arena.nodes.push(TypeNode {
                def: def.clone(),
                abi: CanonicalAbi {
                    size32: *size,
                    align32: (*size).min(if *flat == 2 { 4 } else { 8 }),
                    flat_count: Some(*flat),
                },
                offsets: Box::default(),
                discriminant: 0,
                plain,
                has_handles: false,
                unsupported: matches!(def, TypeDef::ErrorContext),
            });
        }
        arena
    }
}

impl TypeArena {
    /// The type at `index`.
    #[inline]
    pub fn node(&self, index: TypeIndex) -> &TypeNode {
        &self.nodes[index.0 as usize]
    }

    /// The function type at `index`.
    #[inline]
    pub fn func(&self, index: FuncTypeIndex) -> &FuncTypeDef {
        &self.funcs[index.0 as usize]
    }

    pub(crate) fn intern(&mut self, def: TypeDef) -> TypeIndex {
        if let Some(index) = self.interned.get(&def) {
            return *index;
        }
        let node = self.layout(def);
        let index = TypeIndex(self.nodes.len() as u32);
        self.interned.insert(node.def.clone(), index);
        self.nodes.push(node);
        index
    }

    pub(crate) fn intern_func(
        &mut self,
        params: Box<[(Box<str>, TypeIndex)]>,
        result: Option<TypeIndex>,
        is_async: bool,
    ) -> FuncTypeIndex {
        let key = (params, result, is_async);
        if let Some(index) = self.interned_funcs.get(&key) {
            return *index;
        }
        let (params, ..) = key.clone();
        let types: Vec<TypeIndex> = params.iter().map(|(_, ty)| *ty).collect();
        let (params_abi, offsets) = self.record_layout(&types);
        let all = || types.iter().copied().chain(result);
        let unsupported = all().any(|ty| self.node(ty).unsupported);
        let result_abi = result.map_or(
            CanonicalAbi {
                size32: 0,
                align32: 1,
                flat_count: Some(0),
            },
            |ty| self.node(ty).abi,
        );
        let params_tuple = self.intern(TypeDef::Tuple(types.into()));
        let result_tuple = self.intern(TypeDef::Tuple(result.into_iter().collect()));
        let index = FuncTypeIndex(self.funcs.len() as u32);
        self.funcs.push(FuncTypeDef {
            params,
            result,
            is_async,
            offsets,
            params_abi,
            result_abi,
            params_tuple,
            result_tuple,
            unsupported,
        });
        self.interned_funcs.insert(key, index);
        index
    }

    fn record_layout(&self, fields: &[TypeIndex]) -> (CanonicalAbi, Box<[u32]>) {
        let mut builder = CanonicalAbi::EMPTY;
        let offsets = fields
            .iter()
            .map(|ty| builder.push_field(&self.node(*ty).abi))
            .collect();
        (builder.finish_record(), offsets)
    }

    fn layout(&self, def: TypeDef) -> TypeNode {
        let mut children: Vec<TypeIndex> = Vec::new();
        let mut offsets: Box<[u32]> = Box::default();
        let mut discriminant = 0;
        let mut plain = false;
        let mut has_handles = false;
        let mut unsupported = false;
        let pointer_pair = CanonicalAbi {
            size32: 8,
            align32: 4,
            flat_count: Some(2),
        };
        let handle = CanonicalAbi {
            size32: 4,
            align32: 4,
            flat_count: Some(1),
        };
        let abi = match &def {
            TypeDef::List(ty) | TypeDef::Map(_, _, ty) => {
                children.push(*ty);
                pointer_pair
            }
            TypeDef::FixedList(ty, n) => {
                children.push(*ty);
                plain = self.node(*ty).plain;
                self.node(*ty).abi.repeat(*n)
            }
            TypeDef::Record(fields) => {
                children.extend(fields.iter().map(|(_, ty)| *ty));
                plain = children.iter().all(|ty| self.node(*ty).plain);
                let (abi, o) = self.record_layout(&children);
                offsets = o;
                abi
            }
            TypeDef::Tuple(types) => {
                children.extend(types.iter().copied());
                plain = children.iter().all(|ty| self.node(*ty).plain);
                let (abi, o) = self.record_layout(&children);
                offsets = o;
                abi
            }
            TypeDef::Variant(cases) => {
                children.extend(cases.iter().filter_map(|(_, ty)| *ty));
                self.variant_layout(cases.len(), &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Enum(names) => self.variant_layout(names.len(), &[], &mut discriminant, &mut offsets),
            TypeDef::Option(ty) => {
                children.push(*ty);
                self.variant_layout(2, &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Result(ok, err) => {
                children.extend(ok.iter().chain(err.iter()).copied());
                self.variant_layout(2, &children, &mut discriminant, &mut offsets)
            }
            TypeDef::Flags(names) => {
                let size = crate::abi::flags_size(names.len());
                discriminant = size as u8;
                CanonicalAbi {
                    size32: size,
                    align32: size,
                    flat_count: Some(1),
                }
            }
            TypeDef::Own(_) | TypeDef::Borrow(_) => {
                has_handles = true;
                handle
            }
            // Streams and futures (and the primitives, which are there from the start).
            _ => {
                unsupported = true;
                handle
            }
        };
        has_handles |= children.iter().any(|ty| self.node(*ty).has_handles);
        unsupported |= children.iter().any(|ty| self.node(*ty).unsupported);
        TypeNode {
            def,
            abi,
            offsets,
            discriminant,
            plain,
            has_handles,
            unsupported,
        }
    }

    fn variant_layout(
        &self,
        cases: usize,
        payloads: &[TypeIndex],
        discriminant: &mut u8,
        offsets: &mut Box<[u32]>,
    ) -> CanonicalAbi {
        let abis: Vec<Option<CanonicalAbi>> = payloads.iter().map(|ty| Some(self.node(*ty).abi)).collect();
        let (abi, disc, offset) = CanonicalAbi::variant_of(cases, &abis);
        *discriminant = disc as u8;
        *offsets = Box::new([offset]);
        abi
    }

    /// Writes the type as WIT would, for messages.
    pub fn display(&self, ty: TypeIndex) -> String {
        let mut out = String::new();
        self.write(ty, &mut out, 0);
        out
    }

    fn write(&self, ty: TypeIndex, out: &mut String, depth: usize) {
        let node = self.node(ty);
        let list = |out: &mut String, types: &mut dyn Iterator<Item = Option<TypeIndex>>| {
            if depth > 4 {
                out.push_str("<..>");
                return;
            }
            out.push('<');
            for (i, ty) in types.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                match ty {
                    Some(ty) => self.write(ty, out, depth + 1),
                    None => out.push('_'),
                }
            }
            out.push('>');
        };
        let names = |out: &mut String, names: &mut dyn Iterator<Item = &str>| {
            out.push_str(" { ");
            for (i, name) in names.enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                if i == 8 {
                    out.push_str("..");
                    break;
                }
                out.push_str(name);
            }
            out.push_str(" }");
        };
        out.push_str(node.def.desc());
        match &node.def {
            TypeDef::List(t) | TypeDef::Option(t) | TypeDef::FixedList(t, _) => {
                list(out, &mut [Some(*t)].into_iter())
            }
            TypeDef::Map(k, v, _) => list(out, &mut [Some(*k), Some(*v)].into_iter()),
            TypeDef::Tuple(types) => list(out, &mut types.iter().map(|t| Some(*t))),
            TypeDef::Result(ok, err) if ok.is_some() || err.is_some() => {
                list(out, &mut [*ok, *err].into_iter())
            }
            TypeDef::Stream(Some(t)) | TypeDef::Future(Some(t)) => list(out, &mut [Some(*t)].into_iter()),
            TypeDef::Record(fields) => names(out, &mut fields.iter().map(|(n, _)| &**n)),
            TypeDef::Variant(cases) => names(out, &mut cases.iter().map(|(n, _)| &**n)),
            TypeDef::Enum(n) | TypeDef::Flags(n) => names(out, &mut n.iter().map(|n| &**n)),
            _ => {}
        }
    }
}
