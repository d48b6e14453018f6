//! Vector operators, relaxed ones included.
//!
//! Vectors are `I8X16` on the operand stack; an operator takes them as the lanes that it works on. Instructions
//! are chosen so that both targets give the interpreter's results without calling a library: relaxed operators
//! make the choices of the specification's deterministic profile (the interpreter's numerics say which).

mod lanes;
mod shapes;

use cranelift_codegen::ir::{
    ConstantData, InstBuilder,
    condcodes::{FloatCC, IntCC},
    types::{F32X4, F64X2, I8X16, I16X8, I32, I32X4, I64X2},
};
use wasmparser::{MemArg, V128, VisitSimdOperator};

use super::FuncTranslator;
use shapes::*;

impl VisitSimdOperator<'_> for FuncTranslator<'_, '_> {
    fn visit_v128_load(&mut self, memarg: MemArg) {
        let value = self.load_scalar(&memarg, I8X16);
        self.push(value);
    }

    fn visit_v128_store(&mut self, memarg: MemArg) {
        let value = self.pop();
        let (flags, base, offset) = self.access(&memarg, 16);
        self.builder.ins().store(flags, value, base, offset);
    }

    load_extended! {
        visit_v128_load8x8_s sload8x8;
        visit_v128_load8x8_u uload8x8;
        visit_v128_load16x4_s sload16x4;
        visit_v128_load16x4_u uload16x4;
        visit_v128_load32x2_s sload32x2;
        visit_v128_load32x2_u uload32x2;
    }

    load_to! {
        splat: visit_v128_load8_splat I8X16, visit_v128_load16_splat I16X8, visit_v128_load32_splat I32X4,
            visit_v128_load64_splat I64X2;
        scalar_to_vector: visit_v128_load32_zero I32X4, visit_v128_load64_zero I64X2;
    }

    access_lane! {
        load_lane: visit_v128_load8_lane I8X16, visit_v128_load16_lane I16X8, visit_v128_load32_lane I32X4,
            visit_v128_load64_lane I64X2;
        store_lane: visit_v128_store8_lane I8X16, visit_v128_store16_lane I16X8,
            visit_v128_store32_lane I32X4,
            visit_v128_store64_lane I64X2;
    }

    fn visit_v128_const(&mut self, value: V128) {
        let value = self.const_lanes(I8X16, *value.bytes());
        self.push(value);
    }

    fn visit_i8x16_shuffle(&mut self, lanes: [u8; 16]) {
        let (x, y) = self.pop2_lanes(I8X16);
        let data = ConstantData::from(lanes.as_slice());
        let lanes = self.builder.func.dfg.immediates.push(data);
        let result = self.builder.ins().shuffle(x, y, lanes);
        self.push(result);
    }

    splat! {
        visit_i8x16_splat I8X16 ireduce;
        visit_i16x8_splat I16X8 ireduce;
        visit_i32x4_splat I32X4;
        visit_i64x2_splat I64X2;
        visit_f32x4_splat F32X4;
        visit_f64x2_splat F64X2;
    }

    extract_lane! {
        visit_i8x16_extract_lane_s I8X16 sextend;
        visit_i8x16_extract_lane_u I8X16 uextend;
        visit_i16x8_extract_lane_s I16X8 sextend;
        visit_i16x8_extract_lane_u I16X8 uextend;
        visit_i32x4_extract_lane I32X4;
        visit_i64x2_extract_lane I64X2;
        visit_f32x4_extract_lane F32X4;
        visit_f64x2_extract_lane F64X2;
    }

    replace_lane! {
        visit_i8x16_replace_lane I8X16 ireduce;
        visit_i16x8_replace_lane I16X8 ireduce;
        visit_i32x4_replace_lane I32X4;
        visit_i64x2_replace_lane I64X2;
        visit_f32x4_replace_lane F32X4;
        visit_f64x2_replace_lane F64X2;
    }

    compare! {
        icmp IntCC::Equal => visit_i8x16_eq I8X16, visit_i16x8_eq I16X8, visit_i32x4_eq I32X4,
            visit_i64x2_eq I64X2;
        icmp IntCC::NotEqual => visit_i8x16_ne I8X16, visit_i16x8_ne I16X8, visit_i32x4_ne I32X4,
            visit_i64x2_ne I64X2;
        icmp IntCC::SignedLessThan => visit_i8x16_lt_s I8X16, visit_i16x8_lt_s I16X8, visit_i32x4_lt_s I32X4,
            visit_i64x2_lt_s I64X2;
        icmp IntCC::UnsignedLessThan => visit_i8x16_lt_u I8X16, visit_i16x8_lt_u I16X8,
            visit_i32x4_lt_u I32X4;
        icmp IntCC::SignedGreaterThan => visit_i8x16_gt_s I8X16, visit_i16x8_gt_s I16X8,
            visit_i32x4_gt_s I32X4,
            visit_i64x2_gt_s I64X2;
        icmp IntCC::UnsignedGreaterThan => visit_i8x16_gt_u I8X16, visit_i16x8_gt_u I16X8,
            visit_i32x4_gt_u I32X4;
        icmp IntCC::SignedLessThanOrEqual => visit_i8x16_le_s I8X16, visit_i16x8_le_s I16X8,
            visit_i32x4_le_s I32X4,
            visit_i64x2_le_s I64X2;
        icmp IntCC::UnsignedLessThanOrEqual => visit_i8x16_le_u I8X16, visit_i16x8_le_u I16X8,
            visit_i32x4_le_u I32X4;
        icmp IntCC::SignedGreaterThanOrEqual => visit_i8x16_ge_s I8X16, visit_i16x8_ge_s I16X8,
            visit_i32x4_ge_s I32X4,
            visit_i64x2_ge_s I64X2;
        icmp IntCC::UnsignedGreaterThanOrEqual => visit_i8x16_ge_u I8X16, visit_i16x8_ge_u I16X8,
            visit_i32x4_ge_u I32X4;
        fcmp FloatCC::Equal => visit_f32x4_eq F32X4, visit_f64x2_eq F64X2;
        fcmp FloatCC::NotEqual => visit_f32x4_ne F32X4, visit_f64x2_ne F64X2;
        fcmp FloatCC::LessThan => visit_f32x4_lt F32X4, visit_f64x2_lt F64X2;
        fcmp FloatCC::GreaterThan => visit_f32x4_gt F32X4, visit_f64x2_gt F64X2;
        fcmp FloatCC::LessThanOrEqual => visit_f32x4_le F32X4, visit_f64x2_le F64X2;
        fcmp FloatCC::GreaterThanOrEqual => visit_f32x4_ge F32X4, visit_f64x2_ge F64X2;
    }

    fn visit_v128_andnot(&mut self) {
        let (x, y) = self.pop2_lanes(I8X16);
        let y = self.builder.ins().bnot(y);
        let result = self.builder.ins().band(x, y);
        self.push(result);
    }

    select_bits! {
        visit_v128_bitselect
        visit_i8x16_relaxed_laneselect
        visit_i16x8_relaxed_laneselect
        visit_i32x4_relaxed_laneselect
        visit_i64x2_relaxed_laneselect
    }

    truth! {
        vany_true: visit_v128_any_true I8X16;
        vall_true: visit_i8x16_all_true I8X16, visit_i16x8_all_true I16X8, visit_i32x4_all_true I32X4,
            visit_i64x2_all_true I64X2;
    }

    bitmask! {
        visit_i8x16_bitmask I8X16;
        visit_i16x8_bitmask I16X8;
        visit_i32x4_bitmask I32X4;
        visit_i64x2_bitmask I64X2;
    }

    shift! {
        ishl: visit_i8x16_shl I8X16, visit_i16x8_shl I16X8, visit_i32x4_shl I32X4, visit_i64x2_shl I64X2;
        sshr: visit_i8x16_shr_s I8X16, visit_i16x8_shr_s I16X8, visit_i32x4_shr_s I32X4,
            visit_i64x2_shr_s I64X2;
        ushr: visit_i8x16_shr_u I8X16, visit_i16x8_shr_u I16X8, visit_i32x4_shr_u I32X4,
            visit_i64x2_shr_u I64X2;
    }

    unary! {
        bnot: visit_v128_not I8X16;
        iabs: visit_i8x16_abs I8X16, visit_i16x8_abs I16X8, visit_i32x4_abs I32X4, visit_i64x2_abs I64X2;
        ineg: visit_i8x16_neg I8X16, visit_i16x8_neg I16X8, visit_i32x4_neg I32X4, visit_i64x2_neg I64X2;
        popcnt: visit_i8x16_popcnt I8X16;
        swiden_low: visit_i16x8_extend_low_i8x16_s I8X16, visit_i32x4_extend_low_i16x8_s I16X8,
            visit_i64x2_extend_low_i32x4_s I32X4;
        swiden_high: visit_i16x8_extend_high_i8x16_s I8X16, visit_i32x4_extend_high_i16x8_s I16X8,
            visit_i64x2_extend_high_i32x4_s I32X4;
        uwiden_low: visit_i16x8_extend_low_i8x16_u I8X16, visit_i32x4_extend_low_i16x8_u I16X8,
            visit_i64x2_extend_low_i32x4_u I32X4;
        uwiden_high: visit_i16x8_extend_high_i8x16_u I8X16, visit_i32x4_extend_high_i16x8_u I16X8,
            visit_i64x2_extend_high_i32x4_u I32X4;
        ceil: visit_f32x4_ceil F32X4, visit_f64x2_ceil F64X2;
        floor: visit_f32x4_floor F32X4, visit_f64x2_floor F64X2;
        trunc: visit_f32x4_trunc F32X4, visit_f64x2_trunc F64X2;
        nearest: visit_f32x4_nearest F32X4, visit_f64x2_nearest F64X2;
        fabs: visit_f32x4_abs F32X4, visit_f64x2_abs F64X2;
        fneg: visit_f32x4_neg F32X4, visit_f64x2_neg F64X2;
        sqrt: visit_f32x4_sqrt F32X4, visit_f64x2_sqrt F64X2;
        fvdemote: visit_f32x4_demote_f64x2_zero F64X2;
        fvpromote_low: visit_f64x2_promote_low_f32x4 F32X4;
    }

    binary! {
        band: visit_v128_and I8X16;
        bor: visit_v128_or I8X16;
        bxor: visit_v128_xor I8X16;
        swizzle: visit_i8x16_swizzle I8X16, visit_i8x16_relaxed_swizzle I8X16;
        iadd: visit_i8x16_add I8X16, visit_i16x8_add I16X8, visit_i32x4_add I32X4, visit_i64x2_add I64X2;
        isub: visit_i8x16_sub I8X16, visit_i16x8_sub I16X8, visit_i32x4_sub I32X4, visit_i64x2_sub I64X2;
        imul: visit_i16x8_mul I16X8, visit_i32x4_mul I32X4, visit_i64x2_mul I64X2;
        sadd_sat: visit_i8x16_add_sat_s I8X16, visit_i16x8_add_sat_s I16X8;
        uadd_sat: visit_i8x16_add_sat_u I8X16, visit_i16x8_add_sat_u I16X8;
        ssub_sat: visit_i8x16_sub_sat_s I8X16, visit_i16x8_sub_sat_s I16X8;
        usub_sat: visit_i8x16_sub_sat_u I8X16, visit_i16x8_sub_sat_u I16X8;
        smin: visit_i8x16_min_s I8X16, visit_i16x8_min_s I16X8, visit_i32x4_min_s I32X4;
        umin: visit_i8x16_min_u I8X16, visit_i16x8_min_u I16X8, visit_i32x4_min_u I32X4;
        smax: visit_i8x16_max_s I8X16, visit_i16x8_max_s I16X8, visit_i32x4_max_s I32X4;
        umax: visit_i8x16_max_u I8X16, visit_i16x8_max_u I16X8, visit_i32x4_max_u I32X4;
        avg_round: visit_i8x16_avgr_u I8X16, visit_i16x8_avgr_u I16X8;
        sqmul_round_sat: visit_i16x8_q15mulr_sat_s I16X8, visit_i16x8_relaxed_q15mulr_s I16X8;
        snarrow: visit_i8x16_narrow_i16x8_s I16X8, visit_i16x8_narrow_i32x4_s I32X4;
        unarrow: visit_i8x16_narrow_i16x8_u I16X8, visit_i16x8_narrow_i32x4_u I32X4;
        fadd: visit_f32x4_add F32X4, visit_f64x2_add F64X2;
        fsub: visit_f32x4_sub F32X4, visit_f64x2_sub F64X2;
        fmul: visit_f32x4_mul F32X4, visit_f64x2_mul F64X2;
        fdiv: visit_f32x4_div F32X4, visit_f64x2_div F64X2;
        fmin: visit_f32x4_min F32X4, visit_f64x2_min F64X2, visit_f32x4_relaxed_min F32X4,
            visit_f64x2_relaxed_min F64X2;
        fmax: visit_f32x4_max F32X4, visit_f64x2_max F64X2, visit_f32x4_relaxed_max F32X4,
            visit_f64x2_relaxed_max F64X2;
    }

    pseudo_min_max! {
        visit_f32x4_pmin visit_f32x4_pmax F32X4;
        visit_f64x2_pmin visit_f64x2_pmax F64X2;
    }

    multiply_add! {
        visit_f32x4_relaxed_madd visit_f32x4_relaxed_nmadd F32X4;
        visit_f64x2_relaxed_madd visit_f64x2_relaxed_nmadd F64X2;
    }

    convert! {
        fcvt_to_sint_sat: visit_i32x4_trunc_sat_f32x4_s F32X4 I32X4,
            visit_i32x4_relaxed_trunc_f32x4_s F32X4 I32X4;
        fcvt_to_uint_sat: visit_i32x4_trunc_sat_f32x4_u F32X4 I32X4,
            visit_i32x4_relaxed_trunc_f32x4_u F32X4 I32X4;
        fcvt_from_sint: visit_f32x4_convert_i32x4_s I32X4 F32X4;
        fcvt_from_uint: visit_f32x4_convert_i32x4_u I32X4 F32X4;
    }

    convert_low! {
        visit_f64x2_convert_low_i32x4_s swiden_low fcvt_from_sint;
        visit_f64x2_convert_low_i32x4_u uwiden_low fcvt_from_uint;
    }

    fn visit_i32x4_trunc_sat_f64x2_s_zero(&mut self) {
        self.truncate_f64x2(true);
    }

    fn visit_i32x4_trunc_sat_f64x2_u_zero(&mut self) {
        self.truncate_f64x2(false);
    }

    fn visit_i32x4_relaxed_trunc_f64x2_s_zero(&mut self) {
        self.truncate_f64x2(true);
    }

    fn visit_i32x4_relaxed_trunc_f64x2_u_zero(&mut self) {
        self.truncate_f64x2(false);
    }

    extended_product! {
        swiden_low: visit_i16x8_extmul_low_i8x16_s I8X16, visit_i32x4_extmul_low_i16x8_s I16X8,
            visit_i64x2_extmul_low_i32x4_s I32X4;
        swiden_high: visit_i16x8_extmul_high_i8x16_s I8X16, visit_i32x4_extmul_high_i16x8_s I16X8,
            visit_i64x2_extmul_high_i32x4_s I32X4;
        uwiden_low: visit_i16x8_extmul_low_i8x16_u I8X16, visit_i32x4_extmul_low_i16x8_u I16X8,
            visit_i64x2_extmul_low_i32x4_u I32X4;
        uwiden_high: visit_i16x8_extmul_high_i8x16_u I8X16, visit_i32x4_extmul_high_i16x8_u I16X8,
            visit_i64x2_extmul_high_i32x4_u I32X4;
    }

    extended_sum! {
        swiden_low swiden_high: visit_i16x8_extadd_pairwise_i8x16_s I8X16,
            visit_i32x4_extadd_pairwise_i16x8_s I16X8;
        uwiden_low uwiden_high: visit_i16x8_extadd_pairwise_i8x16_u I8X16,
            visit_i32x4_extadd_pairwise_i16x8_u I16X8;
    }

    fn visit_i32x4_dot_i16x8_s(&mut self) {
        let (x, y) = self.pop2_lanes(I16X8);
        let [x_low, y_low] = [x, y].map(|lanes| self.builder.ins().swiden_low(lanes));
        let [x_high, y_high] = [x, y].map(|lanes| self.builder.ins().swiden_high(lanes));
        let low = self.builder.ins().imul(x_low, y_low);
        let high = self.builder.ins().imul(x_high, y_high);
        let result = self.builder.ins().iadd_pairwise(low, high);
        self.push_lanes(result);
    }

    fn visit_i16x8_relaxed_dot_i8x16_i7x16_s(&mut self) {
        let (x, y) = self.pop2_lanes(I16X8);
        let result = self.dot_bytes(x, y);
        self.push_lanes(result);
    }

    fn visit_i32x4_relaxed_dot_i8x16_i7x16_add_s(&mut self) {
        let addend = self.pop_lanes(I32X4);
        let (x, y) = self.pop2_lanes(I16X8);
        let dot = self.dot_bytes(x, y);
        let low = self.builder.ins().swiden_low(dot);
        let high = self.builder.ins().swiden_high(dot);
        let sums = self.builder.ins().iadd_pairwise(low, high);
        let result = self.builder.ins().iadd(sums, addend);
        self.push_lanes(result);
    }
}
