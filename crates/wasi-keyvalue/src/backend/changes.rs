//! What is told of the changes of a bucket, and the bounded queue that it waits in.

use crate::error::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How many changes wait for a watcher.
pub(crate) const MAX_CHANGES: usize = 1024;

/// How many bytes of keys and values wait for a watcher.
pub(crate) const MAX_BYTES: usize = 16 << 20;

/// A change of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A value was put under a key.
    Set {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
    },
    /// A key was removed.
    Deleted {
        /// The key.
        key: String,
    },
}

impl Change {
    fn bytes(&self) -> usize {
        match self {
            Change::Set { key, value } => key.len().saturating_add(value.len()),
            Change::Deleted { key } => key.len(),
        }
    }
}

/// What [`Changes`] give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A change.
    Change(Change),
    /// So many changes came here for which there was no room.
    Lost(u64),
    /// Changes are lost, since a short while before this, for this reason. It is tried again and again; another reason is told
    /// anew.
    Interrupted(StoreError),
    /// Changes are told again.
    Resumed,
}

impl Told {
    fn bytes(&self) -> usize {
        match self {
            Told::Change(change) => change.bytes(),
            _ => 0,
        }
    }
}

/// The changes of one bucket, in the order in which they were told.
///
/// If nobody takes them, only so many are kept (1024, and 16 MiB); later ones are lost, and counted.
#[derive(Debug)]
pub struct Changes(Arc<Queue>);

/// The other end of [`Changes`]. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Teller(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    told: VecDeque<Told>,
    bytes: usize,
    /// Those that had no room behind what waits.
    lost: u64,
    /// Who waits for changes.
    taker: Option<Waker>,
    /// Nobody takes them any more.
    closed: bool,
    /// Who waits for that.
    closing: Vec<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Both ends of a queue, for a backend that tells of changes.
    pub fn new() -> (Teller, Changes) {
        let queue = Arc::<Queue>::default();
        (Teller(queue.clone()), Changes(queue))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Told {
        std::future::poll_fn(|cx| {
            let mut waiting = self.0.lock();
            if let Some(told) = waiting.told.pop_front() {
                waiting.bytes = waiting.bytes.saturating_sub(told.bytes());
                return Poll::Ready(told);
            }
            match std::mem::take(&mut waiting.lost) {
                0 => {}
                lost => return Poll::Ready(Told::Lost(lost)),
            }
            waiting.taker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.closed = true;
        waiting.told = VecDeque::new();
        let closing = std::mem::take(&mut waiting.closing);
        drop(waiting);
        closing.into_iter().for_each(Waker::wake);
    }
}

impl Teller {
    /// Tells of something, if there is room for it.
    pub fn tell(&self, told: Told) {
        let mut waiting = self.0.lock();
        if waiting.closed {
            return;
        }
        let bytes = waiting.bytes.saturating_add(told.bytes());
        if let Told::Lost(lost) = told {
            waiting.lost = waiting.lost.saturating_add(lost);
        } else if waiting.told.len() >= MAX_CHANGES || bytes > MAX_BYTES {
            waiting.lost = waiting.lost.saturating_add(1);
        } else {
            // Where they are missing.
            match std::mem::take(&mut waiting.lost) {
                0 => {}
                lost => waiting.told.push_back(Told::Lost(lost)),
            }
            waiting.bytes = bytes;
            waiting.told.push_back(told);
        }
        let taker = waiting.taker.take();
        drop(waiting);
        if let Some(waker) = taker {
            waker.wake();
        }
    }

    /// Whether nobody takes anything any more.
    pub fn is_closed(&self) -> bool {
        self.0.lock().closed
    }

    /// Waits until nobody takes anything any more.
    pub async fn closed(&self) {
        std::future::poll_fn(|cx: &mut Context<'_>| {
            let mut waiting = self.0.lock();
            if waiting.closed {
                return Poll::Ready(());
            }
            if !waiting.closing.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.closing.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    fn set(len: usize) -> Told {
        Told::Change(Change::Set {
            key: "k".to_owned(),
            value: vec![0; len],
        })
    }

    fn all(changes: &mut Changes) -> Vec<Told> {
        std::iter::from_fn(|| now(changes.next())).collect()
    }

    #[test]
    fn what_nobody_takes_is_bounded_and_counted_where_it_is_missing() {
        let (teller, mut changes) = Changes::new();
        (0..MAX_CHANGES + 7).for_each(|_| teller.tell(set(0)));
        assert_eq!(now(changes.next()), Some(set(0)));
        // There is room for one more, which comes behind those that are lost.
        teller.tell(set(1));
        teller.tell(set(2));
        let told = all(&mut changes);
        let tail = &told[MAX_CHANGES - 1..];
        assert_eq!(tail, [Told::Lost(7), set(1), Told::Lost(1)]);
        (0..3).for_each(|_| teller.tell(set(MAX_BYTES / 2 - 1)));
        let half = || set(MAX_BYTES / 2 - 1);
        assert_eq!(all(&mut changes), [half(), half(), Told::Lost(1)]);
        teller.tell(half());
        assert_eq!(all(&mut changes), [half()]);
        teller.tell(set(MAX_BYTES));
        assert_eq!(all(&mut changes), [Told::Lost(1)]);
    }

    #[test]
    fn connections_that_come_and_go_are_bounded_too() {
        let (teller, mut changes) = Changes::new();
        for _ in 0..10_000 {
            teller.tell(Told::Interrupted(StoreError::Full));
            teller.tell(Told::Resumed);
        }
        assert_eq!(all(&mut changes).len(), MAX_CHANGES + 1);
    }

    #[test]
    fn both_ends_are_woken() {
        struct Count(AtomicU32);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let count = Arc::new(Count(0.into()));
        let waker = Waker::from(count.clone());
        let (teller, mut changes) = Changes::new();
        {
            let next = std::pin::pin!(changes.next());
            assert!(next.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        teller.tell(Told::Lost(1));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!(all(&mut changes), [Told::Lost(1)]);
        {
            let closed = std::pin::pin!(teller.closed());
            assert!(closed.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        // Another one waits, too.
        assert!(now(teller.clone().closed()).is_none());
        drop(changes);
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(teller.is_closed() && now(teller.closed()).is_some());
        teller.tell(set(1));
    }
}
