//! Comparisons: a lane of the result is all ones where the relation holds and zero elsewhere.

use super::v128::*;

zip_lanes! {
    i8x16_eq: I8x16 -> I8x16, |x, y| -i8::from(x == y);
    i8x16_ne: I8x16 -> I8x16, |x, y| -i8::from(x != y);
    i8x16_lt_s: I8x16 -> I8x16, |x, y| -i8::from(x < y);
    i8x16_lt_u: U8x16 -> I8x16, |x, y| -i8::from(x < y);
    i8x16_gt_s: I8x16 -> I8x16, |x, y| -i8::from(x > y);
    i8x16_gt_u: U8x16 -> I8x16, |x, y| -i8::from(x > y);
    i8x16_le_s: I8x16 -> I8x16, |x, y| -i8::from(x <= y);
    i8x16_le_u: U8x16 -> I8x16, |x, y| -i8::from(x <= y);
    i8x16_ge_s: I8x16 -> I8x16, |x, y| -i8::from(x >= y);
    i8x16_ge_u: U8x16 -> I8x16, |x, y| -i8::from(x >= y);
    i16x8_eq: I16x8 -> I16x8, |x, y| -i16::from(x == y);
    i16x8_ne: I16x8 -> I16x8, |x, y| -i16::from(x != y);
    i16x8_lt_s: I16x8 -> I16x8, |x, y| -i16::from(x < y);
    i16x8_lt_u: U16x8 -> I16x8, |x, y| -i16::from(x < y);
    i16x8_gt_s: I16x8 -> I16x8, |x, y| -i16::from(x > y);
    i16x8_gt_u: U16x8 -> I16x8, |x, y| -i16::from(x > y);
    i16x8_le_s: I16x8 -> I16x8, |x, y| -i16::from(x <= y);
    i16x8_le_u: U16x8 -> I16x8, |x, y| -i16::from(x <= y);
    i16x8_ge_s: I16x8 -> I16x8, |x, y| -i16::from(x >= y);
    i16x8_ge_u: U16x8 -> I16x8, |x, y| -i16::from(x >= y);
    i32x4_eq: I32x4 -> I32x4, |x, y| -i32::from(x == y);
    i32x4_ne: I32x4 -> I32x4, |x, y| -i32::from(x != y);
    i32x4_lt_s: I32x4 -> I32x4, |x, y| -i32::from(x < y);
    i32x4_lt_u: U32x4 -> I32x4, |x, y| -i32::from(x < y);
    i32x4_gt_s: I32x4 -> I32x4, |x, y| -i32::from(x > y);
    i32x4_gt_u: U32x4 -> I32x4, |x, y| -i32::from(x > y);
    i32x4_le_s: I32x4 -> I32x4, |x, y| -i32::from(x <= y);
    i32x4_le_u: U32x4 -> I32x4, |x, y| -i32::from(x <= y);
    i32x4_ge_s: I32x4 -> I32x4, |x, y| -i32::from(x >= y);
    i32x4_ge_u: U32x4 -> I32x4, |x, y| -i32::from(x >= y);
    i64x2_eq: I64x2 -> I64x2, |x, y| -i64::from(x == y);
    i64x2_ne: I64x2 -> I64x2, |x, y| -i64::from(x != y);
    i64x2_lt_s: I64x2 -> I64x2, |x, y| -i64::from(x < y);
    i64x2_gt_s: I64x2 -> I64x2, |x, y| -i64::from(x > y);
    i64x2_le_s: I64x2 -> I64x2, |x, y| -i64::from(x <= y);
    i64x2_ge_s: I64x2 -> I64x2, |x, y| -i64::from(x >= y);
    f32x4_eq: F32x4 -> I32x4, |x, y| -i32::from(x == y);
    f32x4_ne: F32x4 -> I32x4, |x, y| -i32::from(x != y);
    f32x4_lt: F32x4 -> I32x4, |x, y| -i32::from(x < y);
    f32x4_gt: F32x4 -> I32x4, |x, y| -i32::from(x > y);
    f32x4_le: F32x4 -> I32x4, |x, y| -i32::from(x <= y);
    f32x4_ge: F32x4 -> I32x4, |x, y| -i32::from(x >= y);
    f64x2_eq: F64x2 -> I64x2, |x, y| -i64::from(x == y);
    f64x2_ne: F64x2 -> I64x2, |x, y| -i64::from(x != y);
    f64x2_lt: F64x2 -> I64x2, |x, y| -i64::from(x < y);
    f64x2_gt: F64x2 -> I64x2, |x, y| -i64::from(x > y);
    f64x2_le: F64x2 -> I64x2, |x, y| -i64::from(x <= y);
    f64x2_ge: F64x2 -> I64x2, |x, y| -i64::from(x >= y);
}
