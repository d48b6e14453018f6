//! Integer arithmetic lane by lane.

use super::v128::*;

map_lanes! {
    i8x16_abs: I8x16 -> I8x16, |x| x.wrapping_abs();
    i8x16_neg: I8x16 -> I8x16, |x| x.wrapping_neg();
    i8x16_popcnt: U8x16 -> U8x16, |x| x.count_ones() as u8;
    i16x8_abs: I16x8 -> I16x8, |x| x.wrapping_abs();
    i16x8_neg: I16x8 -> I16x8, |x| x.wrapping_neg();
    i32x4_abs: I32x4 -> I32x4, |x| x.wrapping_abs();
    i32x4_neg: I32x4 -> I32x4, |x| x.wrapping_neg();
    i64x2_abs: I64x2 -> I64x2, |x| x.wrapping_abs();
    i64x2_neg: I64x2 -> I64x2, |x| x.wrapping_neg();
}

zip_lanes! {
    i8x16_add: U8x16 -> U8x16, |x, y| x.wrapping_add(y);
    i8x16_sub: U8x16 -> U8x16, |x, y| x.wrapping_sub(y);
    i8x16_add_sat_s: I8x16 -> I8x16, |x, y| x.saturating_add(y);
    i8x16_add_sat_u: U8x16 -> U8x16, |x, y| x.saturating_add(y);
    i8x16_sub_sat_s: I8x16 -> I8x16, |x, y| x.saturating_sub(y);
    i8x16_sub_sat_u: U8x16 -> U8x16, |x, y| x.saturating_sub(y);
    i8x16_avgr_u: U8x16 -> U8x16, |x, y| ((u16::from(x) + u16::from(y) + 1) >> 1) as u8;
    i8x16_min_s: I8x16 -> I8x16, |x, y| x.min(y);
    i8x16_min_u: U8x16 -> U8x16, |x, y| x.min(y);
    i8x16_max_s: I8x16 -> I8x16, |x, y| x.max(y);
    i8x16_max_u: U8x16 -> U8x16, |x, y| x.max(y);
    i16x8_add: U16x8 -> U16x8, |x, y| x.wrapping_add(y);
    i16x8_sub: U16x8 -> U16x8, |x, y| x.wrapping_sub(y);
    i16x8_mul: U16x8 -> U16x8, |x, y| x.wrapping_mul(y);
    i16x8_add_sat_s: I16x8 -> I16x8, |x, y| x.saturating_add(y);
    i16x8_add_sat_u: U16x8 -> U16x8, |x, y| x.saturating_add(y);
    i16x8_sub_sat_s: I16x8 -> I16x8, |x, y| x.saturating_sub(y);
    i16x8_sub_sat_u: U16x8 -> U16x8, |x, y| x.saturating_sub(y);
    i16x8_avgr_u: U16x8 -> U16x8, |x, y| ((u32::from(x) + u32::from(y) + 1) >> 1) as u16;
    i16x8_min_s: I16x8 -> I16x8, |x, y| x.min(y);
    i16x8_min_u: U16x8 -> U16x8, |x, y| x.min(y);
    i16x8_max_s: I16x8 -> I16x8, |x, y| x.max(y);
    i16x8_max_u: U16x8 -> U16x8, |x, y| x.max(y);
    i16x8_q15mulr_sat_s: I16x8 -> I16x8, |x, y| q15mulr_sat(x, y);
    i32x4_add: U32x4 -> U32x4, |x, y| x.wrapping_add(y);
    i32x4_sub: U32x4 -> U32x4, |x, y| x.wrapping_sub(y);
    i32x4_mul: U32x4 -> U32x4, |x, y| x.wrapping_mul(y);
    i32x4_min_s: I32x4 -> I32x4, |x, y| x.min(y);
    i32x4_min_u: U32x4 -> U32x4, |x, y| x.min(y);
    i32x4_max_s: I32x4 -> I32x4, |x, y| x.max(y);
    i32x4_max_u: U32x4 -> U32x4, |x, y| x.max(y);
    i64x2_add: U64x2 -> U64x2, |x, y| x.wrapping_add(y);
    i64x2_sub: U64x2 -> U64x2, |x, y| x.wrapping_sub(y);
    i64x2_mul: U64x2 -> U64x2, |x, y| x.wrapping_mul(y);
}

/// Product of two fixed-point numbers with 15 fraction bits, rounded. Only the square of -1 exceeds the range.
#[inline(always)]
fn q15mulr_sat(x: i16, y: i16) -> i16 {
    ((i32::from(x) * i32::from(y) + 0x4000) >> 15).min(i32::from(i16::MAX)) as i16
}
