//! Variables and `select`.

use super::{
    Local, Translator,
    entry::{Loc, Ty},
};
use crate::{
    bytecode::{Group, Op, Operands, Single},
    types::ValType,
};

impl Translator<'_> {
    pub(super) fn local_set(&mut self, local: u32, tee: bool) {
        let value = self.pop();
        let Local { slot, ty, refs } = self.locals[local as usize];
        if refs > 0 {
            self.preserve(local);
        }
        // The instruction that made the value may write it to the local at once.
        let patch = match value.loc {
            Loc::Acc => self
                .last_producer(value)
                .and_then(|(op, _)| op.with_slot_result()),
            Loc::Temp => self
                .last()
                .filter(|(op, o)| op.writes_slot_a() && o.a == value.slot as u16)
                .map(|(op, _)| op),
            _ => None,
        };
        match (patch, value.loc) {
            (Some(op), _) => {
                let at = self.code.len() - 1;
                self.code[at] = (
                    op,
                    Operands {
                        a: slot as u16,
                        ..self.code[at].1
                    },
                );
            }
            (None, Loc::Local(same)) if same == local => {}
            (None, _) => self.copy_to(value, slot),
        }
        if tee {
            match (value.loc, patch) {
                // A constant stays one; a value that was only copied may be used where it is.
                (Loc::Const(_), _) => self.push(value.loc, ty),
                _ => {
                    self.locals[local as usize].refs += 1;
                    self.push(Loc::Local(local), ty);
                }
            }
        }
    }

    fn global_offset(&self, global: u32) -> (u32, bool, ValType) {
        let module = self.module;
        let ty = module.globals[global as usize].ty.content;
        if global < module.imported_globals {
            (
                module.layout.imported_globals + global * size_of::<usize>() as u32,
                true,
                ty,
            )
        } else {
            (
                module.layout.globals + (global - module.imported_globals) * 16,
                false,
                ty,
            )
        }
    }

    pub(super) fn global_get(&mut self, global: u32) {
        let (offset, imported, val_type) = self.global_offset(global);
        let ty = Ty::from(val_type);
        if imported || ty == Ty::V128 {
            let op = match (imported, ty) {
                (true, Ty::V128) => Single::ImportedGlobalGetV128,
                (true, _) => Single::ImportedGlobalGet,
                (false, _) => Single::GlobalGetV128,
            };
            self.emit(Op::single(op), Operands::with_imm(self.top as u16, 0, offset));
            return self.push(Loc::Temp, ty);
        }
        let op = match ty {
            Ty::F32 => Single::GlobalGetF32,
            Ty::F64 => Single::GlobalGetF64,
            _ => Single::GlobalGetAcc,
        };
        self.claim(ty.class());
        self.emit(Op::single(op), Operands::with_imm(0, 0, offset));
        self.push_acc(ty);
    }

    pub(super) fn global_set(&mut self, global: u32) {
        let (offset, imported, val_type) = self.global_offset(global);
        let ty = Ty::from(val_type);
        let value = self.pop();
        if value.loc == Loc::Acc && ty.class() == 0 && !imported {
            return self.emit(Op::single(Single::GlobalSetAcc), Operands::with_imm(0, 0, offset));
        }
        let slot = self.slot_of(value);
        let op = match (imported, ty) {
            (true, Ty::V128) => Single::ImportedGlobalSetV128,
            (true, _) => Single::ImportedGlobalSet,
            (false, Ty::V128) => Single::GlobalSetV128,
            (false, _) => Single::GlobalSet,
        };
        self.emit(Op::single(op), Operands::with_imm(slot, 0, offset));
    }

    pub(super) fn select(&mut self) {
        let condition = self.pop();
        let second = self.pop();
        let first = self.pop();
        let ty = first.ty;
        // The condition's own slot is above those of the values, so that none of these overwrites another.
        let in_acc = condition.loc == Loc::Acc && ty != Ty::V128;
        let (b, c) = (self.slot_of(first), self.slot_of(second));
        let d = if in_acc { 0 } else { self.slot_of(condition) };
        let to_acc = ty.class() == 0;
        let op = match (ty, in_acc, to_acc) {
            (Ty::V128, ..) => Single::SelectV128,
            (_, false, false) => Single::SelectSS,
            (_, true, false) => Single::SelectAS,
            (_, false, true) => Single::SelectSA,
            (_, true, true) => Single::SelectAA,
        };
        if to_acc {
            self.claim(0);
            self.emit(Op::single(op), Operands::new(0, b, c, d));
            self.push_acc(ty);
        } else {
            self.emit(Op::single(op), Operands::new(self.top as u16, b, c, d));
            self.push(Loc::Temp, ty);
        }
    }
}

impl Op {
    /// Whether its only effect is to write operand slot `a`, so that another slot can be written instead.
    fn writes_slot_a(self) -> bool {
        const SINGLES: [Op; 9] = [
            Op::single(Single::SelectSS),
            Op::single(Single::SelectAS),
            Op::single(Single::SelectV128),
            Op::single(Single::GlobalGet),
            Op::single(Single::GlobalGetV128),
            Op::single(Single::ImportedGlobalGet),
            Op::single(Single::ImportedGlobalGetV128),
            Op::single(Single::ConstPool128),
            Op::single(Single::RefFunc),
        ];
        SINGLES.contains(&self) || self >= Op(Group::SIMD.start) || Group::VECTOR_LOAD.has(self)
    }
}
