use std::hint::black_box;

use super::*;

/// Equality bit by bit: it tells zeros apart and knows NaNs.
macro_rules! same {
    ($left:expr, $right:expr) => {
        assert_eq!($left.to_bits(), $right.to_bits(), "{} is not {}", $left, $right)
    };
}

const SIGNALLING_32: u32 = 0x7fa0_0001;
const SIGNALLING_64: u64 = 0x7ff4_0000_0000_0001;
const QUIET_BIT_32: u32 = 1 << 22;
const QUIET_BIT_64: u64 = 1 << 51;

fn quiet_32(x: f32) -> bool {
    x.is_nan() && x.to_bits() & QUIET_BIT_32 != 0
}

fn quiet_64(x: f64) -> bool {
    x.is_nan() && x.to_bits() & QUIET_BIT_64 != 0
}

#[test]
fn min_and_max_order_zeros_and_infinities() {
    same!(f32_min(0.0, -0.0), -0.0_f32);
    same!(f32_min(-0.0, 0.0), -0.0_f32);
    same!(f32_max(0.0, -0.0), 0.0_f32);
    same!(f32_max(-0.0, 0.0), 0.0_f32);
    same!(f64_min(0.0, -0.0), -0.0_f64);
    same!(f64_min(-0.0, 0.0), -0.0_f64);
    same!(f64_max(0.0, -0.0), 0.0_f64);
    same!(f64_max(-0.0, 0.0), 0.0_f64);
    same!(f64_min(-0.0, -0.0), -0.0_f64);
    same!(f64_max(-0.0, -0.0), -0.0_f64);
    same!(f32_min(f32::INFINITY, 3.5), 3.5_f32);
    same!(f32_max(f32::NEG_INFINITY, -3.5), -3.5_f32);
    same!(f64_min(f64::NEG_INFINITY, 3.5), f64::NEG_INFINITY);
    same!(f64_max(-1.0, 1.5), 1.5_f64);
    same!(f64_min(-1.0, 1.5), -1.0_f64);
    same!(f32_min(2.0, 2.0), 2.0_f32);
    same!(f32_max(2.0, 2.0), 2.0_f32);
}

#[test]
fn min_and_max_propagate_quiet_nans() {
    let canonical = f32::from_bits(0x7fc0_0000);
    for number in [0.0, -0.0, 1.5, -1.25e-40, f32::INFINITY, f32::NEG_INFINITY] {
        for f in [f32_min, f32_max] {
            // A canonical NaN must not pick up bits of the other operand.
            assert_eq!(
                f(black_box(canonical), number).to_bits() & 0x7fff_ffff,
                0x7fc0_0000
            );
            assert_eq!(
                f(number, black_box(canonical)).to_bits() & 0x7fff_ffff,
                0x7fc0_0000
            );
            let signalling = black_box(f32::from_bits(SIGNALLING_32));
            assert!(quiet_32(f(signalling, number)));
            assert!(quiet_32(f(number, signalling)));
        }
    }
    let canonical = f64::from_bits(0x7ff8 << 48);
    for number in [0.0, -0.0, 1.5, -1.25e-310, f64::INFINITY, f64::NEG_INFINITY] {
        for f in [f64_min, f64_max] {
            assert_eq!(f(black_box(canonical), number).to_bits() << 1, 0xfff0 << 48);
            assert_eq!(f(number, black_box(canonical)).to_bits() << 1, 0xfff0 << 48);
            let signalling = black_box(f64::from_bits(SIGNALLING_64));
            assert!(quiet_64(f(signalling, number)));
            assert!(quiet_64(f(number, signalling)));
        }
    }
}

#[test]
fn pseudo_min_and_max_give_the_first_operand_unless_the_second_is_beyond() {
    same!(f32_pmin(0.0, -0.0), 0.0_f32);
    same!(f32_pmax(-0.0, 0.0), -0.0_f32);
    same!(f32_pmin(2.0, 1.0), 1.0_f32);
    same!(f32_pmax(1.0, 2.0), 2.0_f32);
    let nan = f32::from_bits(SIGNALLING_32);
    same!(f32_pmin(nan, 1.0), nan);
    same!(f32_pmax(nan, 1.0), nan);
    same!(f32_pmin(1.0, nan), 1.0_f32);
    same!(f32_pmax(1.0, nan), 1.0_f32);
    let nan = f64::from_bits(SIGNALLING_64);
    same!(f64_pmin(nan, 1.0), nan);
    same!(f64_pmax(1.0, nan), 1.0_f64);
}

