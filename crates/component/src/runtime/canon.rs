//! The core functions that canonical definitions make.

use std::sync::Arc;

use wharf_core::{Error, Func, InternedFuncType, Result, Store};

use super::call::LiftedFunc;
use super::handles::{Handle, HandleKind};
use super::resource::destroy;
use super::state::state;
use crate::abi::FLAT_SLOTS;
use crate::abi::transfer::{Side, Transfer};
use crate::host::CallSite;
use crate::resource::RuntimeResource;

/// `canon lower` of a function of another guest (or of the same).
pub(crate) fn lower_guest(
    store: &mut Store,
    core_type: &InternedFuncType,
    callee: Arc<LiftedFunc>,
    site: CallSite,
    entering: Arc<[u32]>,
) -> Func {
    Func::of_type(store, core_type, move |store, slots| {
        let components = state(store);
        components.check_leave(site.instance)?;
        let lent = components.lenders.len();
        let ty = callee.func_type();
        let pointer = site.result_pointer(slots);
        let caller = Side {
            options: site.options,
            instance: site.instance,
        };
        let inside = Side {
            options: callee.options,
            instance: callee.instance,
        };
        let mut arguments = [0; FLAT_SLOTS];
        let count = slots.len().min(FLAT_SLOTS);
        arguments[..count].copy_from_slice(&slots[..count]);
        let result = callee.call(
            store,
            &entering,
            |store, scope, target| {
                Transfer::new(store, &callee.root, caller, inside, scope, &arguments, target).values(
                    ty.params_tuple,
                    ty.params_flat(),
                    None,
                )
            },
            |store, results| {
                let mut target = [0; FLAT_SLOTS];
                Transfer::new(
                    store,
                    &callee.root,
                    inside,
                    caller,
                    u32::MAX,
                    results,
                    &mut target,
                )
                .values(ty.result_tuple, ty.result_flat(), pointer)?;
                Ok(target[0])
            },
        )?;
        if let Some(slot) = slots.first_mut().filter(|_| pointer.is_none()) {
            *slot = result;
        }
        state(store).return_lent(lent);
        Ok(())
    })
}

pub(crate) fn resource_new(
    store: &mut Store,
    core_type: &InternedFuncType,
    resource: &RuntimeResource,
    instance: u32,
) -> Func {
    let ty = resource.ty;
    Func::of_type(store, core_type, move |store, slots| {
        let components = state(store);
        components.check_leave(instance)?;
        let handle = Handle {
            ty,
            rep: slots[0] as u32,
            kind: HandleKind::Own,
            lends: 0,
        };
        slots[0] = u64::from(components.instance(instance)?.handles.insert(handle)?);
        Ok(())
    })
}

pub(crate) fn resource_rep(
    store: &mut Store,
    core_type: &InternedFuncType,
    resource: &RuntimeResource,
    instance: u32,
) -> Func {
    let ty = resource.ty;
    Func::of_type(store, core_type, move |store, slots| {
        let handle = state(store)
            .instance(instance)?
            .handles
            .get_typed(slots[0] as u32, ty)?;
        slots[0] = u64::from(handle.rep);
        Ok(())
    })
}

pub(crate) fn resource_drop(
    store: &mut Store,
    core_type: &InternedFuncType,
    resource: &RuntimeResource,
    instance: u32,
    around: Arc<[u32]>,
) -> Func {
    let resource = resource.clone();
    Func::of_type(store, core_type, move |store, slots| {
        drop_handle(store, &resource, instance, &around, slots[0] as u32)
    })
}

/// `context.get` and `context.set`.
pub(crate) fn context(store: &mut Store, core_type: &InternedFuncType, slot: u32, set: bool) -> Func {
    Func::of_type(store, core_type, move |store, slots| {
        let scope = state(store).scopes.last_mut();
        let cell = scope.and_then(|s| s.storage.get_mut(slot as usize));
        match (cell, slots.first_mut()) {
            (Some(cell), Some(value)) if set => *cell = *value,
            (cell, Some(value)) if !set => *value = cell.copied().unwrap_or(0),
            _ => {}
        }
        Ok(())
    })
}

/// A built-in that does nothing in a synchronous call.
pub(crate) fn nothing(store: &mut Store, core_type: &InternedFuncType) -> Func {
    Func::of_type(store, core_type, |_, _| Ok(()))
}

/// A built-in that Wharf does not have.
pub(crate) fn unsupported(
    store: &mut Store,
    core_type: &InternedFuncType,
    what: String,
    instance: u32,
) -> Func {
    Func::of_type(store, core_type, move |store, _| {
        state(store).check_leave(instance)?;
        Err(Error::unsupported(what.clone()))
    })
}

fn drop_handle(
    store: &mut Store,
    resource: &RuntimeResource,
    instance: u32,
    around: &[u32],
    handle: u32,
) -> Result<()> {
    let components = state(store);
    components.check_leave(instance)?;
    let handle = components
        .instance(instance)?
        .handles
        .remove(handle, resource.ty)?;
    match handle.kind {
        HandleKind::Own => destroy(store, resource, handle.rep, around),
        HandleKind::Borrow { scope } => {
            if let Some(scope) = components.scopes.get_mut(scope as usize) {
                scope.borrows = scope.borrows.saturating_sub(1);
            }
            Ok(())
        }
    }
}
