//! Numbers.

use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Type, Value,
    condcodes::{FloatCC, IntCC},
    types,
};

use super::FuncTranslator;

impl FuncTranslator<'_, '_> {
    /// Pushes a truth value as an `i32`.
    fn push_truth(&mut self, truth: Value) {
        let value = self.builder.ins().uextend(types::I32, truth);
        self.push(value);
    }

    pub(super) fn compare(&mut self, condition: IntCC, first: Value, second: Value) {
        let truth = self.builder.ins().icmp(condition, first, second);
        self.push_truth(truth);
    }

    pub(super) fn int_compare(&mut self, condition: IntCC) {
        let (first, second) = self.pop2();
        self.compare(condition, first, second);
    }

    pub(super) fn float_compare(&mut self, condition: FloatCC) {
        let (first, second) = self.pop2();
        let truth = self.builder.ins().fcmp(condition, first, second);
        self.push_truth(truth);
    }

    pub(super) fn is_zero(&mut self, ty: Type) {
        let value = self.pop();
        let zero = self.builder.ins().iconst(ty, 0);
        self.compare(IntCC::Equal, value, zero);
    }

    /// Sign-extends the lower bits of a number.
    pub(super) fn extend_lower(&mut self, lower: Type, ty: Type) {
        let value = self.pop();
        let value = self.builder.ins().ireduce(lower, value);
        let value = self.builder.ins().sextend(ty, value);
        self.push(value);
    }

    pub(super) fn reinterpret(&mut self, ty: Type) {
        let value = self.pop();
        let value = self.builder.ins().bitcast(ty, MemFlagsData::new(), value);
        self.push(value);
    }
}
