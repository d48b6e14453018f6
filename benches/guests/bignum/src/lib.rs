//! `num-bigint`: digits of pi, modular powers of large numbers, and decimal text.

use num_bigint::BigUint;
use num_integer::Integer;
use support::{Rng, Sum};

/// `10^digits * pi`, by Machin's formula in whole numbers.
fn pi(digits: u32) -> BigUint {
    let one = BigUint::from(10u32).pow(digits + 10);
    let arctan = |x: u32| {
        let square = x * x;
        let mut power = &one / x;
        let (mut sum, mut minus) = (power.clone(), BigUint::ZERO);
        let mut k = 1u32;
        while power != BigUint::ZERO {
            power /= square;
            k += 2;
            *(if k % 4 == 3 { &mut minus } else { &mut sum }) += &power / k;
        }
        sum - minus
    };
    (arctan(5) * 16u32 - arctan(239) * 4u32) / BigUint::from(10u32).pow(10)
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let mut rng = Rng::new(23);
    for _ in 0..n.max(0) {
        sum.bytes(pi(2500).to_string().as_bytes());
        let mut number = |words| BigUint::new((0..words).map(|_| rng.next() | 1).collect());
        let (base, exponent, modulus) = (number(32), number(32), number(32));
        let power = base.modpow(&exponent, &modulus);
        sum.bytes(&power.to_bytes_le());
        sum.bytes(&power.gcd(&(&base * &exponent)).to_bytes_le());
        let (a, b) = (number(3000), number(2500));
        let product = &a * &b;
        sum.bytes(&product.to_bytes_le());
        sum.bytes(&(product % (b >> 7u32)).to_bytes_le());
    }
    sum.value()
}
