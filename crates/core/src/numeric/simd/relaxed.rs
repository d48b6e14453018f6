//! Relaxed SIMD.
//!
//! The specification allows several results for some operands and asks that an implementation always take the same
//! choice. Wharf takes, on every host and in every tier, the choices of the specification's deterministic profile:
//! - `madd` and `nmadd` are not fused: the product is rounded before the addition. (A fused result would cost a call
//!   of the C library wherever the target's baseline has no such instruction, x86-64's among them.)
//! - `min`, `max`, `trunc`, `swizzle` and `q15mulr` are their strict counterparts.
//! - `laneselect` selects bit by bit, like `v128.bitselect`.
//! - the dot products take the second operand's bytes as signed and saturate the sums of two products.

use std::array;

use super::v128::*;
use super::{
    f32x4_max, f32x4_min, f64x2_max, f64x2_min, i8x16_swizzle, i16x8_q15mulr_sat_s, i32x4_trunc_sat_f32x4_s,
    i32x4_trunc_sat_f32x4_u, i32x4_trunc_sat_f64x2_s_zero, i32x4_trunc_sat_f64x2_u_zero, v128_bitselect,
};

macro_rules! same_as_strict {
    ($($name:ident($($operand:ident),+) = $strict:ident;)*) => {$(
        #[inline(always)]
        pub fn $name($($operand: V128),+) -> V128 {
            $strict($($operand),+)
        }
    )*};
}

same_as_strict! {
    i8x16_relaxed_swizzle(a, indices) = i8x16_swizzle;
    i32x4_relaxed_trunc_f32x4_s(a) = i32x4_trunc_sat_f32x4_s;
    i32x4_relaxed_trunc_f32x4_u(a) = i32x4_trunc_sat_f32x4_u;
    i32x4_relaxed_trunc_f64x2_s_zero(a) = i32x4_trunc_sat_f64x2_s_zero;
    i32x4_relaxed_trunc_f64x2_u_zero(a) = i32x4_trunc_sat_f64x2_u_zero;
    i8x16_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i16x8_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i32x4_relaxed_laneselect(a, b, mask) = v128_bitselect;
    i64x2_relaxed_laneselect(a, b, mask) = v128_bitselect;
    f32x4_relaxed_min(a, b) = f32x4_min;
    f32x4_relaxed_max(a, b) = f32x4_max;
    f64x2_relaxed_min(a, b) = f64x2_min;
    f64x2_relaxed_max(a, b) = f64x2_max;
    i16x8_relaxed_q15mulr_s(a, b) = i16x8_q15mulr_sat_s;
}

macro_rules! multiply_adds {
    ($($name:ident: $lanes:ident, |$x:ident, $y:ident, $z:ident| $result:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128, c: V128) -> V128 {
            let (a, b, c): ($lanes, $lanes, $lanes) = (a.lanes(), b.lanes(), c.lanes());
            let lanes: $lanes = array::from_fn(|lane| {
                let ($x, $y, $z) = (a[lane], b[lane], c[lane]);
                $result
            });
            V128::from_lanes(lanes)
        }
    )*};
}

multiply_adds! {
    f32x4_relaxed_madd: F32x4, |x, y, z| x * y + z;
    f32x4_relaxed_nmadd: F32x4, |x, y, z| -x * y + z;
    f64x2_relaxed_madd: F64x2, |x, y, z| x * y + z;
    f64x2_relaxed_nmadd: F64x2, |x, y, z| -x * y + z;
}

/// `i16x8.relaxed_dot_i8x16_i7x16_s`: sums of the products of neighbouring signed bytes. Only twice the square of
/// -128 exceeds an `i16`; it saturates.
#[inline(always)]
pub fn i16x8_relaxed_dot_i8x16_i7x16_s(a: V128, b: V128) -> V128 {
    V128::from_lanes(dot_bytes(a, b))
}

/// `i32x4.relaxed_dot_i8x16_i7x16_add_s`: neighbouring lanes of [`i16x8_relaxed_dot_i8x16_i7x16_s`] added to each
/// other and, wrapping, to the third operand.
#[inline(always)]
pub fn i32x4_relaxed_dot_i8x16_i7x16_add_s(a: V128, b: V128, c: V128) -> V128 {
    let (dot, c): (I16x8, I32x4) = (dot_bytes(a, b), c.lanes());
    let lanes: I32x4 = array::from_fn(|lane| {
        (i32::from(dot[2 * lane]) + i32::from(dot[2 * lane + 1])).wrapping_add(c[lane])
    });
    V128::from_lanes(lanes)
}

