//! Counts primes with the sieve of Eratosthenes: byte stores in tight loops.

const MAX: usize = 1 << 20;
static mut FLAGS: [u8; MAX] = [0; MAX];

/// The number of primes below `n`, found `rounds` times.
#[unsafe(no_mangle)]
extern "C" fn sieve(n: u32, rounds: u32) -> u64 {
    // SAFETY: a Wasm instance has one thread and this is the only user of FLAGS.
    let flags = unsafe { &mut *(&raw mut FLAGS) };
    let n = (n as usize).min(MAX);
    let mut count = 0u64;
    for _ in 0..rounds {
        flags[..n].fill(1);
        let mut i = 2;
        while i * i < n {
            if flags[i] != 0 {
                let mut j = i * i;
                while j < n {
                    flags[j] = 0;
                    j += i;
                }
            }
            i += 1;
        }
        count += flags[2..n].iter().map(|f| u64::from(*f)).sum::<u64>();
    }
    count
}
