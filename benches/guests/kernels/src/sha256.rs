//! SHA-256 over a pseudo-random message: 32-bit rotates and additions.

use crate::Rng;

/// The first 32 bits of the fractional parts of the cube roots of the first primes, by exact integer arithmetic.
const fn constants() -> [u32; 64] {
    let mut k = [0u32; 64];
    let mut found = 0;
    let mut p: u128 = 2;
    while found < 64 {
        let mut d: u128 = 2;
        let mut prime = true;
        while d * d <= p {
            if p % d == 0 {
                prime = false;
            }
            d += 1;
        }
        if prime {
            // floor(cbrt(p) * 2^32) = floor(cbrt(p * 2^96))
            let (mut low, mut high) = (0u128, 1u128 << 36);
            while low + 1 < high {
                let mid = (low + high) / 2;
                if mid * mid * mid <= p << 96 { low = mid } else { high = mid }
            }
            k[found] = low as u32;
            found += 1;
        }
        p += 1;
    }
    k
}

static K: [u32; 64] = constants();

fn block(state: &mut [u32; 8], chunk: &[u8; 64]) {
    let mut w = [0u32; 64];
    for i in 0..16 {
        w[i] = u32::from_be_bytes([chunk[4 * i], chunk[4 * i + 1], chunk[4 * i + 2], chunk[4 * i + 3]]);
    }
    for i in 16..64 {
        let s0 = w[i - 15].rotate_right(7) ^ w[i - 15].rotate_right(18) ^ (w[i - 15] >> 3);
        let s1 = w[i - 2].rotate_right(17) ^ w[i - 2].rotate_right(19) ^ (w[i - 2] >> 10);
        w[i] = w[i - 16].wrapping_add(s0).wrapping_add(w[i - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for i in 0..64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let ch = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(s1).wrapping_add(ch).wrapping_add(K[i]).wrapping_add(w[i]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let maj = (a & b) ^ (a & c) ^ (b & c);
        let t2 = s0.wrapping_add(maj);
        h = g;
        g = f;
        f = e;
        e = d.wrapping_add(t1);
        d = c;
        c = b;
        b = a;
        a = t1.wrapping_add(t2);
    }
    for (s, v) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *s = s.wrapping_add(v);
    }
}

/// Hashes `blocks` blocks of 64 bytes (without the final padding) and gives the first eight bytes of the state.
#[unsafe(no_mangle)]
extern "C" fn sha256(blocks: u32) -> u64 {
    let mut state = [
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ];
    let mut rng = Rng(0x2545_f491);
    let mut chunk = [0u8; 64];
    for word in chunk.chunks_exact_mut(4) {
        word.copy_from_slice(&rng.next().to_le_bytes());
    }
    for i in 0..blocks {
        chunk[(i % 64) as usize] ^= i as u8;
        block(&mut state, &chunk);
    }
    u64::from(state[0]) << 32 | u64::from(state[1])
}
