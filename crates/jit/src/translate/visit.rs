//! One method per Wasm instruction.

use cranelift_codegen::ir::{
    InstBuilder,
    condcodes::{FloatCC, IntCC},
    immediates::{Ieee32, Ieee64},
    types::{F32, F64, I8, I16, I32, I64},
};
use wasmparser::{BlockType, BrTable, MemArg, VisitOperator, VisitSimdOperator};
use wharf_core::Error;

use super::FuncTranslator;

/// Instructions with one operand that are one of Cranelift's.
macro_rules! unary {
    ($($visit:ident $inst:ident $(-> $ty:ident)?;)*) => {
        $(fn $visit(&mut self) {
            let value = self.pop();
            let value = self.builder.ins().$inst($($ty,)? value);
            self.push(value);
        })*
    };
}

/// Instructions with two operands that are one of Cranelift's.
macro_rules! binary {
    ($($visit:ident $inst:ident;)*) => {
        $(fn $visit(&mut self) {
            let (first, second) = self.pop2();
            let value = self.builder.ins().$inst(first, second);
            self.push(value);
        })*
    };
}

/// Instructions that are a call of one of our methods.
macro_rules! call {
    ($($visit:ident($($arg:ident: $ty:ty),*) $method:ident($($value:expr),*);)*) => {
        $(fn $visit(&mut self, $($arg: $ty),*) {
            self.$method($($value),*);
        })*
    };
}

/// Loads that extend the number.
macro_rules! extending_load {
    ($($visit:ident $size:literal $inst:ident $($ty:ident)?;)*) => {
        $(fn $visit(&mut self, memarg: MemArg) {
            let (flags, base, offset) = self.access(&memarg, $size);
            let value = self.builder.ins().$inst($($ty,)? flags, base, offset);
            self.push(value);
        })*
    };
}

/// Stores of a number's lower part.
macro_rules! reducing_store {
    ($($visit:ident $size:literal $inst:ident;)*) => {
        $(fn $visit(&mut self, memarg: MemArg) {
            let value = self.pop();
            let (flags, base, offset) = self.access(&memarg, $size);
            self.builder.ins().$inst(flags, value, base, offset);
        })*
    };
}

/// Defines the methods of instructions that validation refuses, because their features are off.
macro_rules! refused {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(refused!(@one $proposal $visit ($($($arg: $argty),*)?));)*
    };
    (@one mvp $($rest:tt)*) => {};
    (@one sign_extension $($rest:tt)*) => {};
    (@one saturating_float_to_int $($rest:tt)*) => {};
    (@one bulk_memory $($rest:tt)*) => {};
    (@one reference_types $($rest:tt)*) => {};
    (@one tail_call $($rest:tt)*) => {};
    (@one $proposal:ident $visit:ident ($($arg:ident: $argty:ty),*)) => {
        fn $visit(&mut self, $(_: $argty),*) {
            self.fail(Error::unsupported(concat!("instructions of the proposal ", stringify!($proposal))));
        }
    };
}

