//! Where random numbers come from.

use crate::Error;

/// A source of random bytes.
pub trait RandomSource: Send {
    /// Fills `buf`.
    ///
    /// # Errors
    /// When the source fails; the guest's call traps.
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), Error>;

    /// A random number.
    ///
    /// # Errors
    /// As [`RandomSource::fill`].
    fn next_u64(&mut self) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// The operating system's cryptographically secure source.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), Error> {
        getrandom::fill(buf).map_err(Error::host)
    }
}

/// Gives the same bytes over and over: for tests that must be repeatable.
#[derive(Clone, Debug)]
pub struct Deterministic {
    bytes: Vec<u8>,
    next: usize,
}

impl Deterministic {
    /// Cycles through `bytes`; without any it gives zeros.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Deterministic {
        Deterministic {
            bytes: bytes.into(),
            next: 0,
        }
    }
}

impl RandomSource for Deterministic {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), Error> {
        for byte in buf {
            *byte = self.bytes.get(self.next).copied().unwrap_or(0);
            self.next = (self.next + 1) % self.bytes.len().max(1);
        }
        Ok(())
    }
}

/// A fast generator without any promise of secrecy (SplitMix64), for `wasi:random/insecure`.
#[derive(Clone, Debug)]
pub struct InsecureRandom {
    state: u64,
}

impl InsecureRandom {
    /// The sequence that belongs to this seed.
    pub fn from_seed(seed: u64) -> InsecureRandom {
        InsecureRandom { state: seed }
    }

    fn step(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl RandomSource for InsecureRandom {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), Error> {
        for chunk in buf.chunks_mut(8) {
            let bytes = self.step().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
        Ok(())
    }

    fn next_u64(&mut self) -> Result<u64, Error> {
        Ok(self.step())
    }
}

/// An [`InsecureRandom`] whose seed is drawn when it is first used: most guests never do.
#[derive(Debug)]
pub(crate) struct SeededLater(pub(crate) Option<InsecureRandom>);

impl SeededLater {
    fn source(&mut self) -> &mut InsecureRandom {
        self.0
            .get_or_insert_with(|| InsecureRandom::from_seed(fresh_seed()))
    }
}

impl RandomSource for SeededLater {
    fn fill(&mut self, buf: &mut [u8]) -> Result<(), Error> {
        self.source().fill(buf)
    }

    fn next_u64(&mut self) -> Result<u64, Error> {
        self.source().next_u64()
    }
}

/// A seed that differs from one context to the next. A system without random numbers gives the address of nothing
/// secret instead: the time.
pub(crate) fn fresh_seed() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        now.map_or(0, |d| d.subsec_nanos().into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deterministic_cycles() {
        let mut source = Deterministic::new([1, 2, 3]);
        let mut buf = [0; 7];
        source.fill(&mut buf).unwrap();
        assert_eq!(buf, [1, 2, 3, 1, 2, 3, 1]);
        assert_eq!(
            source.next_u64().unwrap(),
            u64::from_le_bytes([2, 3, 1, 2, 3, 1, 2, 3])
        );
        assert_eq!(Deterministic::new([]).next_u64().unwrap(), 0);
    }

    #[test]
    fn insecure_is_the_sequence_of_its_seed() {
        // The published first outputs of SplitMix64 for seed 0.
        let mut source = InsecureRandom::from_seed(0);
        assert_eq!(source.next_u64().unwrap(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(source.next_u64().unwrap(), 0x6e78_9e6a_a1b9_65f4);
        let mut buf = [0; 12];
        InsecureRandom::from_seed(0).fill(&mut buf).unwrap();
        assert_eq!(buf[..8], 0xe220_a839_7b1d_cdafu64.to_le_bytes());
        assert_eq!(buf[8..], 0x6e78_9e6a_a1b9_65f4u64.to_le_bytes()[..4]);
    }

    #[test]
    fn seeds_that_are_drawn_later_differ() {
        let (mut a, mut b) = (SeededLater(None), SeededLater(None));
        let first = a.next_u64().unwrap();
        assert_ne!(first, b.next_u64().unwrap());
        assert_ne!(first, a.next_u64().unwrap());
    }

    #[test]
    fn system_fills() {
        let mut buf = [0; 64];
        SystemRandom.fill(&mut buf).unwrap();
        assert!(buf.iter().any(|b| *b != 0));
    }
}
