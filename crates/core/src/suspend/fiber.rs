//! Fibers: native stacks of their own, taken from a pool.

use std::{
    cell::Cell,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    ptr::NonNull,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use corosensei::{
    Coroutine, CoroutineResult, Yielder,
    stack::{DefaultStack, Stack},
};

use crate::error::{Error, Result};

/// What [`current`] and the future that drives a fiber share. It lives in that future, at an address that does not change.
struct State {
    waker: Waker,
    /// Set by the fiber itself when it starts.
    yielder: *const Yielder<(), ()>,
    /// Native frames of the fiber must stay above this address.
    stack_limit: usize,
    /// Inside of how many synchronous sections the fiber is.
    sync_sections: u32,
    /// It was suspended since [`Current::take_waited`].
    waited: bool,
    cancelled: bool,
}

thread_local! {
    static CURRENT: Cell<*mut State> = const { Cell::new(std::ptr::null_mut()) };
}

// Not inlined, so that no address of a thread's variable is kept over a suspension, after which the thread may be another.
#[inline(never)]
fn get_current() -> *mut State {
    CURRENT.get()
}

#[inline(never)]
fn set_current(state: *mut State) -> *mut State {
    CURRENT.replace(state)
}

/// The fiber that the calling code runs on, if it is one that may be suspended here.
pub(super) fn current() -> Option<Current> {
    let state = NonNull::new(get_current())?;
    // SAFETY: the state of the current fiber lives in the future that is being polled further out.
    let may_suspend = unsafe { state.as_ref() }.sync_sections == 0;
    may_suspend.then_some(Current(state))
}

/// Whether the calling code runs on a fiber whose future was dropped.
pub(super) fn cancelled() -> bool {
    // It may have changed while the fiber was suspended.
    // SAFETY: as in `current`.
    NonNull::new(get_current()).is_some_and(|state| unsafe { state.as_ref() }.cancelled)
}

/// The address down to which native frames may go, if the calling code runs on a fiber.
pub(crate) fn stack_limit() -> Option<usize> {
    let state = NonNull::new(get_current())?;
    // SAFETY: as in `current`.
    Some(unsafe { state.as_ref() }.stack_limit)
}

/// Tells apart the native stacks that exist at a time: of fibers, and of threads.
pub(crate) fn stack_id() -> usize {
    #[inline(never)]
    fn thread() -> usize {
        CURRENT.with(|current| std::ptr::from_ref(current) as usize)
    }
    match get_current() {
        state if state.is_null() => thread(),
        state => state as usize,
    }
}

/// The fiber that the calling code runs on.
pub(super) struct Current(NonNull<State>);

impl Current {
    pub(super) fn waker(&self) -> Waker {
        // SAFETY: the state lives as long as the fiber, which is running.
        unsafe { self.0.as_ref() }.waker.clone()
    }

    /// Suspends the fiber until its future is polled again; `false` when it was dropped instead.
    pub(super) fn suspend(&mut self) -> bool {
        let state = self.0.as_ptr();
        // SAFETY: the state lives as long as the fiber; the yielder is valid while the fiber runs, which it does.
        unsafe {
            if !(*state).cancelled {
                (*(*state).yielder).suspend(());
                (*state).waited = true;
            }
            !(*state).cancelled
        }
    }

    /// Whether the fiber was suspended since the last time that this was asked.
    pub(super) fn take_waited(&mut self) -> bool {
        // SAFETY: the state lives as long as the fiber, which is running.
        std::mem::take(unsafe { &mut (*self.0.as_ptr()).waited })
    }
}

/// While it exists, the current fiber is not suspended.
pub(super) struct SyncSection {
    state: Option<NonNull<State>>,
    _not_send: PhantomData<*mut ()>,
}

impl SyncSection {
    pub(super) fn enter() -> SyncSection {
        let state = NonNull::new(get_current());
        if let Some(state) = state {
            // SAFETY: as in `current`; no reference to the state is held anywhere.
            unsafe { (*state.as_ptr()).sync_sections += 1 };
        }
        SyncSection {
            state,
            _not_send: PhantomData,
        }
    }
}

impl Drop for SyncSection {
    fn drop(&mut self) {
        if let Some(state) = self.state {
            // SAFETY: as in `enter`; the fiber still runs, because the section was left on it.
            unsafe { (*state.as_ptr()).sync_sections -= 1 };
        }
    }
}

/// Stacks of finished fibers, for the next ones.
static POOL: Mutex<Vec<(usize, DefaultStack)>> = Mutex::new(Vec::new());

/// More than these are given back to the system.
const POOLED: usize = 256;

/// What is left of a fiber's stack for host functions when guests must stop.
const RESERVE: usize = 32 << 10;

fn take_stack(size: usize) -> Result<DefaultStack> {
    let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(at) = pool.iter().rposition(|(s, _)| *s == size) {
        return Ok(pool.swap_remove(at).1);
    }
    drop(pool);
    DefaultStack::new(size).map_err(|e| Error::limit(format!("no memory for the stack of a fiber: {e}")))
}

fn return_stack(size: usize, stack: DefaultStack) {
    let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
    if pool.len() < POOLED {
        pool.push((size, stack));
    }
}

/// Runs `f` on a fiber with `stack` bytes of native stack; its [`wait`](super::wait)s make the future pending.
///
/// Dropping the future before it is done makes the wait that suspended it, and all later ones, return
/// [`Cancelled`](super::Cancelled).
///
/// # Errors
/// `Limit` when there is no memory for the stack.
///
/// # Panics
/// The future panics if `f` does.
pub fn on_fiber<R: Send>(
    stack: usize,
    f: impl FnOnce() -> R + Send,
) -> impl Future<Output = Result<R>> + Send {
    Fiber::New {
        size: stack,
        f: Some(f),
    }
}

enum Fiber<F, R> {
    New { size: usize, f: Option<F> },
    Running(Running<R>),
    Done,
}

struct Running<R> {
    size: usize,
    state: Box<State>,
    coroutine: Option<Coroutine<(), (), std::thread::Result<R>, DefaultStack>>,
}

// SAFETY: what lies on the fiber's stack while it is suspended is the closure (`Send`), frames of the engine and of guests, which are
// not bound to a thread, and the future given to `wait` (`Send`). Host functions that call guests again do so in a synchronous
// section, in which fibers are not suspended. The raw pointers in the state point into the fiber itself.
unsafe impl<R: Send> Send for Running<R> {}

// Nothing in it is pinned: the state is boxed.
impl<F, R> Unpin for Fiber<F, R> {}

impl<F: FnOnce() -> R, R> Future for Fiber<F, R> {
    type Output = Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let fiber = &mut *self;
        if let Fiber::New { size, f } = fiber {
            let (size, Some(f)) = (*size, f.take()) else {
                unreachable!("the closure is taken once")
            };
            match Running::new(size, f) {
                Ok(running) => *fiber = Fiber::Running(running),
                Err(e) => {
                    *fiber = Fiber::Done;
                    return Poll::Ready(Err(e));
                }
            }
        }
        let Fiber::Running(running) = fiber else {
            panic!("a future was polled after it was ready")
        };
        running.state.waker.clone_from(cx.waker());
        match running.resume() {
            None => Poll::Pending,
            Some(result) => {
                *fiber = Fiber::Done;
                match result {
                    Ok(output) => Poll::Ready(Ok(output)),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        }
    }
}

impl<R> Running<R> {
    fn new<F: FnOnce() -> R>(size: usize, f: F) -> Result<Running<R>> {
        let stack = take_stack(size)?;
        let mut state = Box::new(State {
            waker: Waker::noop().clone(),
            yielder: std::ptr::null(),
            stack_limit: stack.limit().get() + RESERVE,
            sync_sections: 0,
            waited: false,
            cancelled: false,
        });
        let state_ptr: *mut State = &mut *state;
        // SAFETY: `with_stack_unchecked` wants the closure to outlive the coroutine although its lifetime is not `'static`: the
        // coroutine is run to its end or never started before `Running` is gone (see its `Drop`), and `Running` does not outlive
        // `F` or `R`, whose types are its own parameters or those of the future around it.
        let coroutine = unsafe {
            corosensei::Coroutine::with_stack_unchecked(stack, move |yielder: &Yielder<(), ()>, ()| {
                (*state_ptr).yielder = yielder;
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
            })
        };
        Ok(Running {
            size,
            state,
            coroutine: Some(coroutine),
        })
    }

    /// Runs the fiber on until it suspends or ends; gives the result when it ended.
    fn resume(&mut self) -> Option<std::thread::Result<R>> {
        let coroutine = self.coroutine.as_mut()?;
        let outer = set_current(&mut *self.state);
        let result = coroutine.resume(());
        set_current(outer);
        match result {
            CoroutineResult::Yield(()) => None,
            CoroutineResult::Return(result) => {
                if let Some(coroutine) = self.coroutine.take() {
                    return_stack(self.size, coroutine.into_stack());
                }
                Some(result)
            }
        }
    }
}

impl<R> Drop for Running<R> {
    fn drop(&mut self) {
        // The frames on the stack can't be unwound, since guests' frames are among them; they return with errors instead.
        self.state.cancelled = true;
        while self.coroutine.is_some() {
            drop(self.resume());
        }
    }
}