impl<'a> VisitOperator<'a> for FuncTranslator<'_, '_> {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    call! {
        visit_unreachable() unreachable();
        visit_block(ty: BlockType) block(ty);
        visit_loop(ty: BlockType) enter_loop(ty);
        visit_if(ty: BlockType) enter_if(ty);
        visit_else() enter_else();
        visit_end() end();
        visit_br(depth: u32) br(depth);
        visit_br_if(depth: u32) br_if(depth);
        visit_br_table(targets: BrTable<'a>) br_table(&targets);
        visit_return() return_();
        visit_call(func: u32) call(func, false);
        visit_call_indirect(ty: u32, table: u32) call_indirect(ty, table, false);
        visit_return_call(func: u32) call(func, true);
        visit_return_call_indirect(ty: u32, table: u32) call_indirect(ty, table, true);
        visit_select() select();
        visit_typed_select(_ty: wasmparser::ValType) select();
        visit_typed_select_multi(_tys: Vec<wasmparser::ValType>) fail(Error::unsupported("select with several results"));
        visit_global_get(global: u32) global_get(global);
        visit_global_set(global: u32) global_set(global);
        visit_ref_func(func: u32) ref_func(func);
        visit_ref_is_null() ref_is_null();

        visit_memory_size(memory: u32) memory_size(memory);
        visit_memory_grow(memory: u32) memory_grow(memory);
        visit_memory_fill(memory: u32) memory_fill(memory);
        visit_memory_copy(to: u32, from: u32) memory_copy(to, from);
        visit_memory_init(segment: u32, memory: u32) memory_init(segment, memory);
        visit_data_drop(segment: u32) data_drop(segment);
        visit_table_get(table: u32) table_get(table);
        visit_table_set(table: u32) table_set(table);
        visit_table_size(table: u32) table_size(table);
        visit_table_grow(table: u32) table_grow(table);
        visit_table_fill(table: u32) table_fill(table);
        visit_table_copy(to: u32, from: u32) table_copy(to, from);
        visit_table_init(segment: u32, table: u32) table_init(segment, table);
        visit_elem_drop(segment: u32) elem_drop(segment);

        visit_i32_load(memarg: MemArg) load(I32, &memarg);
        visit_i64_load(memarg: MemArg) load(I64, &memarg);
        visit_f32_load(memarg: MemArg) load(F32, &memarg);
        visit_f64_load(memarg: MemArg) load(F64, &memarg);
        visit_i32_store(memarg: MemArg) store(&memarg);
        visit_i64_store(memarg: MemArg) store(&memarg);
        visit_f32_store(memarg: MemArg) store(&memarg);
        visit_f64_store(memarg: MemArg) store(&memarg);

        visit_i32_eqz() is_zero(I32);
        visit_i64_eqz() is_zero(I64);
        visit_i32_eq() int_compare(IntCC::Equal);
        visit_i32_ne() int_compare(IntCC::NotEqual);
        visit_i32_lt_s() int_compare(IntCC::SignedLessThan);
        visit_i32_lt_u() int_compare(IntCC::UnsignedLessThan);
        visit_i32_gt_s() int_compare(IntCC::SignedGreaterThan);
        visit_i32_gt_u() int_compare(IntCC::UnsignedGreaterThan);
        visit_i32_le_s() int_compare(IntCC::SignedLessThanOrEqual);
        visit_i32_le_u() int_compare(IntCC::UnsignedLessThanOrEqual);
        visit_i32_ge_s() int_compare(IntCC::SignedGreaterThanOrEqual);
        visit_i32_ge_u() int_compare(IntCC::UnsignedGreaterThanOrEqual);
        visit_i64_eq() int_compare(IntCC::Equal);
        visit_i64_ne() int_compare(IntCC::NotEqual);
        visit_i64_lt_s() int_compare(IntCC::SignedLessThan);
        visit_i64_lt_u() int_compare(IntCC::UnsignedLessThan);
        visit_i64_gt_s() int_compare(IntCC::SignedGreaterThan);
        visit_i64_gt_u() int_compare(IntCC::UnsignedGreaterThan);
        visit_i64_le_s() int_compare(IntCC::SignedLessThanOrEqual);
        visit_i64_le_u() int_compare(IntCC::UnsignedLessThanOrEqual);
        visit_i64_ge_s() int_compare(IntCC::SignedGreaterThanOrEqual);
        visit_i64_ge_u() int_compare(IntCC::UnsignedGreaterThanOrEqual);
        visit_f32_eq() float_compare(FloatCC::Equal);
        visit_f32_ne() float_compare(FloatCC::NotEqual);
        visit_f32_lt() float_compare(FloatCC::LessThan);
        visit_f32_gt() float_compare(FloatCC::GreaterThan);
        visit_f32_le() float_compare(FloatCC::LessThanOrEqual);
        visit_f32_ge() float_compare(FloatCC::GreaterThanOrEqual);
        visit_f64_eq() float_compare(FloatCC::Equal);
        visit_f64_ne() float_compare(FloatCC::NotEqual);
        visit_f64_lt() float_compare(FloatCC::LessThan);
        visit_f64_gt() float_compare(FloatCC::GreaterThan);
        visit_f64_le() float_compare(FloatCC::LessThanOrEqual);
        visit_f64_ge() float_compare(FloatCC::GreaterThanOrEqual);

        visit_i32_extend8_s() extend_lower(I8, I32);
        visit_i32_extend16_s() extend_lower(I16, I32);
        visit_i64_extend8_s() extend_lower(I8, I64);
        visit_i64_extend16_s() extend_lower(I16, I64);
        visit_i64_extend32_s() extend_lower(I32, I64);
        visit_i32_reinterpret_f32() reinterpret(I32);
        visit_i64_reinterpret_f64() reinterpret(I64);
        visit_f32_reinterpret_i32() reinterpret(F32);
        visit_f64_reinterpret_i64() reinterpret(F64);
    }

