//! What happens when the engine's epoch reaches the deadline of a store.
//!
//! Guests look at the deadline where they may go on for long: at loops and calls. When it has come, [`reached`] asks the store what to
//! do: stop the guest, let the executor of its asynchronous call do something else first, or go on.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::Ordering,
};

use super::{
    store::{Store, StoreInner},
    vm::VmRuntime,
};
use crate::{
    error::{Error, Result},
    suspend,
    trap::TrapCode,
};

/// What a callback decides for a guest whose deadline has come; see [`Store::epoch_deadline_callback`].
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UpdateDeadline {
    /// The guest traps with [`TrapCode::Interrupt`].
    Interrupt,
    /// It goes on, until so many ticks from now.
    Continue(u64),
    /// It goes on until so many ticks from then, when the executor has had its turn; see
    /// [`Store::epoch_deadline_async_yield_and_update`].
    Yield(u64),
}

type Callback = dyn FnMut(&mut Store) -> Result<UpdateDeadline> + Send + Sync;

/// What a store does at its deadline.
#[derive(Default)]
pub(crate) enum OnDeadline {
    #[default]
    Trap,
    Yield(u64),
    Ask(Box<Callback>),
    /// The callback is running.
    Asking,
}

impl Store {
    /// Guests reach the deadline of the store when the engine's epoch has moved on by `ticks`. What happens then, soon after, is a trap
    /// with [`TrapCode::Interrupt`], unless another method says otherwise.
    pub fn set_epoch_deadline(&mut self, ticks: u64) {
        let inner = self.inner_mut();
        inner.set_deadline(ticks);
        inner.engine.0.tier.require_interrupts();
    }

    /// At the deadline, guests trap with [`TrapCode::Interrupt`]: what they do if nothing else was said.
    pub fn epoch_deadline_trap(&mut self) {
        self.inner_mut().on_deadline = OnDeadline::Trap;
    }

    /// At the deadline, guests let the executor of their asynchronous call run others: the call's future is pending once, having woken
    /// its waker, and when it is polled again the guest goes on until `delta` ticks from then. If it has waited for something else
    /// since the last time, the executor has had its turn, and the guest goes on at once.
    ///
    /// Where there is nobody to yield to, in a synchronous call, the guest goes on as if nobody else had wanted to run. So do guests
    /// that the host calls synchronously in the course of an asynchronous call, such as an allocator for the values that a host function
    /// returned: they must not fail because a slice of time happens to end in them. To bound the time of such calls,
    /// use [`epoch_deadline_callback`](Self::epoch_deadline_callback).
    pub fn epoch_deadline_async_yield_and_update(&mut self, delta: u64) {
        self.inner_mut().on_deadline = OnDeadline::Yield(delta);
    }

    /// At the deadline, `callback` decides. An error that it returns ends the guest as one of a host function does. It may use the
    /// store, but not call guests, which fails with a `Usage` error.
    pub fn epoch_deadline_callback(
        &mut self,
        callback: impl FnMut(&mut Store) -> Result<UpdateDeadline> + Send + Sync + 'static,
    ) {
        self.inner_mut().on_deadline = OnDeadline::Ask(Box::new(callback));
    }
}

impl StoreInner {
    /// Whether the deadline has come.
    pub(crate) fn interrupted(&self) -> bool {
        // SAFETY: the runtime block lives as long as the store.
        self.engine.0.epoch.load(Ordering::Relaxed) >= unsafe { (*self.rt).deadline }
    }

    fn set_deadline(&mut self, ticks: u64) {
        let deadline = self.engine.0.epoch.load(Ordering::Relaxed).saturating_add(ticks);
        // SAFETY: the runtime block lives as long as the store, which is exclusively borrowed.
        unsafe { (*self.rt).deadline = deadline };
    }

    /// The error for a call of a guest for which the value stack has no room.
    #[cold]
    pub(crate) fn no_room(&self) -> Error {
        match self.on_deadline {
            OnDeadline::Asking => Error::usage("a guest can't be called by the callback for a deadline"),
            _ => Error::trap(TrapCode::StackOverflow),
        }
    }
}

/// Does what the store says for its deadline, which has come. `false` when the guest must stop; the reason is in the runtime block.
///
/// The fiber that it runs on may have been suspended meanwhile, and memories may have grown.
///
/// # Safety
/// `rt` is the runtime block of a live store whose guest code is running, and no reference into the store is live.
#[cold]
#[inline(never)]
pub(crate) unsafe fn reached(rt: *mut VmRuntime) -> bool {
    // SAFETY: by the contract above; each borrow of the store ends before other code runs.
    unsafe {
        let inner = (*rt).store;
        (*rt).trap.code = None;
        let ticks = match decide(rt) {
            Some(UpdateDeadline::Continue(ticks)) => ticks,
            Some(UpdateDeadline::Yield(ticks)) => match suspend::yield_now() {
                Ok(()) => {
                    // The time since the last sample was not all the guest's.
                    (*rt).sampled = None;
                    ticks
                }
                Err(error) => {
                    (*rt).error = Some(error);
                    return false;
                }
            },
            Some(UpdateDeadline::Interrupt) => {
                (*rt).trap.code = Some(TrapCode::Interrupt);
                return false;
            }
            None => return false,
        };
        (*inner).set_deadline(ticks);
        true
    }
}

/// What is to be done; `None` when the callback failed, and then the reason is in the runtime block.
///
/// # Safety
/// As `reached`.
unsafe fn decide(rt: *mut VmRuntime) -> Option<UpdateDeadline> {
    // SAFETY: as in `reached`; the callback is out of the store while the store is lent to it.
    unsafe {
        let inner = (*rt).store;
        let mut callback = match &mut (*inner).on_deadline {
            OnDeadline::Trap | OnDeadline::Asking => return Some(UpdateDeadline::Interrupt),
            OnDeadline::Yield(delta) => return Some(UpdateDeadline::Yield(*delta)),
            on @ OnDeadline::Ask(_) => match std::mem::replace(on, OnDeadline::Asking) {
                OnDeadline::Ask(callback) => callback,
                _ => return None,
            },
        };
        // Where the frames of the guest end is not known here, so that there is no room for others.
        let top = std::mem::replace(&mut (*rt).stack_top, (*rt).stack_limit);
        let caller = std::mem::replace(&mut (*rt).caller, std::ptr::null_mut());
        let decision = catch_unwind(AssertUnwindSafe(|| Store::lend(inner, |store| callback(store))));
        (*rt).stack_top = top;
        (*rt).caller = caller;
        // It may have said that something else is to be done from now on.
        if let on @ OnDeadline::Asking = &mut (*inner).on_deadline {
            *on = OnDeadline::Ask(callback);
        }
        match decision {
            Ok(Ok(decision)) => Some(decision),
            Ok(Err(error)) => {
                (*rt).error = Some(error);
                None
            }
            Err(panic) => {
                (*rt).panic = Some(panic);
                None
            }
        }
    }
}
