//! Floating-point arithmetic lane by lane; see the scalar functions for the treatment of NaNs and zeros.

use super::super::float::*;
use super::v128::*;

map_lanes! {
    f32x4_ceil: F32x4 -> F32x4, |x| f32_ceil(x);
    f32x4_floor: F32x4 -> F32x4, |x| f32_floor(x);
    f32x4_trunc: F32x4 -> F32x4, |x| f32_trunc(x);
    f32x4_nearest: F32x4 -> F32x4, |x| f32_nearest(x);
    f32x4_abs: F32x4 -> F32x4, |x| f32_abs(x);
    f32x4_neg: F32x4 -> F32x4, |x| f32_neg(x);
    f32x4_sqrt: F32x4 -> F32x4, |x| f32_sqrt(x);
    f64x2_ceil: F64x2 -> F64x2, |x| f64_ceil(x);
    f64x2_floor: F64x2 -> F64x2, |x| f64_floor(x);
    f64x2_trunc: F64x2 -> F64x2, |x| f64_trunc(x);
    f64x2_nearest: F64x2 -> F64x2, |x| f64_nearest(x);
    f64x2_abs: F64x2 -> F64x2, |x| f64_abs(x);
    f64x2_neg: F64x2 -> F64x2, |x| f64_neg(x);
    f64x2_sqrt: F64x2 -> F64x2, |x| f64_sqrt(x);
}