#[test]
fn rounding_of_halves_zeros_and_large_values() {
    // operand, nearest, ceil, floor, trunc
    let rows: [[f64; 5]; 17] = [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-0.0, -0.0, -0.0, -0.0, -0.0],
        [0.5, 0.0, 1.0, 0.0, 0.0],
        [-0.5, -0.0, -0.0, -1.0, -0.0],
        [0.25, 0.0, 1.0, 0.0, 0.0],
        [-0.75, -1.0, -0.0, -1.0, -0.0],
        [0.75, 1.0, 1.0, 0.0, 0.0],
        [1.5, 2.0, 2.0, 1.0, 1.0],
        [-1.5, -2.0, -1.0, -2.0, -1.0],
        [2.5, 2.0, 3.0, 2.0, 2.0],
        [-2.5, -2.0, -2.0, -3.0, -2.0],
        [3.0, 3.0, 3.0, 3.0, 3.0],
        [-3.0, -3.0, -3.0, -3.0, -3.0],
        [8_388_607.5, 8_388_608.0, 8_388_608.0, 8_388_607.0, 8_388_607.0],
        [
            -8_388_606.5,
            -8_388_606.0,
            -8_388_606.0,
            -8_388_607.0,
            -8_388_606.0,
        ],
        [f64::INFINITY; 5],
        [f64::NEG_INFINITY; 5],
    ];
    for [x, nearest, ceil, floor, trunc] in rows {
        same!(f64_nearest(x), nearest);
        same!(f64_ceil(x), ceil);
        same!(f64_floor(x), floor);
        same!(f64_trunc(x), trunc);
        same!(f32_nearest(x as f32), nearest as f32);
        same!(f32_ceil(x as f32), ceil as f32);
        same!(f32_floor(x as f32), floor as f32);
        same!(f32_trunc(x as f32), trunc as f32);
    }
    same!(f64_nearest(4_503_599_627_370_495.5), 4_503_599_627_370_496.0_f64);
    same!(f64_floor(4_503_599_627_370_495.5), 4_503_599_627_370_495.0_f64);
    same!(f64_ceil(-4_503_599_627_370_495.5), -4_503_599_627_370_495.0_f64);
    same!(f64_floor(f64::MAX), f64::MAX);
    same!(f64_ceil(f64::MIN_POSITIVE), 1.0_f64);
    same!(f32_floor(-f32::from_bits(1)), -1.0_f32);
}

#[test]
fn rounding_agrees_with_the_standard_library() {
    for bits in (0..=u32::MAX).step_by(40_009) {
        let x = black_box(f32::from_bits(bits));
        // The same exponents, most of them, and other fractions.
        let y = f64::from(x) * (1.0 + f64::from(bits % 1021) / 65_536.0);
        if x.is_nan() {
            continue;
        }
        same!(f32_nearest(x), x.round_ties_even());
        same!(f32_ceil(x), x.ceil());
        same!(f32_floor(x), x.floor());
        same!(f32_trunc(x), x.trunc());
        same!(f64_nearest(y), y.round_ties_even());
        same!(f64_ceil(y), y.ceil());
        same!(f64_floor(y), y.floor());
        same!(f64_trunc(y), y.trunc());
    }
}

#[test]
fn arithmetic_instructions_quiet_signalling_nans() {
    for sign in [0, 1 << 31] {
        let nan = black_box(f32::from_bits(sign | SIGNALLING_32));
        for f in [f32_nearest, f32_ceil, f32_floor, f32_trunc, f32_sqrt] {
            assert_eq!(f(nan).to_bits(), sign | SIGNALLING_32 | QUIET_BIT_32);
        }
        assert!(quiet_64(f64_promote_f32(nan)));
    }
    for sign in [0, 1 << 63] {
        let nan = black_box(f64::from_bits(sign | SIGNALLING_64));
        for f in [f64_nearest, f64_ceil, f64_floor, f64_trunc, f64_sqrt] {
            assert_eq!(f(nan).to_bits(), sign | SIGNALLING_64 | QUIET_BIT_64);
        }
        assert!(quiet_32(f32_demote_f64(nan)));
    }
    let canonical = black_box(f64::from_bits(0x7ff8 << 48));
    assert_eq!(f32_demote_f64(canonical).to_bits(), 0x7fc0_0000);
    assert_eq!(
        f64_promote_f32(black_box(f32::from_bits(0x7fc0_0000))).to_bits(),
        0x7ff8 << 48
    );
}

