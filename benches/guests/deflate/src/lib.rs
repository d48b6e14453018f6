//! `miniz_oxide`: text and numbers compressed at two levels, and decompressed.

use miniz_oxide::{deflate::compress_to_vec_zlib, inflate::decompress_to_vec_zlib};
use support::{Rng, Sum};

fn data() -> Vec<u8> {
    let mut rng = Rng::new(5);
    let mut data = support::prose(&mut rng, 120_000).into_bytes();
    let mut level = 0i32;
    for _ in 0..30_000 {
        level += rng.below(9) as i32 - 4;
        data.extend_from_slice(&(level as i16).to_le_bytes());
    }
    data
}

#[unsafe(no_mangle)]
pub extern "C" fn run(n: i32) -> i64 {
    let mut sum = Sum::default();
    let data = data();
    for _ in 0..n.max(0) {
        for level in [1, 6] {
            let packed = compress_to_vec_zlib(&data, level);
            sum.bytes(&packed);
            for _ in 0..3 {
                match decompress_to_vec_zlib(&packed) {
                    Ok(back) if back == data => sum.number(back.len() as u64),
                    _ => return 0,
                }
            }
        }
    }
    sum.value()
}
