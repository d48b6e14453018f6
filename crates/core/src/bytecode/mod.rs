//! The bytecode: 16-byte instructions, each the address of its handler and 8 bytes of operands.
//!
//! Operands, by their place in the 8 bytes: four `u16` (`a`, `b`, `c`, `d`), or two and a 32-bit immediate (`a`, `b`, `imm`) that
//! takes the place of `c` and `d`. A `u16` is the number of a 64-bit slot in the frame unless an operation says otherwise; branch
//! distances count instructions from the branch itself.

mod code_table;
mod disasm;
pub(crate) mod ops;

pub(crate) use code_table::{CodeCell, CodeTable, Translated};

/// Slots between the parameters and the locals of a frame: return address, the caller's frame, the caller's state block.
pub(crate) const LINKAGE: usize = 3;

/// The 8 bytes of operands.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct Operands {
    pub(crate) a: u16,
    pub(crate) b: u16,
    pub(crate) c: u16,
    pub(crate) d: u16,
}

impl Operands {
    pub(crate) const NONE: Operands = Operands {
        a: 0,
        b: 0,
        c: 0,
        d: 0,
    };

    pub(crate) const fn new(a: u16, b: u16, c: u16, d: u16) -> Operands {
        Operands { a, b, c, d }
    }

    pub(crate) const fn with_imm(a: u16, b: u16, imm: u32) -> Operands {
        Operands {
            a,
            b,
            c: imm as u16,
            d: (imm >> 16) as u16,
        }
    }

    pub(crate) const fn wide(value: u64) -> Operands {
        Operands {
            a: value as u16,
            b: (value >> 16) as u16,
            c: (value >> 32) as u16,
            d: (value >> 48) as u16,
        }
    }

    #[inline(always)]
    pub(crate) const fn imm(self) -> u32 {
        self.c as u32 | (self.d as u32) << 16
    }

    #[inline(always)]
    pub(crate) const fn value(self) -> u64 {
        self.a as u64 | (self.b as u64) << 16 | (self.c as u64) << 32 | (self.d as u64) << 48
    }

    pub(crate) fn set_imm(&mut self, imm: u32) {
        (self.c, self.d) = (imm as u16, (imm >> 16) as u16);
    }
}

/// An instruction as it is executed.
#[derive(Copy, Clone, Debug)]
#[repr(C, align(16))]
pub(crate) struct Inst {
    /// The address of the handler; 0 in the cells that follow an instruction and hold more operands or pool values.
    pub(crate) handler: usize,
    pub(crate) operands: Operands,
}

/// The number of an operation in one of its forms.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Op(pub(crate) u16);

/// Where the operands of a binary operation are.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Operand2 {
    SS,
    AS,
    SA,
    SI,
    AI,
}

/// Where an address is: a slot, the accumulator, the wrapped 32-bit sum of two slots, such a sum with the second slot shifted, the
/// wrapped sum of a slot and an immediate, a constant, or the accumulator holding a checked host address.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Address {
    S,
    A,
    Sum,
    SumShl,
    SumI,
    K,
    X,
}

/// Where a stored value is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(crate) enum Stored {
    S,
    A,
    I,
}

macro_rules! name_enum {
    ($vis:vis $name:ident, $($op:ident),* $(,)?) => {
        #[derive(Copy, Clone, PartialEq, Eq, Debug)]
        #[repr(u16)]
        #[allow(clippy::enum_variant_names)]
        $vis enum $name { $($op),* }

        impl $name {
            pub(crate) const NAMES: &'static [&'static str] = &[$(stringify!($op)),*];
        }
    };
}

macro_rules! define_binary {
    ($($op:ident: $in:ty => $out:ty = |$a:ident, $b:ident| $e:expr;)*) => { name_enum!(pub(crate) Binary, $($op),*); };
}
ops::for_each_binary!(define_binary);

macro_rules! define_unary {
    ($($op:ident: $in:ty => $out:ty = |$a:ident| $e:expr;)*) => { name_enum!(pub(crate) Unary, $($op),*); };
}
ops::for_each_unary!(define_unary);

