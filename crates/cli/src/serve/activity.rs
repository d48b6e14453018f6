//! What a connection does at present, and when it has done nothing for too long.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::args::ServeArgs;
use super::patience::Patience;
use super::seen::Seen;

/// How long the rest of the last answer may be on its way, as long as the client takes something of it.
const MAX_REST: Duration = Duration::from_secs(600);

/// How long a connection that takes no more requests stays when none is under way any more, and how often it is looked at until then.
const LINGER: Duration = Duration::from_secs(1);

/// What a connection does at present.
pub struct Activity {
    seen: Seen,
    requests: AtomicUsize,
    begun: AtomicU64,
    state: Mutex<State>,
    /// Too many requests were given up.
    overdone: Notify,
    /// The connection was closed although requests were under way.
    cut: Arc<AtomicBool>,
}

struct State {
    /// Since when the connection does nothing.
    since: Instant,
    /// It has had a request.
    used: bool,
    patience: Patience,
    /// When the server took its last request, if it takes no more.
    closed: Option<Instant>,
}

impl Activity {
    pub fn new(seen: Seen) -> Activity {
        Activity {
            seen,
            requests: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            state: Mutex::new(State {
                since: Instant::now(),
                used: false,
                patience: Patience::new(Instant::now()),
                closed: None,
            }),
            overdone: Notify::new(),
            cut: Arc::default(),
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

    /// Whether requests are under way.
    pub fn is_busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Waits until the client has given up too many requests. From then on no more are taken.
    pub async fn overdone(&self) {
        self.overdone.notified().await;
    }

    /// The connection is closed, whatever is under way.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Whether no more requests are taken.
    fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Since when it does nothing, if it does nothing.
    pub fn idle_since(&self) -> Instant {
        self.state().since
    }

    /// When the connection is to be closed, if nothing happens until then; `None` while requests are worked on.
    pub fn deadline(&self, args: &ServeArgs) -> Option<Instant> {
        let is_busy = self.is_busy();
        let State {
            since, used, closed, ..
        } = *self.state();
        if let Some(closed) = closed {
            let last = closed + args.shutdown_timeout;
            return Some(if is_busy { last } else { last.min(since + LINGER) });
        }
        match self.seen.head() {
            // The next head may have to wait until it is read.
            Some(head) if self.seen.is_http2() || !is_busy => Some(head.max(since) + args.header_timeout),
            _ if is_busy => None,
            _ if used => {
                // The library has taken all answers, which does not say that they have been sent.
                let sent = self.seen.sent().map_or(since, |sent| sent.min(since + MAX_REST));
                Some(sent.max(since) + args.idle_timeout)
            }
            _ => Some(since + args.header_timeout),
        }
    }

    /// Whether the connection may be closed in the middle of whatever it does.
    pub fn is_over(&self, args: &ServeArgs) -> bool {
        let passed = self.deadline(args).is_some_and(|at| at <= Instant::now());
        passed && (!self.is_busy() || self.is_closed())
    }

    /// When to ask for the deadline again: there is nobody who says that a head has begun.
    pub fn look_again(&self, args: &ServeArgs, now: Instant) -> Instant {
        let later = match self.is_closed() {
            true => now + LINGER.min(args.header_timeout),
            false => now + args.header_timeout,
        };
        self.deadline(args).map_or(later, |deadline| deadline.min(later))
    }
}

/// A request of a connection.
pub struct Busy {
    activity: Arc<Activity>,
    /// The connection takes no more requests.
    is_refused: bool,
    has_guest: bool,
    is_answered: bool,
    /// It came to its end.
    pub is_done: bool,
}

impl Busy {
    pub fn new(activity: &Arc<Activity>) -> Busy {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.begun.fetch_add(1, Ordering::Relaxed);
        Busy {
            activity: activity.clone(),
            is_refused: activity.is_closed(),
            has_guest: false,
            is_answered: false,
            is_done: false,
        }
    }

    /// Whether it comes too late, because the connection takes no more.
    pub fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Whether the server has closed the connection, whatever is under way.
    pub fn cut(&self) -> Arc<AtomicBool> {
        self.activity.cut.clone()
    }

    /// A guest begins to work on it.
    pub fn guest(&mut self) {
        self.has_guest = true;
    }

    /// The head of its answer is known.
    pub fn answered(&mut self) {
        self.is_answered = true;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        let now = Instant::now();
        // What costs no guest counts for nothing, nor does who leaves in the middle of an answer that it waited for.
        if self.has_guest && self.is_done {
            state.patience.done(now);
        } else if self.has_guest
            && !self.is_answered
            && state.patience.given_up(now)
            && state.closed.is_none()
        {
            state.closed = Some(now);
            self.activity.overdone.notify_one();
        }
        if !self.is_refused {
            (state.since, state.used) = (now, true);
        }
        self.activity.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::patience::MAX_GIVEN_UP;

    async fn is_overdone(activity: &Activity) -> bool {
        tokio::time::timeout(Duration::from_millis(5), activity.overdone())
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn what_counts_as_given_up() {
        let activity = Arc::new(Activity::new(Seen::default()));
        for _ in 0..500 {
            // Before a guest began, and when the answer had begun.
            Busy::new(&activity);
            let mut busy = Busy::new(&activity);
            busy.guest();
            busy.answered();
            // An answer that cost nothing makes good for none.
            Busy::new(&activity).is_done = true;
        }
        for _ in 0..MAX_GIVEN_UP {
            Busy::new(&activity).guest();
        }
        assert!(!is_overdone(&activity).await);
        assert!(!Busy::new(&activity).is_refused());
        Busy::new(&activity).guest();
        assert!(is_overdone(&activity).await);
        assert!(Busy::new(&activity).is_refused());
        assert!(!activity.is_busy());
    }
}
