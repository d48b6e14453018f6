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
