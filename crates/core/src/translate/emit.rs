//! Making single instructions.

use super::{
    Translator,
    entry::{Entry, Loc, Ty},
};
use crate::bytecode::{Binary, FloatBranch, IntBranch, Op, Operand2, Operands, Single, Unary};

/// A condition on which a branch depends, before it is known where the branch goes.
#[derive(Copy, Clone, Debug)]
pub(super) struct Condition {
    test: Test,
    operands: Operand2,
    a: u16,
    /// A slot or a 16-bit immediate.
    b: u16,
}

#[derive(Copy, Clone, Debug)]
enum Test {
    Int(IntBranch),
    Float(FloatBranch),
}

impl Condition {
    pub(super) fn negated(self) -> Condition {
        let test = match self.test {
            Test::Int(op) => Test::Int(op.negated()),
            Test::Float(op) => Test::Float(op.negated()),
        };
        Condition { test, ..self }
    }

    /// The branch instruction; its distance is still to be set.
    pub(super) fn branch(self) -> (Op, Operands) {
        let op = match self.test {
            Test::Int(op) => Op::int_branch(op, self.operands),
            Test::Float(op) => Op::float_branch(op, self.operands),
        };
        (op, Operands::new(self.a, self.b, 0, 0))
    }
}

impl Condition {
    /// This condition as a branch by `distance` in one instruction with the addition before it, which it tests the result of.
    pub(super) fn latch(self, add: (Op, Operands), distance: i32) -> Option<(Op, Operands)> {
        let Test::Int(test) = self.test else { return None };
        let immediate = match self.operands {
            Operand2::SS if self.b != self.a => false,
            Operand2::SI => true,
            _ => return None,
        };
        let wide = test as u16 >= IntBranch::BrI64Eq as u16;
        let (op, o) = add;
        let wanted = if wide { Binary::I64Add } else { Binary::I32Add };
        let addend = i16::try_from(o.imm() as i32).ok()?;
        let distance = i16::try_from(distance).ok()?;
        (op == Op::binary(wanted, Operand2::SI, false) && o.a == self.a && o.b == self.a).then(|| {
            (
                Op::latch(test, immediate),
                Operands::new(self.a, self.b, addend as u16, distance as u16),
            )
        })
    }
}

