//! How many requests a client may give up.

use std::time::Duration;

use tokio::time::Instant;

/// Requests that a client may give up, beyond as many as it lets come to their end.
pub const MAX_GIVEN_UP: u64 = 100;

/// After this time what was counted counts half.
const HALF_LIFE: Duration = Duration::from_secs(60);

/// Counts the requests that a client gave up before it was given anything. Each costs the start of a guest, and next to nothing to send.
pub struct Patience {
    /// Up to when the numbers are halved.
    from: Instant,
    done: u64,
    given_up: u64,
}

impl Patience {
    pub fn new(now: Instant) -> Patience {
        Patience {
            from: now,
            done: 0,
            given_up: 0,
        }
    }

    /// A request came to its end.
    pub fn done(&mut self, now: Instant) {
        self.forget(now);
        self.done += 1;
    }

    /// A request was given up. Whether these are too many.
    pub fn given_up(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.given_up += 1;
        self.given_up > MAX_GIVEN_UP + self.done
    }

    fn forget(&mut self, now: Instant) {
        while now.saturating_duration_since(self.from) >= HALF_LIFE {
            if self.done == 0 && self.given_up == 0 {
                self.from = now;
                return;
            }
            self.from += HALF_LIFE;
            self.done /= 2;
            self.given_up /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_may_be_given_up() {
        let now = Instant::now();
        let mut patience = Patience::new(now);
        for _ in 0..500 {
            patience.done(now);
            assert!(!patience.given_up(now));
        }
        for _ in 0..MAX_GIVEN_UP {
            assert!(!patience.given_up(now));
        }
        assert!(patience.given_up(now));
    }

    #[test]
    fn time_makes_good() {
        let mut now = Instant::now();
        let mut patience = Patience::new(now);
        // One a second, for as long as one likes.
        for _ in 0..10_000 {
            assert!(!patience.given_up(now));
            now += Duration::from_millis(1300);
        }
        // What was done long ago is no reserve.
        for _ in 0..1_000_000 {
            patience.done(now);
        }
        now += HALF_LIFE * 30;
        let mut given_up = 0;
        while !patience.given_up(now) {
            given_up += 1;
        }
        assert_eq!(given_up, MAX_GIVEN_UP);
        // However long that was.
        now += HALF_LIFE * 1_000_000;
        assert!(!patience.given_up(now));
    }
}
