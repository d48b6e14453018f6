//! Bitwise instructions on whole vectors, and reductions of a vector to an `i32`.

use super::v128::*;

map_lanes! {
    v128_not: U64x2 -> U64x2, |x| !x;
}

zip_lanes! {
    v128_and: U64x2 -> U64x2, |x, y| x & y;
    v128_andnot: U64x2 -> U64x2, |x, y| x & !y;
    v128_or: U64x2 -> U64x2, |x, y| x | y;
    v128_xor: U64x2 -> U64x2, |x, y| x ^ y;
}

/// `v128.bitselect`: bits of `a` where `mask` has ones, bits of `b` elsewhere.
#[inline(always)]
pub fn v128_bitselect(a: V128, b: V128, mask: V128) -> V128 {
    let (a, b, mask): (U64x2, U64x2, U64x2) = (a.lanes(), b.lanes(), mask.lanes());
    V128::from_lanes([0, 1].map(|i: usize| b[i] ^ ((a[i] ^ b[i]) & mask[i])))
}

/// `v128.any_true`: 1 if any bit is set.
#[inline(always)]
pub fn v128_any_true(a: V128) -> u32 {
    let [low, high]: U64x2 = a.lanes();
    u32::from(low | high != 0)
}

/// `i8x16.all_true`: 1 if no lane is zero.
#[inline(always)]
pub fn i8x16_all_true(a: V128) -> u32 {
    no_zero_lane(a, 0x0101_0101_0101_0101)
}

/// `i16x8.all_true`: 1 if no lane is zero.
#[inline(always)]
pub fn i16x8_all_true(a: V128) -> u32 {
    no_zero_lane(a, 0x0001_0001_0001_0001)
}

/// `i32x4.all_true`: 1 if no lane is zero.
#[inline(always)]
pub fn i32x4_all_true(a: V128) -> u32 {
    no_zero_lane(a, 0x0000_0001_0000_0001)
}

/// `i64x2.all_true`: 1 if no lane is zero.
#[inline(always)]
pub fn i64x2_all_true(a: V128) -> u32 {
    no_zero_lane(a, 1)
}

/// 1 if no lane is zero, the lanes being given by a one in the lowest bit of each.
///
/// Subtracting one from every lane sets the top bit of those that were zero and of those that had it already. A
/// borrow reaches the next lane only if there is a zero lane below, so it cannot change the answer.
#[inline(always)]
fn no_zero_lane(a: V128, ones: u64) -> u32 {
    let tops = ones.rotate_right(1);
    let [low, high] = a
        .lanes::<U64x2>()
        .map(|half| half.wrapping_sub(ones) & !half & tops);
    u32::from(low | high == 0)
}

/// `i8x16.bitmask`: the top bits of the lanes, lane 0 in bit 0.
#[inline(always)]
pub fn i8x16_bitmask(a: V128) -> u32 {
    // Bit 8k+7 times 2^(49-7k) is bit 56+k; no two partial products fall on the same bit, so nothing carries.
    let [low, high] = a
        .lanes::<U64x2>()
        .map(|half| ((half & 0x8080_8080_8080_8080).wrapping_mul(0x0002_0408_1020_4081) >> 56) as u32);
    low | high << 8
}

/// `i16x8.bitmask`: the top bits of the lanes, lane 0 in bit 0.
#[inline(always)]
pub fn i16x8_bitmask(a: V128) -> u32 {
    // Bit 16k+15 times 2^(45-15k) is bit 60+k.
    let [low, high] = a
        .lanes::<U64x2>()
        .map(|half| ((half & 0x8000_8000_8000_8000).wrapping_mul(0x0000_2000_4000_8001) >> 60) as u32);
    low | high << 4
}

/// `i32x4.bitmask`: the top bits of the lanes, lane 0 in bit 0.
#[inline(always)]
pub fn i32x4_bitmask(a: V128) -> u32 {
    let [w, x, y, z] = a.lanes::<U32x4>().map(|lane| lane >> 31);
    w | x << 1 | y << 2 | z << 3
}