macro_rules! define_int_branch {
    ($($op:ident: $in:ty = |$a:ident, $b:ident| $e:expr, $not:ident;)*) => {
        name_enum!(pub(crate) IntBranch, $($op),*);
        impl IntBranch {
            const LATCH_NAMES: &'static [&'static str] = &[$(concat!("Add", stringify!($op))),*];

            pub(crate) fn negated(self) -> IntBranch {
                match self { $(IntBranch::$op => IntBranch::$not),* }
            }
        }
    };
}
ops::for_each_int_branch!(define_int_branch);

macro_rules! define_float_branch {
    ($($op:ident: $in:ty = |$a:ident, $b:ident| $e:expr, $not:ident;)*) => {
        name_enum!(pub(crate) FloatBranch, $($op),*);
        impl FloatBranch {
            pub(crate) fn negated(self) -> FloatBranch {
                match self { $(FloatBranch::$op => FloatBranch::$not),* }
            }
        }
    };
}
ops::for_each_float_branch!(define_float_branch);

macro_rules! define_load {
    ($($op:ident: $mem:ty => $out:ty;)*) => { name_enum!(pub(crate) Load, $($op),*); };
}
ops::for_each_load!(define_load);

macro_rules! define_store {
    ($($op:ident: $in:ty => $mem:ty;)*) => { name_enum!(pub(crate) Store, $($op),*); };
}
ops::for_each_store!(define_store);

// Stores of a float from its accumulator.
name_enum!(pub(crate) FloatStore, StoreF32Acc, StoreF64Acc);

macro_rules! define_vector_load {
    ($($op:ident: $mem:ty = |$x:ident| $e:expr;)*) => { name_enum!(pub(crate) VectorLoad, $($op),*); };
}
ops::for_each_vector_load!(define_vector_load);

macro_rules! define_lane_access {
    ($($load:ident, $store:ident: $mem:ty;)*) => { name_enum!(pub(crate) LaneAccess, $($load, $store),*); };
}
ops::for_each_lane_access!(define_lane_access);

macro_rules! define_single {
    ($($op:ident),* $(,)?) => { name_enum!(pub(crate) Single, $($op),*); };
}
ops::for_each_single!(define_single);

macro_rules! define_simd {
    ($($shape:ident $visit:ident $func:ident $op:ident;)*) => { name_enum!(pub(crate) Simd, $($op),*); };
}
crate::numeric::simd::for_each_simd_op!(define_simd);

/// The groups of operations: where each begins, how many forms its operations have.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Group {
    pub(crate) start: u16,
    pub(crate) forms: u16,
    pub(crate) names: &'static [&'static str],
}

const fn group(after: Group, forms: u16, names: &'static [&'static str]) -> Group {
    Group {
        start: after.start + after.forms * after.names.len() as u16,
        forms,
        names,
    }
}

impl Group {
    pub(crate) const SINGLE: Group = Group {
        start: 0,
        forms: 1,
        names: Single::NAMES,
    };
    pub(crate) const BINARY: Group = group(Group::SINGLE, 10, Binary::NAMES);
    pub(crate) const UNARY: Group = group(Group::BINARY, 4, Unary::NAMES);
    pub(crate) const INT_BRANCH: Group = group(Group::UNARY, 5, IntBranch::NAMES);
    pub(crate) const FLOAT_BRANCH: Group = group(Group::INT_BRANCH, 3, FloatBranch::NAMES);
    pub(crate) const LATCH: Group = group(Group::FLOAT_BRANCH, 2, IntBranch::LATCH_NAMES);
    pub(crate) const LOAD: Group = group(Group::LATCH, 14, Load::NAMES);
    pub(crate) const STORE: Group = group(Group::LOAD, 21, Store::NAMES);
    pub(crate) const FLOAT_STORE: Group = group(Group::STORE, 7, FloatStore::NAMES);
    pub(crate) const VECTOR_LOAD: Group = group(Group::FLOAT_STORE, 2, VectorLoad::NAMES);
    pub(crate) const LANE_ACCESS: Group = group(Group::VECTOR_LOAD, 2, LaneAccess::NAMES);
    pub(crate) const SIMD: Group = group(Group::LANE_ACCESS, 1, Simd::NAMES);
    pub(crate) const ALL: [Group; 12] = [
        Group::SINGLE,
        Group::BINARY,
        Group::UNARY,
        Group::INT_BRANCH,
        Group::FLOAT_BRANCH,
        Group::LATCH,
        Group::LOAD,
        Group::STORE,
        Group::FLOAT_STORE,
        Group::VECTOR_LOAD,
        Group::LANE_ACCESS,
        Group::SIMD,
    ];

