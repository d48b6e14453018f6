//! `wasi:io/poll` and `wasi:io/error`.

use super::bindings::wasi::io::{error, poll};
use crate::ctx::WasiCtxView;
use crate::poll::Pollable;
use crate::select::{Ready, first_ready};
use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::task::{Context, Waker};
use wharf::component::{Resource, ResourceTable};
use wharf::{Error, Result};

type MakeReady = for<'a> fn(&'a mut dyn Any) -> Ready<'a>;

/// The `pollable` resource: a wait for another resource of the same table, its parent.
pub struct DynPollable {
    /// The entry of the table that is waited for.
    index: u32,
    make_ready: MakeReady,
    /// Deletes what is waited for together with the pollable, where nobody else has it.
    delete: Option<fn(&mut ResourceTable, u32) -> Result<()>>,
}

impl fmt::Debug for DynPollable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynPollable")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

/// Makes a pollable for a resource of the table.
///
/// With a borrowed `resource` the pollable becomes its child, so that the guest has to drop it first; an owned one is
/// deleted together with the pollable.
///
/// # Errors
/// If the resource is not in the table, or the table is full.
pub fn subscribe<T: Pollable>(
    table: &mut ResourceTable,
    resource: Resource<T>,
) -> Result<Resource<DynPollable>> {
    fn make_ready<T: Pollable>(entry: &mut dyn Any) -> Ready<'_> {
        match entry.downcast_mut::<T>() {
            Some(pollable) => pollable.ready(),
            // The type was checked when the pollable was made, and entries don't change theirs.
            None => Box::pin(std::future::ready(())),
        }
    }
    fn delete<T: Send + 'static>(table: &mut ResourceTable, index: u32) -> Result<()> {
        table.delete(Resource::<T>::new_own(index))?;
        Ok(())
    }
    table.get(&resource)?;
    let index = resource.rep();
    let owned = resource.owned();
    let pollable = DynPollable {
        index,
        make_ready: make_ready::<T>,
        delete: owned.then_some(delete::<T> as fn(&mut _, _) -> _),
    };
    Ok(if owned {
        table.push(pollable)?
    } else {
        table.push_child(pollable, &resource)?
    })
}

/// Waits until one of the pollables is ready and gives the positions of all that are.
async fn poll_list(table: &mut ResourceTable, pollables: &[Resource<DynPollable>]) -> Result<Vec<u32>> {
    if pollables.is_empty() {
        return Err(Error::msg("poll of an empty list"));
    }
    if let [pollable] = pollables {
        let (index, make_ready) = table.get(pollable).map(|p| (p.index, p.make_ready))?;
        make_ready(table.get_any_mut(index)?).await;
        return Ok(vec![0]);
    }
    // Several pollables may wait for one resource, which can be lent out only once.
    let mut waits: HashMap<u32, (MakeReady, Vec<u32>)> = HashMap::new();
    for (position, pollable) in (0u32..).zip(pollables) {
        let pollable = table.get(pollable)?;
        waits
            .entry(pollable.index)
            .or_insert_with(|| (pollable.make_ready, Vec::new()))
            .1
            .push(position);
    }
    let mut futures = Vec::with_capacity(waits.len());
    let mut positions = Vec::with_capacity(waits.len());
    for (entry, (make_ready, waiting)) in table.iter_entries(waits) {
        futures.push(make_ready(entry?));
        positions.push(waiting);
    }
    let ready = first_ready(futures).await;
    let mut ready: Vec<u32> = ready
        .into_iter()
        .filter_map(|i| positions.get(i))
        .flatten()
        .copied()
        .collect();
    ready.sort_unstable();
    Ok(ready)
}

impl WasiCtxView<'_> {
    /// The wait that a pollable stands for.
    fn ready_future(&mut self, pollable: &Resource<DynPollable>) -> Result<Ready<'_>> {
        let pollable = self.table.get(pollable)?;
        let (index, make_ready) = (pollable.index, pollable.make_ready);
        Ok(make_ready(self.table.get_any_mut(index)?))
    }
}

impl poll::HostPollable for WasiCtxView<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.ready_future(&pollable)?.await;
        Ok(())
    }

    fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        let mut future = self.ready_future(&pollable)?;
        Ok(future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready())
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        let pollable = self.table.delete(pollable)?;
        match pollable.delete {
            Some(delete) => delete(self.table, pollable.index),
            None => Ok(()),
        }
    }
}

impl poll::Host for WasiCtxView<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        poll_list(self.table, &pollables).await
    }
}

impl error::HostError for WasiCtxView<'_> {
    fn to_debug_string(&mut self, error: Resource<Error>) -> Result<String> {
        Ok(self.table.get(&error)?.to_string())
    }

    fn drop(&mut self, error: Resource<Error>) -> Result<()> {
        self.table.delete(error)?;
        Ok(())
    }
}

