//! The table of all vector instructions that do not access memory.

/// Invokes a macro with one row for each vector instruction that is a pure function of its operands (also the relaxed
/// ones), so that opcodes, handlers and translation can be generated from one place.
///
/// `for_each_simd_op! { callback }` expands to `callback! { rows }`, and `for_each_simd_op! { callback { context } }` to
/// `callback! { { context } rows }`. A row is
///
/// ```text
/// shape visit_method function OpName;
/// ```
///
/// with the method of `wasmparser::VisitSimdOperator`, the function in this module, and the name of the
/// `wasmparser::Operator` variant. All four are single identifiers. The rows are grouped by shape:
///
/// | shape | function | visit method's arguments |
/// |---|---|---|
/// | `unary` | `fn(V128) -> V128` | |
/// | `binary` | `fn(V128, V128) -> V128` | |
/// | `ternary` | `fn(V128, V128, V128) -> V128` | |
/// | `shift` | `fn(V128, u32) -> V128` | |
/// | `test` | `fn(V128) -> u32` | |
/// | `splat32` `splat64` `splatf32` `splatf64` | `fn(T) -> V128` with `T` = `u32` `u64` `f32` `f64` | |
/// | `extract32` `extract64` `extractf32` `extractf64` | `fn(V128, u8) -> T` | `lane: u8` |
/// | `replace32` `replace64` `replacef32` `replacef64` | `fn(V128, u8, T) -> V128` | `lane: u8` |
///
/// A callback that needs different code for each shape matches the shape as an identifier and hands it to a second
/// macro with one arm for each:
///
/// ```text
/// macro_rules! handlers {
///     ($($shape:ident $visit:ident $function:ident $op:ident;)*) => { $(handler!($shape $function $op);)* };
/// }
/// macro_rules! handler {
///     (unary $function:ident $op:ident) => { ... };
///     (binary $function:ident $op:ident) => { ... };
///     ...
/// }
/// for_each_simd_op! { handlers }
/// ```
///
/// Not in the table: loads and stores, `v128.const` and `i8x16.shuffle`.
macro_rules! for_each_simd_op {
    ($($callback:ident)::+ $({ $($context:tt)* })?) => {
        $($callback)::+! {
            $({ $($context)* })?
            unary visit_v128_not v128_not V128Not;
            unary visit_i8x16_abs i8x16_abs I8x16Abs;
            unary visit_i8x16_neg i8x16_neg I8x16Neg;
            unary visit_i8x16_popcnt i8x16_popcnt I8x16Popcnt;
            unary visit_i16x8_extadd_pairwise_i8x16_s i16x8_extadd_pairwise_i8x16_s I16x8ExtAddPairwiseI8x16S;
            unary visit_i16x8_extadd_pairwise_i8x16_u i16x8_extadd_pairwise_i8x16_u I16x8ExtAddPairwiseI8x16U;
            unary visit_i16x8_abs i16x8_abs I16x8Abs;
            unary visit_i16x8_neg i16x8_neg I16x8Neg;
            unary visit_i16x8_extend_low_i8x16_s i16x8_extend_low_i8x16_s I16x8ExtendLowI8x16S;
            unary visit_i16x8_extend_high_i8x16_s i16x8_extend_high_i8x16_s I16x8ExtendHighI8x16S;
            unary visit_i16x8_extend_low_i8x16_u i16x8_extend_low_i8x16_u I16x8ExtendLowI8x16U;
            unary visit_i16x8_extend_high_i8x16_u i16x8_extend_high_i8x16_u I16x8ExtendHighI8x16U;
            unary visit_i32x4_extadd_pairwise_i16x8_s i32x4_extadd_pairwise_i16x8_s I32x4ExtAddPairwiseI16x8S;
            unary visit_i32x4_extadd_pairwise_i16x8_u i32x4_extadd_pairwise_i16x8_u I32x4ExtAddPairwiseI16x8U;
            unary visit_i32x4_abs i32x4_abs I32x4Abs;
            unary visit_i32x4_neg i32x4_neg I32x4Neg;
            unary visit_i32x4_extend_low_i16x8_s i32x4_extend_low_i16x8_s I32x4ExtendLowI16x8S;
            unary visit_i32x4_extend_high_i16x8_s i32x4_extend_high_i16x8_s I32x4ExtendHighI16x8S;
            unary visit_i32x4_extend_low_i16x8_u i32x4_extend_low_i16x8_u I32x4ExtendLowI16x8U;
            unary visit_i32x4_extend_high_i16x8_u i32x4_extend_high_i16x8_u I32x4ExtendHighI16x8U;
            unary visit_i64x2_abs i64x2_abs I64x2Abs;
            unary visit_i64x2_neg i64x2_neg I64x2Neg;
            unary visit_i64x2_extend_low_i32x4_s i64x2_extend_low_i32x4_s I64x2ExtendLowI32x4S;
            unary visit_i64x2_extend_high_i32x4_s i64x2_extend_high_i32x4_s I64x2ExtendHighI32x4S;
            unary visit_i64x2_extend_low_i32x4_u i64x2_extend_low_i32x4_u I64x2ExtendLowI32x4U;
            unary visit_i64x2_extend_high_i32x4_u i64x2_extend_high_i32x4_u I64x2ExtendHighI32x4U;
            unary visit_f32x4_ceil f32x4_ceil F32x4Ceil;
            unary visit_f32x4_floor f32x4_floor F32x4Floor;
            unary visit_f32x4_trunc f32x4_trunc F32x4Trunc;
            unary visit_f32x4_nearest f32x4_nearest F32x4Nearest;
            unary visit_f32x4_abs f32x4_abs F32x4Abs;
            unary visit_f32x4_neg f32x4_neg F32x4Neg;
            unary visit_f32x4_sqrt f32x4_sqrt F32x4Sqrt;
            unary visit_f64x2_ceil f64x2_ceil F64x2Ceil;
            unary visit_f64x2_floor f64x2_floor F64x2Floor;
            unary visit_f64x2_trunc f64x2_trunc F64x2Trunc;
            unary visit_f64x2_nearest f64x2_nearest F64x2Nearest;
            unary visit_f64x2_abs f64x2_abs F64x2Abs;
            unary visit_f64x2_neg f64x2_neg F64x2Neg;
            unary visit_f64x2_sqrt f64x2_sqrt F64x2Sqrt;
            unary visit_i32x4_trunc_sat_f32x4_s i32x4_trunc_sat_f32x4_s I32x4TruncSatF32x4S;
            unary visit_i32x4_trunc_sat_f32x4_u i32x4_trunc_sat_f32x4_u I32x4TruncSatF32x4U;
            unary visit_f32x4_convert_i32x4_s f32x4_convert_i32x4_s F32x4ConvertI32x4S;
            unary visit_f32x4_convert_i32x4_u f32x4_convert_i32x4_u F32x4ConvertI32x4U;
            unary visit_i32x4_trunc_sat_f64x2_s_zero i32x4_trunc_sat_f64x2_s_zero I32x4TruncSatF64x2SZero;
            unary visit_i32x4_trunc_sat_f64x2_u_zero i32x4_trunc_sat_f64x2_u_zero I32x4TruncSatF64x2UZero;
            unary visit_f64x2_convert_low_i32x4_s f64x2_convert_low_i32x4_s F64x2ConvertLowI32x4S;
            unary visit_f64x2_convert_low_i32x4_u f64x2_convert_low_i32x4_u F64x2ConvertLowI32x4U;
            unary visit_f32x4_demote_f64x2_zero f32x4_demote_f64x2_zero F32x4DemoteF64x2Zero;
            unary visit_f64x2_promote_low_f32x4 f64x2_promote_low_f32x4 F64x2PromoteLowF32x4;
            unary visit_i32x4_relaxed_trunc_f32x4_s i32x4_relaxed_trunc_f32x4_s I32x4RelaxedTruncF32x4S;
            unary visit_i32x4_relaxed_trunc_f32x4_u i32x4_relaxed_trunc_f32x4_u I32x4RelaxedTruncF32x4U;
            unary visit_i32x4_relaxed_trunc_f64x2_s_zero i32x4_relaxed_trunc_f64x2_s_zero I32x4RelaxedTruncF64x2SZero;
            unary visit_i32x4_relaxed_trunc_f64x2_u_zero i32x4_relaxed_trunc_f64x2_u_zero I32x4RelaxedTruncF64x2UZero;

            binary visit_i8x16_swizzle i8x16_swizzle I8x16Swizzle;
            binary visit_i8x16_eq i8x16_eq I8x16Eq;
            binary visit_i8x16_ne i8x16_ne I8x16Ne;
            binary visit_i8x16_lt_s i8x16_lt_s I8x16LtS;
            binary visit_i8x16_lt_u i8x16_lt_u I8x16LtU;
            binary visit_i8x16_gt_s i8x16_gt_s I8x16GtS;
            binary visit_i8x16_gt_u i8x16_gt_u I8x16GtU;
            binary visit_i8x16_le_s i8x16_le_s I8x16LeS;
            binary visit_i8x16_le_u i8x16_le_u I8x16LeU;
            binary visit_i8x16_ge_s i8x16_ge_s I8x16GeS;
            binary visit_i8x16_ge_u i8x16_ge_u I8x16GeU;
            binary visit_i16x8_eq i16x8_eq I16x8Eq;
            binary visit_i16x8_ne i16x8_ne I16x8Ne;
            binary visit_i16x8_lt_s i16x8_lt_s I16x8LtS;
            binary visit_i16x8_lt_u i16x8_lt_u I16x8LtU;
            binary visit_i16x8_gt_s i16x8_gt_s I16x8GtS;
            binary visit_i16x8_gt_u i16x8_gt_u I16x8GtU;
            binary visit_i16x8_le_s i16x8_le_s I16x8LeS;
            binary visit_i16x8_le_u i16x8_le_u I16x8LeU;
            binary visit_i16x8_ge_s i16x8_ge_s I16x8GeS;
            binary visit_i16x8_ge_u i16x8_ge_u I16x8GeU;
            binary visit_i32x4_eq i32x4_eq I32x4Eq;
            binary visit_i32x4_ne i32x4_ne I32x4Ne;
            binary visit_i32x4_lt_s i32x4_lt_s I32x4LtS;
            binary visit_i32x4_lt_u i32x4_lt_u I32x4LtU;
            binary visit_i32x4_gt_s i32x4_gt_s I32x4GtS;
            binary visit_i32x4_gt_u i32x4_gt_u I32x4GtU;
            binary visit_i32x4_le_s i32x4_le_s I32x4LeS;
            binary visit_i32x4_le_u i32x4_le_u I32x4LeU;
            binary visit_i32x4_ge_s i32x4_ge_s I32x4GeS;
            binary visit_i32x4_ge_u i32x4_ge_u I32x4GeU;
            binary visit_i64x2_eq i64x2_eq I64x2Eq;
            binary visit_i64x2_ne i64x2_ne I64x2Ne;
            binary visit_i64x2_lt_s i64x2_lt_s I64x2LtS;
            binary visit_i64x2_gt_s i64x2_gt_s I64x2GtS;
            binary visit_i64x2_le_s i64x2_le_s I64x2LeS;
            binary visit_i64x2_ge_s i64x2_ge_s I64x2GeS;
            binary visit_f32x4_eq f32x4_eq F32x4Eq;
            binary visit_f32x4_ne f32x4_ne F32x4Ne;
            binary visit_f32x4_lt f32x4_lt F32x4Lt;
            binary visit_f32x4_gt f32x4_gt F32x4Gt;
            binary visit_f32x4_le f32x4_le F32x4Le;
            binary visit_f32x4_ge f32x4_ge F32x4Ge;
            binary visit_f64x2_eq f64x2_eq F64x2Eq;
            binary visit_f64x2_ne f64x2_ne F64x2Ne;
            binary visit_f64x2_lt f64x2_lt F64x2Lt;
            binary visit_f64x2_gt f64x2_gt F64x2Gt;
            binary visit_f64x2_le f64x2_le F64x2Le;
            binary visit_f64x2_ge f64x2_ge F64x2Ge;
            binary visit_v128_and v128_and V128And;
            binary visit_v128_andnot v128_andnot V128AndNot;
            binary visit_v128_or v128_or V128Or;
            binary visit_v128_xor v128_xor V128Xor;
            binary visit_i8x16_narrow_i16x8_s i8x16_narrow_i16x8_s I8x16NarrowI16x8S;
            binary visit_i8x16_narrow_i16x8_u i8x16_narrow_i16x8_u I8x16NarrowI16x8U;
            binary visit_i8x16_add i8x16_add I8x16Add;
            binary visit_i8x16_add_sat_s i8x16_add_sat_s I8x16AddSatS;
            binary visit_i8x16_add_sat_u i8x16_add_sat_u I8x16AddSatU;
            binary visit_i8x16_sub i8x16_sub I8x16Sub;
            binary visit_i8x16_sub_sat_s i8x16_sub_sat_s I8x16SubSatS;
            binary visit_i8x16_sub_sat_u i8x16_sub_sat_u I8x16SubSatU;
            binary visit_i8x16_min_s i8x16_min_s I8x16MinS;
            binary visit_i8x16_min_u i8x16_min_u I8x16MinU;
            binary visit_i8x16_max_s i8x16_max_s I8x16MaxS;
            binary visit_i8x16_max_u i8x16_max_u I8x16MaxU;
            binary visit_i8x16_avgr_u i8x16_avgr_u I8x16AvgrU;
            binary visit_i16x8_q15mulr_sat_s i16x8_q15mulr_sat_s I16x8Q15MulrSatS;
            binary visit_i16x8_narrow_i32x4_s i16x8_narrow_i32x4_s I16x8NarrowI32x4S;
            binary visit_i16x8_narrow_i32x4_u i16x8_narrow_i32x4_u I16x8NarrowI32x4U;
            binary visit_i16x8_add i16x8_add I16x8Add;
            binary visit_i16x8_add_sat_s i16x8_add_sat_s I16x8AddSatS;
            binary visit_i16x8_add_sat_u i16x8_add_sat_u I16x8AddSatU;
            binary visit_i16x8_sub i16x8_sub I16x8Sub;
            binary visit_i16x8_sub_sat_s i16x8_sub_sat_s I16x8SubSatS;
            binary visit_i16x8_sub_sat_u i16x8_sub_sat_u I16x8SubSatU;
            binary visit_i16x8_mul i16x8_mul I16x8Mul;
            binary visit_i16x8_min_s i16x8_min_s I16x8MinS;
            binary visit_i16x8_min_u i16x8_min_u I16x8MinU;
            binary visit_i16x8_max_s i16x8_max_s I16x8MaxS;
            binary visit_i16x8_max_u i16x8_max_u I16x8MaxU;
            binary visit_i16x8_avgr_u i16x8_avgr_u I16x8AvgrU;
            binary visit_i16x8_extmul_low_i8x16_s i16x8_extmul_low_i8x16_s I16x8ExtMulLowI8x16S;
            binary visit_i16x8_extmul_high_i8x16_s i16x8_extmul_high_i8x16_s I16x8ExtMulHighI8x16S;
            binary visit_i16x8_extmul_low_i8x16_u i16x8_extmul_low_i8x16_u I16x8ExtMulLowI8x16U;
            binary visit_i16x8_extmul_high_i8x16_u i16x8_extmul_high_i8x16_u I16x8ExtMulHighI8x16U;
            binary visit_i32x4_add i32x4_add I32x4Add;
            binary visit_i32x4_sub i32x4_sub I32x4Sub;
            binary visit_i32x4_mul i32x4_mul I32x4Mul;
            binary visit_i32x4_min_s i32x4_min_s I32x4MinS;
            binary visit_i32x4_min_u i32x4_min_u I32x4MinU;
            binary visit_i32x4_max_s i32x4_max_s I32x4MaxS;
            binary visit_i32x4_max_u i32x4_max_u I32x4MaxU;
            binary visit_i32x4_dot_i16x8_s i32x4_dot_i16x8_s I32x4DotI16x8S;
            binary visit_i32x4_extmul_low_i16x8_s i32x4_extmul_low_i16x8_s I32x4ExtMulLowI16x8S;
            binary visit_i32x4_extmul_high_i16x8_s i32x4_extmul_high_i16x8_s I32x4ExtMulHighI16x8S;
            binary visit_i32x4_extmul_low_i16x8_u i32x4_extmul_low_i16x8_u I32x4ExtMulLowI16x8U;
            binary visit_i32x4_extmul_high_i16x8_u i32x4_extmul_high_i16x8_u I32x4ExtMulHighI16x8U;
            binary visit_i64x2_add i64x2_add I64x2Add;
            binary visit_i64x2_sub i64x2_sub I64x2Sub;
            binary visit_i64x2_mul i64x2_mul I64x2Mul;
            binary visit_i64x2_extmul_low_i32x4_s i64x2_extmul_low_i32x4_s I64x2ExtMulLowI32x4S;
            binary visit_i64x2_extmul_high_i32x4_s i64x2_extmul_high_i32x4_s I64x2ExtMulHighI32x4S;
            binary visit_i64x2_extmul_low_i32x4_u i64x2_extmul_low_i32x4_u I64x2ExtMulLowI32x4U;
            binary visit_i64x2_extmul_high_i32x4_u i64x2_extmul_high_i32x4_u I64x2ExtMulHighI32x4U;
            binary visit_f32x4_add f32x4_add F32x4Add;
            binary visit_f32x4_sub f32x4_sub F32x4Sub;
            binary visit_f32x4_mul f32x4_mul F32x4Mul;
            binary visit_f32x4_div f32x4_div F32x4Div;
            binary visit_f32x4_min f32x4_min F32x4Min;
            binary visit_f32x4_max f32x4_max F32x4Max;
            binary visit_f32x4_pmin f32x4_pmin F32x4PMin;
            binary visit_f32x4_pmax f32x4_pmax F32x4PMax;
            binary visit_f64x2_add f64x2_add F64x2Add;
            binary visit_f64x2_sub f64x2_sub F64x2Sub;
            binary visit_f64x2_mul f64x2_mul F64x2Mul;
            binary visit_f64x2_div f64x2_div F64x2Div;
            binary visit_f64x2_min f64x2_min F64x2Min;
            binary visit_f64x2_max f64x2_max F64x2Max;
            binary visit_f64x2_pmin f64x2_pmin F64x2PMin;
            binary visit_f64x2_pmax f64x2_pmax F64x2PMax;
            binary visit_i8x16_relaxed_swizzle i8x16_relaxed_swizzle I8x16RelaxedSwizzle;
            binary visit_f32x4_relaxed_min f32x4_relaxed_min F32x4RelaxedMin;
            binary visit_f32x4_relaxed_max f32x4_relaxed_max F32x4RelaxedMax;
            binary visit_f64x2_relaxed_min f64x2_relaxed_min F64x2RelaxedMin;
            binary visit_f64x2_relaxed_max f64x2_relaxed_max F64x2RelaxedMax;
            binary visit_i16x8_relaxed_q15mulr_s i16x8_relaxed_q15mulr_s I16x8RelaxedQ15mulrS;
            binary visit_i16x8_relaxed_dot_i8x16_i7x16_s i16x8_relaxed_dot_i8x16_i7x16_s I16x8RelaxedDotI8x16I7x16S;

            ternary visit_v128_bitselect v128_bitselect V128Bitselect;
            ternary visit_f32x4_relaxed_madd f32x4_relaxed_madd F32x4RelaxedMadd;
            ternary visit_f32x4_relaxed_nmadd f32x4_relaxed_nmadd F32x4RelaxedNmadd;
            ternary visit_f64x2_relaxed_madd f64x2_relaxed_madd F64x2RelaxedMadd;
            ternary visit_f64x2_relaxed_nmadd f64x2_relaxed_nmadd F64x2RelaxedNmadd;
            ternary visit_i8x16_relaxed_laneselect i8x16_relaxed_laneselect I8x16RelaxedLaneselect;
            ternary visit_i16x8_relaxed_laneselect i16x8_relaxed_laneselect I16x8RelaxedLaneselect;
            ternary visit_i32x4_relaxed_laneselect i32x4_relaxed_laneselect I32x4RelaxedLaneselect;
            ternary visit_i64x2_relaxed_laneselect i64x2_relaxed_laneselect I64x2RelaxedLaneselect;
            ternary visit_i32x4_relaxed_dot_i8x16_i7x16_add_s i32x4_relaxed_dot_i8x16_i7x16_add_s I32x4RelaxedDotI8x16I7x16AddS;

            shift visit_i8x16_shl i8x16_shl I8x16Shl;
            shift visit_i8x16_shr_s i8x16_shr_s I8x16ShrS;
            shift visit_i8x16_shr_u i8x16_shr_u I8x16ShrU;
            shift visit_i16x8_shl i16x8_shl I16x8Shl;
            shift visit_i16x8_shr_s i16x8_shr_s I16x8ShrS;
            shift visit_i16x8_shr_u i16x8_shr_u I16x8ShrU;
            shift visit_i32x4_shl i32x4_shl I32x4Shl;
            shift visit_i32x4_shr_s i32x4_shr_s I32x4ShrS;
            shift visit_i32x4_shr_u i32x4_shr_u I32x4ShrU;
            shift visit_i64x2_shl i64x2_shl I64x2Shl;
            shift visit_i64x2_shr_s i64x2_shr_s I64x2ShrS;
            shift visit_i64x2_shr_u i64x2_shr_u I64x2ShrU;

            test visit_v128_any_true v128_any_true V128AnyTrue;
            test visit_i8x16_all_true i8x16_all_true I8x16AllTrue;
            test visit_i8x16_bitmask i8x16_bitmask I8x16Bitmask;
            test visit_i16x8_all_true i16x8_all_true I16x8AllTrue;
            test visit_i16x8_bitmask i16x8_bitmask I16x8Bitmask;
            test visit_i32x4_all_true i32x4_all_true I32x4AllTrue;
            test visit_i32x4_bitmask i32x4_bitmask I32x4Bitmask;
            test visit_i64x2_all_true i64x2_all_true I64x2AllTrue;
            test visit_i64x2_bitmask i64x2_bitmask I64x2Bitmask;

            splat32 visit_i8x16_splat i8x16_splat I8x16Splat;
            splat32 visit_i16x8_splat i16x8_splat I16x8Splat;
            splat32 visit_i32x4_splat i32x4_splat I32x4Splat;

            splat64 visit_i64x2_splat i64x2_splat I64x2Splat;

            splatf32 visit_f32x4_splat f32x4_splat F32x4Splat;

            splatf64 visit_f64x2_splat f64x2_splat F64x2Splat;

            extract32 visit_i8x16_extract_lane_s i8x16_extract_lane_s I8x16ExtractLaneS;
            extract32 visit_i8x16_extract_lane_u i8x16_extract_lane_u I8x16ExtractLaneU;
            extract32 visit_i16x8_extract_lane_s i16x8_extract_lane_s I16x8ExtractLaneS;
            extract32 visit_i16x8_extract_lane_u i16x8_extract_lane_u I16x8ExtractLaneU;
            extract32 visit_i32x4_extract_lane i32x4_extract_lane I32x4ExtractLane;

            extract64 visit_i64x2_extract_lane i64x2_extract_lane I64x2ExtractLane;

            extractf32 visit_f32x4_extract_lane f32x4_extract_lane F32x4ExtractLane;

            extractf64 visit_f64x2_extract_lane f64x2_extract_lane F64x2ExtractLane;

            replace32 visit_i8x16_replace_lane i8x16_replace_lane I8x16ReplaceLane;
            replace32 visit_i16x8_replace_lane i16x8_replace_lane I16x8ReplaceLane;
            replace32 visit_i32x4_replace_lane i32x4_replace_lane I32x4ReplaceLane;

            replace64 visit_i64x2_replace_lane i64x2_replace_lane I64x2ReplaceLane;

            replacef32 visit_f32x4_replace_lane f32x4_replace_lane F32x4ReplaceLane;

            replacef64 visit_f64x2_replace_lane f64x2_replace_lane F64x2ReplaceLane;
        }
    };
}
pub(crate) use for_each_simd_op;

