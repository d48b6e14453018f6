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

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a function of 8-bit lanes against integer arithmetic for every pair of values.
    fn check_bytes(f: fn(V128, V128) -> V128, signed: bool, expected: fn(i32, i32) -> i32) {
        let value = |byte: u8| {
            if signed {
                i32::from(byte as i8)
            } else {
                i32::from(byte)
            }
        };
        for a in 0..=u8::MAX {
            for start in (0..=u8::MAX).step_by(16) {
                let b: U8x16 = std::array::from_fn(|i| start + i as u8);
                let wanted = b.map(|b| expected(value(a), value(b)) as u8);
                assert_eq!(f(V128([a; 16]), V128(b)), V128(wanted));
            }
        }
    }

    #[test]
    fn bytes() {
        check_bytes(i8x16_add, true, |a, b| a + b);
        check_bytes(i8x16_sub, true, |a, b| a - b);
        check_bytes(i8x16_add_sat_s, true, |a, b| (a + b).clamp(-128, 127));
        check_bytes(i8x16_add_sat_u, false, |a, b| (a + b).clamp(0, 255));
        check_bytes(i8x16_sub_sat_s, true, |a, b| (a - b).clamp(-128, 127));
        check_bytes(i8x16_sub_sat_u, false, |a, b| (a - b).clamp(0, 255));
        check_bytes(i8x16_min_s, true, |a, b| if a < b { a } else { b });
        check_bytes(i8x16_min_u, false, |a, b| if a < b { a } else { b });
        check_bytes(i8x16_max_s, true, |a, b| if a > b { a } else { b });
        check_bytes(i8x16_max_u, false, |a, b| if a > b { a } else { b });
        check_bytes(i8x16_avgr_u, false, |a, b| (a + b + 1) / 2);
        check_bytes(|a, _| i8x16_abs(a), true, |a, _| if a < 0 { -a } else { a });
        check_bytes(|a, _| i8x16_neg(a), true, |a, _| -a);
        check_bytes(
            |a, _| i8x16_popcnt(a),
            false,
            |a, _| (0..8).map(|bit| a >> bit & 1).sum(),
        );
    }

    const A16: I16x8 = [-32768, -32768, 32767, 32767, -1, 300, -300, 0];
    const B16: I16x8 = [-32768, -1, 32767, -32768, -1, 300, 200, 5];

    fn check_16(f: fn(V128, V128) -> V128, expected: I16x8) {
        assert_eq!(f(V128::from(A16), V128::from(B16)).lanes::<I16x8>(), expected);
    }

    #[test]
    fn halves() {
        check_16(i16x8_add, [0, 32767, -2, -1, -2, 600, -100, 5]);
        check_16(i16x8_sub, [0, -32767, 0, -1, 0, 0, -500, -5]);
        check_16(i16x8_mul, [0, -32768, 1, -32768, 1, 24464, 5536, 0]);
        check_16(i16x8_add_sat_s, [-32768, -32768, 32767, -1, -2, 600, -100, 5]);
        check_16(i16x8_sub_sat_s, [0, -32767, 0, 32767, 0, 0, -500, -5]);
        check_16(i16x8_add_sat_u, [-1, -1, -2, -1, -1, 600, -100, 5]);
        check_16(i16x8_sub_sat_u, [0, 0, 0, 0, 0, 0, -500, 0]);
        check_16(i16x8_min_s, [-32768, -32768, 32767, -32768, -1, 300, -300, 0]);
        check_16(i16x8_max_s, [-32768, -1, 32767, 32767, -1, 300, 200, 5]);
        check_16(i16x8_min_u, [-32768, -32768, 32767, 32767, -1, 300, 200, 0]);
        check_16(i16x8_max_u, [-32768, -1, 32767, -32768, -1, 300, -300, 5]);
        check_16(i16x8_avgr_u, [-32768, -16384, 32767, -32768, -1, 300, 32718, 3]);
        check_16(i16x8_q15mulr_sat_s, [32767, 1, 32766, -32767, 0, 3, -2, 0]);
        check_16(
            |a, _| i16x8_abs(a),
            [-32768, -32768, 32767, 32767, 1, 300, 300, 0],
        );
        check_16(
            |a, _| i16x8_neg(a),
            [-32768, -32768, -32767, -32767, 1, -300, 300, 0],
        );
    }

    const A32: I32x4 = [i32::MIN, i32::MAX, -1, 70_000];
    const B32: I32x4 = [-1, 1, 2, -70_000];

    fn check_32(f: fn(V128, V128) -> V128, expected: I32x4) {
        assert_eq!(f(V128::from(A32), V128::from(B32)).lanes::<I32x4>(), expected);
    }

    #[test]
    fn words() {
        check_32(i32x4_add, [i32::MAX, i32::MIN, 1, 0]);
        check_32(i32x4_sub, [-i32::MAX, i32::MAX - 1, -3, 140_000]);
        check_32(i32x4_mul, [i32::MIN, i32::MAX, -2, -605_032_704]);
        check_32(i32x4_min_s, [i32::MIN, 1, -1, -70_000]);
        check_32(i32x4_max_s, [-1, i32::MAX, 2, 70_000]);
        check_32(i32x4_min_u, [i32::MIN, 1, 2, 70_000]);
        check_32(i32x4_max_u, [-1, i32::MAX, -1, -70_000]);
        check_32(|a, _| i32x4_abs(a), [i32::MIN, i32::MAX, 1, 70_000]);
        check_32(|a, _| i32x4_neg(a), [i32::MIN, -i32::MAX, 1, -70_000]);
    }

    #[test]
    fn double_words() {
        let a = V128::from([i64::MIN, -5_000_000_000]);
        let b = V128::from([-1_i64, 3_000_000_000]);
        assert_eq!(i64x2_add(a, b).lanes::<I64x2>(), [i64::MAX, -2_000_000_000]);
        assert_eq!(i64x2_sub(a, b).lanes::<I64x2>(), [-i64::MAX, -8_000_000_000]);
        assert_eq!(
            i64x2_mul(a, b).lanes::<I64x2>(),
            [i64::MIN, 3_446_744_073_709_551_616]
        );
        assert_eq!(i64x2_abs(a).lanes::<I64x2>(), [i64::MIN, 5_000_000_000]);
        assert_eq!(i64x2_neg(a).lanes::<I64x2>(), [i64::MIN, 5_000_000_000]);
    }
}