impl Translator<'_> {
    #[inline]
    pub(super) fn emit(&mut self, op: Op, operands: Operands) {
        self.code.push((op, operands));
        if let Some(offsets) = &mut self.offsets {
            offsets.push(self.offset);
        }
    }

    /// The last instruction, if nothing jumps to behind it.
    #[inline]
    pub(super) fn last(&self) -> Option<(Op, Operands)> {
        if self.code.len() > self.barrier {
            self.code.last().copied()
        } else {
            None
        }
    }

    /// Takes the last instruction back.
    pub(super) fn unemit(&mut self) {
        self.code.pop();
        if let Some(offsets) = &mut self.offsets {
            offsets.pop();
        }
    }

    /// The last instruction, if it is the one that put this entry into the accumulator.
    #[inline]
    pub(super) fn last_producer(&self, entry: Entry) -> Option<(Op, Operands)> {
        if entry.loc == Loc::Acc && entry.producer as usize + 1 == self.code.len() {
            self.last()
        } else {
            None
        }
    }

    pub(super) fn copy(&mut self, ty: Ty, to: u32, from: u32) {
        let (to, from) = (to as u16, from as u16);
        if ty == Ty::V128 {
            return self.emit(Op::single(Single::CopyV128), Operands::new(to, from, 0, 0));
        }
        match self.last() {
            Some((op, o)) if op == Op::single(Single::Copy) => {
                let at = self.code.len() - 1;
                self.code[at] = (Op::single(Single::Copy2), Operands::new(o.a, o.b, to, from));
            }
            _ => self.emit(Op::single(Single::Copy), Operands::new(to, from, 0, 0)),
        }
    }

    /// Lets the instruction about to be emitted lead to a constant in the pool.
    pub(super) fn use_pool(&mut self, value: u64) {
        let start = self.pool.len().saturating_sub(16);
        let cell = match self.pool[start..].iter().position(|v| *v == value) {
            Some(at) => start + at,
            None => {
                self.pool.push(value);
                self.pool.len() - 1
            }
        };
        self.pool_users.push((self.code.len() as u32, cell as u32));
    }

    pub(super) fn const_to_slot(&mut self, ty: Ty, value: u64, to: u32) {
        let to = to as u16;
        let small = value as u32 as i32 as i64 as u64 == value;
        if value <= u32::MAX.into() {
            self.emit(
                Op::single(Single::ConstU32),
                Operands::with_imm(to, 0, value as u32),
            );
        } else if small && ty != Ty::F64 {
            self.emit(
                Op::single(Single::ConstS32),
                Operands::with_imm(to, 0, value as u32),
            );
        } else {
            self.use_pool(value);
            self.emit(Op::single(Single::ConstPool), Operands::new(to, 0, 0, 0));
        }
    }

    /// A constant as the 32-bit immediate of a binary operation. 64-bit floats become pool cells and have no value here.
    fn immediate(&self, ty: Ty, value: u64) -> Option<u32> {
        match ty {
            Ty::I32 | Ty::F32 => Some(value as u32),
            Ty::I64 => (value as i32 as i64 as u64 == value).then_some(value as u32),
            _ => None,
        }
    }

    pub(super) fn binary(&mut self, mut op: Binary, ty: Ty, result: Ty) {
        let mut rhs = self.pop();
        let mut lhs = self.pop();
        let slot = lhs.slot;
        if matches!(lhs.loc, Loc::Const(_))
            && !matches!(rhs.loc, Loc::Const(_))
            && let Some(swapped) = op.swapped()
        {
            (lhs, rhs, op) = (rhs, lhs, swapped);
        }
        if op == Binary::I32Add && self.add_shifted(lhs, rhs, slot) {
            return;
        }
        let immediate = match rhs.loc {
            Loc::Const(value) if ty == Ty::F64 => Some((0, Some(value))),
            Loc::Const(value) => self.immediate(ty, value).map(|imm| (imm, None)),
            _ => None,
        };
        // A constant on the left goes to its slot; that touches no accumulator.
        let left_in_acc = lhs.loc == Loc::Acc;
        let a = if left_in_acc { 0 } else { self.slot_of(lhs) };
        let (operands, o) = if let Some((imm, pooled)) = immediate {
            let operands = if left_in_acc { Operand2::AI } else { Operand2::SI };
            self.claim(result.class());
            if let Some(value) = pooled {
                self.use_pool(value);
            }
            (operands, Operands::with_imm(0, a, imm))
        } else if rhs.loc == Loc::Acc {
            self.claim(result.class());
            (Operand2::SA, Operands::new(0, a, 0, 0))
        } else {
            let b = self.slot_of(rhs);
            self.claim(result.class());
            (
                if left_in_acc { Operand2::AS } else { Operand2::SS },
                Operands::new(0, a, b, 0),
            )
        };
        self.emit(Op::binary(op, operands, true), o);
        self.push_acc_at(result, slot);
    }

    /// As `push_acc`; the entry takes the place of the operands.
    fn push_acc_at(&mut self, ty: Ty, slot: u32) {
        self.top = slot;
        self.push_acc(ty);
    }

    /// Makes one instruction of an addition of something that was just shifted left by 1 to 3 bits.
    fn add_shifted(&mut self, lhs: Entry, rhs: Entry, slot: u32) -> bool {
        for (shifted, other) in [(rhs, lhs), (lhs, rhs)] {
            let Some((op, o)) = self.last_producer(shifted) else {
                continue;
            };
            if op != Op::binary(Binary::I32Shl, Operand2::SI, true) || !(1..=3).contains(&o.imm()) {
                continue;
            }
            if !matches!(other.loc, Loc::Temp | Loc::Local(_)) {
                continue;
            }
            let base = self.slot_of(other);
            self.unemit();
            self.claim(0);
            self.emit(
                Op::single(Single::AddShl),
                Operands::new(0, base, o.b, o.imm() as u16),
            );
            self.push_acc_at(Ty::I32, slot);
            return true;
        }
        false
    }

    pub(super) fn unary(&mut self, op: Unary, result: Ty) {
        let operand = self.pop();
        let in_acc = operand.loc == Loc::Acc;
        let b = if in_acc { 0 } else { self.slot_of(operand) };
        self.claim(result.class());
        self.emit(Op::unary(op, in_acc, true), Operands::new(0, b, 0, 0));
        self.push_acc(result);
    }

    /// Takes a condition off the stack, fused with the comparison that made it if that was the last instruction.
    pub(super) fn condition(&mut self) -> Condition {
        let entry = self.pop();
        let mut negate = false;
        let mut producer = self.last_producer(entry);
        while let Some((op, o)) = producer {
            let condition = if let Some((op, operands)) = op.as_binary_to_acc() {
                Condition::from_comparison(op, operands, o)
            } else if let Some((Unary::I64Eqz, in_acc)) = op.as_unary_to_acc() {
                Some(Condition::with_zero(IntBranch::BrI64Eq, in_acc, o.b))
            } else if let Some((Unary::I32Eqz, in_acc)) = op.as_unary_to_acc() {
                self.unemit();
                negate = !negate;
                // What made the operand of `eqz` may be fused in turn.
                producer = if in_acc {
                    self.last().filter(|(op, _)| op.writes_int_acc())
                } else {
                    None
                };
                if producer.is_some_and(|(op, o)| Condition::fuses(op, o)) {
                    continue;
                }
                Some(Condition::with_zero(IntBranch::BrI32Ne, in_acc, o.b))
            } else {
                None
            };
            let Some(condition) = condition else { break };
            if !matches!(op.as_unary_to_acc(), Some((Unary::I32Eqz, _))) {
                self.unemit();
            }
            return if negate { condition.negated() } else { condition };
        }
        let in_acc = entry.loc == Loc::Acc;
        let a = if in_acc { 0 } else { self.slot_of(entry) };
        Condition::with_zero(IntBranch::BrI32Ne, in_acc, a)
    }
}

