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