/// `i64x2.bitmask`: the top bits of the lanes, lane 0 in bit 0.
#[inline(always)]
pub fn i64x2_bitmask(a: V128) -> u32 {
    let [x, y] = a.lanes::<U64x2>().map(|lane| (lane >> 63) as u32);
    x | y << 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: V128 = V128::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    const B: V128 = V128::from_u128(0xf0f0_0f0f_ffff_0000_1234_5678_9abc_def0);

    #[test]
    fn bitwise_operations() {
        let (a, b) = (A.to_u128(), B.to_u128());
        assert_eq!(v128_not(A).to_u128(), 0xffee_ddcc_bbaa_9988_7766_5544_3322_1100);
        assert_eq!(v128_and(A, B).to_u128(), a & b);
        assert_eq!(v128_andnot(A, B).to_u128(), a & !b);
        assert_eq!(v128_or(A, B).to_u128(), a | b);
        assert_eq!(v128_xor(A, B).to_u128(), a ^ b);
        let mask = V128::from_u128(0xff << 120 | 0x0f);
        assert_eq!(
            v128_bitselect(A, B, mask).to_u128(),
            0x00f0_0f0f_ffff_0000_1234_5678_9abc_deff
        );
        assert_eq!(v128_bitselect(A, B, V128::ZERO), B);
    }

    #[test]
    fn any_true_looks_at_all_bits() {
        assert_eq!(v128_any_true(V128::ZERO), 0);
        for bit in 0..128 {
            assert_eq!(v128_any_true(V128::from_u128(1 << bit)), 1);
        }
    }

    #[test]
    fn all_true_finds_each_zero_lane() {
        for filling in [1, 0x7f, 0x80, 0xff] {
            let full = [filling; 16];
            for f in [i8x16_all_true, i16x8_all_true, i32x4_all_true, i64x2_all_true] {
                assert_eq!(f(V128(full)), 1);
            }
            for byte in 0..16 {
                let mut v = full;
                v[byte] = 0;
                assert_eq!(i8x16_all_true(V128(v)), 0);
                assert_eq!(i16x8_all_true(V128(v)), 1);
                v[byte ^ 1] = 0;
                assert_eq!(i16x8_all_true(V128(v)), 0);
                assert_eq!(i32x4_all_true(V128(v)), 1);
                v[byte ^ 2] = 0;
                v[byte ^ 3] = 0;
                assert_eq!(i32x4_all_true(V128(v)), 0);
                assert_eq!(i64x2_all_true(V128(v)), 1);
                (4..8).for_each(|i| v[byte ^ i] = 0);
                assert_eq!(i64x2_all_true(V128(v)), 0);
            }
        }
        assert_eq!(
            i8x16_all_true(V128([0x80, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])),
            0
        );
        assert_eq!(
            i16x8_all_true(V128::from([1_u16, 0x100, 0x8000, 1, 1, 1, 1, 1])),
            1
        );
    }

    #[test]
    fn bitmasks_have_lane_zero_in_bit_zero() {
        for pattern in (0_u32..=0xffff).step_by(17).chain([0xffff]) {
            let top = |i: usize| pattern >> i & 1 != 0;
            let v = V128::from_lanes::<U8x16>(std::array::from_fn(|i| if top(i) { 0x80 } else { 0x7f }));
            assert_eq!(i8x16_bitmask(v), pattern);
            let v = V128::from_lanes::<I16x8>(std::array::from_fn(|i| if top(i) { -1 } else { 0x7fff }));
            assert_eq!(i16x8_bitmask(v), pattern & 0xff);
            let v = V128::from_lanes::<I32x4>(std::array::from_fn(|i| if top(i) { i32::MIN } else { 1 }));
            assert_eq!(i32x4_bitmask(v), pattern & 0xf);
            let v = V128::from_lanes::<I64x2>(std::array::from_fn(|i| if top(i) { -1 } else { i64::MAX }));
            assert_eq!(i64x2_bitmask(v), pattern & 3);
        }
    }
}
