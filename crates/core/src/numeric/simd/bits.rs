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