#[test]
fn sign_instructions_keep_nan_bits() {
    let nan = black_box(f32::from_bits(0x8000_0000 | SIGNALLING_32));
    assert_eq!(f32_abs(nan).to_bits(), SIGNALLING_32);
    assert_eq!(f32_neg(nan).to_bits(), SIGNALLING_32);
    assert_eq!(f32_copysign(nan, 1.0).to_bits(), SIGNALLING_32);
    same!(f32_copysign(1.0, nan), -1.0_f32);
    let nan = black_box(f64::from_bits(SIGNALLING_64));
    assert_eq!(f64_abs(nan).to_bits(), SIGNALLING_64);
    assert_eq!(f64_neg(nan).to_bits(), 1 << 63 | SIGNALLING_64);
    assert_eq!(f64_copysign(nan, -0.0).to_bits(), 1 << 63 | SIGNALLING_64);
    same!(f64_neg(0.0), -0.0_f64);
    same!(f64_abs(-0.0), 0.0_f64);
}

#[test]
fn square_roots() {
    same!(f32_sqrt(2.0), std::f32::consts::SQRT_2);
    same!(f64_sqrt(2.0), std::f64::consts::SQRT_2);
    same!(f64_sqrt(-0.0), -0.0_f64);
    same!(f64_sqrt(f64::INFINITY), f64::INFINITY);
    assert!(quiet_32(f32_sqrt(black_box(-1.0))));
    assert!(quiet_64(f64_sqrt(black_box(f64::NEG_INFINITY))));
}

#[test]
fn demotion_rounds_to_nearest() {
    same!(f32_demote_f64(0.1), 0.1_f32);
    same!(f32_demote_f64(1e300), f32::INFINITY);
    same!(f32_demote_f64(-1e-300), -0.0_f32);
    // Half a unit in the last place above 1 ties to 1; anything more rounds up.
    same!(f32_demote_f64(1.0 + f64::powi(2.0, -24)), 1.0_f32);
    same!(
        f32_demote_f64(1.0 + f64::powi(2.0, -24) + f64::powi(2.0, -50)),
        1.0 + f32::EPSILON
    );
    same!(f64_promote_f32(f32::from_bits(1)), f64::powi(2.0, -149));
}

