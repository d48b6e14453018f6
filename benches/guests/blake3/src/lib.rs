//! The crate `blake3`, whose Wasm implementation is written with SIMD.

use support::{Rng, Sum};

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let mut rng = Rng::new(3);
    let data: Vec<u8> = (0..1 << 20).map(|_| rng.next() as u8).collect();
    for i in 0..n.max(0) as u32 * 14 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&i.to_le_bytes());
        hasher.update(&data);
        sum.bytes(hasher.finalize().as_bytes());
    }
    sum.value()
}
