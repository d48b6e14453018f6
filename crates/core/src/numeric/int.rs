//! Integer instructions that are more than one method call: the 128-bit arithmetic of the wide-arithmetic proposal.
//!
//! 128-bit values are pairs `(low, high)` of 64-bit halves, in the order of the operand stack.

/// `i64.add128`: wrapping sum of two 128-bit integers.
#[inline(always)]
pub fn i64_add128(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    split(join(a).wrapping_add(join(b)))
}

/// `i64.sub128`: wrapping difference of two 128-bit integers.
#[inline(always)]
pub fn i64_sub128(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    split(join(a).wrapping_sub(join(b)))
}

/// `i64.mul_wide_s`: the full product of two signed 64-bit integers.
#[inline(always)]
pub fn i64_mul_wide_s(a: u64, b: u64) -> (u64, u64) {
    split((i128::from(a as i64) * i128::from(b as i64)) as u128)
}

/// `i64.mul_wide_u`: the full product of two unsigned 64-bit integers.
#[inline(always)]
pub fn i64_mul_wide_u(a: u64, b: u64) -> (u64, u64) {
    split(u128::from(a) * u128::from(b))
}

#[inline(always)]
fn join((low, high): (u64, u64)) -> u128 {
    u128::from(low) | u128::from(high) << 64
}

#[inline(always)]
fn split(value: u128) -> (u64, u64) {
    (value as u64, (value >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_and_sub_carry_between_the_halves() {
        assert_eq!(i64_add128((u64::MAX, 1), (1, 2)), (0, 4));
        assert_eq!(i64_add128((u64::MAX, u64::MAX), (1, 0)), (0, 0));
        assert_eq!(i64_sub128((0, 4), (1, 2)), (u64::MAX, 1));
        assert_eq!(i64_sub128((0, 0), (1, 0)), (u64::MAX, u64::MAX));
    }

    #[test]
    fn wide_products_keep_the_high_half() {
        let minus_one = u64::MAX;
        assert_eq!(i64_mul_wide_s(minus_one, minus_one), (1, 0));
        assert_eq!(i64_mul_wide_s(minus_one, 2), (u64::MAX - 1, u64::MAX));
        assert_eq!(i64_mul_wide_s(1 << 63, 1 << 63), (0, 1 << 62));
        assert_eq!(i64_mul_wide_u(minus_one, minus_one), (1, u64::MAX - 1));
        assert_eq!(i64_mul_wide_u(1 << 63, 2), (0, 1));
    }
}
