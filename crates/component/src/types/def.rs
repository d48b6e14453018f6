//! What a type is: its shape and its layout, with other types by index.

use crate::abi::{CanonicalAbi, MAX_FLAT_RESULTS};

/// A value type of a component: an index into its [`TypeArena`](super::TypeArena).
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
        /// The primitive types in the order of their indices, with size and number of core values.
        pub(super) const PRIMITIVES: &[(TypeDef, u32, u8)] = &[$((TypeDef::$name, $size, $flat)),*];
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
