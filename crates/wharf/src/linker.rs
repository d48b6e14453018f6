//! Imports of core modules by name.

use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use wharf_core::{Engine, Error, FuncType, Module, Result, Val};

use crate::externals::{Extern, Func, Instance};
use crate::func::{Caller, IntoFunc, WasmParams, WasmResults, invoke_async};
use crate::{AsContextMut, StoreContextMut};

type Define = dyn Fn(&mut wharf_core::Store) -> wharf_core::Func + Send + Sync;

#[derive(Clone)]
enum Definition {
    Host(Arc<Define>),
    Extern(Extern),
}

/// Imports of core modules, by module and name.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use wharf::{Caller, Engine, Linker, Module, Store};
/// let engine = Engine::default();
/// let module = Module::new(&engine, wat::parse_str(r#"(module
///     (import "env" "add" (func $add (param i32 i32) (result i32)))
///     (func (export "run") (result i32) (call $add (i32.const 40) (i32.const 2))))"#)?)?;
/// let mut linker = Linker::<()>::new(&engine);
/// linker.func_wrap("env", "add", |_: Caller<'_, ()>, a: i32, b: i32| a + b)?;
/// let mut store = Store::new(&engine, ());
/// let instance = linker.instantiate(&mut store, &module)?;
/// let run = instance.get_typed_func::<(), i32>(&store, "run")?;
/// assert_eq!(run.call(&mut store, ())?, 42);
/// # Ok(())
/// # }
/// ```
pub struct Linker<T> {
    engine: Engine,
    names: HashMap<(String, String), Definition>,
    shadowing: bool,
    marker: PhantomData<fn(T)>,
}

impl<T> Clone for Linker<T> {
    fn clone(&self) -> Self {
        Linker {
            engine: self.engine.clone(),
            names: self.names.clone(),
            shadowing: self.shadowing,
            marker: PhantomData,
        }
    }
}

impl<T: Send + 'static> Linker<T> {
    /// A linker without definitions.
    pub fn new(engine: &Engine) -> Self {
        Linker {
            engine: engine.clone(),
            names: HashMap::new(),
            shadowing: false,
            marker: PhantomData,
        }
    }

    /// The engine that it was made for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Lets later definitions replace earlier ones of the same name, instead of being refused.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.shadowing = allow;
        self
    }

    fn insert(&mut self, module: &str, name: &str, definition: Definition) -> Result<&mut Self> {
        let key = (module.to_owned(), name.to_owned());
        if !self.shadowing && self.names.contains_key(&key) {
            return Err(Error::link(format!("`{module}` `{name}` is defined twice")));
        }
        self.names.insert(key, definition);
        Ok(self)
    }

    /// Defines a closure with numbers as parameters and results, and perhaps a [`Caller`] as the first parameter.
    ///
    /// # Errors
    /// `Link` when the name is defined already, here and below.
    pub fn func_wrap<Params, Results>(
        &mut self,
        module: &str,
        name: &str,
        func: impl IntoFunc<T, Params, Results>,
    ) -> Result<&mut Self> {
        fn ty<T, P, R, F: IntoFunc<T, P, R>>(_: &F) -> FuncType {
            F::func_type()
        }
        let ty = ty(&func);
        let func = Arc::new(func);
        let define = move |store: &mut wharf_core::Store| {
            let func = func.clone();
            wharf_core::Func::new(store, ty.clone(), move |store, slots| func.invoke(store, slots))
        };
        self.insert(module, name, Definition::Host(Arc::new(define)))
    }

    /// Defines a closure whose future may wait: under a synchronous call it blocks the thread then, under an
    /// asynchronous one it suspends the guest.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn func_wrap_async<P, R, F>(&mut self, module: &str, name: &str, func: F) -> Result<&mut Self>
    where
        P: WasmParams + 'static,
        R: WasmResults + 'static,
        F: for<'a> Fn(Caller<'a, T>, P) -> Box<dyn Future<Output = Result<R>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        let func = Arc::new(func);
        let define = move |store: &mut wharf_core::Store| {
            let func = func.clone();
            let ty = FuncType::new(P::types(), R::types());
            wharf_core::Func::new(store, ty, move |store, slots| invoke_async(store, slots, &*func))
        };
        self.insert(module, name, Definition::Host(Arc::new(define)))
    }

    /// Defines a closure on values of any type.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        ty: FuncType,
        func: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let func = Arc::new(func);
        let define = move |store: &mut wharf_core::Store| {
            let func = func.clone();
            wharf_core::Func::wrap(store, ty.clone(), move |store, params, results| {
                func(Caller::new(store), params, results)
            })
        };
        self.insert(module, name, Definition::Host(Arc::new(define)))
    }

    /// Defines something that is in a store.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn define(&mut self, module: &str, name: &str, item: impl Into<Extern>) -> Result<&mut Self> {
        self.insert(module, name, Definition::Extern(item.into()))
    }

    /// Defines everything that an instance exports under a module name.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn instance(
        &mut self,
        store: impl AsContextMut,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        let store = store.as_context();
        let exports: Vec<_> = instance
            .core()
            .exports(store.core())
            .map(|(n, e)| (n.to_owned(), e))
            .collect();
        for (name, item) in exports {
            self.insert(module, &name, Definition::Extern(Extern::from_core(item)))?;
        }
        Ok(self)
    }

    /// A definition, as it is in a store.
    pub fn get(&self, mut store: impl AsContextMut<Data = T>, module: &str, name: &str) -> Option<Extern> {
        Some(match self.names.get(&(module.to_owned(), name.to_owned()))? {
            Definition::Host(define) => Extern::Func(Func::from_core(define(store.as_store()))),
            Definition::Extern(item) => *item,
        })
    }

    /// Makes an instance of a module and runs its start function.
    ///
    /// # Errors
    /// `Link` naming an import that is missing or of another type, `Trap` when the start function traps, `Limit` when a
    /// quota is met.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>, module: &Module) -> Result<Instance> {
        let store = store.as_context_mut();
        wharf_core::suspend::synchronously(|| self.instantiate_in(store, module))
    }

    fn instantiate_in(&self, mut store: StoreContextMut<'_, T>, module: &Module) -> Result<Instance> {
        let mut imports = Vec::new();
        for import in module.imports() {
            let (module, name) = (import.module, import.name);
            let found = self.get(&mut store, module, name);
            let found = found.ok_or_else(|| {
                Error::link(format!(
                    "unknown import: `{module}` `{name}` has not been defined"
                ))
            })?;
            imports.push(found.to_core());
        }
        Ok(Instance::new(wharf_core::Instance::new(
            store.core_mut(),
            module,
            &imports,
        )?))
    }

    /// As [`instantiate`](Self::instantiate), on a fiber: host functions that wait make the future pending.
    ///
    /// # Errors
    /// As for `instantiate`.
    pub async fn instantiate_async(
        &self,
        mut store: impl AsContextMut<Data = T>,
        module: &Module,
    ) -> Result<Instance> {
        let store = store.as_context_mut();
        let stack = self.engine.config().fiber_stack_bytes();
        wharf_core::suspend::on_fiber(stack, move || self.instantiate_in(store, module)).await?
    }
}