    const fn op(self, index: u16, form: u16) -> Op {
        Op(self.start + index * self.forms + form)
    }

    /// Whether an operation belongs to the group.
    pub(crate) fn has(self, op: Op) -> bool {
        self.contains(op).is_some()
    }

    fn contains(self, op: Op) -> Option<(u16, u16)> {
        let at = op.0.checked_sub(self.start)?;
        (at < self.forms * self.names.len() as u16).then(|| (at / self.forms, at % self.forms))
    }
}

/// How many operations there are, all forms counted.
pub(crate) const OP_COUNT: usize =
    (Group::SIMD.start + Group::SIMD.forms * Simd::NAMES.len() as u16) as usize;

impl Op {
    pub(crate) const fn single(op: Single) -> Op {
        Group::SINGLE.op(op as u16, 0)
    }

    /// `a`: result slot unless `to_acc`; `b`, `c`: operand slots; or `imm`.
    pub(crate) const fn binary(op: Binary, operands: Operand2, to_acc: bool) -> Op {
        Group::BINARY.op(op as u16, operands as u16 * 2 + to_acc as u16)
    }

    /// `a`: result slot unless `to_acc`; `b`: operand slot unless `from_acc`.
    pub(crate) const fn unary(op: Unary, from_acc: bool, to_acc: bool) -> Op {
        Group::UNARY.op(op as u16, from_acc as u16 * 2 + to_acc as u16)
    }

    /// `a`: left slot; `b`: right slot or 16-bit immediate; `imm`: distance.
    pub(crate) const fn int_branch(op: IntBranch, operands: Operand2) -> Op {
        Group::INT_BRANCH.op(op as u16, operands as u16)
    }

    /// `a`: left slot; `b`: right slot; `imm`: distance. There are no immediates.
    pub(crate) const fn float_branch(op: FloatBranch, operands: Operand2) -> Op {
        Group::FLOAT_BRANCH.op(op as u16, operands as u16)
    }

    /// `a`: slot to add to; `b`: slot or 16-bit immediate to compare with; `c`: 16-bit addend; `d`: 16-bit distance.
    pub(crate) const fn latch(op: IntBranch, immediate: bool) -> Op {
        Group::LATCH.op(op as u16, immediate as u16)
    }

    /// `a`: result slot unless `to_acc`; `b`: address slot; `imm`: offset, or `c`: second slot and `d`: offset.
    pub(crate) const fn load(op: Load, address: Address, to_acc: bool) -> Op {
        Group::LOAD.op(op as u16, address as u16 * 2 + to_acc as u16)
    }

    /// `a`: address slot; `b`: value slot or immediate; `imm`: offset, or `c`: second slot and `d`: offset.
    pub(crate) const fn store(op: Store, address: Address, stored: Stored) -> Op {
        Group::STORE.op(op as u16, address as u16 * 3 + stored as u16)
    }

    /// As `store`, the value in the float accumulator.
    pub(crate) const fn float_store(op: FloatStore, address: Address) -> Op {
        Group::FLOAT_STORE.op(op as u16, address as u16)
    }

    /// `a`: result slot; `b`: address slot, or checked host address in the accumulator; `imm`: offset.
    pub(crate) const fn vector_load(op: VectorLoad, checked: bool) -> Op {
        Group::VECTOR_LOAD.op(op as u16, checked as u16)
    }

