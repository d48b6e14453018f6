//! How many requests are worked on, and how many wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Lets a number of requests in, and a number of others wait.
#[derive(Debug)]
pub struct Admission {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

/// The place of a request that waits.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    pub fn new(max_running: usize, max_waiting: usize) -> Admission {
        Admission {
            running: Arc::new(Semaphore::new(max_running.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            max_waiting,
        }
    }

    /// Waits to be let in; `None` when too many wait already.
    pub async fn enter(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Some(permit);
        }
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _place = Place(&self.waiting);
        if waiting >= self.max_waiting {
            return None;
        }
        self.running.clone().acquire_owned().await.ok()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_numbers_are_limited() {
        let admission = Arc::new(Admission::new(1, 1));
        let first = admission.enter().await.unwrap();
        let second = tokio::spawn({
            let admission = admission.clone();
            async move { admission.enter().await }
        });
        while admission.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(admission.enter().await.is_none());
        drop(first);
        assert!(second.await.unwrap().is_some());
        assert_eq!(admission.waiting(), 0);
    }

    #[tokio::test]
    async fn who_gives_up_leaves_its_place() {
        let admission = Admission::new(1, 1);
        let _first = admission.enter().await.unwrap();
        for _ in 0..3 {
            let waited = tokio::time::timeout(std::time::Duration::from_millis(1), admission.enter()).await;
            assert!(waited.is_err());
        }
        assert_eq!(admission.waiting(), 0);
    }
}
