//! Imports of components by name.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use wharf_component::types::ComponentFunc;
use wharf_component::{
    Component, ComponentNamedList, Definitions, HostFunc, Instance, Lift, Lower, ResolvedImports,
    ResourceType, Val,
};
use wharf_core::{Engine, Module, Result, suspend};

use crate::{AsContextMut, StoreContextMut};

/// What components import, by name.
///
/// Names with a version are found by semver: a definition of `wasi:io/poll@0.2.12` satisfies an import of
/// `wasi:io/poll@0.2.3`. See the [crate's documentation](crate) for an example.
pub struct Linker<T: 'static> {
    engine: Engine,
    definitions: Definitions,
    marker: PhantomData<fn(T)>,
}

impl<T: Send + 'static> Linker<T> {
    /// A linker without definitions.
    pub fn new(engine: &Engine) -> Self {
        Linker {
            engine: engine.clone(),
            definitions: Definitions::default(),
            marker: PhantomData,
        }
    }

    /// The engine that it was made for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Lets later definitions replace earlier ones of the same name, instead of being refused.
    pub fn allow_shadowing(&mut self, allow: bool) -> &mut Self {
        self.definitions.allow_shadowing(allow);
        self
    }

    /// The definitions of the component's own imports.
    pub fn root(&mut self) -> LinkerInstance<'_, T> {
        LinkerInstance {
            definitions: &mut self.definitions,
            marker: PhantomData,
        }
    }

    /// The definitions of an imported instance, such as `wasi:io/poll@0.2.12`; made if there is none.
    ///
    /// # Errors
    /// `Link` when the name is defined as something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        self.root().into_instance(name)
    }

    /// Finds and checks everything that a component imports, for many instances.
    ///
    /// # Errors
    /// `Link` naming the import that is missing or does not fit, with what was expected and what was found.
    pub fn instantiate_pre(&self, component: &Component) -> Result<InstancePre<T>> {
        Ok(InstancePre {
            resolved: self.definitions.resolve(component)?,
            marker: PhantomData,
        })
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// Those of [`instantiate_pre`](Self::instantiate_pre) and [`InstancePre::instantiate`].
    pub fn instantiate(&self, store: impl AsContextMut<Data = T>, component: &Component) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate(store)
    }

    /// As [`instantiate`](Self::instantiate), on a fiber: host functions that wait make the future pending.
    ///
    /// # Errors
    /// As for `instantiate`.
    pub async fn instantiate_async(
        &self,
        store: impl AsContextMut<Data = T>,
        component: &Component,
    ) -> Result<Instance> {
        self.instantiate_pre(component)?.instantiate_async(store).await
    }

    /// Defines each import of a component that is missing: functions that fail, and resources nobody can make.
    ///
    /// # Errors
    /// `Link` when a missing import is a module or a component.
    pub fn define_unknown_imports_as_traps(&mut self, component: &Component) -> Result<()> {
        self.definitions.define_unknown_as_traps(component)
    }

    /// Whether an import of this name is defined, exactly or by semver.
    pub fn is_defined(&self, import: &str) -> bool {
        self.definitions.is_defined(import)
    }
}

/// Definitions in a [`Linker`]: of the root, or of an instance.
pub struct LinkerInstance<'a, T: 'static> {
    definitions: &'a mut Definitions,
    marker: PhantomData<fn(T)>,
}