    extending_load! {
        visit_i32_load8_s 1 sload8 I32;
        visit_i32_load8_u 1 uload8 I32;
        visit_i32_load16_s 2 sload16 I32;
        visit_i32_load16_u 2 uload16 I32;
        visit_i64_load8_s 1 sload8 I64;
        visit_i64_load8_u 1 uload8 I64;
        visit_i64_load16_s 2 sload16 I64;
        visit_i64_load16_u 2 uload16 I64;
        visit_i64_load32_s 4 sload32;
        visit_i64_load32_u 4 uload32;
    }

    reducing_store! {
        visit_i32_store8 1 istore8;
        visit_i32_store16 2 istore16;
        visit_i64_store8 1 istore8;
        visit_i64_store16 2 istore16;
        visit_i64_store32 4 istore32;
    }

    fn visit_nop(&mut self) {}

    fn visit_drop(&mut self) {
        self.pop();
    }

    fn visit_local_get(&mut self, local: u32) {
        let value = self.builder.use_var(self.local(local));
        self.push(value);
    }

    fn visit_local_set(&mut self, local: u32) {
        let value = self.pop();
        self.builder.def_var(self.local(local), value);
    }

    fn visit_local_tee(&mut self, local: u32) {
        let value = self.pop();
        self.builder.def_var(self.local(local), value);
        self.push(value);
    }

    fn visit_i32_const(&mut self, value: i32) {
        let value = self.builder.ins().iconst(I32, i64::from(value as u32));
        self.push(value);
    }

    fn visit_i64_const(&mut self, value: i64) {
        let value = self.builder.ins().iconst(I64, value);
        self.push(value);
    }

    fn visit_f32_const(&mut self, value: wasmparser::Ieee32) {
        let value = self.builder.ins().f32const(Ieee32::with_bits(value.bits()));
        self.push(value);
    }

    fn visit_f64_const(&mut self, value: wasmparser::Ieee64) {
        let value = self.builder.ins().f64const(Ieee64::with_bits(value.bits()));
        self.push(value);
    }

    fn visit_ref_null(&mut self, _ty: wasmparser::HeapType) {
        let value = self.builder.ins().iconst(I64, 0);
        self.push(value);
    }

