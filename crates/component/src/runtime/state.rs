//! What a store keeps for components: their instances, handle tables and the calls that are under way.

use wharf_core::{Error, Memory, Result, Store, TrapCode};

use super::handles::HandleTable;

/// One component instance. Instances of nested components have their own.
#[derive(Default)]
pub(crate) struct InstanceState {
    /// False while the instance is being made, while a call is in it, and for ever after a trap.
    pub may_enter: bool,
    /// False while the canonical ABI itself runs guest code: `realloc` and `post-return`.
    pub no_leave: bool,
    pub handles: HandleTable,
}

/// A call into a guest: a task, in the terms of the canonical ABI.
#[derive(Default)]
pub(crate) struct Scope {
    /// The borrows that the guest has been lent and still holds.
    pub borrows: u32,
    /// What `context.get` and `context.set` work on.
    pub storage: [u64; 2],
}

/// A borrow that a caller has lent for the duration of a call.
pub(crate) struct Lender {
    pub instance: u32,
    pub handle: u32,
}

#[derive(Default)]
pub(crate) struct ComponentState {
    pub instances: Vec<InstanceState>,
    /// The calls into guests that are under way, outermost first.
    pub scopes: Vec<Scope>,
    pub lenders: Vec<Lender>,
    /// Handles that the host holds as `ResourceAny`, with what drops them.
    pub host_handles: crate::resource::HostHandles,
}

/// The components' state of a store.
pub(crate) fn state(store: &mut Store) -> &mut ComponentState {
    store.extension::<ComponentState>()
}

/// Runs `f` with the bytes of a memory (none if there is no memory) and the components' state.
pub(crate) fn with_memory<R>(
    store: &mut Store,
    memory: Option<Memory>,
    f: impl FnOnce(&[u8], &mut ComponentState) -> R,
) -> R {
    match memory {
        Some(memory) => {
            let (bytes, state) = store.memory_and_extension::<ComponentState>(memory);
            f(bytes, state)
        }
        None => f(&[], state(store)),
    }
}

impl ComponentState {
    pub fn instance(&mut self, id: u32) -> Result<&mut InstanceState> {
        self.instances
            .get_mut(id as usize)
            .ok_or_else(|| Error::usage("component instance of another store"))
    }

    /// Enters the instances of a call, if all of them may be entered.
    pub fn enter(&mut self, chain: &[u32]) -> Result<()> {
        for id in chain {
            if !self.instance(*id)?.may_enter {
                return Err(Error::trap(TrapCode::CannotEnterComponent));
            }
        }
        for id in chain {
            self.instance(*id)?.may_enter = false;
        }
        Ok(())
    }

    pub fn leave(&mut self, chain: &[u32]) {
        for id in chain {
            if let Some(instance) = self.instances.get_mut(*id as usize) {
                instance.may_enter = true;
            }
        }
    }

    /// A guest wants to call out of its instance.
    pub fn check_leave(&mut self, id: u32) -> Result<()> {
        if self.instance(id)?.no_leave {
            return Err(Error::trap(TrapCode::CannotLeaveComponent));
        }
        Ok(())
    }

    /// Ends the lending that began after `mark`.
    pub fn return_lent(&mut self, mark: usize) {
        while self.lenders.len() > mark {
            let Some(Lender { instance, handle }) = self.lenders.pop() else {
                return;
            };
            if let Some(Ok(handle)) = self
                .instances
                .get_mut(instance as usize)
                .map(|i| i.handles.get_mut(handle))
            {
                handle.lends = handle.lends.saturating_sub(1);
            }
        }
    }

    /// Begins a call into a guest and returns the scope of its borrows.
    pub fn push_scope(&mut self) -> u32 {
        self.scopes.push(Scope::default());
        self.scopes.len() as u32 - 1
    }

    /// At the end of a call into a guest: it must have dropped the borrows that it was given.
    pub fn check_borrows(&self, scope: u32) -> Result<()> {
        match self.scopes.get(scope as usize) {
            Some(Scope { borrows: 1.., .. }) => Err(Error::trap(TrapCode::BorrowsRemain)),
            _ => Ok(()),
        }
    }
}
