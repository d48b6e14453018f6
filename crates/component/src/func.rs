//! Exported functions.

use std::marker::PhantomData;
use std::sync::Arc;

use wharf_core::{Error, Result, Store, suspend};

use crate::plan::FuncRef;
use crate::runtime::call::LiftedFunc;
use crate::runtime::roots::roots;
use crate::store::{AsStore, on_fiber};
use crate::typed::{ComponentNamedList, Lift, Lower, TypeCheck};
use crate::types::ComponentFunc;
use crate::val::Val;

/// A function that a component instance exports.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Func {
    pub(crate) root: u32,
    pub(crate) func: FuncRef,
}

impl Func {
    /// What is behind the handle.
    pub(crate) fn lifted(&self, store: &mut Store) -> Result<Arc<LiftedFunc>> {
        let data = roots(store).get(self.root as usize);
        data.and_then(|data| data.lifted(self.func))
            .ok_or_else(|| Error::usage("function of another store"))
    }

    /// The function's type.
    ///
    /// # Errors
    /// `Usage` when it belongs to another store.
    pub fn func_type(&self, mut store: impl AsStore) -> Result<ComponentFunc> {
        let lifted = self.lifted(store.as_store())?;
        Ok(ComponentFunc::new(lifted.root.scope(), lifted.ty))
    }

    /// Calls with dynamic values. `results` has one element if the function has a result, else none.
    ///
    /// # Errors
    /// `Usage` when the values do not fit the type, `Trap` when the guest traps.
    pub fn call(&self, mut store: impl AsStore, params: &[Val], results: &mut [Val]) -> Result<()> {
        let store = store.as_store();
        suspend::synchronously(|| self.lifted(store)?.call_dynamic(store, params, results))
    }

    /// As [`call`](Self::call), on a fiber: host functions that wait make the future pending instead of blocking.
    ///
    /// # Errors
    /// As for `call`.
    pub async fn call_async(
        &self,
        mut store: impl AsStore + Send,
        params: &[Val],
        results: &mut [Val],
    ) -> Result<()> {
        let store = store.as_store();
        on_fiber(store, |store| {
            self.lifted(store)?.call_dynamic(store, params, results)
        })
        .await
    }

    /// The function for Rust types.
    ///
    /// # Errors
    /// `Usage`, saying what was expected and found, when the types are not those of the function.
    pub fn typed<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift>(
        &self,
        mut store: impl AsStore,
    ) -> Result<TypedFunc<P, R>> {
        let lifted = self.lifted(store.as_store())?;
        let cx = TypeCheck {
            types: lifted.root.types(),
            resources: &lifted.root.resources,
        };
        crate::host::typecheck_func::<P, R>(lifted.func_type(), &cx)?;
        Ok(TypedFunc::new_unchecked(*self))
    }
}

/// A [`Func`] whose Rust types were checked once. `P` is a tuple of parameters, `R` a tuple of none or one result.
pub struct TypedFunc<P, R> {
    func: Func,
    marker: PhantomData<fn(P) -> R>,
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> TypedFunc<P, R> {
    /// Takes the types on trust, for generated code that has checked them before with other lifetimes. Wrong types make
    /// values wrong or calls trap; they are no danger to the host's memory.
    pub fn new_unchecked(func: Func) -> Self {
        TypedFunc {
            func,
            marker: PhantomData,
        }
    }

    /// The function without its Rust types.
    pub fn func(&self) -> &Func {
        &self.func
    }
}

impl<P: ComponentNamedList + Lower, R: ComponentNamedList + Lift> TypedFunc<P, R> {
    /// Calls the function; its `post-return` runs too.
    ///
    /// # Errors
    /// `Trap` when the guest traps.
    pub fn call(&self, mut store: impl AsStore, params: P) -> Result<R> {
        let store = store.as_store();
        suspend::synchronously(|| self.func.lifted(store)?.call_typed(store, &params))
    }

    /// As [`call`](Self::call), on a fiber: host functions that wait make the future pending instead of blocking.
    ///
    /// # Errors
    /// As for `call`.
    pub async fn call_async(&self, mut store: impl AsStore + Send, params: P) -> Result<R>
    where
        R: Send,
    {
        let store = store.as_store();
        on_fiber(store, |store| self.func.lifted(store)?.call_typed(store, &params)).await
    }
}
