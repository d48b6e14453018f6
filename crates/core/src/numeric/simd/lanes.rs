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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splats_take_the_low_bits() {
        assert_eq!(i8x16_splat(0x1234_5678).lanes::<U8x16>(), [0x78; 16]);
        assert_eq!(i16x8_splat(0x1234_5678).lanes::<U16x8>(), [0x5678; 8]);
        assert_eq!(i32x4_splat(0x1234_5678).lanes::<U32x4>(), [0x1234_5678; 4]);
        assert_eq!(i64x2_splat(u64::MAX - 1).lanes::<U64x2>(), [u64::MAX - 1; 2]);
        assert_eq!(f32x4_splat(-0.0).lanes::<U32x4>(), [1 << 31; 4]);
        assert_eq!(f64x2_splat(1.5).lanes::<F64x2>(), [1.5; 2]);
    }

    #[test]
    fn extraction_extends_as_asked() {
        let mut bytes = [0; 16];
        bytes[3] = 0x80;
        bytes[6] = 0xfe;
        bytes[7] = 0xff;
        let v = V128(bytes);
        assert_eq!(i8x16_extract_lane_s(v, 3), (-128_i32) as u32);
        assert_eq!(i8x16_extract_lane_u(v, 3), 128);
        assert_eq!(i16x8_extract_lane_s(v, 3), (-2_i32) as u32);
        assert_eq!(i16x8_extract_lane_u(v, 3), 0xfffe);
        assert_eq!(i32x4_extract_lane(v, 1), 0xfffe_0000);
        assert_eq!(i64x2_extract_lane(v, 0), 0xfffe_0000_8000_0000);
        assert_eq!(f64x2_extract_lane(V128::from([1.0_f64, -2.5]), 1), -2.5);
        let nan = 0x7fa0_0001_u32;
        assert_eq!(f32x4_extract_lane(V128::from([0, 0, nan, 0]), 2).to_bits(), nan);
    }

    #[test]
    fn replacement_changes_one_lane() {
        let ones = V128([0xff; 16]);
        assert_eq!(
            i8x16_replace_lane(ones, 15, 0x1234).to_u128(),
            u128::MAX >> 8 | 0x34 << 120
        );
        assert_eq!(
            i16x8_replace_lane(ones, 1, 0x1_0002).lanes::<U16x8>()[..3],
            [0xffff, 2, 0xffff]
        );
        assert_eq!(i32x4_replace_lane(ones, 3, 7).lanes::<I32x4>(), [-1, -1, -1, 7]);
        assert_eq!(i64x2_replace_lane(ones, 0, 7).lanes::<I64x2>(), [7, -1]);
        assert_eq!(
            f64x2_replace_lane(V128::ZERO, 1, 0.5).lanes::<F64x2>(),
            [0.0, 0.5]
        );
        let nan = f32::from_bits(0xffa0_0001);
        assert_eq!(
            f32x4_replace_lane(V128::ZERO, 2, nan).lanes::<U32x4>(),
            [0, 0, 0xffa0_0001, 0]
        );
    }

    #[test]
    fn lane_indices_wrap_around() {
        let v = V128::from([10_u16, 11, 12, 13, 14, 15, 16, 17]);
        assert_eq!(i16x8_extract_lane_u(v, 8 + 5), 15);
        assert_eq!(i16x8_replace_lane(v, 0xff, 1), i16x8_replace_lane(v, 7, 1));
    }
}
