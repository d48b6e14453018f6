//! Vector operators, relaxed ones included.
//!
//! Vectors are `I8X16` on the operand stack; an operator takes them as the lanes that it works on. Instructions
//! are chosen so that both targets give the interpreter's results without calling a library: relaxed operators
//! make the choices of the specification's deterministic profile (the interpreter's numerics say which).

use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, ValueDef,
    condcodes::{FloatCC, IntCC},
    types::{F32X4, F64X2, I8X16, I16X8, I32, I32X4, I64X2},
};
use wasmparser::{MemArg, V128, VisitSimdOperator};

use super::FuncTranslator;

impl FuncTranslator<'_, '_> {
    /// Pops a vector, as lanes of type `ty`.
    fn pop_lanes(&mut self, ty: Type) -> Value {
        let vector = self.pop();
        self.as_lanes(vector, ty)
    }

    /// Pops two vectors, as lanes of type `ty`; the first pushed comes first.
    fn pop2_lanes(&mut self, ty: Type) -> (Value, Value) {
        let (x, y) = self.pop2();
        (self.as_lanes(x, ty), self.as_lanes(y, ty))
    }

    /// Pops three vectors, as lanes of type `ty`; the first pushed comes first.
    fn pop3_lanes(&mut self, ty: Type) -> (Value, Value, Value) {
        let (x, y, z) = self.pop3();
        (self.as_lanes(x, ty), self.as_lanes(y, ty), self.as_lanes(z, ty))
    }

    /// Pushes a vector of any lanes.
    fn push_lanes(&mut self, vector: Value) {
        let vector = self.as_lanes(vector, I8X16);
        self.push(vector);
    }

    /// The bits of a vector as lanes of type `ty`.
    ///
    /// Looks through the cast that the operator before has left and gives constants the type at once, as the
    /// selection of instructions looks for operands and for constants by their definition.
    fn as_lanes(&mut self, vector: Value, ty: Type) -> Value {
        let dfg = &self.builder.func.dfg;
        let mut source = vector;
        if let ValueDef::Result(inst, _) = dfg.value_def(vector) {
            match dfg.insts[inst] {
                InstructionData::LoadNoOffset {
                    opcode: Opcode::Bitcast,
                    arg,
                    ..
                } if dfg.value_type(arg).bits() == 128 => source = arg,
                InstructionData::UnaryConst {
                    opcode: Opcode::Vconst,
                    constant_handle,
                } if dfg.value_type(vector) != ty => {
                    return self.builder.ins().vconst(ty, constant_handle);
                }
                _ => {}
            }
        }
        if self.builder.func.dfg.value_type(source) == ty {
            return source;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(ty, flags, source)
    }

    /// A constant vector of lanes of type `ty`.
    fn const_lanes(&mut self, ty: Type, bytes: [u8; 16]) -> Value {
        let data = ConstantData::from(bytes.as_slice());
        let constant = self.builder.func.dfg.constants.insert(data);
        self.builder.ins().vconst(ty, constant)
    }

    /// Loads a scalar.
    fn load_scalar(&mut self, memarg: &MemArg, ty: Type) -> Value {
        let (flags, base, offset) = self.access(memarg, ty.bytes() as u8);
        self.builder.ins().load(ty, flags, base, offset)
    }

    /// Loads a lane of type `lanes` and leaves the others of the operand.
    fn load_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let vector = self.pop_lanes(lanes);
        let value = self.load_scalar(memarg, lanes.lane_type());
        let result = self.builder.ins().insertlane(vector, value, lane);
        self.push_lanes(result);
    }