#[cfg(test)]
mod tests {
    use super::super::*;

    const ONES: V128 = V128([1; 16]);

    /// Checks that a row's function has the signature of its shape, calls it, and gives the immediates and the number of
    /// operands that the shape has.
    macro_rules! check {
        (unary $function:ident) => {{
            let function: fn(V128) -> V128 = $function;
            std::hint::black_box(function(ONES));
            ("", 1)
        }};
        (binary $function:ident) => {{
            let function: fn(V128, V128) -> V128 = $function;
            std::hint::black_box(function(ONES, ONES));
            ("", 2)
        }};
        (ternary $function:ident) => {{
            let function: fn(V128, V128, V128) -> V128 = $function;
            std::hint::black_box(function(ONES, ONES, ONES));
            ("", 3)
        }};
        (shift $function:ident) => {{
            let function: fn(V128, u32) -> V128 = $function;
            assert_eq!(function(ONES, 0), ONES);
            ("", 2)
        }};
        (test $function:ident) => {{
            let function: fn(V128) -> u32 = $function;
            assert_eq!(function(V128::ZERO), 0);
            assert_ne!(function(V128([0xff; 16])), 0);
            ("", 1)
        }};
        (splat32 $function:ident) => { check!(splat u32 $function) };
        (splat64 $function:ident) => { check!(splat u64 $function) };
        (splatf32 $function:ident) => { check!(splat f32 $function) };
        (splatf64 $function:ident) => { check!(splat f64 $function) };
        (splat $value:ident $function:ident) => {{
            let function: fn($value) -> V128 = $function;
            assert_eq!(function(0 as $value), V128::ZERO);
            ("", 1)
        }};
        (extract32 $function:ident) => { check!(extract u32 $function) };
        (extract64 $function:ident) => { check!(extract u64 $function) };
        (extractf32 $function:ident) => { check!(extract f32 $function) };
        (extractf64 $function:ident) => { check!(extract f64 $function) };
        (extract $value:ident $function:ident) => {{
            let function: fn(V128, u8) -> $value = $function;
            for lane in 0..=u8::MAX {
                assert_eq!(function(V128::ZERO, lane), 0 as $value);
            }
            ("lane", 1)
        }};
        (replace32 $function:ident) => { check!(replace u32 $function) };
        (replace64 $function:ident) => { check!(replace u64 $function) };
        (replacef32 $function:ident) => { check!(replace f32 $function) };
        (replacef64 $function:ident) => { check!(replace f64 $function) };
        (replace $value:ident $function:ident) => {{
            let function: fn(V128, u8, $value) -> V128 = $function;
            for lane in 0..=u8::MAX {
                assert_eq!(function(V128::ZERO, lane, 0 as $value), V128::ZERO);
            }
            ("lane", 2)
        }};
    }

