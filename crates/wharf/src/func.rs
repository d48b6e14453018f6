//! Core functions with Rust types.

use std::future::Future;
use std::marker::PhantomData;

use wharf_component::AsStore;
use wharf_core::{Error, FuncType, Result, ValType, suspend};

use crate::externals::{Extern, Func, Instance};
use crate::{AsContext, AsContextMut, StoreContext, StoreContextMut};

/// A Rust type for a core number.
pub trait WasmTy: Copy + Send + 'static {
    /// The core type.
    const TYPE: ValType;
    /// The value in a slot.
    fn from_slot(slot: u64) -> Self;
    /// The slot of the value.
    fn to_slot(self) -> u64;
}

macro_rules! wasm_types {
    ($($rust:ty, $ty:ident, $from:expr, $to:expr;)*) => {$(
        impl WasmTy for $rust {
            const TYPE: ValType = ValType::$ty;
            fn from_slot(slot: u64) -> Self {
                let from: fn(u64) -> $rust = $from;
                from(slot)
            }
            fn to_slot(self) -> u64 {
                let to: fn($rust) -> u64 = $to;
                to(self)
            }
        }
    )*};
}
wasm_types! {
    i32, I32, |s| s as i32, |v| u64::from(v as u32);
    u32, I32, |s| s as u32, u64::from;
    i64, I64, |s| s as i64, |v| v as u64;
    u64, I64, |s| s, |v| v;
    f32, F32, |s| f32::from_bits(s as u32), |v| u64::from(v.to_bits());
    f64, F64, f64::from_bits, f64::to_bits;
}

/// Parameters of a core function: a number or a tuple of them.
pub trait WasmParams: Send {
    /// The core types.
    fn types() -> Vec<ValType>;
    /// The values in slots.
    fn from_slots(slots: &[u64]) -> Self;
    /// Puts the values into slots.
    fn to_slots(&self, slots: &mut [u64]);
}

/// Results of a core function: a number, a tuple of them, or `()`.
pub trait WasmResults: WasmParams {}
impl<T: WasmParams> WasmResults for T {}

impl<A: WasmTy> WasmParams for A {
    fn types() -> Vec<ValType> {
        vec![A::TYPE]
    }
    fn from_slots(slots: &[u64]) -> Self {
        A::from_slot(slots.first().copied().unwrap_or(0))
    }
    fn to_slots(&self, slots: &mut [u64]) {
        if let Some(slot) = slots.first_mut() {
            *slot = A::to_slot(*self);
        }
    }
}

/// What a host function for core modules returns: results, or a `Result` of them.
pub trait WasmRet {
    /// The results.
    type Results: WasmResults;
    /// The results, or the error that ends the guest.
    ///
    /// # Errors
    /// That of the function.
    fn into_result(self) -> Result<Self::Results>;
}

impl<R: WasmResults> WasmRet for R {
    type Results = R;
    fn into_result(self) -> Result<R> {
        Ok(self)
    }
}

impl<R: WasmResults> WasmRet for Result<R> {
    type Results = R;
    fn into_result(self) -> Result<R> {
        self
    }
}

/// The context of a host function that a core module calls: the store, and the instance that calls.
pub struct Caller<'a, T: 'static> {
    store: StoreContextMut<'a, T>,
}

impl<'a, T: Send + 'static> Caller<'a, T> {
    pub(crate) fn new(store: &'a mut wharf_core::Store) -> Self {
        Caller {
            store: StoreContextMut::new(store),
        }
    }

    /// The embedder's data.
    pub fn data(&self) -> &T {
        self.store.data()
    }

    /// The embedder's data, to be changed.
    pub fn data_mut(&mut self) -> &mut T {
        self.store.data_mut()
    }

    /// An export of the calling instance: mostly its memory. None if the host called the function itself.
    pub fn get_export(&mut self, name: &str) -> Option<Extern> {
        let store = self.store.core();
        store.caller()?.get_export(store, name).map(Extern::from_core)
    }
}

impl<T: Send + 'static> AsContext for Caller<'_, T> {
    type Data = T;
    fn as_context(&self) -> StoreContext<'_, T> {
        self.store.as_context()
    }
}

impl<T: Send + 'static> AsContextMut for Caller<'_, T> {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, T> {
        self.store.as_context_mut()
    }
}

impl<T: 'static> AsStore for Caller<'_, T> {
    fn as_store(&mut self) -> &mut wharf_core::Store {
        self.store.as_store()
    }
}

/// A closure that can be a host function: numbers as parameters, with or without a [`Caller`] before them.
pub trait IntoFunc<T, Params, Results>: Send + Sync + 'static {
    /// The core type.
    #[doc(hidden)]
    fn func_type() -> FuncType;
    /// Calls the closure.
    #[doc(hidden)]
    fn invoke(&self, store: &mut wharf_core::Store, slots: &mut [u64]) -> Result<()>;
}

