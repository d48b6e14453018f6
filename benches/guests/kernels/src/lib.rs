//! The kernels of the interpreter benchmarks. Each export takes a size and gives a checksum, which the harness
//! compares between engines.
mod coremark;
mod matmul;
mod nbody;
mod sha256;
mod sieve;
mod vm;

/// A small generator of repeatable numbers (xorshift).
pub(crate) struct Rng(pub u32);

impl Rng {
    pub(crate) fn next(&mut self) -> u32 {
        let mut x = self.0;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.0 = x;
        x
    }
}
