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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturating_truncation() {
        let x = V128::from([-1.9_f32, f32::NAN, 3e9, -3e9]);
        assert_eq!(
            i32x4_trunc_sat_f32x4_s(x).lanes::<I32x4>(),
            [-1, 0, i32::MAX, i32::MIN]
        );
        assert_eq!(
            i32x4_trunc_sat_f32x4_u(x).lanes::<U32x4>(),
            [0, 0, 3_000_000_000, 0]
        );
        let x = V128::from([f32::INFINITY, f32::NEG_INFINITY, 5e9, 0.99]);
        assert_eq!(
            i32x4_trunc_sat_f32x4_s(x).lanes::<I32x4>(),
            [i32::MAX, i32::MIN, i32::MAX, 0]
        );
        assert_eq!(
            i32x4_trunc_sat_f32x4_u(x).lanes::<U32x4>(),
            [u32::MAX, 0, u32::MAX, 0]
        );
        let x = V128::from([-2_147_483_648.9_f64, 4_294_967_295.9]);
        assert_eq!(
            i32x4_trunc_sat_f64x2_s_zero(x).lanes::<I32x4>(),
            [i32::MIN, i32::MAX, 0, 0]
        );
        assert_eq!(
            i32x4_trunc_sat_f64x2_u_zero(x).lanes::<U32x4>(),
            [0, u32::MAX, 0, 0]
        );
        let x = V128::from([f64::NAN, -7.5]);
        assert_eq!(i32x4_trunc_sat_f64x2_s_zero(x).lanes::<I32x4>(), [0, -7, 0, 0]);
        assert_eq!(i32x4_trunc_sat_f64x2_u_zero(x).lanes::<U32x4>(), [0, 0, 0, 0]);
    }

    #[test]
    fn integers_to_floats() {
        let x = V128::from([-1, i32::MIN, 16_777_217, 3]);
        assert_eq!(
            f32x4_convert_i32x4_s(x).lanes::<F32x4>(),
            [-1.0, -2_147_483_648.0, 16_777_216.0, 3.0]
        );
        assert_eq!(
            f32x4_convert_i32x4_u(x).lanes::<F32x4>(),
            [4_294_967_296.0, 2_147_483_648.0, 16_777_216.0, 3.0]
        );
        assert_eq!(
            f64x2_convert_low_i32x4_s(x).lanes::<F64x2>(),
            [-1.0, -2_147_483_648.0]
        );
        assert_eq!(
            f64x2_convert_low_i32x4_u(x).lanes::<F64x2>(),
            [4_294_967_295.0, 2_147_483_648.0]
        );
    }

    #[test]
    fn between_float_types() {
        let demoted = f32x4_demote_f64x2_zero(V128::from([0.1_f64, -1e300]));
        assert_eq!(demoted.lanes::<F32x4>(), [0.1, f32::NEG_INFINITY, 0.0, 0.0]);
        assert_eq!(demoted.to_u128() >> 64, 0);
        let promoted = f64x2_promote_low_f32x4(V128::from([0.1_f32, -0.0, 9.0, 9.0]));
        assert_eq!(promoted.lanes::<U64x2>(), [f64::from(0.1_f32).to_bits(), 1 << 63]);
        let nan = std::hint::black_box(V128::from([0x7ff4_u64 << 48, 0]));
        assert_eq!(
            f32x4_demote_f64x2_zero(nan).lanes::<U32x4>()[0] & 0x7fc0_0000,
            0x7fc0_0000
        );
        let nan = std::hint::black_box(V128::from([0xffa0_0000_u32, 0, 0, 0]));
        assert_eq!(f64x2_promote_low_f32x4(nan).lanes::<U64x2>()[0], 0xfffc << 48);
    }

    #[test]
    fn extending_loads() {
        let memory = [0x80, 1, 0xff, 0xff, 0, 0x80, 0x7f, 0xfe];
        assert_eq!(
            v128_load8x8_s(memory).lanes::<I16x8>(),
            [-128, 1, -1, -1, 0, -128, 127, -2]
        );
        assert_eq!(
            v128_load8x8_u(memory).lanes::<U16x8>(),
            [128, 1, 255, 255, 0, 128, 127, 254]
        );
        assert_eq!(
            v128_load16x4_s(memory).lanes::<I32x4>(),
            [0x180, -1, -32768, -385]
        );
        assert_eq!(
            v128_load16x4_u(memory).lanes::<U32x4>(),
            [0x180, 0xffff, 0x8000, 0xfe7f]
        );
        assert_eq!(
            v128_load32x2_s(memory).lanes::<U64x2>(),
            [0xffff_ffff_ffff_0180, 0xffff_ffff_fe7f_8000]
        );
        assert_eq!(
            v128_load32x2_u(memory).lanes::<U64x2>(),
            [0xffff_0180, 0xfe7f_8000]
        );
    }
}
