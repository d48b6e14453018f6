//! Where guests begin.
//!
//! A guest that is done in no time is best run by the thread that read the request: two changes of threads cost about as much as all
//! the rest. One that computes for longer would keep other connections of that thread waiting. Which of them the next one will be, the last
//! ones tell.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A turn of this length does not keep others waiting.
const SHORT: Duration = Duration::from_millis(2);

/// The score from which on guests begin at once, and the highest.
const ENOUGH: u32 = 32;
const HIGHEST: u32 = 64;

/// What a turn that was longer takes off.
const PENALTY: u32 = 16;

/// How long the turns of guests were.
#[derive(Debug, Default)]
pub struct Turns(AtomicU32);

impl Turns {
    /// Counts a turn.
    pub fn note(&self, length: Duration) {
        let score = self.0.load(Ordering::Relaxed);
        let next = match length <= SHORT {
            true => (score + 1).min(HIGHEST),
            false => score.saturating_sub(PENALTY),
        };
        if next != score {
            // Some other thread's turn may be lost, which is no matter.
            self.0.store(next, Ordering::Relaxed);
        }
    }

    /// Whether they were short.
    pub fn are_short(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_turn_in_seventeen_is_no_reason() {
        let turns = Turns::default();
        assert!(!turns.are_short());
        for _ in 0..200 {
            turns.note(SHORT);
        }
        assert!(turns.are_short());
        for _ in 0..10 {
            turns.note(SHORT * 2);
            for _ in 0..16 {
                turns.note(Duration::ZERO);
            }
            assert!(turns.are_short());
        }
        for _ in 0..3 {
            turns.note(SHORT * 2);
        }
        assert!(!turns.are_short());
    }
}
