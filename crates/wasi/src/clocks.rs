//! The clocks a guest sees, and their defaults: those of the host.

use crate::poll::Pollable;
use async_trait::async_trait;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// A clock that tells the time of day.
pub trait HostWallClock: Send {
    /// The step in which this clock advances.
    fn resolution(&self) -> Duration;

    /// Time since 1970-01-01T00:00:00Z.
    fn now(&self) -> Duration;
}

/// A clock that never goes backwards.
pub trait HostMonotonicClock: Send + Sync {
    /// The step in which this clock advances, in nanoseconds.
    fn resolution(&self) -> u64;

    /// Nanoseconds since some start.
    fn now(&self) -> u64;

    /// Completes when [`HostMonotonicClock::now`] is at `deadline` or later. As provided it sleeps, in real time,
    /// for the difference; a clock made for tests may advance itself instead.
    fn sleep_until(&self, deadline: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let rest = Duration::from_nanos(deadline.saturating_sub(self.now()));
        Box::pin(async move {
            if !rest.is_zero() {
                crate::runtime::sleep(rest).await;
            }
        })
    }
}

/// The system's time of day.
#[derive(Copy, Clone, Debug, Default)]
pub struct SystemWallClock;

impl HostWallClock for SystemWallClock {
    fn resolution(&self) -> Duration {
        #[cfg(unix)]
        return resolution_of(rustix::time::ClockId::Realtime);
        #[cfg(not(unix))]
        Duration::from_nanos(100)
    }

    fn now(&self) -> Duration {
        // A host clock set before 1970 shows as 1970.
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// The system's monotonic time, counted from when this clock was made.
#[derive(Copy, Clone, Debug)]
pub struct SystemMonotonicClock {
    start: Instant,
}

impl Default for SystemMonotonicClock {
    fn default() -> Self {
        SystemMonotonicClock {
            start: Instant::now(),
        }
    }
}

impl HostMonotonicClock for SystemMonotonicClock {
    fn resolution(&self) -> u64 {
        #[cfg(unix)]
        return nanos(resolution_of(rustix::time::ClockId::Monotonic));
        #[cfg(not(unix))]
        100
    }

    fn now(&self) -> u64 {
        nanos(self.start.elapsed())
    }
}

#[cfg(unix)]
fn resolution_of(clock: rustix::time::ClockId) -> Duration {
    let step = rustix::time::clock_getres(clock);
    Duration::new(
        u64::try_from(step.tv_sec).unwrap_or(0),
        u32::try_from(step.tv_nsec).unwrap_or(1),
    )
    .max(Duration::from_nanos(1))
}

/// Nanoseconds, capped at 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A pollable that is ready from an instant of a monotonic clock on.
pub(crate) struct Deadline {
    clock: Arc<dyn HostMonotonicClock>,
    at: u64,
}

impl Deadline {
    pub(crate) fn new(clock: Arc<dyn HostMonotonicClock>, at: u64) -> Deadline {
        Deadline { clock, at }
    }
}

#[async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        // Clocks and timers need not agree to the nanosecond: what counts for the guest is what it reads.
        while self.clock.now() < self.at {
            self.clock.sleep_until(self.at).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{block_on, now};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Stands still until someone waits for it.
    #[derive(Default)]
    struct Jumping(AtomicU64);

    impl HostMonotonicClock for Jumping {
        fn resolution(&self) -> u64 {
            1
        }
        fn now(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
        fn sleep_until(&self, deadline: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            self.0.fetch_max(deadline, Ordering::Relaxed);
            Box::pin(async {})
        }
    }

    #[test]
    fn a_deadline_of_a_test_clock_takes_no_time() {
        let clock = Arc::new(Jumping::default());
        now(Deadline::new(clock.clone(), u64::MAX / 2).ready());
        assert_eq!(clock.now(), u64::MAX / 2);
    }

    #[test]
    fn a_deadline_of_the_system_clock_is_not_early() {
        let clock = Arc::new(SystemMonotonicClock::default());
        let at = clock.now() + 1_000_000;
        block_on(Deadline::new(clock.clone(), at).ready());
        assert!(clock.now() >= at);
    }

    #[test]
    fn system_clocks_have_a_resolution() {
        assert!(SystemWallClock.resolution() >= Duration::from_nanos(1));
        assert!(SystemMonotonicClock::default().resolution() >= 1);
        assert!(SystemWallClock.now() > Duration::from_secs(1_500_000_000));
    }
}