macro_rules! tuples {
    ($($name:ident),*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, clippy::unused_unit)]
        impl<$($name: WasmTy),*> WasmParams for ($($name,)*) {
            fn types() -> Vec<ValType> {
                vec![$($name::TYPE),*]
            }
            fn from_slots(slots: &[u64]) -> Self {
                let mut slots = slots.iter().copied();
                ($($name::from_slot(slots.next().unwrap_or(0)),)*)
            }
            fn to_slots(&self, slots: &mut [u64]) {
                let ($($name,)*) = *self;
                let mut slots = slots.iter_mut();
                $(if let Some(slot) = slots.next() { *slot = $name.to_slot(); })*
            }
        }

        #[allow(non_snake_case)]
        impl<T, F, R, $($name: WasmTy),*> IntoFunc<T, (Caller<'_, T>, $($name,)*), R> for F
        where
            T: Send + 'static,
            F: Fn(Caller<'_, T>, $($name),*) -> R + Send + Sync + 'static,
            R: WasmRet,
        {
            fn func_type() -> FuncType {
                FuncType::new(<($($name,)*)>::types(), <R::Results as WasmParams>::types())
            }
            fn invoke(&self, store: &mut wharf_core::Store, slots: &mut [u64]) -> Result<()> {
                let ($($name,)*) = <($($name,)*)>::from_slots(slots);
                self(Caller::new(store), $($name),*).into_result()?.to_slots(slots);
                Ok(())
            }
        }

        #[allow(non_snake_case)]
        impl<T, F, R, $($name: WasmTy),*> IntoFunc<T, ($($name,)*), R> for F
        where
            F: Fn($($name),*) -> R + Send + Sync + 'static,
            R: WasmRet,
        {
            fn func_type() -> FuncType {
                FuncType::new(<($($name,)*)>::types(), <R::Results as WasmParams>::types())
            }
            fn invoke(&self, _: &mut wharf_core::Store, slots: &mut [u64]) -> Result<()> {
                let ($($name,)*) = <($($name,)*)>::from_slots(slots);
                self($($name),*).into_result()?.to_slots(slots);
                Ok(())
            }
        }
    };
}
tuples!();
tuples!(A);
tuples!(A, B);
tuples!(A, B, C);
tuples!(A, B, C, D);
tuples!(A, B, C, D, E);
tuples!(A, B, C, D, E, G);
tuples!(A, B, C, D, E, G, H);
tuples!(A, B, C, D, E, G, H, I);
tuples!(A, B, C, D, E, G, H, I, J);
tuples!(A, B, C, D, E, G, H, I, J, K);
tuples!(A, B, C, D, E, G, H, I, J, K, L);
tuples!(A, B, C, D, E, G, H, I, J, K, L, M);

pub(crate) fn invoke_async<T, P, R>(
    store: &mut wharf_core::Store,
    slots: &mut [u64],
    f: &(impl for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a> + Send + Sync),
) -> Result<()>
where
    T: Send + 'static,
    P: WasmParams,
    R: WasmResults,
{
    let future = Box::into_pin(f(Caller::new(store), P::from_slots(slots)));
    suspend::wait(future)??.to_slots(slots);
    Ok(())
}

/// A core function whose Rust types were checked once.
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

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    pub(crate) fn check(func: Func, ty: &FuncType) -> Result<Self> {
        let (params, results) = (P::types(), R::types());
        if ty.params() != params || ty.results() != results {
            let expected = FuncType::new(params, results);
            return Err(Error::usage(format!(
                "type mismatch: expected {expected:?}, found {ty:?}"
            )));
        }
        Ok(TypedFunc {
            func,
            marker: PhantomData,
        })
    }

    /// Calls the function.
    ///
    /// # Errors
    /// `Trap` when the guest traps, and what host functions return.
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R> {
        suspend::synchronously(|| self.call_in(store.as_store(), params))
    }

    /// As [`call`](Self::call), on a fiber: host functions that wait make the future pending instead of blocking.
    ///
    /// # Errors
    /// As for `call`.
    pub async fn call_async(&self, mut store: impl AsContextMut, params: P) -> Result<R>
    where
        R: 'static,
    {
        let store = store.as_store();
        let stack = store.engine().config().fiber_stack_bytes();
        suspend::on_fiber(stack, move || self.call_in(store, params)).await?
    }

    fn call_in(&self, store: &mut wharf_core::Store, params: P) -> Result<R> {
        let mut slots = [0u64; 20];
        params.to_slots(&mut slots);
        self.func.core().call_raw(store, &mut slots)?;
        Ok(R::from_slots(&slots))
    }
}

impl Instance {
    /// An exported function for Rust types: `P` and `R` are a number type, a tuple of them, or `()`.
    ///
    /// # Errors
    /// `Usage` when there is no such function or its type is another.
    pub fn get_typed_func<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        let func = self.get_func(&store, name);
        let func = func.ok_or_else(|| Error::usage(format!("the instance exports no function `{name}`")))?;
        func.typed(store)
            .map_err(|e| e.context(format!("export `{name}`")))
    }
}

impl Func {
    /// The function for Rust types: `P` and `R` are a number type, a tuple of them, or `()`.
    ///
    /// # Errors
    /// `Usage` when its type is another.
    pub fn typed<P: WasmParams, R: WasmResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>> {
        TypedFunc::check(*self, &self.ty(store))
    }
}
