//! Permutations of bytes.

use super::v128::*;

/// `i8x16.shuffle`: bytes of the 32 bytes of both operands. Indices are immediates that validation has checked to be
/// below 32; here they are taken modulo 32.
#[inline(always)]
pub fn i8x16_shuffle(a: V128, b: V128, indices: [u8; 16]) -> V128 {
    let mut both = [0; 32];
    both[..16].copy_from_slice(&a.0);
    both[16..].copy_from_slice(&b.0);
    V128(indices.map(|index| both[usize::from(index % 32)]))
}

/// `i8x16.swizzle`: bytes of `a` at the indices in `indices`; zero for indices that are 16 or more.
#[inline(always)]
pub fn i8x16_swizzle(a: V128, indices: V128) -> V128 {
    // One entry more than there are bytes, for all indices that are out of range; 32 so that no bounds check is left.
    let mut table = [0; 32];
    table[..16].copy_from_slice(&a.0);
    V128(indices.0.map(|index| table[usize::from(index.min(16))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: V128 = V128([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    const B: V128 = V128([50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65]);

    #[test]
    fn shuffle_takes_bytes_of_both() {
        let indices = [0, 16, 1, 17, 31, 15, 30, 14, 2, 2, 2, 2, 20, 20, 20, 20];
        let expected = [10, 50, 11, 51, 65, 25, 64, 24, 12, 12, 12, 12, 54, 54, 54, 54];
        assert_eq!(i8x16_shuffle(A, B, indices), V128(expected));
        assert_eq!(i8x16_shuffle(A, B, [32 + 7; 16]), V128([17; 16]));
    }

    #[test]
    fn swizzle_gives_zero_for_indices_out_of_range() {
        let indices = V128([15, 14, 0, 1, 16, 17, 31, 32, 127, 128, 129, 143, 255, 7, 7, 8]);
        let expected = [25, 24, 10, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 17, 18];
        assert_eq!(i8x16_swizzle(A, indices), V128(expected));
    }
}