    /// As `vector_load` (result slot of stores unused); the next cell holds the vector's slot in `a` and the lane in `b`.
    pub(crate) const fn lane_access(op: LaneAccess, checked: bool) -> Op {
        Group::LANE_ACCESS.op(op as u16, checked as u16)
    }

    /// `a`: result slot; `b`, `c`, `d`: operand slots or lane.
    pub(crate) const fn simd(op: Simd) -> Op {
        Group::SIMD.op(op as u16, 0)
    }

    /// For an operation whose result is in an accumulator: the same with its result in a slot (operand `a`).
    pub(crate) fn with_slot_result(self) -> Option<Op> {
        if self == Op::single(Single::SelectSA) {
            return Some(Op::single(Single::SelectSS));
        }
        if self == Op::single(Single::SelectAA) {
            return Some(Op::single(Single::SelectAS));
        }
        if self == Op::single(Single::GlobalGetAcc)
            || self == Op::single(Single::GlobalGetF32)
            || self == Op::single(Single::GlobalGetF64)
        {
            return Some(Op::single(Single::GlobalGet));
        }
        for group in [Group::BINARY, Group::UNARY, Group::LOAD] {
            if let Some((_, form)) = group.contains(self) {
                return (form % 2 == 1).then(|| Op(self.0 - 1));
            }
        }
        None
    }

    /// A binary operation and where its operands are, if this is one with its result in the accumulator.
    pub(crate) fn as_binary_to_acc(self) -> Option<(Binary, Operand2)> {
        let (index, form) = Group::BINARY.contains(self)?;
        if form % 2 == 0 {
            return None;
        }
        let operands = [
            Operand2::SS,
            Operand2::AS,
            Operand2::SA,
            Operand2::SI,
            Operand2::AI,
        ][form as usize / 2];
        Some((Binary::from_index(index), operands))
    }

    /// A unary operation and whether its operand is in the accumulator, if this is one with its result in the accumulator.
    pub(crate) fn as_unary_to_acc(self) -> Option<(Unary, bool)> {
        let (index, form) = Group::UNARY.contains(self)?;
        (form % 2 == 1).then(|| (Unary::from_index(index), form >= 2))
    }
}

impl Binary {
    fn from_index(index: u16) -> Binary {
        macro_rules! all {
            ($($op:ident: $in:ty => $out:ty = |$a:ident, $b:ident| $e:expr;)*) => { [$(Binary::$op),*] };
        }
        const ALL: [Binary; Binary::NAMES.len()] = ops::for_each_binary!(all);
        ALL[index as usize]
    }
}

impl Unary {
    fn from_index(index: u16) -> Unary {
        macro_rules! all {
            ($($op:ident: $in:ty => $out:ty = |$a:ident| $e:expr;)*) => { [$(Unary::$op),*] };
        }
        const ALL: [Unary; Unary::NAMES.len()] = ops::for_each_unary!(all);
        ALL[index as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_do_not_overlap() {
        let mut next = 0;
        for group in Group::ALL {
            assert_eq!(group.start, next);
            next += group.forms * group.names.len() as u16;
        }
        assert_eq!(next as usize, OP_COUNT);
    }

    #[test]
    fn operands_keep_their_immediates() {
        let o = Operands::with_imm(1, 2, 0x89ab_cdef);
        assert_eq!((o.a, o.b, o.imm()), (1, 2, 0x89ab_cdef));
        assert_eq!(
            Operands::wide(0x0123_4567_89ab_cdef).value(),
            0x0123_4567_89ab_cdef
        );
    }

    #[test]
    fn an_accumulator_form_has_its_slot_form() {
        let op = Op::binary(Binary::F64Sub, Operand2::SA, true);
        assert_eq!(
            op.with_slot_result(),
            Some(Op::binary(Binary::F64Sub, Operand2::SA, false))
        );
        assert_eq!(op.as_binary_to_acc(), Some((Binary::F64Sub, Operand2::SA)));
        assert_eq!(Op::single(Single::Call).with_slot_result(), None);
    }
}
