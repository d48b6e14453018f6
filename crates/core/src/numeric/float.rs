//! Scalar floating-point instructions.

/// Why a trapping float-to-integer conversion has no result.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum TruncError {
    /// The operand is a NaN ("invalid conversion to integer").
    NotANumber,
    /// The truncated operand does not fit the integer type ("integer overflow").
    Overflow,
}

/// Instructions that exist for both float types, written once.
macro_rules! float_ops {
    (
        $float:ident, integral_from $integral:literal,
        $round_magnitude:ident $min:ident $max:ident $pmin:ident $pmax:ident $nearest:ident $ceil:ident $floor:ident
        $trunc:ident $sqrt:ident $abs:ident $neg:ident $copysign:ident
    ) => {
        /// Rounds a magnitude to an integral value, ties to even, and makes a signalling NaN quiet.
        #[inline(always)]
        fn $round_magnitude(magnitude: $float) -> $float {
            // Adding the first magnitude from which on every value is integral rounds the fraction away. Larger
            // values have no fraction; they take part in the additions so that there is no branch to keep
            // lanes apart and the hardware quiets NaNs.
            let shift: $float = if magnitude < $integral {
                $integral
            } else {
                0.0
            };
            (magnitude + shift) - shift
        }

        /// `min`: the lesser operand, with -0 below +0; a quiet NaN if either operand is a NaN.
        #[inline(always)]
        pub fn $min(a: $float, b: $float) -> $float {
            // Both selections agree unless the operands are equal or unordered. Equal operands differ in nothing
            // but a zero's sign, which `|` makes negative if one of them is.
            let first = if a < b { a } else { b };
            let second = if b < a { b } else { a };
            let ordered = $float::from_bits(first.to_bits() | second.to_bits());
            if a.is_nan() | b.is_nan() {
                a + b
            } else {
                ordered
            }
        }

        /// `max`: the greater operand, with +0 above -0; a quiet NaN if either operand is a NaN.
        #[inline(always)]
        pub fn $max(a: $float, b: $float) -> $float {
            let first = if a > b { a } else { b };
            let second = if b > a { b } else { a };
            let ordered = $float::from_bits(first.to_bits() & second.to_bits());
            if a.is_nan() | b.is_nan() {
                a + b
            } else {
                ordered
            }
        }

        /// `pmin`: `b` if it is less than `a`, otherwise `a` (also if they are unordered).
        #[inline(always)]
        pub fn $pmin(a: $float, b: $float) -> $float {
            if b < a { b } else { a }
        }

        /// `pmax`: `b` if it is greater than `a`, otherwise `a` (also if they are unordered).
        #[inline(always)]
        pub fn $pmax(a: $float, b: $float) -> $float {
            if a < b { b } else { a }
        }

        /// `nearest`: rounds to an integral value, ties to even; the sign of a zero result is the operand's.
        #[inline(always)]
        pub fn $nearest(x: $float) -> $float {
            if HAS_ROUNDING {
                return x.round_ties_even();
            }
            $round_magnitude(x.abs()).copysign(x)
        }

        /// `ceil`: rounds up to an integral value; the sign of a zero result is the operand's.
        #[inline(always)]
        pub fn $ceil(x: $float) -> $float {
            if HAS_ROUNDING {
                return x.ceil();
            }
            -$floor(-x)
        }

        /// `floor`: rounds down to an integral value; the sign of a zero result is the operand's.
        #[inline(always)]
        pub fn $floor(x: $float) -> $float {
            if HAS_ROUNDING {
                return x.floor();
            }
            let near = $round_magnitude(x.abs()).copysign(x);
            near - if near > x { 1.0 } else { 0.0 }
        }

        /// `trunc`: rounds towards zero to an integral value; the sign of a zero result is the operand's.
        #[inline(always)]
        pub fn $trunc(x: $float) -> $float {
            if HAS_ROUNDING {
                return x.trunc();
            }
            let magnitude = x.abs();
            let near = $round_magnitude(magnitude);
            (near - if near > magnitude { 1.0 } else { 0.0 }).copysign(x)
        }

        /// `sqrt`: the square root, rounded to nearest; a quiet NaN for negative operands other than -0.
        #[inline(always)]
        pub fn $sqrt(x: $float) -> $float {
            x.sqrt()
        }

        /// `abs`: clears the sign bit, also of a NaN.
        #[inline(always)]
        pub fn $abs(x: $float) -> $float {
            x.abs()
        }

        /// `neg`: inverts the sign bit, also of a NaN.
        #[inline(always)]
        pub fn $neg(x: $float) -> $float {
            -x
        }

        /// `copysign`: the first operand with the sign bit of the second.
        #[inline(always)]
        pub fn $copysign(a: $float, b: $float) -> $float {
            a.copysign(b)
        }
    };
}