impl<T: Send + 'static> LinkerInstance<'_, T> {
    /// The definitions of an instance in this one; made if there is none.
    ///
    /// # Errors
    /// `Link` when the name is defined as something else.
    pub fn instance(&mut self, name: &str) -> Result<LinkerInstance<'_, T>> {
        Ok(LinkerInstance {
            definitions: self.definitions.instance(name)?,
            marker: PhantomData,
        })
    }

    /// As [`instance`](Self::instance).
    ///
    /// # Errors
    /// As for `instance`.
    pub fn into_instance<'b>(self, name: &str) -> Result<LinkerInstance<'b, T>>
    where
        Self: 'b,
    {
        Ok(LinkerInstance {
            definitions: self.definitions.instance(name)?,
            marker: PhantomData,
        })
    }

    /// Defines a function with Rust types: a tuple of parameters, a tuple of none or one result.
    ///
    /// # Errors
    /// `Link` when the name is defined already, here and below. Types are checked when a component is linked.
    pub fn func_wrap<F, Params, Return>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, Params) -> Result<Return> + Send + Sync + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        let func = HostFunc::typed(move |store, params| func(StoreContextMut::new(store), params));
        self.definitions.func(name, func)
    }

    /// Defines a function whose future may wait: under a synchronous call it blocks the thread then, under an
    /// asynchronous one it suspends the guest.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn func_wrap_async<Params, Return, F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(StoreContextMut<'a, T>, Params) -> Box<dyn Future<Output = Result<Return>> + Send + 'a>
            + Send
            + Sync
            + 'static,
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        let func = HostFunc::typed(move |store, params| {
            suspend::wait(Box::into_pin(func(StoreContextMut::new(store), params)))?
        });
        self.definitions.func(name, func)
    }

    /// Defines a function on dynamic values; it gets the type that the component imports it with. The last slice has
    /// one element if that has a result, which the function has to set.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn func_new<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, ComponentFunc, &[Val], &mut [Val]) -> Result<()>
            + Send
            + Sync
            + 'static,
    {
        let func = HostFunc::dynamic(move |store, ty, params, results| {
            func(StoreContextMut::new(store), ty, params, results)
        });
        self.definitions.func(name, func)
    }

    /// As [`func_new`](Self::func_new), with a future that may wait.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn func_new_async<F>(&mut self, name: &str, func: F) -> Result<()>
    where
        F: for<'a> Fn(
                StoreContextMut<'a, T>,
                ComponentFunc,
                &'a [Val],
                &'a mut [Val],
            ) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        let func = HostFunc::dynamic(move |store, ty, params, results| {
            suspend::wait(Box::into_pin(func(
                StoreContextMut::new(store),
                ty,
                params,
                results,
            )))?
        });
        self.definitions.func(name, func)
    }

    /// Defines a core module.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        self.definitions.module(name, module)
    }

    /// Defines a resource type. The destructor gets the representation when a guest drops the last handle.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn resource<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        F: Fn(StoreContextMut<'_, T>, u32) -> Result<()> + Send + Sync + 'static,
    {
        let dtor = move |store: &mut wharf_core::Store, rep| dtor(StoreContextMut::new(store), rep);
        self.definitions.resource(name, ty, Arc::new(dtor))
    }

    /// As [`resource`](Self::resource), with a destructor that may wait.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap).
    pub fn resource_async<F>(&mut self, name: &str, ty: ResourceType, dtor: F) -> Result<()>
    where
        F: for<'a> Fn(StoreContextMut<'a, T>, u32) -> Box<dyn Future<Output = Result<()>> + Send + 'a>
            + Send
            + Sync
            + 'static,
    {
        let dtor = move |store: &mut wharf_core::Store, rep| {
            suspend::wait(Box::into_pin(dtor(StoreContextMut::new(store), rep)))?
        };
        self.definitions.resource(name, ty, Arc::new(dtor))
    }

    /// Defines everything that a live instance exports. What is linked with it works in that store only.
    ///
    /// # Errors
    /// As for [`func_wrap`](Self::func_wrap), and `Usage` when the instance belongs to another store.
    pub fn exports(&mut self, mut store: impl AsContextMut<Data = T>, instance: &Instance) -> Result<()> {
        self.definitions.exports(store.as_store(), instance)
    }
}

/// A component with everything that it imports, ready to be instantiated many times.
pub struct InstancePre<T: 'static> {
    resolved: ResolvedImports,
    marker: PhantomData<fn(T)>,
}

impl<T: 'static> Clone for InstancePre<T> {
    fn clone(&self) -> Self {
        InstancePre {
            resolved: self.resolved.clone(),
            marker: PhantomData,
        }
    }
}

impl<T: Send + 'static> InstancePre<T> {
    /// The component.
    pub fn component(&self) -> &Component {
        self.resolved.component()
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// `Trap` when a start function traps, `Limit` when a quota is met, `Unsupported` when the component needs
    /// something that Wharf does not have.
    pub fn instantiate(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        wharf_core::suspend::synchronously(|| self.resolved.instantiate(store.as_store()))
    }

    /// As [`instantiate`](Self::instantiate), on a fiber: host functions that wait make the future pending.
    ///
    /// # Errors
    /// As for `instantiate`.
    pub async fn instantiate_async(&self, mut store: impl AsContextMut<Data = T>) -> Result<Instance> {
        self.resolved.instantiate_async(store.as_store()).await
    }
}
