//! Types of core WebAssembly (core spec, "Types").

use std::fmt;
use std::hash::{Hash, Hasher};

/// The type of a value.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// Reference.
    Ref(RefType),
}

/// The type of a reference.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct RefType {
    /// Whether null belongs to the type.
    pub nullable: bool,
    /// What is referred to.
    pub heap: HeapType,
}

/// What a reference refers to.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum HeapType {
    /// Any function.
    Func,
    /// Any value of the host.
    Extern,
}

impl RefType {
    /// `funcref`
    pub const FUNCREF: RefType = RefType {
        nullable: true,
        heap: HeapType::Func,
    };
    /// `externref`
    pub const EXTERNREF: RefType = RefType {
        nullable: true,
        heap: HeapType::Extern,
    };
}

impl ValType {
    /// `funcref`
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNCREF);
    /// `externref`
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERNREF);

    /// A number of one byte, for hashes.
    fn code(self) -> u64 {
        match self {
            ValType::I32 => 0,
            ValType::I64 => 1,
            ValType::F32 => 2,
            ValType::F64 => 3,
            ValType::V128 => 4,
            ValType::Ref(RefType { nullable, heap }) => 5 + u64::from(nullable) + 2 * heap as u64,
        }
    }

    /// How many 64-bit slots a value takes.
    pub(crate) fn slots(self) -> usize {
        match self {
            ValType::V128 => 2,
            _ => 1,
        }
    }
}

/// How many 64-bit slots values of these types take.
pub(crate) fn slots(types: &[ValType]) -> usize {
    types.iter().map(|t| t.slots()).sum()
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(r) => r.fmt(f),
        }
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap) {
            (true, HeapType::Func) => f.write_str("funcref"),
            (true, HeapType::Extern) => f.write_str("externref"),
            (false, HeapType::Func) => f.write_str("(ref func)"),
            (false, HeapType::Extern) => f.write_str("(ref extern)"),
        }
    }
}

/// The type of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FuncType {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

impl FuncType {
    /// A function from `params` to `results`.
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> FuncType {
        FuncType {
            params: params.into(),
            results: results.into(),
        }
    }

    /// The types of the parameters.
    pub fn params(&self) -> &[ValType] {
        &self.params
    }

    /// The types of the results.
    pub fn results(&self) -> &[ValType] {
        &self.results
    }

    pub(crate) fn param_slots(&self) -> usize {
        slots(&self.params)
    }

    pub(crate) fn result_slots(&self) -> usize {
        slots(&self.results)
    }

    /// How many 64-bit slots a raw call of this type needs: the larger of its parameters and its results.
    pub fn raw_slots(&self) -> usize {
        self.param_slots().max(self.result_slots())
    }
}

impl Hash for FuncType {
    /// Eight types at a time: each instance looks up the types of all its imports.
    fn hash<H: Hasher>(&self, state: &mut H) {
        for types in [&self.params, &self.results] {
            state.write_usize(types.len());
            for types in types.chunks(8) {
                let codes = types.iter().fold(0, |codes, ty| codes << 8 | ty.code());
                state.write_u64(codes);
            }
        }
    }
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, types: &[ValType]| {
            f.write_str("[")?;
            for (i, t) in types.iter().enumerate() {
                write!(f, "{}{t}", if i > 0 { " " } else { "" })?;
            }
            f.write_str("]")
        };
        list(f, &self.params)?;
        f.write_str(" -> ")?;
        list(f, &self.results)
    }
}

/// The type of a linear memory.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Initial size in pages.
    pub minimum: u64,
    /// Largest size in pages, if there is one.
    pub maximum: Option<u64>,
    /// Whether addresses have 64 bits.
    pub memory64: bool,
    /// Whether threads share it.
    pub shared: bool,
    /// The base-2 logarithm of the page size in bytes; 16 unless the module says otherwise.
    pub page_size_log2: u32,
}

impl MemoryType {
    /// A 32-bit memory with pages of 64 KiB.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        MemoryType {
            minimum: minimum.into(),
            maximum: maximum.map(u64::from),
            memory64: false,
            shared: false,
            page_size_log2: 16,
        }
    }

    /// The largest number of pages that addresses of this memory can reach.
    pub(crate) fn address_pages(&self) -> u64 {
        let bits = if self.memory64 { 64 } else { 32 };
        let shift = bits - self.page_size_log2.min(bits);
        if shift >= 64 { u64::MAX } else { 1 << shift }
    }
}

impl fmt::Display for MemoryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "memory{} {}",
            if self.memory64 { " i64" } else { "" },
            self.minimum
        )?;
        if let Some(max) = self.maximum {
            write!(f, " {max}")?;
        }
        Ok(())
    }
}

/// The type of a table.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// The type of the elements.
    pub element: RefType,
    /// Initial number of elements.
    pub minimum: u64,
    /// Largest number of elements, if there is one.
    pub maximum: Option<u64>,
    /// Whether indices have 64 bits.
    pub table64: bool,
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "table{} {}",
            if self.table64 { " i64" } else { "" },
            self.minimum
        )?;
        if let Some(max) = self.maximum {
            write!(f, " {max}")?;
        }
        write!(f, " {}", self.element)
    }
}

/// The type of a global variable.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// The type of its value.
    pub content: ValType,
    /// Whether it can be set.
    pub mutable: bool,
}

impl fmt::Display for GlobalType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mutable {
            true => write!(f, "global (mut {})", self.content),
            false => write!(f, "global {}", self.content),
        }
    }
}

/// The type of an exception tag.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TagType {
    /// The parameters that an exception of this tag carries; its results are empty.
    pub func: FuncType,
}

/// The type of something that is imported or exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A linear memory.
    Memory(MemoryType),
    /// A table.
    Table(TableType),
    /// A global variable.
    Global(GlobalType),
    /// An exception tag.
    Tag(TagType),
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(t) => write!(f, "func {t}"),
            ExternType::Memory(t) => t.fmt(f),
            ExternType::Table(t) => t.fmt(f),
            ExternType::Global(t) => t.fmt(f),
            ExternType::Tag(t) => write!(f, "tag {}", t.func),
        }
    }
}