/// Whether the target's baseline has instructions that round to integral values (and quiet NaNs). Without them
/// the standard library would call the C library, which costs more than computing here, keeps the compiler from
/// vectorising, and does not quiet NaNs everywhere.
const HAS_ROUNDING: bool = cfg!(any(target_arch = "aarch64", target_feature = "sse4.1"));

float_ops! {
    f32, integral_from 8_388_608.0,
    round_magnitude_f32 f32_min f32_max f32_pmin f32_pmax f32_nearest f32_ceil f32_floor
    f32_trunc f32_sqrt f32_abs f32_neg f32_copysign
}
float_ops! {
    f64, integral_from 4_503_599_627_370_496.0,
    round_magnitude_f64 f64_min f64_max f64_pmin f64_pmax f64_nearest f64_ceil f64_floor
    f64_trunc f64_sqrt f64_abs f64_neg f64_copysign
}

/// `f32.demote_f64`: rounds to nearest; a NaN becomes quiet.
#[inline(always)]
pub fn f32_demote_f64(x: f64) -> f32 {
    x as f32
}

/// `f64.promote_f32`: exact; a NaN becomes quiet.
#[inline(always)]
pub fn f64_promote_f32(x: f32) -> f64 {
    f64::from(x)
}

/// The trapping conversion and its saturating sibling. `$low` and `$high` are the values next to the range that has
/// a result, in the relations `$above` and `<`: the exclusive bound -2^(n-1)-1 where the float type can represent it,
/// else the inclusive -2^(n-1).
macro_rules! truncations {
    ($($trap:ident $sat:ident: $float:ident -> $int:ident, x $above:tt $low:literal && x < $high:literal;)*) => {$(
        #[doc = concat!("Truncation of `", stringify!($float), "` to `", stringify!($int), "`.")]
        ///
        /// # Errors
        /// For operands that are NaN or, truncated, out of range.
        #[inline(always)]
        pub fn $trap(x: $float) -> Result<$int, TruncError> {
            let not_too_low = x $above $low;
            if not_too_low && x < $high {
                Ok(x as $int)
            } else if x.is_nan() {
                Err(TruncError::NotANumber)
            } else {
                Err(TruncError::Overflow)
            }
        }

        #[doc = concat!("Saturating truncation of `", stringify!($float), "` to `", stringify!($int), "`; NaN gives 0.")]
        #[inline(always)]
        pub fn $sat(x: $float) -> $int {
            x as $int
        }
    )*};
}

truncations! {
    i32_trunc_f32_s i32_trunc_sat_f32_s: f32 -> i32, x >= -2_147_483_648.0 && x < 2_147_483_648.0;
    i32_trunc_f32_u i32_trunc_sat_f32_u: f32 -> u32, x > -1.0 && x < 4_294_967_296.0;
    i32_trunc_f64_s i32_trunc_sat_f64_s: f64 -> i32, x > -2_147_483_649.0 && x < 2_147_483_648.0;
    i32_trunc_f64_u i32_trunc_sat_f64_u: f64 -> u32, x > -1.0 && x < 4_294_967_296.0;
    i64_trunc_f32_s i64_trunc_sat_f32_s: f32 -> i64, x >= -9_223_372_036_854_775_808.0 && x < 9_223_372_036_854_775_808.0;
    i64_trunc_f32_u i64_trunc_sat_f32_u: f32 -> u64, x > -1.0 && x < 18_446_744_073_709_551_616.0;
    i64_trunc_f64_s i64_trunc_sat_f64_s: f64 -> i64, x >= -9_223_372_036_854_775_808.0 && x < 9_223_372_036_854_775_808.0;
    i64_trunc_f64_u i64_trunc_sat_f64_u: f64 -> u64, x > -1.0 && x < 18_446_744_073_709_551_616.0;
}

/// Integer-to-float conversions, rounding to nearest.
macro_rules! conversions {
    ($($name:ident: $int:ident -> $float:ident;)*) => {$(
        #[doc = concat!("Conversion of `", stringify!($int), "` to `", stringify!($float), "`, rounding to nearest.")]
        #[inline(always)]
        pub fn $name(x: $int) -> $float {
            x as $float
        }
    )*};
}

conversions! {
    f32_convert_i32_s: i32 -> f32;
    f32_convert_i32_u: u32 -> f32;
    f32_convert_i64_s: i64 -> f32;
    f32_convert_i64_u: u64 -> f32;
    f64_convert_i32_s: i32 -> f64;
    f64_convert_i32_u: u32 -> f64;
    f64_convert_i64_s: i64 -> f64;
    f64_convert_i64_u: u64 -> f64;
}

#[cfg(test)]
mod tests;
