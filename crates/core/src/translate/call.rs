//! Calls.

use super::{
    Translator,
    entry::{Loc, Ty},
};
use crate::{
    bytecode::{LINKAGE, Op, Operands, Single},
    runtime::vm::VmFuncRef,
    types::FuncType,
};

impl Translator<'_> {
    /// Puts arguments in place; tells where the callee's frame begins and how many slots the arguments take.
    fn arguments(&mut self, ty: &FuncType) -> (u16, u16) {
        let count = ty.params().len();
        self.settle_top(count);
        self.spill();
        let first = self.stack.len() - count;
        let base = self.stack.get(first).map_or(self.top, |e| e.slot);
        (base as u16, (self.top - base) as u16)
    }

    /// After a call: the arguments are gone, the results are there.
    fn results(&mut self, ty: &FuncType, base: u16) {
        let height = self.stack.len() - ty.params().len();
        self.truncate(height, base.into());
        let linkage_end = self.top as usize + ty.param_slots() + LINKAGE;
        self.reserve((linkage_end as u32).max(self.top + ty.result_slots() as u32));
        for result in ty.results() {
            self.push(Loc::Temp, Ty::from(*result));
        }
    }

    /// The call instruction's number, and what its `imm` is, for a function of the module.
    fn callee(&self, func: u32, own: Single, imported: Single) -> (Single, u32) {
        let module = self.module;
        if func < module.imported_funcs {
            (
                imported,
                module.layout.imported_funcs + func * size_of::<*const VmFuncRef>() as u32,
            )
        } else {
            (own, func - module.imported_funcs)
        }
    }

    pub(super) fn call(&mut self, func: u32) {
        let ty: &FuncType = self.module.func_type(func);
        let (base, params) = self.arguments(ty);
        let (op, imm) = self.callee(func, Single::Call, Single::CallImport);
        self.emit(
            Op::single(op),
            Operands::with_imm(base, base.wrapping_add(params), imm),
        );
        self.results(ty, base);
    }

    fn signature_cell(&self, ty: u32, table: u32) -> Operands {
        let offset = self.module.layout.tables + table * size_of::<usize>() as u32;
        Operands::wide(u64::from(self.module.sigs[ty as usize].0) | u64::from(offset) << 32)
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32) {
        let ty: &FuncType = &self.module.types[type_index as usize];
        let index = self.pop();
        let in_acc = index.loc == Loc::Acc;
        let c = if in_acc { 0 } else { self.slot_of(index) };
        let (base, params) = self.arguments(ty);
        let op = if in_acc {
            Single::CallIndirectA
        } else {
            Single::CallIndirectS
        };
        self.emit(
            Op::single(op),
            Operands::new(base, base.wrapping_add(params), c, 0),
        );
        self.emit(
            Op::single(Single::CallIndirectSig),
            self.signature_cell(type_index, table),
        );
        self.results(ty, base);
    }

    pub(super) fn return_call(&mut self, func: u32) {
        let ty: &FuncType = self.module.func_type(func);
        let (base, params) = self.arguments(ty);
        self.reserve(u32::from(base) + u32::from(params) + LINKAGE as u32);
        let (op, imm) = self.callee(func, Single::ReturnCall, Single::ReturnCallImport);
        self.emit(Op::single(op), Operands::with_imm(base, params, imm));
        self.emit(
            Op::single(Single::Operands),
            Operands::new(self.linkage as u16, 0, 0, 0),
        );
        self.unreachable = Some(0);
    }

    pub(super) fn return_call_indirect(&mut self, type_index: u32, table: u32) {
        let ty: &FuncType = &self.module.types[type_index as usize];
        let index = self.pop();
        let c = self.slot_of(index);
        let (base, params) = self.arguments(ty);
        self.reserve(u32::from(base) + u32::from(params) + LINKAGE as u32);
        self.emit(
            Op::single(Single::ReturnCallIndirect),
            Operands::new(base, params, c, self.linkage as u16),
        );
        self.emit(
            Op::single(Single::CallIndirectSig),
            self.signature_cell(type_index, table),
        );
        self.unreachable = Some(0);
    }
}
