//! Waiting for the first of many.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A wait, as [`Pollable::ready`](crate::Pollable::ready) gives it.
pub(crate) type Ready<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Which of the waits were woken, and who waits for that.
#[derive(Default)]
struct Queue(Mutex<Woken>);

#[derive(Default)]
struct Woken {
    /// Positions, each at most once.
    positions: Vec<usize>,
    waker: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Woken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one wait is polled with.
struct Entry {
    queue: Arc<Queue>,
    position: usize,
    queued: AtomicBool,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut woken = self.queue.lock();
            woken.positions.push(self.position);
            woken.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Completes when at least one of the waits does, with the positions of all that have; never if there are none.
///
/// Each is polled once at first, and later only when it was woken itself.
pub(crate) async fn first_ready(mut waits: Vec<Ready<'_>>) -> Vec<usize> {
    let queue = Arc::new(Queue::default());
    let entry = |position| {
        Arc::new(Entry {
            queue: queue.clone(),
            position,
            queued: AtomicBool::new(false),
        })
    };
    let entries: Vec<_> = (0..waits.len()).map(entry).collect();
    let mut first = true;
    std::future::poll_fn(move |cx| {
        let positions = {
            let mut woken = queue.lock();
            // Before anything is polled, so that no wake-up goes missing.
            woken.waker = Some(cx.waker().clone());
            std::mem::take(&mut woken.positions)
        };
        let positions = match std::mem::replace(&mut first, false) {
            true => (0..waits.len()).collect(),
            false => positions,
        };
        let is_ready = |position: &usize| {
            let (Some(wait), Some(entry)) = (waits.get_mut(*position), entries.get(*position)) else {
                return false;
            };
            entry.queued.store(false, Ordering::Release);
            let waker = Waker::from(entry.clone());
            wait.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
        };
        let ready: Vec<_> = positions.into_iter().filter(is_ready).collect();
        if ready.is_empty() {
            Poll::Pending
        } else {
            Poll::Ready(ready)
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{block_on, now};
    use std::sync::atomic::AtomicUsize;

    /// Something that can be waited for, which counts how often it is polled.
    #[derive(Default)]
    struct Event {
        happened: AtomicBool,
        polls: AtomicUsize,
        waker: Mutex<Option<Waker>>,
    }

    impl Event {
        fn wait(self: Arc<Event>) -> Ready<'static> {
            Box::pin(std::future::poll_fn(move |cx| {
                self.polls.fetch_add(1, Ordering::Relaxed);
                *self.waker.lock().unwrap() = Some(cx.waker().clone());
                match self.happened.load(Ordering::Relaxed) {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            }))
        }

        fn wake(&self) {
            let waker = self.waker.lock().unwrap().clone();
            waker.unwrap().wake();
        }

        fn happen(&self) {
            self.happened.store(true, Ordering::Relaxed);
            self.wake();
        }
    }

    fn events(count: usize) -> Vec<Arc<Event>> {
        (0..count).map(|_| Arc::default()).collect()
    }

    fn wait_for(events: &[Arc<Event>]) -> Vec<Ready<'static>> {
        events.iter().map(|event| event.clone().wait()).collect()
    }

    fn polls(events: &[Arc<Event>]) -> usize {
        events
            .iter()
            .map(|event| event.polls.load(Ordering::Relaxed))
            .sum()
    }

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_what_was_woken_is_polled_again() {
        let events = events(10_000);
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let mut first = std::pin::pin!(first_ready(wait_for(&events)));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert_eq!(polls(&events), 10_000);
        // Wake-ups without a reason.
        for i in 0..1000 {
            events[i * 7].wake();
            assert!(first.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(polls(&events), 11_000);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1000);
        // Several before the next poll wake once.
        for i in [5000, 3, 9999] {
            events[i].happen();
            events[i].wake();
        }
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1001);
        let Poll::Ready(mut ready) = first.as_mut().poll(&mut cx) else {
            panic!("not ready")
        };
        ready.sort_unstable();
        assert_eq!(ready, [3, 5000, 9999]);
        assert_eq!(polls(&events), 11_003);
    }

    #[test]
    fn what_is_ready_at_once_is_found_at_once() {
        let events = events(3);
        for i in [0, 2] {
            events[i].happened.store(true, Ordering::Relaxed);
        }
        assert_eq!(now(first_ready(wait_for(&events))), [0, 2]);
        assert_eq!(polls(&events), 3);
    }

    #[test]
    fn a_wait_may_wake_itself_while_it_is_polled() {
        let mut left = 3;
        let itself: Ready<'_> = Box::pin(std::future::poll_fn(move |cx| {
            cx.waker().wake_by_ref();
            left -= 1;
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        let never: Ready<'_> = Box::pin(std::future::pending());
        assert_eq!(block_on(first_ready(vec![never, itself])), [1]);
    }

    #[test]
    fn other_threads_may_wake() {
        let events = events(100);
        let threads: Vec<_> = [17, 42]
            .into_iter()
            .map(|i| {
                let event = events[i].clone();
                std::thread::spawn(move || {
                    while event.waker.lock().unwrap().is_none() {
                        std::thread::yield_now();
                    }
                    event.happen();
                })
            })
            .collect();
        let ready = block_on(first_ready(wait_for(&events)));
        assert!(!ready.is_empty() && ready.iter().all(|i| [17, 42].contains(i)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
