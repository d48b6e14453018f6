//! What the programs of the benchmarks share: repeatable input and checksums.

/// A small generator of repeatable numbers (xorshift).
pub struct Rng(u32);

impl Rng {
    /// A generator; the seed must not be 0.
    pub fn new(seed: u32) -> Rng {
        Rng(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u32 {
        let mut x = self.0;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.0 = x;
        x
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (u64::from(self.next()) * u64::from(end) >> 32) as u32
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u32) as usize]
    }
}

/// A checksum (FNV-1a).
#[derive(Clone, Copy)]
pub struct Sum(u64);

impl Default for Sum {
    fn default() -> Sum {
        Sum(0xcbf2_9ce4_8422_2325)
    }
}

impl Sum {
    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x100_0000_01b3).rotate_left(29);
    }

    /// The checksum so far.
    pub fn value(self) -> i64 {
        self.0 as i64
    }
}

const WORDS: &[&str] = &[
    "harbour", "tide", "ship", "crane", "lantern", "of", "the", "a", "to", "in", "and", "over", "cargo", "anchor",
    "rope", "storm", "quay", "north", "wind", "water", "salt", "captain", "crew", "night", "morning", "under", "signal",
    "gull", "chart", "compass", "deep", "slow", "bright", "empty", "loaded", "waiting", "returns", "leaves", "carries",
];

/// Sentences of common words: about `bytes` bytes of text.
pub fn prose(rng: &mut Rng, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64);
    let mut start = true;
    while text.len() < bytes {
        let word = word(rng);
        if start {
            text.push_str(&word[..1].to_uppercase());
            text.push_str(&word[1..]);
        } else {
            text.push_str(word);
        }
        start = rng.below(9) == 0;
        text.push_str(if start { ". " } else { " " });
    }
    text
}

/// A word.
pub fn word(rng: &mut Rng) -> &'static str {
    WORDS[rng.below(WORDS.len() as u32) as usize]
}
