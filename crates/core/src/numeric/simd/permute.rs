//! Permutations of bytes.

use std::array;

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
    V128(array::from_fn(|lane| {
        let index = indices.0[lane];
        let byte = a.0[usize::from(index % 16)];
        if index < 16 { byte } else { 0 }
    }))
}