    /// Stores a lane of type `lanes`.
    fn store_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let vector = self.pop_lanes(lanes);
        let (flags, base, offset) = self.access(memarg, lanes.lane_type().bytes() as u8);
        let value = self.builder.ins().extractlane(vector, lane);
        self.builder.ins().store(flags, value, base, offset);
    }

    /// Pushes a truth value.
    fn push_bool(&mut self, value: Value) {
        let value = self.builder.ins().uextend(I32, value);
        self.push(value);
    }

    /// Sums of the products of neighbouring signed bytes in 16 bits. The one sum that is too large saturates.
    fn dot_bytes(&mut self, x: Value, y: Value) -> Value {
        let eight = self.builder.ins().iconst(I32, 8);
        let [x_odd, y_odd] = [x, y].map(|pairs| self.builder.ins().sshr(pairs, eight));
        let [x_even, y_even] = [x, y].map(|pairs| {
            let top = self.builder.ins().ishl(pairs, eight);
            self.builder.ins().sshr(top, eight)
        });
        let even = self.builder.ins().imul(x_even, y_even);
        let odd = self.builder.ins().imul(x_odd, y_odd);
        self.builder.ins().sadd_sat(even, odd)
    }

    /// Pops two `f64`s and pushes them as saturated 32-bit integers, followed by zeros.
    fn truncate_f64x2(&mut self, signed: bool) {
        let x = self.pop_lanes(F64X2);
        // Both targets know the conversion together with this way of narrowing; x86-64 has neither alone.
        let zero = self.const_lanes(I64X2, [0; 16]);
        let result = if signed {
            let wide = self.builder.ins().fcvt_to_sint_sat(I64X2, x);
            self.builder.ins().snarrow(wide, zero)
        } else {
            let wide = self.builder.ins().fcvt_to_uint_sat(I64X2, x);
            self.builder.ins().uunarrow(wide, zero)
        };
        self.push_lanes(result);
    }

    /// Pushes the lanes of `first` where the first of `less` is below the second, of `second` elsewhere.
    fn push_beyond(&mut self, less: (Value, Value), first: Value, second: Value) {
        let ty = self.builder.func.dfg.value_type(first);
        let mask = self.builder.ins().fcmp(FloatCC::LessThan, less.0, less.1);
        let mask = self.as_lanes(mask, ty);
        let result = self.builder.ins().bitselect(mask, first, second);
        self.push_lanes(result);
    }
}

/// An instruction and the operators that are that instruction, with the lanes that they work on.
macro_rules! unary {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, for two operands.
macro_rules! binary {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let result = self.builder.ins().$inst(x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// An instruction that compares, the relation, and the operators with the lanes that they work on.
macro_rules! compare {
    ($($inst:ident $cond:expr => $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let result = self.builder.ins().$inst($cond, x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, for a vector and a scalar operand that is a count of bits.
macro_rules! shift {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            // Instructions take the count modulo the width of the lanes too.
            let count = self.pop();
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x, count);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `unary`, with the lanes that the instruction gives.
macro_rules! convert {
    ($($inst:ident: $($visit:ident $from:ident $to:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($from);
            let result = self.builder.ins().$inst($to, x);
            self.push_lanes(result);
        }
    )+)*};
}

/// As `convert`, of the low half of the lanes, which the first instruction widens.
macro_rules! convert_low {
    ($($visit:ident $widen:ident $convert:ident;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop_lanes(I32X4);
            let wide = self.builder.ins().$widen(x);
            let result = self.builder.ins().$convert(F64X2, wide);
            self.push_lanes(result);
        }
    )*};
}

/// An instruction that widens, and the products of the lanes that it gives.
macro_rules! extended_product {
    ($($widen:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            let x = self.builder.ins().$widen(x);
            let y = self.builder.ins().$widen(y);
            let result = self.builder.ins().imul(x, y);
            self.push_lanes(result);
        }
    )+)*};
}

/// The instructions that widen the halves of the operand, and the sums of neighbouring lanes of theirs.
macro_rules! extended_sum {
    ($($low:ident $high:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let low = self.builder.ins().$low(x);
            let high = self.builder.ins().$high(x);
            let result = self.builder.ins().iadd_pairwise(low, high);
            self.push_lanes(result);
        }
    )+)*};
}

/// Reductions to a truth value, as `unary`.
macro_rules! truth {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().$inst(x);
            self.push_bool(result);
        }
    )+)*};
}

