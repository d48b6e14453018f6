//! Tables and references.

use cranelift_codegen::ir::{InstBuilder, Value, condcodes::IntCC, types};
use wharf_core::{TrapCode, tier::abi::*};

use super::FuncTranslator;
use crate::abi::POINTER;

impl FuncTranslator<'_, '_> {
    /// The address of a table's description.
    fn table(&mut self, index: u32) -> Value {
        let block = self.state.block;
        self.constant(POINTER, block, self.module.table_offset(index))
    }

    /// The address of the element at a place in a table; outside of it, a trap.
    pub(super) fn element(&mut self, index: u32, at: Value, trap: TrapCode) -> Value {
        let ty = self.module.table(index);
        let at = self.extend(at, ty.table64);
        let table = self.table(index);
        let (base, len) = if ty.maximum == Some(ty.minimum) {
            // What can't grow does not move.
            let len = self.builder.ins().iconst(types::I64, ty.minimum as i64);
            (self.constant(POINTER, table, TABLE_BASE), len)
        } else {
            let len = self.mutable(types::I64, table, TABLE_LEN);
            (self.mutable(POINTER, table, TABLE_BASE), len)
        };
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, at, len);
        self.trap_if(outside, trap);
        let three = self.builder.ins().iconst(types::I32, 3);
        let offset = self.builder.ins().ishl(at, three);
        let address = self.builder.ins().iadd(base, offset);
        // The processor may run ahead of the trap with an address that is outside.
        self.builder.ins().select_spectre_guard(outside, base, address)
    }

    pub(super) fn table_get(&mut self, index: u32) {
        let at = self.pop();
        let address = self.element(index, at, TrapCode::TableOutOfBounds);
        let value = self
            .builder
            .ins()
            .load(types::I64, self.state.element, address, 0);
        self.push(value);
    }

    pub(super) fn table_set(&mut self, index: u32) {
        let (at, value) = self.pop2();
        let address = self.element(index, at, TrapCode::TableOutOfBounds);
        self.builder.ins().store(self.state.element, value, address, 0);
    }

    pub(super) fn table_size(&mut self, index: u32) {
        let is64 = self.module.table(index).table64;
        let table = self.table(index);
        let len = self.mutable(types::I64, table, TABLE_LEN);
        let len = self.reduce(len, is64);
        self.push(len);
    }

    pub(super) fn table_grow(&mut self, index: u32) {
        let is64 = self.module.table(index).table64;
        let (value, delta) = self.pop2();
        let delta = self.extend(delta, is64);
        let table = self.number(index.into());
        let before = self.builtin_with_result(builtin::TABLE_GROW, &[table, delta, value]);
        let before = self.reduce(before, is64);
        self.push(before);
    }

    pub(super) fn table_fill(&mut self, index: u32) {
        let is64 = self.module.table(index).table64;
        let (to, value, len) = self.pop3();
        let (to, len) = (self.extend(to, is64), self.extend(len, is64));
        let table = self.number(index.into());
        self.checked_builtin(
            builtin::TABLE_FILL,
            &[table, to, value, len],
            TrapCode::TableOutOfBounds,
        );
    }

    pub(super) fn table_copy(&mut self, to_table: u32, from_table: u32) {
        let to_64 = self.module.table(to_table).table64;
        let from_64 = self.module.table(from_table).table64;
        let (to, from, len) = self.pop3();
        let (to, from) = (self.extend(to, to_64), self.extend(from, from_64));
        let len = self.extend(len, to_64 && from_64);
        let tables = self.number(u64::from(to_table) | u64::from(from_table) << 32);
        self.checked_builtin(
            builtin::TABLE_COPY,
            &[tables, to, from, len],
            TrapCode::TableOutOfBounds,
        );
    }

    pub(super) fn table_init(&mut self, segment: u32, index: u32) {
        let is64 = self.module.table(index).table64;
        let (to, from, len) = self.pop3();
        let to = self.extend(to, is64);
        let (from, len) = (self.extend(from, false), self.extend(len, false));
        let places = self.number(u64::from(index) | u64::from(segment) << 32);
        self.checked_builtin(
            builtin::TABLE_INIT,
            &[places, to, from, len],
            TrapCode::TableOutOfBounds,
        );
    }

    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.number(segment.into());
        self.builtin(builtin::ELEM_DROP, &[segment], 0);
    }

    pub(super) fn ref_func(&mut self, func: u32) {
        let block = self.state.block;
        let reference = if func < self.module.imported_funcs() {
            self.constant(POINTER, block, self.module.imported_func_offset(func))
        } else {
            // Validation admits only functions that are declared to be referred to.
            let offset = self.module.func_ref_offset(func).unwrap_or_default();
            let offset = self.builder.ins().iconst(POINTER, i64::from(offset));
            self.builder.ins().iadd(block, offset)
        };
        self.push(reference);
    }

    pub(super) fn ref_is_null(&mut self) {
        let value = self.pop();
        let null = self.builder.ins().iconst(types::I64, 0);
        self.compare(IntCC::Equal, value, null);
    }
}
