//! Checksums of long inputs, on several threads.

/// A BLAKE3 hash.
pub(super) type Digest = [u8; 32];

/// What one thread hashes at a time. Part of the formats: the digest of a long input is made of the digests of these pieces.
const LEAF: usize = 1 << 20;

/// The digest of a list of byte strings, which also tells where one ends and the next begins.
pub(super) fn digest(parts: &[&[u8]]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        if part.len() <= LEAF {
            hasher.update(part);
            continue;
        }
        for leaf in leaves(part) {
            hasher.update(&leaf);
        }
    }
    *hasher.finalize().as_bytes()
}

fn leaves(bytes: &[u8]) -> Vec<Digest> {
    let count = bytes.len().div_ceil(LEAF);
    let mut leaves = vec![Digest::default(); count];
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(8);
    let share = count.div_ceil(threads).max(2);
    let hash = |leaves: &mut [Digest], bytes: &[u8]| {
        for (leaf, bytes) in leaves.iter_mut().zip(bytes.chunks(LEAF)) {
            *leaf = *blake3::hash(bytes).as_bytes();
        }
    };
    std::thread::scope(|scope| {
        let mut parts = leaves.chunks_mut(share).zip(bytes.chunks(share * LEAF));
        let own = parts.next();
        for (leaves, bytes) in parts {
            scope.spawn(move || hash(leaves, bytes));
        }
        if let Some((leaves, bytes)) = own {
            hash(leaves, bytes);
        }
    });
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_every_boundary_counts() {
        let mut long = vec![0u8; 3 * LEAF + 5];
        let before = digest(&[&long]);
        long[2 * LEAF + 7] = 1;
        assert_ne!(digest(&[&long]), before);
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"ab"]), digest(&[b"ab", b""]));
    }
}
