//! Host code that waits: on a fiber a wait suspends the whole guest, elsewhere it blocks the thread.
//!
//! A host function that may wait calls [`wait`] with a future. The same host function so serves synchronous calls, which need no
//! runtime, and asynchronous ones ([`on_fiber`]), of which thousands can wait at a time.

mod fiber;

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::Thread,
};

pub use fiber::on_fiber;
pub(crate) use fiber::{stack_id, stack_limit};

use crate::error::{Error, Result};

/// The guest's asynchronous call was dropped while this host function waited.
#[derive(Debug, thiserror::Error)]
#[error("the call was cancelled")]
pub struct Cancelled;

/// Waits for a future, from inside a host function.
///
/// A future that is ready costs one poll. One that is not suspends the fiber that the guest runs on, or blocks the thread when the
/// guest was called synchronously.
///
/// # Errors
/// [`Cancelled`] (as a host error) when the asynchronous call that the guest belongs to is dropped meanwhile; return it to the guest's
/// caller like any other error.
///
/// ```
/// assert_eq!(wharf_core::suspend::wait(async { 2 + 2 }).unwrap(), 4);
/// ```
pub fn wait<F: Future + Send>(future: F) -> Result<F::Output> {
    let mut future = pin!(future);
    if let Some(mut fiber) = fiber::current() {
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&fiber.waker())) {
                return Ok(output);
            }
            if !fiber.suspend() {
                return Err(Error::host(Cancelled));
            }
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Whether [`wait`] would suspend the guest. If not, it blocks the thread, so that work which blocks can as well be done right there.
pub fn can_suspend() -> bool {
    fiber::current().is_some()
}

/// Lets the executor of the asynchronous call that the guest belongs to run others first, unless it could since the last time.
///
/// Outside of fibers, and in synchronous sections, there is nobody to yield to, and it does nothing.
///
/// # Errors
/// As for [`wait`]; in synchronous sections too.
pub(crate) fn yield_now() -> Result<()> {
    if !fiber::cancelled()
        && let Some(mut fiber) = fiber::current()
        && !fiber.take_waited()
    {
        fiber.waker().wake();
        fiber.suspend();
        fiber.take_waited();
    }
    match fiber::cancelled() {
        false => Ok(()),
        true => Err(Error::host(Cancelled)),
    }
}

