//! Conversions between integer and floating-point lanes, and the extending loads' conversions.

use std::array;

use super::super::float::{f32_demote_f64, f64_promote_f32};
use super::v128::*;

map_lanes! {
    i32x4_trunc_sat_f32x4_s: F32x4 -> I32x4, |x| x as i32;
    i32x4_trunc_sat_f32x4_u: F32x4 -> U32x4, |x| x as u32;
    f32x4_convert_i32x4_s: I32x4 -> F32x4, |x| x as f32;
    f32x4_convert_i32x4_u: U32x4 -> F32x4, |x| x as f32;
}

/// `i32x4.trunc_sat_f64x2_s_zero`: the two results are the low lanes, the high lanes are zero.
#[inline(always)]
pub fn i32x4_trunc_sat_f64x2_s_zero(a: V128) -> V128 {
    let [x, y]: F64x2 = a.lanes();
    V128::from_lanes([x as i32, y as i32, 0, 0])
}

/// `i32x4.trunc_sat_f64x2_u_zero`: the two results are the low lanes, the high lanes are zero.
#[inline(always)]
pub fn i32x4_trunc_sat_f64x2_u_zero(a: V128) -> V128 {
    let [x, y]: F64x2 = a.lanes();
    V128::from_lanes([x as u32, y as u32, 0, 0])
}

/// `f64x2.convert_low_i32x4_s`: converts the two low lanes.
#[inline(always)]
pub fn f64x2_convert_low_i32x4_s(a: V128) -> V128 {
    let [x, y, _, _]: I32x4 = a.lanes();
    V128::from_lanes([f64::from(x), f64::from(y)])
}

/// `f64x2.convert_low_i32x4_u`: converts the two low lanes.
#[inline(always)]
pub fn f64x2_convert_low_i32x4_u(a: V128) -> V128 {
    let [x, y, _, _]: U32x4 = a.lanes();
    V128::from_lanes([f64::from(x), f64::from(y)])
}

/// `f32x4.demote_f64x2_zero`: the two results are the low lanes, the high lanes are zero.
#[inline(always)]
pub fn f32x4_demote_f64x2_zero(a: V128) -> V128 {
    let [x, y]: F64x2 = a.lanes();
    V128::from_lanes([f32_demote_f64(x), f32_demote_f64(y), 0.0, 0.0])
}

/// `f64x2.promote_low_f32x4`: converts the two low lanes.
#[inline(always)]
pub fn f64x2_promote_low_f32x4(a: V128) -> V128 {
    let [x, y, _, _]: F32x4 = a.lanes();
    V128::from_lanes([f64_promote_f32(x), f64_promote_f32(y)])
}

/// What the extending loads do with the eight bytes that they have loaded.
macro_rules! extending_loads {
    ($($name:ident: $from:ident -> $to:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(memory: [u8; 8]) -> V128 {
            let mut bytes = V128::ZERO;
            bytes.0[..8].copy_from_slice(&memory);
            let loaded: $from = bytes.lanes();
            let lanes: $to = array::from_fn(|lane| loaded[lane].into());
            V128::from_lanes(lanes)
        }
    )*};
}

extending_loads! {
    v128_load8x8_s: I8x16 -> I16x8;
    v128_load8x8_u: U8x16 -> U16x8;
    v128_load16x4_s: I16x8 -> I32x4;
    v128_load16x4_u: U16x8 -> U32x4;
    v128_load32x2_s: I32x4 -> I64x2;
    v128_load32x2_u: U32x4 -> U64x2;
}
