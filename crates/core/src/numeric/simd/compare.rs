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

#[cfg(test)]
mod tests {
    use super::*;

    type Compare = fn(V128, V128) -> V128;

    /// The three results in `expected` are for less, equal and greater; `pairs` are two values with the first less.
    fn check<L: Lanes + Copy>(low: L, high: L, f: Compare, expected: [bool; 3]) {
        let (low, high) = (V128::from_lanes(low), V128::from_lanes(high));
        for ((a, b), holds) in [(low, high), (low, low), (high, low)].into_iter().zip(expected) {
            assert_eq!(f(a, b), V128([if holds { 0xff } else { 0 }; 16]));
        }
    }

    const EQ: [bool; 3] = [false, true, false];
    const NE: [bool; 3] = [true, false, true];
    const LT: [bool; 3] = [true, false, false];
    const GT: [bool; 3] = [false, false, true];
    const LE: [bool; 3] = [true, true, false];
    const GE: [bool; 3] = [false, true, true];

    #[test]
    fn integers() {
        macro_rules! signed {
            ($one:expr, $minus_one:expr, $($f:ident $expected:ident),*) => {
                $(check($minus_one, $one, $f, $expected);)*
            };
        }
        signed!([1_i8; 16], [-1; 16], i8x16_eq EQ, i8x16_ne NE, i8x16_lt_s LT, i8x16_gt_s GT, i8x16_le_s LE, i8x16_ge_s GE);
        signed!([1_i16; 8], [-1; 8], i16x8_eq EQ, i16x8_ne NE, i16x8_lt_s LT, i16x8_gt_s GT, i16x8_le_s LE, i16x8_ge_s GE);
        signed!([1_i32; 4], [-1; 4], i32x4_eq EQ, i32x4_ne NE, i32x4_lt_s LT, i32x4_gt_s GT, i32x4_le_s LE, i32x4_ge_s GE);
        signed!([1_i64; 2], [-1; 2], i64x2_eq EQ, i64x2_ne NE, i64x2_lt_s LT, i64x2_gt_s GT, i64x2_le_s LE, i64x2_ge_s GE);
        macro_rules! unsigned {
            ($one:expr, $minus_one:expr, $($f:ident $expected:ident),*) => {
                $(check($one, $minus_one, $f, $expected);)*
            };
        }
        unsigned!([1_i8; 16], [-1; 16], i8x16_lt_u LT, i8x16_gt_u GT, i8x16_le_u LE, i8x16_ge_u GE);
        unsigned!([1_i16; 8], [-1; 8], i16x8_lt_u LT, i16x8_gt_u GT, i16x8_le_u LE, i16x8_ge_u GE);
        unsigned!([1_i32; 4], [-1; 4], i32x4_lt_u LT, i32x4_gt_u GT, i32x4_le_u LE, i32x4_ge_u GE);
    }

    #[test]
    fn lanes_are_compared_one_by_one() {
        let (a, b) = (V128::from([1_i32, 5, -7, 0]), V128::from([2, 5, -8, i32::MIN]));
        assert_eq!(i32x4_lt_s(a, b).lanes::<I32x4>(), [-1, 0, 0, 0]);
        assert_eq!(i32x4_eq(a, b).lanes::<I32x4>(), [0, -1, 0, 0]);
        assert_eq!(i32x4_gt_u(a, b).lanes::<I32x4>(), [0, 0, -1, 0]);
        assert_eq!(
            i8x16_eq(a, b).to_u128(),
            0x00ff_ffff_ffff_ff00_ffff_ffff_ffff_ff00
        );
    }

    #[test]
    fn floats() {
        let single: [(Compare, [bool; 3]); 6] = [
            (f32x4_eq, EQ),
            (f32x4_ne, NE),
            (f32x4_lt, LT),
            (f32x4_gt, GT),
            (f32x4_le, LE),
            (f32x4_ge, GE),
        ];
        for (f, expected) in single {
            check([-1.5_f32; 4], [0.5; 4], f, expected);
            // Zeros are equal, NaNs are unordered and unequal to all.
            let (equal, different) = (expected[1], expected[0] && expected[2]);
            let a = V128::from([0.0_f32, f32::NAN, 1.0, f32::NAN]);
            let b = V128::from([-0.0_f32, 1.0, f32::NAN, f32::NAN]);
            let result = f(a, b).lanes::<I32x4>().map(|lane| lane != 0);
            assert_eq!(result, [equal, different, different, different]);
        }
        let double: [(Compare, [bool; 3]); 6] = [
            (f64x2_eq, EQ),
            (f64x2_ne, NE),
            (f64x2_lt, LT),
            (f64x2_gt, GT),
            (f64x2_le, LE),
            (f64x2_ge, GE),
        ];
        for (f, expected) in double {
            check([-1.5_f64; 2], [0.5; 2], f, expected);
            let (equal, different) = (expected[1], expected[0] && expected[2]);
            let result = f(V128::from([0.0_f64, f64::NAN]), V128::from([-0.0_f64, 1.0]));
            assert_eq!(result.lanes::<I64x2>().map(|lane| lane != 0), [equal, different]);
        }
    }
}
