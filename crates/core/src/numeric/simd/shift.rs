//! Shifts of every lane by the same count, which is taken modulo the lane's width.

use super::v128::*;

macro_rules! shifts {
    ($($name:ident: $lanes:ident, $method:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, count: u32) -> V128 {
            V128::from_lanes(a.lanes::<$lanes>().map(|x| x.$method(count)))
        }
    )*};
}

shifts! {
    i8x16_shl: U8x16, wrapping_shl;
    i8x16_shr_s: I8x16, wrapping_shr;
    i8x16_shr_u: U8x16, wrapping_shr;
    i16x8_shl: U16x8, wrapping_shl;
    i16x8_shr_s: I16x8, wrapping_shr;
    i16x8_shr_u: U16x8, wrapping_shr;
    i32x4_shl: U32x4, wrapping_shl;
    i32x4_shr_s: I32x4, wrapping_shr;
    i32x4_shr_u: U32x4, wrapping_shr;
    i64x2_shl: U64x2, wrapping_shl;
    i64x2_shr_s: I64x2, wrapping_shr;
    i64x2_shr_u: U64x2, wrapping_shr;
}