#[test]
fn trapping_truncation_ends_where_the_integers_end() {
    use TruncError::{NotANumber, Overflow};

    assert_eq!(i32_trunc_f64_s(2_147_483_647.999), Ok(i32::MAX));
    assert_eq!(i32_trunc_f64_s(2_147_483_648.0), Err(Overflow));
    assert_eq!(i32_trunc_f64_s(-2_147_483_648.999), Ok(i32::MIN));
    assert_eq!(i32_trunc_f64_s(-2_147_483_649.0), Err(Overflow));
    assert_eq!(i32_trunc_f64_s(-1.9), Ok(-1));
    assert_eq!(i32_trunc_f64_s(f64::NAN), Err(NotANumber));
    assert_eq!(i32_trunc_f64_s(f64::INFINITY), Err(Overflow));

    assert_eq!(i32_trunc_f64_u(4_294_967_295.999), Ok(u32::MAX));
    assert_eq!(i32_trunc_f64_u(4_294_967_296.0), Err(Overflow));
    assert_eq!(i32_trunc_f64_u(-0.999), Ok(0));
    assert_eq!(i32_trunc_f64_u(-1.0), Err(Overflow));
    assert_eq!(i32_trunc_f64_u(-f64::NAN), Err(NotANumber));

    assert_eq!(i32_trunc_f32_s(2_147_483_520.0), Ok(2_147_483_520));
    assert_eq!(i32_trunc_f32_s(2_147_483_648.0), Err(Overflow));
    assert_eq!(i32_trunc_f32_s(-2_147_483_648.0), Ok(i32::MIN));
    assert_eq!(i32_trunc_f32_s(-2_147_483_904.0), Err(Overflow));
    assert_eq!(i32_trunc_f32_s(f32::NAN), Err(NotANumber));

    assert_eq!(i32_trunc_f32_u(4_294_967_040.0), Ok(4_294_967_040));
    assert_eq!(i32_trunc_f32_u(4_294_967_296.0), Err(Overflow));
    assert_eq!(i32_trunc_f32_u(-0.99), Ok(0));
    assert_eq!(i32_trunc_f32_u(-1.0), Err(Overflow));
    assert_eq!(i32_trunc_f32_u(f32::NAN), Err(NotANumber));

    assert_eq!(
        i64_trunc_f64_s(9_223_372_036_854_774_784.0),
        Ok(9_223_372_036_854_774_784)
    );
    assert_eq!(i64_trunc_f64_s(9_223_372_036_854_775_808.0), Err(Overflow));
    assert_eq!(i64_trunc_f64_s(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
    assert_eq!(i64_trunc_f64_s(-9_223_372_036_854_777_856.0), Err(Overflow));
    assert_eq!(i64_trunc_f64_s(f64::NAN), Err(NotANumber));

    assert_eq!(
        i64_trunc_f64_u(18_446_744_073_709_549_568.0),
        Ok(18_446_744_073_709_549_568)
    );
    assert_eq!(i64_trunc_f64_u(18_446_744_073_709_551_616.0), Err(Overflow));
    assert_eq!(i64_trunc_f64_u(-0.5), Ok(0));
    assert_eq!(i64_trunc_f64_u(-1.0), Err(Overflow));
    assert_eq!(i64_trunc_f64_u(f64::NAN), Err(NotANumber));

    assert_eq!(
        i64_trunc_f32_s(9_223_371_487_098_961_920.0),
        Ok(9_223_371_487_098_961_920)
    );
    assert_eq!(i64_trunc_f32_s(9_223_372_036_854_775_808.0), Err(Overflow));
    assert_eq!(i64_trunc_f32_s(-9_223_372_036_854_775_808.0), Ok(i64::MIN));
    assert_eq!(i64_trunc_f32_s(f32::NEG_INFINITY), Err(Overflow));
    assert_eq!(i64_trunc_f32_s(f32::NAN), Err(NotANumber));

    assert_eq!(
        i64_trunc_f32_u(18_446_742_974_197_923_840.0),
        Ok(18_446_742_974_197_923_840)
    );
    assert_eq!(i64_trunc_f32_u(18_446_744_073_709_551_616.0), Err(Overflow));
    assert_eq!(i64_trunc_f32_u(-0.5), Ok(0));
    assert_eq!(i64_trunc_f32_u(-1.0), Err(Overflow));
    assert_eq!(i64_trunc_f32_u(f32::NAN), Err(NotANumber));
}

#[test]
fn saturating_truncation_stays_at_the_ends() {
    assert_eq!(i32_trunc_sat_f64_s(-1.9), -1);
    assert_eq!(i32_trunc_sat_f64_s(1e10), i32::MAX);
    assert_eq!(i32_trunc_sat_f64_s(f64::NEG_INFINITY), i32::MIN);
    assert_eq!(i32_trunc_sat_f64_u(-5.0), 0);
    assert_eq!(i32_trunc_sat_f64_u(1e10), u32::MAX);
    assert_eq!(i32_trunc_sat_f32_s(f32::NAN), 0);
    assert_eq!(i32_trunc_sat_f32_u(f32::INFINITY), u32::MAX);
    assert_eq!(i64_trunc_sat_f32_s(1e30), i64::MAX);
    assert_eq!(i64_trunc_sat_f32_u(-1e30), 0);
    assert_eq!(i64_trunc_sat_f64_s(f64::NAN), 0);
    assert_eq!(i64_trunc_sat_f64_s(-1e30), i64::MIN);
    assert_eq!(i64_trunc_sat_f64_u(1e30), u64::MAX);
}

#[test]
fn conversions_round_once() {
    // 2^24 + 1 is a tie, 2^24 + 3 another; both go to the even neighbour.
    same!(f32_convert_i32_s(16_777_217), 16_777_216.0_f32);
    same!(f32_convert_i32_u(16_777_219), 16_777_220.0_f32);
    same!(f32_convert_i32_s(i32::MIN), -2_147_483_648.0_f32);
    same!(f32_convert_i32_u(u32::MAX), 4_294_967_296.0_f32);
    // Rounding through f64 would lose the 1 and then take the tie downwards.
    same!(
        f32_convert_i64_s(0x0100_0001_0000_0001 << 4),
        f32::from_bits(0x5d80_0001)
    );
    same!(
        f32_convert_i64_u(0x8000_0080_0000_0001),
        f32::from_bits(0x5f00_0001)
    );
    same!(f32_convert_i64_u(u64::MAX), 18_446_744_073_709_551_616.0_f32);
    same!(f64_convert_i32_s(-1), -1.0_f64);
    same!(f64_convert_i32_u(u32::MAX), 4_294_967_295.0_f64);
    same!(f64_convert_i64_s(i64::MAX), 9_223_372_036_854_775_808.0_f64);
    same!(f64_convert_i64_u(u64::MAX), 18_446_744_073_709_551_616.0_f64);
    same!(f64_convert_i64_s((1 << 53) + 1), 9_007_199_254_740_992.0_f64);
}