impl error::Host for WasiCtxView<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{block_on, now};
    use async_trait::async_trait;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::Poll;

    /// Ready when its flag is set; the flag of a woken one is set by the test.
    struct Flag(Arc<AtomicBool>);

    #[async_trait]
    impl Pollable for Flag {
        async fn ready(&mut self) {
            std::future::poll_fn(|_| {
                if self.0.load(Ordering::Relaxed) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
    }

    /// Ready after it was polled once.
    struct Later;

    #[async_trait]
    impl Pollable for Later {
        async fn ready(&mut self) {
            let mut first = true;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::take(&mut first) {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
        }
    }

    fn flag(table: &mut ResourceTable, set: bool) -> Resource<Flag> {
        table.push(Flag(Arc::new(AtomicBool::new(set)))).unwrap()
    }

    #[test]
    fn poll_gives_the_positions_of_all_that_are_ready() {
        let mut table = ResourceTable::new();
        let (unset, set) = (flag(&mut table, false), flag(&mut table, true));
        let borrow = |r: &Resource<Flag>| Resource::<Flag>::new_borrow(r.rep());
        let a = subscribe(&mut table, borrow(&set)).unwrap();
        let b = subscribe(&mut table, borrow(&unset)).unwrap();
        let c = subscribe(&mut table, borrow(&set)).unwrap();
        assert_eq!(now(poll_list(&mut table, &[a, b, c])).unwrap(), [0, 2]);
        assert!(now(poll_list(&mut table, &[])).is_err());
        assert!(now(poll_list(&mut table, &[Resource::new_borrow(1000)])).is_err());
        let one = subscribe(&mut table, borrow(&set)).unwrap();
        assert_eq!(now(poll_list(&mut table, &[one])).unwrap(), [0]);
    }

    #[test]
    fn poll_waits() {
        let mut table = ResourceTable::new();
        let later = table.push(Later).unwrap();
        let unset = flag(&mut table, false);
        let list = [
            subscribe(&mut table, unset).unwrap(),
            subscribe(&mut table, later).unwrap(),
        ];
        assert_eq!(block_on(poll_list(&mut table, &list)).unwrap(), [1]);
    }

    /// Wakes itself a number of times before it is ready, and counts how often it is polled.
    struct Counted {
        polls: Arc<AtomicUsize>,
        wakes: usize,
    }

    #[async_trait]
    impl Pollable for Counted {
        async fn ready(&mut self) {
            std::future::poll_fn(|cx| {
                self.polls.fetch_add(1, Ordering::Relaxed);
                match self.wakes.checked_sub(1) {
                    None => Poll::Pending,
                    Some(0) => Poll::Ready(()),
                    Some(left) => {
                        self.wakes = left;
                        cx.waker().wake_by_ref();
                        Poll::Pending
                    }
                }
            })
            .await;
        }
    }

    #[test]
    fn a_wake_up_costs_the_same_however_many_pollables_there_are() {
        let mut table = ResourceTable::new();
        let polls = Arc::new(AtomicUsize::new(0));
        let list: Vec<_> = (0..10_000)
            .map(|i| {
                let counted = Counted {
                    polls: polls.clone(),
                    wakes: if i == 1234 { 500 } else { 0 },
                };
                let counted = table.push(counted).unwrap();
                subscribe(&mut table, counted).unwrap()
            })
            .collect();
        assert_eq!(block_on(poll_list(&mut table, &list)).unwrap(), [1234]);
        assert_eq!(polls.load(Ordering::Relaxed), 10_000 + 499);
    }

    #[test]
    fn pollables_are_children_of_what_they_wait_for() {
        let mut table = ResourceTable::new();
        let mut ctx = crate::WasiCtx::builder().build();
        let set = flag(&mut table, true);
        let rep = set.rep();
        let pollable = subscribe(&mut table, Resource::<Flag>::new_borrow(rep)).unwrap();
        assert!(table.delete(Resource::<Flag>::new_own(rep)).is_err());
        let mut view = WasiCtxView {
            ctx: &mut ctx,
            table: &mut table,
        };
        assert!(poll::HostPollable::ready(&mut view, Resource::new_borrow(pollable.rep())).unwrap());
        poll::HostPollable::drop(&mut view, pollable).unwrap();
        assert!(view.table.delete(Resource::<Flag>::new_own(rep)).is_ok());
        // An owned one goes with its pollable.
        let owned = flag(view.table, false);
        let rep = owned.rep();
        let pollable = subscribe(view.table, owned).unwrap();
        assert!(!poll::HostPollable::ready(&mut view, Resource::new_borrow(pollable.rep())).unwrap());
        poll::HostPollable::drop(&mut view, pollable).unwrap();
        assert!(view.table.get(&Resource::<Flag>::new_borrow(rep)).is_err());
    }
}
