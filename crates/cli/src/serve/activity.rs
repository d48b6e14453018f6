//! What a connection does at present, and when it has done nothing for too long.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::args::ServeArgs;
use super::checked_io::Seen;

/// Requests that a client may give up, beyond as many as it lets come to their end.
const MAX_GIVEN_UP: u64 = 100;

/// What a connection does at present.
pub struct Activity {
    seen: Seen,
    requests: AtomicUsize,
    /// Since when it does nothing, and whether it has ever had a request.
    since: Mutex<(Instant, bool)>,
    begun: AtomicU64,
    done: AtomicU64,
    given_up: AtomicU64,
    /// Too many were given up.
    overdone: Notify,
}

impl Activity {
    pub fn new(seen: Seen) -> Activity {
        Activity {
            seen,
            requests: AtomicUsize::new(0),
            since: Mutex::new((Instant::now(), false)),
            begun: AtomicU64::new(0),
            done: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            overdone: Notify::new(),
        }
    }

    /// What came.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How many requests have begun.
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Waits until the client has given up too many requests. Each costs the start of a guest, and next to nothing to send.
    pub async fn overdone(&self) {
        self.overdone.notified().await;
    }

    fn idle(&self) -> (Instant, bool) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it does nothing, if it does nothing.
    pub fn idle_since(&self) -> Instant {
        self.idle().0
    }

    /// When the connection is to be closed, if nothing happens until then; `None` while requests are worked on.
    pub fn deadline(&self, args: &ServeArgs) -> Option<Instant> {
        let is_busy = self.requests.load(Ordering::Relaxed) > 0;
        let (since, used) = self.idle();
        match self.seen.head() {
            // The next head may have to wait until it is read.
            Some(head) if self.seen.is_http2() || !is_busy => Some(head.max(since) + args.header_timeout),
            _ if is_busy => None,
            _ if used => Some(since + args.idle_timeout),
            _ => Some(since + args.header_timeout),
        }
    }

    /// When to ask for the deadline again: there is nobody who says that a head has begun.
    pub fn look_again(&self, args: &ServeArgs, now: Instant) -> Instant {
        let later = now + args.header_timeout;
        self.deadline(args).map_or(later, |deadline| deadline.min(later))
    }
}

/// A request of a connection.
pub struct Busy {
    activity: Arc<Activity>,
    /// It came to its end.
    pub is_done: bool,
}

impl Busy {
    pub fn new(activity: &Arc<Activity>) -> Busy {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.begun.fetch_add(1, Ordering::Relaxed);
        Busy {
            activity: activity.clone(),
            is_done: false,
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let activity = &self.activity;
        if self.is_done {
            activity.done.fetch_add(1, Ordering::Relaxed);
        } else {
            let given_up = activity.given_up.fetch_add(1, Ordering::Relaxed);
            if given_up >= MAX_GIVEN_UP.saturating_add(activity.done.load(Ordering::Relaxed)) {
                activity.overdone.notify_one();
            }
        }
        *activity.since.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), true);
        activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn end(activity: &Arc<Activity>, is_done: bool) {
        Busy::new(activity).is_done = is_done;
    }

    async fn is_overdone(activity: &Activity) -> bool {
        tokio::time::timeout(Duration::from_millis(5), activity.overdone())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn some_may_be_given_up() {
        let activity = Arc::new(Activity::new(Seen::default()));
        for _ in 0..500 {
            end(&activity, true);
            end(&activity, false);
        }
        assert!(!is_overdone(&activity).await);
        for _ in 0..MAX_GIVEN_UP {
            end(&activity, false);
        }
        assert!(!is_overdone(&activity).await);
        end(&activity, false);
        assert!(is_overdone(&activity).await);
        assert_eq!(activity.begun(), 1101);
    }
}
