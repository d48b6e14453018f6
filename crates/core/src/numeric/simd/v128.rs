//! The vector value and its views as lanes.

use std::array;

/// A 128-bit vector: its 16 bytes in the order in which they lie in linear memory, so lane 0 comes first and every
/// lane is little-endian, whatever the host is.
///
/// Bytes rather than a `u128`: LLVM cuts a 128-bit integer into lanes with shifts and does not find the way back to
/// vector instructions; an `i8x16.add` handler is 8 instructions this way and 108 the other. For the same reason
/// a value should be read from and written to its two slots as one `V128`, not as two halves.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct V128(pub [u8; 16]);

impl V128 {
    /// The vector of 128 zero bits.
    pub const ZERO: V128 = V128([0; 16]);

    /// The vector whose lane 0 is in the least significant bits of `bits`.
    #[inline(always)]
    pub const fn from_u128(bits: u128) -> V128 {
        V128(bits.to_le_bytes())
    }

    /// The vector as an integer with lane 0 in the least significant bits.
    #[inline(always)]
    pub const fn to_u128(self) -> u128 {
        u128::from_le_bytes(self.0)
    }

    /// The vector with these lanes.
    #[inline(always)]
    pub fn from_lanes<L: Lanes>(lanes: L) -> V128 {
        lanes.into_v128()
    }

    /// The vector's lanes in the interpretation that the array type names.
    #[inline(always)]
    pub fn lanes<L: Lanes>(self) -> L {
        L::of_v128(self)
    }
}

/// Arrays that a vector can be seen as: 16 `i8`/`u8`, 8 `i16`/`u16`, 4 `i32`/`u32`/`f32`, 2 `i64`/`u64`/`f64`.
pub trait Lanes: Sized {
    /// The lanes of a vector.
    fn of_v128(vector: V128) -> Self;
    /// The vector that has these lanes.
    fn into_v128(self) -> V128;
}

macro_rules! lanes {
    ($($alias:ident = [$lane:ident; $count:literal] of $size:literal bytes;)*) => {$(
        #[doc = concat!("The lanes of a vector as `", stringify!($lane), "`.")]
        pub(super) type $alias = [$lane; $count];

        impl Lanes for $alias {
            #[inline(always)]
            fn of_v128(vector: V128) -> Self {
                array::from_fn(|lane| {
                    $lane::from_le_bytes(array::from_fn(|byte| vector.0[lane * $size + byte]))
                })
            }

            #[inline(always)]
            fn into_v128(self) -> V128 {
                let mut bytes = [0; 16];
                for (place, lane) in bytes.chunks_exact_mut($size).zip(self) {
                    place.copy_from_slice(&lane.to_le_bytes());
                }
                V128(bytes)
            }
        }

        impl From<$alias> for V128 {
            #[inline(always)]
            fn from(lanes: $alias) -> V128 {
                lanes.into_v128()
            }
        }

        impl From<V128> for $alias {
            #[inline(always)]
            fn from(vector: V128) -> $alias {
                vector.lanes()
            }
        }
    )*};
}

lanes! {
    I8x16 = [i8; 16] of 1 bytes;
    U8x16 = [u8; 16] of 1 bytes;
    I16x8 = [i16; 8] of 2 bytes;
    U16x8 = [u16; 8] of 2 bytes;
    I32x4 = [i32; 4] of 4 bytes;
    U32x4 = [u32; 4] of 4 bytes;
    I64x2 = [i64; 2] of 8 bytes;
    U64x2 = [u64; 2] of 8 bytes;
    F32x4 = [f32; 4] of 4 bytes;
    F64x2 = [f64; 2] of 8 bytes;
}

/// Defines functions that compute each lane from the same lane of one operand.
macro_rules! map_lanes {
    ($($name:ident: $from:ident -> $to:ident, |$x:ident| $result:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128) -> V128 {
            let a: $from = a.lanes();
            let lanes: $to = std::array::from_fn(|lane| {
                let $x = a[lane];
                $result
            });
            V128::from_lanes(lanes)
        }
    )*};
}
pub(super) use map_lanes;

/// Defines functions that compute each lane from the same lanes of two operands.
macro_rules! zip_lanes {
    ($($name:ident: $from:ident -> $to:ident, |$x:ident, $y:ident| $result:expr;)*) => {$(
        #[inline(always)]
        pub fn $name(a: V128, b: V128) -> V128 {
            let (a, b): ($from, $from) = (a.lanes(), b.lanes());
            let lanes: $to = std::array::from_fn(|lane| {
                let ($x, $y) = (a[lane], b[lane]);
                $result
            });
            V128::from_lanes(lanes)
        }
    )*};
}
pub(super) use zip_lanes;

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTING: V128 = V128([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);

    #[test]
    fn lane_zero_is_the_first_and_least_significant() {
        assert_eq!(COUNTING.to_u128(), 0xff0e_0d0c_0b0a_0908_0706_0504_0302_0100);
        assert_eq!(V128::from_u128(COUNTING.to_u128()), COUNTING);
        assert_eq!(COUNTING.lanes::<U16x8>()[..2], [0x0100, 0x0302]);
        assert_eq!(COUNTING.lanes::<I16x8>()[7], -242);
        assert_eq!(COUNTING.lanes::<U32x4>()[1], 0x0706_0504);
        assert_eq!(COUNTING.lanes::<I32x4>()[3], 0xff0e_0d0c_u32 as i32);
        assert_eq!(COUNTING.lanes::<U64x2>()[0], 0x0706_0504_0302_0100);
        assert_eq!(COUNTING.lanes::<I64x2>()[1], 0xff0e_0d0c_0b0a_0908_u64 as i64);
        assert_eq!(COUNTING.lanes::<I8x16>()[15], -1);
        assert_eq!(
            V128::from([1.0_f32, 0.0, 0.0, -0.0]).to_u128(),
            0x8000_0000 << 96 | 0x3f80_0000
        );
        assert_eq!(V128::from([0.0_f64, 1.0]).to_u128(), 0x3ff0 << 112);
    }

    #[test]
    fn every_view_gives_back_the_vector() {
        assert_eq!(V128::from_lanes(COUNTING.lanes::<I8x16>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<U8x16>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<I16x8>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<U16x8>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<I32x4>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<U32x4>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<I64x2>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<U64x2>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<F32x4>()), COUNTING);
        assert_eq!(V128::from_lanes(COUNTING.lanes::<F64x2>()), COUNTING);
    }
}