zip_lanes! {
    f32x4_add: F32x4 -> F32x4, |x, y| x + y;
    f32x4_sub: F32x4 -> F32x4, |x, y| x - y;
    f32x4_mul: F32x4 -> F32x4, |x, y| x * y;
    f32x4_div: F32x4 -> F32x4, |x, y| x / y;
    f32x4_min: F32x4 -> F32x4, |x, y| f32_min(x, y);
    f32x4_max: F32x4 -> F32x4, |x, y| f32_max(x, y);
    f32x4_pmin: F32x4 -> F32x4, |x, y| f32_pmin(x, y);
    f32x4_pmax: F32x4 -> F32x4, |x, y| f32_pmax(x, y);
    f64x2_add: F64x2 -> F64x2, |x, y| x + y;
    f64x2_sub: F64x2 -> F64x2, |x, y| x - y;
    f64x2_mul: F64x2 -> F64x2, |x, y| x * y;
    f64x2_div: F64x2 -> F64x2, |x, y| x / y;
    f64x2_min: F64x2 -> F64x2, |x, y| f64_min(x, y);
    f64x2_max: F64x2 -> F64x2, |x, y| f64_max(x, y);
    f64x2_pmin: F64x2 -> F64x2, |x, y| f64_pmin(x, y);
    f64x2_pmax: F64x2 -> F64x2, |x, y| f64_pmax(x, y);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits_32(v: V128) -> U32x4 {
        v.lanes()
    }

    #[test]
    fn single_precision() {
        let a = V128::from([1.5_f32, -2.5, 0.0, f32::MAX]);
        let b = V128::from([0.5_f32, 2.0, -0.0, f32::MAX]);
        assert_eq!(f32x4_add(a, b).lanes::<F32x4>(), [2.0, -0.5, 0.0, f32::INFINITY]);
        assert_eq!(f32x4_sub(a, b).lanes::<F32x4>(), [1.0, -4.5, 0.0, 0.0]);
        assert_eq!(f32x4_mul(a, b).lanes::<F32x4>(), [0.75, -5.0, 0.0, f32::INFINITY]);
        assert_eq!(f32x4_div(a, b).lanes::<F32x4>()[..2], [3.0, -1.25]);
        assert!(f32x4_div(a, b).lanes::<F32x4>()[2].is_nan());
        assert_eq!(
            bits_32(f32x4_min(a, b)),
            [0.5_f32, -2.5, -0.0, f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_max(a, b)),
            [1.5_f32, 2.0, 0.0, f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_pmin(a, b)),
            [0.5_f32, -2.5, 0.0, f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_pmax(b, a)),
            [1.5_f32, 2.0, -0.0, f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_abs(b)),
            [0.5_f32, 2.0, 0.0, f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_neg(b)),
            [-0.5_f32, -2.0, 0.0, -f32::MAX].map(f32::to_bits)
        );
        assert_eq!(
            f32x4_sqrt(V128::from([4.0_f32, 0.25, 0.0, 2.0])).lanes::<F32x4>()[..2],
            [2.0, 0.5]
        );
        let x = V128::from([-0.5_f32, 2.5, -1.7, 1e30]);
        assert_eq!(
            bits_32(f32x4_ceil(x)),
            [-0.0_f32, 3.0, -1.0, 1e30].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_floor(x)),
            [-1.0_f32, 2.0, -2.0, 1e30].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_trunc(x)),
            [-0.0_f32, 2.0, -1.0, 1e30].map(f32::to_bits)
        );
        assert_eq!(
            bits_32(f32x4_nearest(x)),
            [-0.0_f32, 2.0, -2.0, 1e30].map(f32::to_bits)
        );
    }

    #[test]
    fn double_precision() {
        let a = V128::from([1.5_f64, -0.0]);
        let b = V128::from([-0.5_f64, 0.0]);
        assert_eq!(f64x2_add(a, b).lanes::<F64x2>(), [1.0, 0.0]);
        assert_eq!(f64x2_sub(a, b).lanes::<F64x2>(), [2.0, 0.0]);
        assert_eq!(f64x2_mul(a, b).lanes::<F64x2>(), [-0.75, 0.0]);
        assert_eq!(f64x2_div(a, b).lanes::<F64x2>()[0], -3.0);
        let bits = |v: V128| v.lanes::<U64x2>();
        assert_eq!(bits(f64x2_min(a, b)), [-0.5_f64, -0.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_max(a, b)), [1.5_f64, 0.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_pmin(a, b)), [-0.5_f64, -0.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_pmax(a, b)), [1.5_f64, -0.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_abs(a)), [1.5_f64, 0.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_neg(a)), [-1.5_f64, 0.0].map(f64::to_bits));
        assert_eq!(
            bits(f64x2_sqrt(V128::from([6.25, -0.0]))),
            [2.5_f64, -0.0].map(f64::to_bits)
        );
        let x = V128::from([-0.5_f64, 3.5]);
        assert_eq!(bits(f64x2_ceil(x)), [-0.0_f64, 4.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_floor(x)), [-1.0_f64, 3.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_trunc(x)), [-0.0_f64, 3.0].map(f64::to_bits));
        assert_eq!(bits(f64x2_nearest(x)), [-0.0_f64, 4.0].map(f64::to_bits));
    }

    #[test]
    fn nans_become_quiet_where_the_specification_says_so() {
        let signalling = std::hint::black_box(V128::from([0x7fa0_0001_u32, 0xffa0_0001, 0x7f80_0001, 1]));
        // Not a constant: with one, LLVM takes `pmax` for a maximum on aarch64, which makes a signalling NaN quiet.
        let one = std::hint::black_box(V128::from([1.0_f32; 4]));
        let quiet = |v: V128| {
            v.lanes::<U32x4>()[..3]
                .iter()
                .all(|bits| bits & 0x7fc0_0000 == 0x7fc0_0000)
        };
        for f in [f32x4_ceil, f32x4_floor, f32x4_trunc, f32x4_nearest, f32x4_sqrt] {
            assert!(quiet(f(signalling)));
        }
        for f in [f32x4_add, f32x4_sub, f32x4_mul, f32x4_div, f32x4_min, f32x4_max] {
            assert!(quiet(f(signalling, one)));
            assert!(quiet(f(one, signalling)));
            assert!(quiet(f(signalling, signalling)));
        }
        assert_eq!(
            f32x4_pmin(signalling, one).lanes::<U32x4>()[..3],
            signalling.lanes::<U32x4>()[..3]
        );
        assert_eq!(f32x4_pmax(one, signalling), one);
        assert_eq!(f32x4_abs(signalling).lanes::<U32x4>()[1], 0x7fa0_0001);
    }
}
