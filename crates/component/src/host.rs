//! Functions of the host.

use std::sync::Arc;

use wharf_core::{Error, InternedFuncType, Result, Store};

use crate::abi::{CanonOptions, LiftContext, LowerContext};
use crate::runtime::call::{lift_values, lower_values};
use crate::runtime::root::Root;
use crate::runtime::state::{state, with_memory};
use crate::typed::{ComponentNamedList, Lift, Lower, TypeCheck};
use crate::types::{ComponentFunc, FuncTypeDef, FuncTypeIndex};
use crate::val::Val;

type Check = dyn Fn(&FuncTypeDef, &TypeCheck<'_>) -> Result<()> + Send + Sync;
type Define = dyn Fn(&mut Store, &InternedFuncType, CallSite) -> wharf_core::Func + Send + Sync;

/// A function of the host that components can import.
pub struct HostFunc {
    check: Box<Check>,
    define: Box<Define>,
}

/// Where a guest imports a function: what `canon lower` says about it.
pub(crate) struct CallSite {
    pub root: Arc<Root>,
    pub ty: FuncTypeIndex,
    pub options: CanonOptions,
    /// The calling component instance.
    pub instance: u32,
}

impl HostFunc {
    /// A function with Rust types. `P` is a tuple of parameters, `R` a tuple of none or one result.
    pub fn typed<P, R, F>(f: F) -> HostFunc
    where
        P: ComponentNamedList + Lift + 'static,
        R: ComponentNamedList + Lower + 'static,
        F: Fn(&mut Store, P) -> Result<R> + Send + Sync + 'static,
    {
        let f = Arc::new(f);
        HostFunc {
            check: Box::new(typecheck_func::<P, R>),
            define: Box::new(move |store, core_type, site| {
                let f = f.clone();
                wharf_core::Func::of_type(store, core_type, move |store, slots| {
                    let ty = site.func_type();
                    site.call(
                        store,
                        slots,
                        |cx, slots| lift_values::<P>(cx, ty.params_tuple, ty.params_flat(), slots),
                        |store, params| f(store, params),
                        |cx, result, pointer, slots| {
                            lower_values(cx, &result, ty.result_tuple, ty.result_flat(), pointer, slots)
                        },
                    )
                })
            }),
        }
    }

    /// A function with dynamic values, of whatever type the importing component gives it. The second slice has one
    /// element if the type has a result, which the function has to set.
    pub fn dynamic<F>(f: F) -> HostFunc
    where
        F: Fn(&mut Store, ComponentFunc, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    {
        let f = Arc::new(f);
        HostFunc {
            check: Box::new(|_, _| Ok(())),
            define: Box::new(move |store, core_type, site| {
                let f = f.clone();
                let func_type = ComponentFunc::new(site.root.scope(), site.ty);
                wharf_core::Func::of_type(store, core_type, move |store, slots| {
                    let ty = site.func_type();
                    site.call(
                        store,
                        slots,
                        |cx, slots| Val::lift_all(cx, ty.params_tuple, ty.params_flat(), slots),
                        |store, params| {
                            let mut results = vec![Val::Bool(false); usize::from(ty.result.is_some())];
                            f(store, func_type.clone(), &params, &mut results)?;
                            for (value, ty) in results.iter().zip(ty.result) {
                                let types = site.root.types();
                                let checked = value.typecheck(types, &site.root.resources, ty);
                                checked.map_err(|e| e.context("result of a host function"))?;
                            }
                            Ok(results)
                        },
                        |cx, results, pointer, slots| {
                            Val::lower_all(cx, &results, ty.result_tuple, ty.result_flat(), pointer, slots)
                        },
                    )
                })
            }),
        }
    }

    /// Checks that the function can be imported with this type.
    pub(crate) fn typecheck(&self, ty: &FuncTypeDef, cx: &TypeCheck<'_>) -> Result<()> {
        (self.check)(ty, cx)
    }

    pub(crate) fn define(
        &self,
        store: &mut Store,
        core_type: &InternedFuncType,
        site: CallSite,
    ) -> wharf_core::Func {
        (self.define)(store, core_type, site)
    }
}

impl CallSite {
    pub fn func_type(&self) -> &FuncTypeDef {
        self.root.types().func(self.ty)
    }

    /// The pointer for results that do not fit into core values: the last parameter.
    pub fn result_pointer(&self, slots: &[u64]) -> Option<u32> {
        let ty = self.func_type();
        if ty.result_flat() {
            return None;
        }
        Some(slots.get(ty.core_params()).copied().unwrap_or(u64::MAX) as u32)
    }

    pub fn lower_context<'a>(&'a self, store: &'a mut Store, adapter: bool) -> LowerContext<'a> {
        LowerContext {
            store,
            types: self.root.types(),
            options: self.options,
            resources: &self.root.resources,
            instance: self.instance,
            // Results hold no borrows.
            scope: u32::MAX,
            adapter,
        }
    }

    fn call<P, R>(
        &self,
        store: &mut Store,
        slots: &mut [u64],
        lift: impl FnOnce(&mut LiftContext<'_>, &[u64]) -> Result<P>,
        f: impl FnOnce(&mut Store, P) -> Result<R>,
        lower: impl FnOnce(&mut LowerContext<'_>, R, Option<u32>, &mut [u64]) -> Result<()>,
    ) -> Result<()> {
        let components = state(store);
        components.check_leave(self.instance)?;
        let lent = components.lenders.len();
        let pointer = self.result_pointer(slots);
        let params = with_memory(store, self.options.memory, |memory, state| {
            let mut cx = LiftContext {
                memory,
                state,
                types: self.root.types(),
                encoding: self.options.encoding,
                resources: &self.root.resources,
                instance: self.instance,
                budget: crate::abi::MAX_HOST_BYTES,
            };
            lift(&mut cx, slots)
        })?;
        let result = f(store, params)?;
        lower(&mut self.lower_context(store, false), result, pointer, slots)?;
        state(store).return_lent(lent);
        Ok(())
    }
}

/// Checks Rust types against the type of a function.
pub(crate) fn typecheck_func<P: ComponentNamedList, R: ComponentNamedList>(
    ty: &FuncTypeDef,
    cx: &TypeCheck<'_>,
) -> Result<()> {
    if ty.unsupported {
        return Err(Error::unsupported(
            "functions with streams, futures or error contexts",
        ));
    }
    P::typecheck(ty.params_tuple, cx).map_err(|e| e.context("parameters"))?;
    R::typecheck(ty.result_tuple, cx).map_err(|e| e.context("result"))
}