#[inline(always)]
fn dot_bytes(a: V128, b: V128) -> I16x8 {
    let (a, b): (I8x16, I8x16) = (a.lanes(), b.lanes());
    let product = |lane: usize| i16::from(a[lane]) * i16::from(b[lane]);
    array::from_fn(|lane| product(2 * lane).saturating_add(product(2 * lane + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiply_add_rounds_the_product() {
        let max = V128::from([f32::MAX; 4]);
        let two = V128::from([2.0_f32; 4]);
        let minus_max = V128::from([-f32::MAX; 4]);
        assert_eq!(
            f32x4_relaxed_madd(max, two, minus_max).lanes::<F32x4>(),
            [f32::INFINITY; 4]
        );
        assert_eq!(
            f32x4_relaxed_nmadd(minus_max, two, minus_max).lanes::<F32x4>(),
            [f32::INFINITY; 4]
        );
        let (x, y) = (1.0 + f64::powi(2.0, -30), 1.0 + f64::powi(2.0, -23));
        let z = -(1.0 + f64::powi(2.0, -23) + f64::powi(2.0, -30));
        let splat = |value: f64| V128::from([value; 2]);
        assert_eq!(
            f64x2_relaxed_madd(splat(x), splat(y), splat(z)).lanes::<F64x2>(),
            [0.0; 2]
        );
        assert_eq!(
            f64x2_relaxed_nmadd(splat(-x), splat(y), splat(z)).lanes::<F64x2>(),
            [0.0; 2]
        );
    }

    #[test]
    fn operands_of_multiply_add() {
        let a = V128::from([1.0_f32, 2.0, 3.0, -4.0]);
        let b = V128::from([5.0_f32, 6.0, -7.0, 8.0]);
        let c = V128::from([0.5_f32, 1.0, 100.0, 0.0]);
        assert_eq!(
            f32x4_relaxed_madd(a, b, c).lanes::<F32x4>(),
            [5.5, 13.0, 79.0, -32.0]
        );
        assert_eq!(
            f32x4_relaxed_nmadd(a, b, c).lanes::<F32x4>(),
            [-4.5, -11.0, 121.0, 32.0]
        );
        let (a, b, c) = (
            V128::from([2.0, -3.0]),
            V128::from([4.0, 5.0]),
            V128::from([1.0, 1.0]),
        );
        assert_eq!(f64x2_relaxed_madd(a, b, c).lanes::<F64x2>(), [9.0, -14.0]);
        assert_eq!(f64x2_relaxed_nmadd(a, b, c).lanes::<F64x2>(), [-7.0, 16.0]);
    }

    #[test]
    fn choices_are_those_of_the_strict_instructions() {
        let a = V128([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
        let indices = V128([15, 16, 31, 127, 128, 255, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(i8x16_relaxed_swizzle(a, indices).0[..7], [25, 0, 0, 0, 0, 0, 10]);

        let x = V128::from([f32::NAN, 3e9, -3e9, -1.5]);
        assert_eq!(
            i32x4_relaxed_trunc_f32x4_s(x).lanes::<I32x4>(),
            [0, i32::MAX, i32::MIN, -1]
        );
        assert_eq!(
            i32x4_relaxed_trunc_f32x4_u(x).lanes::<U32x4>(),
            [0, 3_000_000_000, 0, 0]
        );
        let x = V128::from([f64::NAN, 1e10]);
        assert_eq!(
            i32x4_relaxed_trunc_f64x2_s_zero(x).lanes::<I32x4>(),
            [0, i32::MAX, 0, 0]
        );
        assert_eq!(
            i32x4_relaxed_trunc_f64x2_u_zero(x).lanes::<U32x4>(),
            [0, u32::MAX, 0, 0]
        );

        let (zero, minus_zero) = (V128::from([0.0_f32; 4]), V128::from([-0.0_f32; 4]));
        assert_eq!(f32x4_relaxed_min(zero, minus_zero), minus_zero);
        assert_eq!(f32x4_relaxed_max(minus_zero, zero), zero);
        let (nan, one) = (V128::from([f64::NAN; 2]), V128::from([1.0_f64; 2]));
        assert!(f64x2_relaxed_min(one, nan).lanes::<F64x2>()[1].is_nan());
        assert!(f64x2_relaxed_max(nan, one).lanes::<F64x2>()[0].is_nan());

        let least = V128::from([i16::MIN; 8]);
        assert_eq!(
            i16x8_relaxed_q15mulr_s(least, least).lanes::<I16x8>(),
            [i16::MAX; 8]
        );
    }

    #[test]
    fn lane_selection_is_bit_by_bit() {
        let (a, b, mask) = (V128([0xaa; 16]), V128([0x55; 16]), V128([0xf0; 16]));
        for f in [
            i8x16_relaxed_laneselect,
            i16x8_relaxed_laneselect,
            i32x4_relaxed_laneselect,
            i64x2_relaxed_laneselect,
        ] {
            assert_eq!(f(a, b, mask), V128([0xa5; 16]));
        }
    }

    #[test]
    fn dot_products() {
        let counting = V128([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        assert_eq!(
            i16x8_relaxed_dot_i8x16_i7x16_s(counting, counting).lanes::<I16x8>(),
            [1, 13, 41, 85, 145, 221, 313, 421]
        );
        let c = V128::from([0, 1, 2, i32::MAX]);
        assert_eq!(
            i32x4_relaxed_dot_i8x16_i7x16_add_s(counting, counting, c).lanes::<I32x4>(),
            [14, 127, 368, i32::MIN + 733]
        );
        let least = V128::from([-128_i8; 16]);
        let minus_127 = V128::from([-127_i8; 16]);
        assert_eq!(
            i16x8_relaxed_dot_i8x16_i7x16_s(least, minus_127).lanes::<I16x8>(),
            [32512; 8]
        );
        assert_eq!(
            i16x8_relaxed_dot_i8x16_i7x16_s(least, least).lanes::<I16x8>(),
            [i16::MAX; 8]
        );
        assert_eq!(
            i32x4_relaxed_dot_i8x16_i7x16_add_s(least, least, V128::ZERO).lanes::<I32x4>(),
            [65534; 4]
        );
    }
}