/// Runs `f`, inside of which [`wait`] blocks the thread even on a fiber.
///
/// For host functions that call a guest again, synchronously: what they have on their stack may be bound to the thread, so that
/// their fiber must not move to another one.
pub fn synchronously<R>(f: impl FnOnce() -> R) -> R {
    let _section = fiber::SyncSection::enter();
    f()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    };

    use super::*;

    /// A future that is pending once, and wakes its waker from another thread.
    fn pending_once() -> impl Future<Output = u32> + Send {
        let mut first = true;
        std::future::poll_fn(move |cx| {
            if std::mem::take(&mut first) {
                let waker = cx.waker().clone();
                std::thread::spawn(move || waker.wake());
                return Poll::Pending;
            }
            Poll::Ready(7)
        })
    }

    #[test]
    fn a_wait_outside_of_fibers_blocks() {
        assert_eq!(wait(pending_once()).unwrap(), 7);
    }

    #[test]
    fn a_wait_on_a_fiber_suspends_it() {
        let mut fiber = Box::pin(on_fiber(64 << 10, || {
            wait(pending_once()).unwrap() + wait(pending_once()).unwrap()
        }));
        let wakes = Arc::new(Unpark(std::thread::current()));
        let waker = Waker::from(wakes);
        let mut polls = 0;
        let output = loop {
            polls += 1;
            match fiber.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => break output.unwrap(),
                Poll::Pending => std::thread::park(),
            }
        };
        assert_eq!(output, 14);
        assert!(polls >= 3);
    }

    #[test]
    fn fibers_nest_and_may_wait_synchronously() {
        let output = wait(on_fiber(256 << 10, || {
            let inner = wait(on_fiber(64 << 10, || wait(pending_once()).unwrap()))
                .unwrap()
                .unwrap();
            inner + synchronously(|| wait(pending_once()).unwrap())
        }));
        assert_eq!(output.unwrap().unwrap(), 14);
    }

    #[test]
    fn a_dropped_call_unwinds_its_fiber() {
        static DROPPED: AtomicBool = AtomicBool::new(false);
        static CANCELLED: AtomicU32 = AtomicU32::new(0);
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                DROPPED.store(true, Ordering::SeqCst);
            }
        }
        let mut fiber = Box::pin(on_fiber(64 << 10, || {
            let _guard = Guard;
            for _ in 0..3 {
                if wait(std::future::pending::<()>()).is_err() {
                    CANCELLED.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
        assert!(
            fiber
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        drop(fiber);
        assert!(DROPPED.load(Ordering::SeqCst));
        assert_eq!(CANCELLED.load(Ordering::SeqCst), 3);
    }

    /// Polls a future once, and tells whether it is ready and whether it woke its waker.
    fn poll_once<F: Future + Unpin>(future: &mut F) -> (bool, bool) {
        struct Flag(AtomicBool);
        impl Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(flag.clone());
        let ready = pin!(future).poll(&mut Context::from_waker(&waker)).is_ready();
        (ready, flag.0.load(Ordering::SeqCst))
    }

    #[test]
    fn yielding_makes_a_future_pending_and_wakes_it() {
        let mut fiber = on_fiber(64 << 10, || {
            yield_now().unwrap();
            synchronously(|| yield_now().unwrap());
            yield_now().unwrap();
        });
        assert_eq!(poll_once(&mut fiber), (false, true));
        assert_eq!(poll_once(&mut fiber), (false, true));
        assert_eq!(poll_once(&mut fiber), (true, false));
        // There is nobody to yield to.
        yield_now().unwrap();
    }

    #[test]
    fn who_has_waited_need_not_yield() {
        let mut fiber = on_fiber(64 << 10, || {
            wait(std::future::ready(())).unwrap();
            yield_now().unwrap();
            let mut first = true;
            wait(std::future::poll_fn(|_| match std::mem::take(&mut first) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }))
            .unwrap();
            yield_now().unwrap();
            yield_now().unwrap();
        });
        assert_eq!(poll_once(&mut fiber), (false, true));
        assert_eq!(poll_once(&mut fiber), (false, false));
        assert_eq!(poll_once(&mut fiber), (false, true));
        assert_eq!(poll_once(&mut fiber), (true, false));
    }

    #[test]
    fn yielding_tells_of_a_dropped_call() {
        static CANCELLED: AtomicU32 = AtomicU32::new(0);
        let mut fiber = on_fiber(64 << 10, || {
            let note = |result: Result<()>| {
                if result.is_err_and(|e| e.downcast_ref::<Cancelled>().is_some()) {
                    CANCELLED.fetch_add(1, Ordering::SeqCst);
                }
            };
            note(yield_now());
            note(yield_now());
            synchronously(|| note(yield_now()));
        });
        assert!(!poll_once(&mut fiber).0);
        assert_eq!(CANCELLED.load(Ordering::SeqCst), 0);
        drop(fiber);
        assert_eq!(CANCELLED.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_panic_on_a_fiber_comes_out_of_its_future() {
        let caught = std::panic::catch_unwind(|| wait(on_fiber(64 << 10, || panic!("inside"))));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"inside"));
    }

    #[test]
    fn fibers_move_between_threads() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let seen = log.clone();
        let mut fiber = Box::pin(on_fiber(64 << 10, move || {
            seen.lock().unwrap().push(std::thread::current().id());
            wait(pending_once()).unwrap();
            seen.lock().unwrap().push(std::thread::current().id());
        }));
        assert!(
            fiber
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        std::thread::spawn(move || wait(fiber).unwrap().unwrap())
            .join()
            .unwrap();
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 2);
        assert_ne!(log[0], log[1]);
    }
}