impl Condition {
    /// A comparison with zero of a slot or the accumulator.
    fn with_zero(op: IntBranch, in_acc: bool, slot: u16) -> Condition {
        let operands = if in_acc { Operand2::AI } else { Operand2::SI };
        Condition {
            test: Test::Int(op),
            operands,
            a: if in_acc { 0 } else { slot },
            b: 0,
        }
    }

    /// Whether this instruction, which leaves its result in the accumulator, can become part of a branch.
    fn fuses(op: Op, o: Operands) -> bool {
        match (op.as_binary_to_acc(), op.as_unary_to_acc()) {
            (Some((op, operands)), _) => Condition::from_comparison(op, operands, o).is_some(),
            (_, Some((unary, _))) => matches!(unary, Unary::I32Eqz | Unary::I64Eqz),
            _ => false,
        }
    }

    fn from_comparison(op: Binary, operands: Operand2, o: Operands) -> Option<Condition> {
        let test = match (op.int_branch(), op.float_branch()) {
            (Some(op), _) => Test::Int(op),
            (_, Some(op)) => Test::Float(op),
            _ => return None,
        };
        let immediate = matches!(operands, Operand2::SI | Operand2::AI);
        let b = if immediate {
            let imm = o.imm() as i32;
            if matches!(test, Test::Float(_)) || i32::from(imm as i16) != imm {
                return None;
            }
            imm as u16
        } else {
            o.c
        };
        Some(Condition {
            test,
            operands,
            a: o.b,
            b,
        })
    }
}

/// Pairs each integer or float comparison with its branch.
macro_rules! branches {
    ($($name:ident: $($op:ident => $branch:ident),*;)*) => {
        impl Binary {
            fn int_branch(self) -> Option<IntBranch> {
                branches!(@find self, IntBranch, $($($op => $branch),*;)*)
            }
        }
    };
    (@find $self:ident, $ty:ident, $($($op:ident => $branch:ident),*;)*) => {
        match $self {
            $($(Binary::$op => Some($ty::$branch),)*)*
            _ => None,
        }
    };
}
branches! {
    i32: I32Eq => BrI32Eq, I32Ne => BrI32Ne, I32LtS => BrI32LtS, I32LtU => BrI32LtU, I32GtS => BrI32GtS, I32GtU => BrI32GtU,
        I32LeS => BrI32LeS, I32LeU => BrI32LeU, I32GeS => BrI32GeS, I32GeU => BrI32GeU, I32And => BrI32Any;
    i64: I64Eq => BrI64Eq, I64Ne => BrI64Ne, I64LtS => BrI64LtS, I64LtU => BrI64LtU, I64GtS => BrI64GtS, I64GtU => BrI64GtU,
        I64LeS => BrI64LeS, I64LeU => BrI64LeU, I64GeS => BrI64GeS, I64GeU => BrI64GeU;
}

impl Binary {
    fn float_branch(self) -> Option<FloatBranch> {
        Some(match self {
            Binary::F32Eq => FloatBranch::BrF32Eq,
            Binary::F32Ne => FloatBranch::BrF32Ne,
            Binary::F32Lt => FloatBranch::BrF32Lt,
            Binary::F32Gt => FloatBranch::BrF32Gt,
            Binary::F32Le => FloatBranch::BrF32Le,
            Binary::F32Ge => FloatBranch::BrF32Ge,
            Binary::F64Eq => FloatBranch::BrF64Eq,
            Binary::F64Ne => FloatBranch::BrF64Ne,
            Binary::F64Lt => FloatBranch::BrF64Lt,
            Binary::F64Gt => FloatBranch::BrF64Gt,
            Binary::F64Le => FloatBranch::BrF64Le,
            Binary::F64Ge => FloatBranch::BrF64Ge,
            _ => return None,
        })
    }

    /// The operation that gives the same result with its operands exchanged.
    fn swapped(self) -> Option<Binary> {
        use Binary::*;
        Some(match self {
            I32Add | I32Mul | I32And | I32Or | I32Xor | I32Eq | I32Ne | I64Add | I64Mul | I64And | I64Or
            | I64Xor | I64Eq | I64Ne => self,
            I32LtS => I32GtS,
            I32LtU => I32GtU,
            I32GtS => I32LtS,
            I32GtU => I32LtU,
            I32LeS => I32GeS,
            I32LeU => I32GeU,
            I32GeS => I32LeS,
            I32GeU => I32LeU,
            I64LtS => I64GtS,
            I64LtU => I64GtU,
            I64GtS => I64LtS,
            I64GtU => I64LtU,
            I64LeS => I64GeS,
            I64LeU => I64GeU,
            I64GeS => I64LeS,
            I64GeU => I64LeU,
            _ => return None,
        })
    }
}

impl Op {
    /// Whether it leaves an integer in the accumulator, as far as the translator wants to know.
    fn writes_int_acc(self) -> bool {
        self.as_binary_to_acc().is_some() || self.as_unary_to_acc().is_some()
    }
}
