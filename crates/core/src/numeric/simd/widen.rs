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
    // Both halves of each pair from 32-bit lanes: LLVM vectorises this, but not the access to every other lane.
    let (a, b): (I32x4, I32x4) = (a.lanes(), b.lanes());
    let low = |pair: i32| i32::from(pair as i16);
    let high = |pair: i32| pair >> 16;
    let lanes: I32x4 =
        array::from_fn(|lane| (low(a[lane]) * low(b[lane])).wrapping_add(high(a[lane]) * high(b[lane])));
    V128::from_lanes(lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_saturates_signed_values() {
        let a = V128::from([-32768_i16, -129, -128, -1, 0, 127, 128, 32767]);
        let b = V128::from([255_i16, 256, 1, 2, 3, 4, 5, -6]);
        assert_eq!(
            i8x16_narrow_i16x8_s(a, b).lanes::<I8x16>(),
            [
                -128, -128, -128, -1, 0, 127, 127, 127, 127, 127, 1, 2, 3, 4, 5, -6
            ]
        );
        assert_eq!(
            i8x16_narrow_i16x8_u(a, b).lanes::<U8x16>(),
            [0, 0, 0, 0, 0, 127, 128, 255, 255, 255, 1, 2, 3, 4, 5, 0]
        );
        let a = V128::from([i32::MIN, -32769, -1, 32768]);
        let b = V128::from([65535, 65536, i32::MAX, 7]);
        assert_eq!(
            i16x8_narrow_i32x4_s(a, b).lanes::<I16x8>(),
            [-32768, -32768, -1, 32767, 32767, 32767, 32767, 7]
        );
        assert_eq!(
            i16x8_narrow_i32x4_u(a, b).lanes::<U16x8>(),
            [0, 0, 0, 32768, 65535, 65535, 65535, 7]
        );
    }

    #[test]
    fn extension_of_either_half() {
        let a = V128([1, 0x80, 0xff, 3, 4, 5, 6, 7, 8, 0x90, 10, 11, 12, 13, 14, 0xfe]);
        assert_eq!(
            i16x8_extend_low_i8x16_s(a).lanes::<I16x8>(),
            [1, -128, -1, 3, 4, 5, 6, 7]
        );
        assert_eq!(
            i16x8_extend_low_i8x16_u(a).lanes::<I16x8>(),
            [1, 128, 255, 3, 4, 5, 6, 7]
        );
        assert_eq!(
            i16x8_extend_high_i8x16_s(a).lanes::<I16x8>(),
            [8, -112, 10, 11, 12, 13, 14, -2]
        );
        assert_eq!(
            i16x8_extend_high_i8x16_u(a).lanes::<I16x8>(),
            [8, 144, 10, 11, 12, 13, 14, 254]
        );
        let a = V128::from([1_i16, -2, 3, -4, 5, -6, 7, -32768]);
        assert_eq!(i32x4_extend_low_i16x8_s(a).lanes::<I32x4>(), [1, -2, 3, -4]);
        assert_eq!(i32x4_extend_low_i16x8_u(a).lanes::<I32x4>(), [1, 65534, 3, 65532]);
        assert_eq!(i32x4_extend_high_i16x8_s(a).lanes::<I32x4>(), [5, -6, 7, -32768]);
        assert_eq!(
            i32x4_extend_high_i16x8_u(a).lanes::<I32x4>(),
            [5, 65530, 7, 32768]
        );
        let a = V128::from([-1, 2, i32::MIN, 4]);
        assert_eq!(i64x2_extend_low_i32x4_s(a).lanes::<I64x2>(), [-1, 2]);
        assert_eq!(i64x2_extend_low_i32x4_u(a).lanes::<I64x2>(), [0xffff_ffff, 2]);
        assert_eq!(i64x2_extend_high_i32x4_s(a).lanes::<I64x2>(), [-2_147_483_648, 4]);
        assert_eq!(i64x2_extend_high_i32x4_u(a).lanes::<I64x2>(), [2_147_483_648, 4]);
    }

    #[test]
    fn extended_products_are_exact() {
        let a = V128([0x80, 2, 3, 4, 5, 6, 7, 0xff, 0x80, 1, 1, 1, 1, 1, 1, 0xff]);
        let b = V128([0x80, 0x80, 1, 1, 1, 1, 1, 0xff, 0x7f, 9, 8, 7, 6, 5, 4, 0x7f]);
        assert_eq!(
            i16x8_extmul_low_i8x16_s(a, b).lanes::<I16x8>(),
            [16384, -256, 3, 4, 5, 6, 7, 1]
        );
        assert_eq!(
            i16x8_extmul_low_i8x16_u(a, b).lanes::<U16x8>(),
            [16384, 256, 3, 4, 5, 6, 7, 65025]
        );
        assert_eq!(
            i16x8_extmul_high_i8x16_s(a, b).lanes::<I16x8>(),
            [-16256, 9, 8, 7, 6, 5, 4, -127]
        );
        assert_eq!(
            i16x8_extmul_high_i8x16_u(a, b).lanes::<U16x8>(),
            [16256, 9, 8, 7, 6, 5, 4, 32385]
        );
        let a = V128::from([-32768_i16, -1, 2, 3, -32768, -1, 4, 5]);
        let b = V128::from([-32768_i16, 2, -3, 3, 1, -1, 4, -5]);
        assert_eq!(
            i32x4_extmul_low_i16x8_s(a, b).lanes::<I32x4>(),
            [1 << 30, -2, -6, 9]
        );
        assert_eq!(
            i32x4_extmul_low_i16x8_u(a, b).lanes::<U32x4>(),
            [1 << 30, 131_070, 131_066, 9]
        );
        assert_eq!(
            i32x4_extmul_high_i16x8_s(a, b).lanes::<I32x4>(),
            [-32768, 1, 16, -25]
        );
        assert_eq!(
            i32x4_extmul_high_i16x8_u(a, b).lanes::<U32x4>(),
            [32768, 4_294_836_225, 16, 327_655]
        );
        let a = V128::from([i32::MIN, -1, -1, 3]);
        let b = V128::from([i32::MIN, 2, -1, -4]);
        assert_eq!(i64x2_extmul_low_i32x4_s(a, b).lanes::<I64x2>(), [1 << 62, -2]);
        assert_eq!(
            i64x2_extmul_low_i32x4_u(a, b).lanes::<I64x2>(),
            [1 << 62, 8_589_934_590]
        );
        assert_eq!(i64x2_extmul_high_i32x4_s(a, b).lanes::<I64x2>(), [1, -12]);
        assert_eq!(
            i64x2_extmul_high_i32x4_u(a, b).lanes::<U64x2>(),
            [18_446_744_065_119_617_025, 12_884_901_876]
        );
    }

    #[test]
    fn pairwise_sums_do_not_overflow() {
        let a = V128([
            0x80, 0x80, 0x7f, 0x7f, 0xff, 1, 0, 0, 1, 2, 3, 4, 5, 6, 0xff, 0xff,
        ]);
        assert_eq!(
            i16x8_extadd_pairwise_i8x16_s(a).lanes::<I16x8>(),
            [-256, 254, 0, 0, 3, 7, 11, -2]
        );
        assert_eq!(
            i16x8_extadd_pairwise_i8x16_u(a).lanes::<I16x8>(),
            [256, 254, 256, 0, 3, 7, 11, 510]
        );
        let a = V128::from([-32768_i16, -32768, 32767, 32767, -1, 1, -1, -1]);
        assert_eq!(
            i32x4_extadd_pairwise_i16x8_s(a).lanes::<I32x4>(),
            [-65536, 65534, 0, -2]
        );
        assert_eq!(
            i32x4_extadd_pairwise_i16x8_u(a).lanes::<I32x4>(),
            [65536, 65534, 65536, 131_070]
        );
    }

    #[test]
    fn dot_product_wraps_in_its_one_overflow() {
        let a = V128::from([-32768_i16, -32768, 1, 2, -3, 4, 32767, 32767]);
        let b = V128::from([-32768_i16, -32768, 10, 100, 5, 6, 32767, -32768]);
        assert_eq!(
            i32x4_dot_i16x8_s(a, b).lanes::<I32x4>(),
            [i32::MIN, 210, 9, -32767]
        );
    }
}
