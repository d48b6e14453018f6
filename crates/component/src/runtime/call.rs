//! Calls into a lifted function.

use std::sync::Arc;

use wharf_core::{Error, ErrorKind, RawFunc, Result, Store};

use super::root::Root;
use super::state::{state, with_memory};
use crate::abi::{CanonOptions, FLAT_SLOTS, FlatReader, FlatWriter, LiftContext, LowerContext};
use crate::typed::{ComponentNamedList, Lift, Lower};
use crate::types::{FuncTypeDef, FuncTypeIndex, TypeIndex};
use crate::val::Val;

/// A function of a guest, as `canon lift` made it.
pub(crate) struct LiftedFunc {
    pub core: RawFunc,
    pub post_return: Option<RawFunc>,
    pub options: CanonOptions,
    /// The component instance that it runs in.
    pub instance: u32,
    /// That instance and those around it, innermost first.
    pub chain: Arc<[u32]>,
    pub ty: FuncTypeIndex,
    pub root: Arc<Root>,
    /// What the function needs that Wharf does not have.
    pub unsupported: Option<String>,
}

pub(crate) type Slots = [u64; FLAT_SLOTS];

impl LiftedFunc {
    pub fn func_type(&self) -> &FuncTypeDef {
        self.root.types().func(self.ty)
    }

    fn lower_context<'a>(&'a self, store: &'a mut Store, scope: u32) -> LowerContext<'a> {
        LowerContext {
            store,
            types: self.root.types(),
            options: self.options,
            resources: &self.root.resources,
            instance: self.instance,
            scope,
            adapter: false,
        }
    }

    /// Enters the instance, runs `lower`, the function, `lift` and `post-return`, and leaves the instance.
    ///
    /// A trap on the way leaves the instances that were entered closed for ever.
    pub fn call<R>(
        &self,
        store: &mut Store,
        entering: &[u32],
        lower: impl FnOnce(&mut Store, u32, &mut Slots) -> Result<()>,
        lift: impl FnOnce(&mut Store, &Slots) -> Result<R>,
    ) -> Result<R> {
        if let Some(what) = &self.unsupported {
            return Err(Error::unsupported(what.clone()));
        }
        let components = state(store);
        components.enter(entering)?;
        let scope = components.push_scope();
        let lent = components.lenders.len();
        let mut slots = [0; FLAT_SLOTS];
        let lowered = lower(store, scope, &mut slots);
        let misused = matches!(&lowered, Err(e) if matches!(e.kind(), ErrorKind::Usage(_)));
        let result = lowered.and_then(|()| self.call_entered(store, scope, &mut slots, lift));
        let components = state(store);
        let result = result.and_then(|result| components.check_borrows(scope).map(|()| result));
        components.scopes.truncate(scope as usize);
        match result {
            Ok(result) => {
                components.leave(entering);
                Ok(result)
            }
            Err(e) => {
                components.return_lent(lent);
                // Arguments that the host should not have given are no fault of the guest's.
                if misused {
                    components.leave(entering);
                }
                Err(e)
            }
        }
    }

    fn call_entered<R>(
        &self,
        store: &mut Store,
        scope: u32,
        slots: &mut Slots,
        lift: impl FnOnce(&mut Store, &Slots) -> Result<R>,
    ) -> Result<R> {
        self.core.call(store, slots)?;
        let result = lift(store, slots)?;
        if let Some(post_return) = self.post_return {
            state(store).check_borrows(scope)?;
            state(store).instance(self.instance)?.no_leave = true;
            post_return.call(store, slots)?;
            state(store).instance(self.instance)?.no_leave = false;
        }
        Ok(result)
    }

    /// Calls with Rust values; the types have been checked.
    pub fn call_typed<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift>(
        &self,
        store: &mut Store,
        params: &P,
    ) -> Result<R> {
        let ty = self.func_type();
        self.call(
            store,
            &self.chain,
            |store, scope, slots| {
                let mut cx = self.lower_context(store, scope);
                lower_values(&mut cx, params, ty.params_tuple, ty.params_flat(), None, slots)
            },
            |store, slots| {
                self.with_lift(store, |cx| {
                    lift_values(cx, ty.result_tuple, ty.result_flat(), slots)
                })
            },
        )
    }

    /// Calls with dynamic values, which are checked on the way.
    pub fn call_dynamic(&self, store: &mut Store, params: &[Val], results: &mut [Val]) -> Result<()> {
        let ty = self.func_type();
        if params.len() != ty.params.len() {
            return Err(Error::usage(format!(
                "expected {} argument(s), got {}",
                ty.params.len(),
                params.len()
            )));
        }
        let expected = usize::from(ty.result.is_some());
        if results.len() != expected {
            return Err(Error::usage(format!(
                "expected {expected} result(s), got {}",
                results.len()
            )));
        }
        for ((name, ty), value) in ty.params.iter().zip(params) {
            value
                .typecheck(self.root.types(), &self.root.resources, *ty)
                .map_err(|e| e.context(format!("argument `{name}`")))?;
        }
        let values = self.call(
            store,
            &self.chain,
            |store, scope, slots| {
                let mut cx = self.lower_context(store, scope);
                Val::lower_all(&mut cx, params, ty.params_tuple, ty.params_flat(), None, slots)
            },
            |store, slots| {
                self.with_lift(store, |cx| {
                    Val::lift_all(cx, ty.result_tuple, ty.result_flat(), slots)
                })
            },
        )?;
        for (slot, value) in results.iter_mut().zip(values) {
            *slot = value;
        }
        Ok(())
    }

    fn with_lift<R>(
        &self,
        store: &mut Store,
        f: impl FnOnce(&mut LiftContext<'_>) -> Result<R>,
    ) -> Result<R> {
        with_memory(store, self.options.memory, |memory, state| {
            f(&mut LiftContext {
                memory,
                state,
                types: self.root.types(),
                encoding: self.options.encoding,
                resources: &self.root.resources,
                instance: self.instance,
                budget: crate::abi::MAX_HOST_BYTES,
            })
        })
    }
}

/// Lowers a tuple of values as core values, or through memory: at `pointer` if the guest gave one, else allocated.
pub(crate) fn lower_values<T: Lower>(
    cx: &mut LowerContext<'_>,
    values: &T,
    ty: TypeIndex,
    flat: bool,
    pointer: Option<u32>,
    slots: &mut [u64],
) -> Result<()> {
    if flat {
        return values.lower_flat(cx, ty, &mut FlatWriter::new(slots));
    }
    let pointer = cx.place(ty, pointer, slots)?;
    values.lower_memory(cx, ty, pointer)
}

/// Lifts a tuple of values from core values, or from memory at the pointer that is the first of them.
pub(crate) fn lift_values<T: Lift>(
    cx: &mut LiftContext<'_>,
    ty: TypeIndex,
    flat: bool,
    slots: &[u64],
) -> Result<T> {
    if flat {
        return T::lift_flat(cx, ty, &mut FlatReader::new(slots));
    }
    let bytes = cx.pointed(ty, slots)?;
    T::lift_memory(cx, ty, bytes)
}
