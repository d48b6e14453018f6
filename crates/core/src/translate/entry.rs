//! Entries of the symbolic operand stack.

use crate::types::ValType;

/// What the translator needs to know of a value's type.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Ty {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref,
}

impl Ty {
    pub(super) fn slots(self) -> u32 {
        if self == Ty::V128 { 2 } else { 1 }
    }

    /// Which accumulator holds values of the type; vectors have none.
    pub(super) fn class(self) -> usize {
        match self {
            Ty::I32 | Ty::I64 | Ty::Ref => 0,
            Ty::F32 => 1,
            Ty::F64 => 2,
            Ty::V128 => NO_CLASS,
        }
    }
}

/// The class of types that no accumulator holds.
pub(super) const NO_CLASS: usize = 3;

/// Where the value of an entry is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Loc {
    /// In the entry's own slot.
    Temp,
    /// In a local variable.
    Local(u32),
    /// Nowhere yet; the raw bits of the value.
    Const(u64),
    /// In the accumulator of its type.
    Acc,
}

/// An entry of the operand stack.
#[derive(Copy, Clone, Debug)]
pub(super) struct Entry {
    pub(super) loc: Loc,
    pub(super) ty: Ty,
    /// The entry's own slot.
    pub(super) slot: u32,
    /// For a value in the accumulator, the instruction that put it there.
    pub(super) producer: u32,
}

impl From<ValType> for Ty {
    fn from(ty: ValType) -> Ty {
        match ty {
            ValType::I32 => Ty::I32,
            ValType::I64 => Ty::I64,
            ValType::F32 => Ty::F32,
            ValType::F64 => Ty::F64,
            ValType::V128 => Ty::V128,
            ValType::Ref(_) => Ty::Ref,
        }
    }
}
