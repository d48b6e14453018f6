//! Splats, lane extraction and lane replacement.
//!
//! Lane indices are immediates that validation has checked; here they are taken modulo the number of lanes, so that
//! no index can panic.

use super::v128::*;

macro_rules! splats {
    ($($name:ident: $value:ident as $lane:ident x $count:literal;)*) => {$(
        #[inline(always)]
        pub fn $name(value: $value) -> V128 {
            V128::from_lanes([value as $lane; $count])
        }
    )*};
}

splats! {
    i8x16_splat: u32 as u8 x 16;
    i16x8_splat: u32 as u16 x 8;
    i32x4_splat: u32 as u32 x 4;
    i64x2_splat: u64 as u64 x 2;
    f32x4_splat: f32 as f32 x 4;
    f64x2_splat: f64 as f64 x 2;
}

macro_rules! extracts {
    ($($name:ident: $lanes:ident -> $value:ident, |$x:ident| $result:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, lane: u8) -> $value {
            let a: $lanes = a.lanes();
            let $x = a[usize::from(lane) % a.len()];
            $result
        }
    )*};
}

extracts! {
    i8x16_extract_lane_s: I8x16 -> u32, |x| i32::from(x) as u32;
    i8x16_extract_lane_u: U8x16 -> u32, |x| u32::from(x);
    i16x8_extract_lane_s: I16x8 -> u32, |x| i32::from(x) as u32;
    i16x8_extract_lane_u: U16x8 -> u32, |x| u32::from(x);
    i32x4_extract_lane: U32x4 -> u32, |x| x;
    i64x2_extract_lane: U64x2 -> u64, |x| x;
    f32x4_extract_lane: F32x4 -> f32, |x| x;
    f64x2_extract_lane: F64x2 -> f64, |x| x;
}

macro_rules! replaces {
    ($($name:ident: $lanes:ident, $value:ident as $lane:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, lane: u8, value: $value) -> V128 {
            let mut a: $lanes = a.lanes();
            a[usize::from(lane) % a.len()] = value as $lane;
            V128::from_lanes(a)
        }
    )*};
}

replaces! {
    i8x16_replace_lane: U8x16, u32 as u8;
    i16x8_replace_lane: U16x8, u32 as u16;
    i32x4_replace_lane: U32x4, u32 as u32;
    i64x2_replace_lane: U64x2, u64 as u64;
    f32x4_replace_lane: F32x4, f32 as f32;
    f64x2_replace_lane: F64x2, f64 as f64;
}