    /// An operator's name, visit method, immediates and number of operands.
    type Row = (&'static str, &'static str, &'static str, u32);

    #[test]
    fn the_rows_are_all_operators_without_memory_access() {
        macro_rules! table {
            ($($shape:ident $visit:ident $function:ident $op:ident;)*) => {
                [$({
                    assert_eq!(stringify!($visit), concat!("visit_", stringify!($function)));
                    let (immediates, operands) = check!($shape $function);
                    (stringify!($op), stringify!($visit), immediates, operands)
                }),*]
            };
        }
        macro_rules! decoder {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $type:ty),* })? => $visit:ident
                (arity $($memarg:ident)? $operands:literal -> $results:literal))*) => {
                [$((stringify!($op), stringify!($visit), concat!($($(stringify!($arg)),*)?), $operands)),*]
            };
        }
        let mut table: Vec<Row> = for_each_simd_op! { table }.to_vec();
        let mut decoder: Vec<Row> = wasmparser::for_each_visit_simd_operator!(decoder).to_vec();
        decoder.retain(|row| !row.2.starts_with("memarg") && !["V128Const", "I8x16Shuffle"].contains(&row.0));
        table.sort_unstable();
        decoder.sort_unstable();
        assert_eq!(table, decoder);
    }

    #[test]
    fn the_context_comes_first() {
        macro_rules! count {
            ({ $start:literal } $($shape:ident $visit:ident $function:ident $op:ident;)*) => {
                $start $(+ { let _ = stringify!($op); 1 })*
            };
        }
        let rows: u32 = for_each_simd_op! { count { 1000 } };
        assert_eq!(rows, 1232);
    }
}
