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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_keep_to_their_lanes() {
        let a = V128([0x81; 16]);
        assert_eq!(i8x16_shl(a, 1).lanes::<U8x16>(), [0x02; 16]);
        assert_eq!(i8x16_shr_s(a, 1).lanes::<U8x16>(), [0xc0; 16]);
        assert_eq!(i8x16_shr_u(a, 1).lanes::<U8x16>(), [0x40; 16]);
        assert_eq!(i16x8_shl(a, 4).lanes::<U16x8>(), [0x1810; 8]);
        assert_eq!(i16x8_shr_s(a, 4).lanes::<U16x8>(), [0xf818; 8]);
        assert_eq!(i16x8_shr_u(a, 4).lanes::<U16x8>(), [0x0818; 8]);
        assert_eq!(i32x4_shl(a, 8).lanes::<U32x4>(), [0x8181_8100; 4]);
        assert_eq!(i32x4_shr_s(a, 8).lanes::<U32x4>(), [0xff81_8181; 4]);
        assert_eq!(i32x4_shr_u(a, 8).lanes::<U32x4>(), [0x0081_8181; 4]);
        assert_eq!(i64x2_shl(a, 60).lanes::<U64x2>(), [1 << 60; 2]);
        assert_eq!(i64x2_shr_s(a, 60).lanes::<I64x2>(), [-8; 2]);
        assert_eq!(i64x2_shr_u(a, 60).lanes::<U64x2>(), [8; 2]);
    }

    #[test]
    fn counts_are_taken_modulo_the_width() {
        let a = V128::from_u128(0x8123_4567_89ab_cdef_0246_8ace_1357_9bdf);
        type Shift = fn(V128, u32) -> V128;
        let families: [(u32, [Shift; 3]); 4] = [
            (8, [i8x16_shl, i8x16_shr_s, i8x16_shr_u]),
            (16, [i16x8_shl, i16x8_shr_s, i16x8_shr_u]),
            (32, [i32x4_shl, i32x4_shr_s, i32x4_shr_u]),
            (64, [i64x2_shl, i64x2_shr_s, i64x2_shr_u]),
        ];
        for (width, shifts) in families {
            for shift in shifts {
                assert_eq!(shift(a, width), a);
                assert_eq!(shift(a, u32::MAX), shift(a, width - 1));
                assert_eq!(shift(a, 5 * width + 3), shift(a, 3));
                assert_ne!(shift(a, 3), a);
            }
        }
    }
}