/// The top bits of lanes.
macro_rules! bitmask {
    ($($visit:ident $ty:ident;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop_lanes($ty);
            let result = self.builder.ins().vhigh_bits(I32, x);
            self.push(result);
        }
    )*};
}

/// Operators that make lanes of one scalar; `reduce` where the scalar on the stack is wider than the lanes.
macro_rules! splat {
    ($($visit:ident $ty:ident $($reduce:ident)?;)*) => {$(
        fn $visit(&mut self) {
            let x = self.pop();
            $(let x = self.builder.ins().$reduce($ty.lane_type(), x);)?
            let result = self.builder.ins().splat($ty, x);
            self.push_lanes(result);
        }
    )*};
}

/// Operators that put a scalar into a lane, as `splat`.
macro_rules! replace_lane {
    ($($visit:ident $ty:ident $($reduce:ident)?;)*) => {$(
        fn $visit(&mut self, lane: u8) {
            let x = self.pop();
            $(let x = self.builder.ins().$reduce($ty.lane_type(), x);)?
            let vector = self.pop_lanes($ty);
            let result = self.builder.ins().insertlane(vector, x, lane);
            self.push_lanes(result);
        }
    )*};
}

/// Operators that take the scalar from a lane, with an instruction that extends narrow ones.
macro_rules! extract_lane {
    ($($visit:ident $ty:ident $($extend:ident)?;)*) => {$(
        fn $visit(&mut self, lane: u8) {
            let vector = self.pop_lanes($ty);
            let result = self.builder.ins().extractlane(vector, lane);
            $(let result = self.builder.ins().$extend(I32, result);)?
            self.push(result);
        }
    )*};
}

/// Loads of eight bytes whose lanes the instruction extends.
macro_rules! load_extended {
    ($($visit:ident $inst:ident;)*) => {$(
        fn $visit(&mut self, memarg: MemArg) {
            let (flags, base, offset) = self.access(&memarg, 8);
            let result = self.builder.ins().$inst(flags, base, offset);
            self.push_lanes(result);
        }
    )*};
}

/// Loads of a scalar that an instruction makes a vector.
macro_rules! load_to {
    ($($inst:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self, memarg: MemArg) {
            let value = self.load_scalar(&memarg, $ty.lane_type());
            let result = self.builder.ins().$inst($ty, value);
            self.push_lanes(result);
        }
    )+)*};
}

/// Loads and stores of one lane.
macro_rules! access_lane {
    ($($access:ident: $($visit:ident $ty:ident),+;)*) => {$($(
        fn $visit(&mut self, memarg: MemArg, lane: u8) {
            self.$access(&memarg, $ty, lane);
        }
    )+)*};
}

/// Bits of the first operand where the third has ones, of the second elsewhere.
macro_rules! select_bits {
    ($($visit:ident)*) => {$(
        fn $visit(&mut self) {
            let (x, y, mask) = self.pop3_lanes(I8X16);
            let result = self.builder.ins().bitselect(mask, x, y);
            self.push_lanes(result);
        }
    )*};
}

/// The lesser or greater operand as `pmin` and `pmax` have it: the first one unless the second is beyond.
macro_rules! pseudo_min_max {
    ($($min:ident $max:ident $ty:ident;)*) => {$(
        fn $min(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            self.push_beyond((y, x), y, x);
        }

        fn $max(&mut self) {
            let (x, y) = self.pop2_lanes($ty);
            self.push_beyond((x, y), y, x);
        }
    )*};
}

/// Sums and differences with a product that is rounded by itself.
macro_rules! multiply_add {
    ($($madd:ident $nmadd:ident $ty:ident;)*) => {$(
        fn $madd(&mut self) {
            let (x, y, z) = self.pop3_lanes($ty);
            let product = self.builder.ins().fmul(x, y);
            let result = self.builder.ins().fadd(product, z);
            self.push_lanes(result);
        }

        fn $nmadd(&mut self) {
            let (x, y, z) = self.pop3_lanes($ty);
            let product = self.builder.ins().fmul(x, y);
            let result = self.builder.ins().fsub(z, product);
            self.push_lanes(result);
        }
    )*};
}

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