    unary! {
        visit_i32_clz clz;
        visit_i32_ctz ctz;
        visit_i32_popcnt popcnt;
        visit_i64_clz clz;
        visit_i64_ctz ctz;
        visit_i64_popcnt popcnt;
        visit_i32_wrap_i64 ireduce -> I32;
        visit_i64_extend_i32_s sextend -> I64;
        visit_i64_extend_i32_u uextend -> I64;
        visit_f32_abs fabs;
        visit_f32_neg fneg;
        visit_f32_ceil ceil;
        visit_f32_floor floor;
        visit_f32_trunc trunc;
        visit_f32_nearest nearest;
        visit_f32_sqrt sqrt;
        visit_f64_abs fabs;
        visit_f64_neg fneg;
        visit_f64_ceil ceil;
        visit_f64_floor floor;
        visit_f64_trunc trunc;
        visit_f64_nearest nearest;
        visit_f64_sqrt sqrt;
        visit_i32_trunc_f32_s fcvt_to_sint -> I32;
        visit_i32_trunc_f32_u fcvt_to_uint -> I32;
        visit_i32_trunc_f64_s fcvt_to_sint -> I32;
        visit_i32_trunc_f64_u fcvt_to_uint -> I32;
        visit_i64_trunc_f32_s fcvt_to_sint -> I64;
        visit_i64_trunc_f32_u fcvt_to_uint -> I64;
        visit_i64_trunc_f64_s fcvt_to_sint -> I64;
        visit_i64_trunc_f64_u fcvt_to_uint -> I64;
        visit_i32_trunc_sat_f32_s fcvt_to_sint_sat -> I32;
        visit_i32_trunc_sat_f32_u fcvt_to_uint_sat -> I32;
        visit_i32_trunc_sat_f64_s fcvt_to_sint_sat -> I32;
        visit_i32_trunc_sat_f64_u fcvt_to_uint_sat -> I32;
        visit_i64_trunc_sat_f32_s fcvt_to_sint_sat -> I64;
        visit_i64_trunc_sat_f32_u fcvt_to_uint_sat -> I64;
        visit_i64_trunc_sat_f64_s fcvt_to_sint_sat -> I64;
        visit_i64_trunc_sat_f64_u fcvt_to_uint_sat -> I64;
        visit_f32_convert_i32_s fcvt_from_sint -> F32;
        visit_f32_convert_i32_u fcvt_from_uint -> F32;
        visit_f32_convert_i64_s fcvt_from_sint -> F32;
        visit_f32_convert_i64_u fcvt_from_uint -> F32;
        visit_f64_convert_i32_s fcvt_from_sint -> F64;
        visit_f64_convert_i32_u fcvt_from_uint -> F64;
        visit_f64_convert_i64_s fcvt_from_sint -> F64;
        visit_f64_convert_i64_u fcvt_from_uint -> F64;
        visit_f32_demote_f64 fdemote -> F32;
        visit_f64_promote_f32 fpromote -> F64;
    }

    binary! {
        visit_i32_add iadd;
        visit_i32_sub isub;
        visit_i32_mul imul;
        visit_i32_div_s sdiv;
        visit_i32_div_u udiv;
        visit_i32_rem_s srem;
        visit_i32_rem_u urem;
        visit_i32_and band;
        visit_i32_or bor;
        visit_i32_xor bxor;
        visit_i32_shl ishl;
        visit_i32_shr_s sshr;
        visit_i32_shr_u ushr;
        visit_i32_rotl rotl;
        visit_i32_rotr rotr;
        visit_i64_add iadd;
        visit_i64_sub isub;
        visit_i64_mul imul;
        visit_i64_div_s sdiv;
        visit_i64_div_u udiv;
        visit_i64_rem_s srem;
        visit_i64_rem_u urem;
        visit_i64_and band;
        visit_i64_or bor;
        visit_i64_xor bxor;
        visit_i64_shl ishl;
        visit_i64_shr_s sshr;
        visit_i64_shr_u ushr;
        visit_i64_rotl rotl;
        visit_i64_rotr rotr;
        visit_f32_add fadd;
        visit_f32_sub fsub;
        visit_f32_mul fmul;
        visit_f32_div fdiv;
        visit_f32_min fmin;
        visit_f32_max fmax;
        visit_f32_copysign fcopysign;
        visit_f64_add fadd;
        visit_f64_sub fsub;
        visit_f64_mul fmul;
        visit_f64_div fdiv;
        visit_f64_min fmin;
        visit_f64_max fmax;
        visit_f64_copysign fcopysign;
    }

    wasmparser::for_each_visit_operator!(refused);
}
