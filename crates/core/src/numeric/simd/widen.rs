//! Instructions whose result has lanes of another width: narrow, extend, extended multiplication, pairwise addition
//! and the dot product.

use std::array;

use super::v128::*;

/// Signed lanes of both operands, saturated to half their width; those of the first operand come first.
macro_rules! narrows {
    ($($name:ident: $from:ident -> $to:ident of $lane:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b): ($from, $from) = (a.lanes(), b.lanes());
            let lanes: $to = array::from_fn(|lane| {
                let wide = if lane < a.len() { a[lane] } else { b[lane - a.len()] };
                wide.clamp($lane::MIN.into(), $lane::MAX.into()) as $lane
            });
            V128::from_lanes(lanes)
        }
    )*};
}

narrows! {
    i8x16_narrow_i16x8_s: I16x8 -> I8x16 of i8;
    i8x16_narrow_i16x8_u: I16x8 -> U8x16 of u8;
    i16x8_narrow_i32x4_s: I32x4 -> I16x8 of i16;
    i16x8_narrow_i32x4_u: I32x4 -> U16x8 of u16;
}

/// Lanes of one half of the operand, extended to twice their width.
macro_rules! extends {
    ($($low:ident $high:ident: $from:ident -> $to:ident of $lane:ident x $count:literal;)*) => {$(
        #[inline(always)]
        pub fn $low(a: V128) -> V128 {
            let a: $from = a.lanes();
            let lanes: $to = array::from_fn(|lane| $lane::from(a[lane]));
            V128::from_lanes(lanes)
        }

        #[inline(always)]
        pub fn $high(a: V128) -> V128 {
            let a: $from = a.lanes();
            let lanes: $to = array::from_fn(|lane| $lane::from(a[lane + $count]));
            V128::from_lanes(lanes)
        }
    )*};
}

extends! {
    i16x8_extend_low_i8x16_s i16x8_extend_high_i8x16_s: I8x16 -> I16x8 of i16 x 8;
    i16x8_extend_low_i8x16_u i16x8_extend_high_i8x16_u: U8x16 -> U16x8 of u16 x 8;
    i32x4_extend_low_i16x8_s i32x4_extend_high_i16x8_s: I16x8 -> I32x4 of i32 x 4;
    i32x4_extend_low_i16x8_u i32x4_extend_high_i16x8_u: U16x8 -> U32x4 of u32 x 4;
    i64x2_extend_low_i32x4_s i64x2_extend_high_i32x4_s: I32x4 -> I64x2 of i64 x 2;
    i64x2_extend_low_i32x4_u i64x2_extend_high_i32x4_u: U32x4 -> U64x2 of u64 x 2;
}

/// Full products of the lanes of one half of the operands.
macro_rules! extended_products {
    ($($low:ident $high:ident: $from:ident -> $to:ident of $lane:ident x $count:literal;)*) => {$(
        #[inline(always)]
        pub fn $low(a: V128, b: V128) -> V128 {
            let (a, b): ($from, $from) = (a.lanes(), b.lanes());
            let lanes: $to = array::from_fn(|lane| $lane::from(a[lane]) * $lane::from(b[lane]));
            V128::from_lanes(lanes)
        }

        #[inline(always)]
        pub fn $high(a: V128, b: V128) -> V128 {
            let (a, b): ($from, $from) = (a.lanes(), b.lanes());
            let lanes: $to =
                array::from_fn(|lane| $lane::from(a[lane + $count]) * $lane::from(b[lane + $count]));
            V128::from_lanes(lanes)
        }
    )*};
}

extended_products! {
    i16x8_extmul_low_i8x16_s i16x8_extmul_high_i8x16_s: I8x16 -> I16x8 of i16 x 8;
    i16x8_extmul_low_i8x16_u i16x8_extmul_high_i8x16_u: U8x16 -> U16x8 of u16 x 8;
    i32x4_extmul_low_i16x8_s i32x4_extmul_high_i16x8_s: I16x8 -> I32x4 of i32 x 4;
    i32x4_extmul_low_i16x8_u i32x4_extmul_high_i16x8_u: U16x8 -> U32x4 of u32 x 4;
    i64x2_extmul_low_i32x4_s i64x2_extmul_high_i32x4_s: I32x4 -> I64x2 of i64 x 2;
    i64x2_extmul_low_i32x4_u i64x2_extmul_high_i32x4_u: U32x4 -> U64x2 of u64 x 2;
}

/// Sums of neighbouring lanes, in lanes of twice the width.
macro_rules! pairwise_sums {
    ($($name:ident: $from:ident -> $to:ident of $lane:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a: $from = a.lanes();
            let lanes: $to = array::from_fn(|lane| $lane::from(a[2 * lane]) + $lane::from(a[2 * lane + 1]));
            V128::from_lanes(lanes)
        }
    )*};
}

pairwise_sums! {
    i16x8_extadd_pairwise_i8x16_s: I8x16 -> I16x8 of i16;
    i16x8_extadd_pairwise_i8x16_u: U8x16 -> U16x8 of u16;
    i32x4_extadd_pairwise_i16x8_s: I16x8 -> I32x4 of i32;
    i32x4_extadd_pairwise_i16x8_u: U16x8 -> U32x4 of u32;
}

/// `i32x4.dot_i16x8_s`: sums of the products of neighbouring lanes, wrapping (only for four times -2^15).
#[inline(always)]
pub fn i32x4_dot_i16x8_s(a: V128, b: V128) -> V128 {
    let (a, b): (I16x8, I16x8) = (a.lanes(), b.lanes());
    let product = |lane: usize| i32::from(a[lane]) * i32::from(b[lane]);
    let lanes: I32x4 = array::from_fn(|lane| product(2 * lane).wrapping_add(product(2 * lane + 1)));
    V128::from_lanes(lanes)
}
