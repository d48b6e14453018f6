//! Fannkuch: the longest run of prefix reversals over all permutations.

#[unsafe(no_mangle)]
extern "C" fn fannkuch(rounds: i32) -> i64 {
    (0..rounds.max(0)).fold(0, |sum, _| sum * 3 + permutations::<9>())
}

/// Checksum and largest number of flips over the permutations of `N` numbers, in the usual counting order.
fn permutations<const N: usize>() -> i64 {
    let mut order: [u8; N] = std::array::from_fn(|i| i as u8);
    let mut count = [0usize; N];
    let (mut checksum, mut most, mut even) = (0i64, 0i64, true);
    loop {
        let flips = flips(order);
        most = most.max(flips);
        checksum += if even { flips } else { -flips };
        even = !even;
        // The next permutation: rotate ever longer prefixes.
        let mut r = 1;
        loop {
            if r == N {
                return checksum * 1000 + most;
            }
            order[..=r].rotate_left(1);
            count[r] += 1;
            if count[r] <= r {
                break;
            }
            count[r] = 0;
            r += 1;
        }
    }
}

fn flips<const N: usize>(mut order: [u8; N]) -> i64 {
    let mut flips = 0;
    while order[0] != 0 {
        let first = order[0] as usize;
        order[..=first].reverse();
        flips += 1;
    }
    flips
}
