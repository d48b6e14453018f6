//! Root instances.

use std::sync::Arc;

use wharf_core::{Error, Module, Result, Store};

use super::call::LiftedFunc;
use super::roots::{RootData, roots};
use crate::component::{Component, ComponentExportIndex};
use crate::func::{Func, TypedFunc};
use crate::host::HostFunc;
use crate::plan::Export;
use crate::resource::{ResourceType, RuntimeResource};
use crate::store::AsStore;
use crate::typed::{ComponentNamedList, Lift, Lower};

/// An instance of a component in a store.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub(crate) index: u32,
}

/// Something that a component instance exports, as another component can import it.
pub(crate) enum Exported {
    Func(Arc<LiftedFunc>),
    Host(Arc<HostFunc>),
    Module(Module),
    Resource(RuntimeResource),
    Instance(Vec<(Box<str>, Exported)>),
}

impl Instance {
    pub(crate) fn data<'a>(&self, store: &'a mut Store) -> Result<&'a RootData> {
        roots(store)
            .get(self.index as usize)
            .ok_or_else(|| Error::usage("instance of another store"))
    }

    /// Finds an export: of the component itself, or of an instance that it exports.
    pub fn get_export_index(
        &self,
        mut store: impl AsStore,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        self.data(store.as_store())
            .ok()?
            .root
            .component
            .get_export_index(instance, name)
    }

    /// An exported function.
    pub fn get_func(&self, mut store: impl AsStore, export: impl ExportLookup) -> Option<Func> {
        let data = self.data(store.as_store()).ok()?;
        match export.find(&data.root.component)? {
            Export::Func(func) => {
                data.lifted(*func)?;
                Some(Func {
                    root: self.index,
                    func: *func,
                })
            }
            _ => None,
        }
    }

    /// An exported function for Rust types: `P` is a tuple of parameters, `R` a tuple of none or one result.
    ///
    /// # Errors
    /// `Usage` when there is no such function, or its types are others; says what was expected and what was found.
    pub fn get_typed_func<P, R>(
        &self,
        mut store: impl AsStore,
        export: impl ExportLookup,
    ) -> Result<TypedFunc<P, R>>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let name = export.describe();
        let func = self.get_func(store.as_store(), export);
        let func = func.ok_or_else(|| Error::usage(format!("the instance exports no function {name}")))?;
        func.typed(store).map_err(|e| e.context(format!("export {name}")))
    }

    /// An exported module.
    pub fn get_module(&self, mut store: impl AsStore, export: impl ExportLookup) -> Option<Module> {
        let data = self.data(store.as_store()).ok()?;
        match export.find(&data.root.component)? {
            Export::Module(source) => data.module(*source),
            _ => None,
        }
    }

    /// An exported resource type.
    pub fn get_resource(&self, mut store: impl AsStore, export: impl ExportLookup) -> Option<ResourceType> {
        let data = self.data(store.as_store()).ok()?;
        match export.find(&data.root.component)? {
            Export::Resource(index) => Some(data.root.resources.get(*index).ok()?.ty),
            _ => None,
        }
    }

    /// The component that this is an instance of.
    ///
    /// # Errors
    /// When the instance belongs to another store.
    pub fn component(&self, mut store: impl AsStore) -> Result<Component> {
        Ok(self.data(store.as_store())?.root.component.clone())
    }

    /// All exports that another component can import.
    pub(crate) fn exported(&self, store: &mut Store) -> Result<Vec<(Box<str>, Exported)>> {
        let data = self.data(store)?;
        Ok(data.exported(&data.root.component.plan().exports))
    }
}

impl RootData {
    fn exported(&self, exports: &indexmap::IndexMap<Box<str>, Export>) -> Vec<(Box<str>, Exported)> {
        let mut out = Vec::new();
        for (name, export) in exports {
            let item = match export {
                Export::Func(func) => match self.lifted(*func) {
                    Some(func) => Some(Exported::Func(func)),
                    None => self.host(*func).map(Exported::Host),
                },
                Export::Module(source) => self.module(*source).map(Exported::Module),
                Export::Resource(index) => self
                    .root
                    .resources
                    .get(*index)
                    .ok()
                    .cloned()
                    .map(Exported::Resource),
                Export::Instance(inner) => Some(Exported::Instance(self.exported(inner))),
                Export::Component | Export::Type => None,
            };
            if let Some(item) = item {
                out.push((name.clone(), item));
            }
        }
        out
    }
}

/// Names an export: by its name, or by an index looked up before.
pub trait ExportLookup {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn find<'a>(&self, component: &'a Component) -> Option<&'a Export>;
    #[doc(hidden)]
    fn describe(&self) -> String;
}

#[allow(private_interfaces)]
impl ExportLookup for str {
    fn find<'a>(&self, component: &'a Component) -> Option<&'a Export> {
        component.plan().exports.get(self)
    }
    fn describe(&self) -> String {
        format!("`{self}`")
    }
}

#[allow(private_interfaces)]
impl ExportLookup for String {
    fn find<'a>(&self, component: &'a Component) -> Option<&'a Export> {
        component.plan().exports.get(self.as_str())
    }
    fn describe(&self) -> String {
        format!("`{self}`")
    }
}

#[allow(private_interfaces)]
impl ExportLookup for ComponentExportIndex {
    fn find<'a>(&self, component: &'a Component) -> Option<&'a Export> {
        let (last, instances) = self.path.split_last()?;
        let mut exports = &component.plan().exports;
        for index in instances {
            match exports.get_index(*index as usize)? {
                (_, Export::Instance(inner)) => exports = inner,
                _ => return None,
            }
        }
        exports.get_index(*last as usize).map(|(_, export)| export)
    }
    fn describe(&self) -> String {
        "by index".to_owned()
    }
}

#[allow(private_interfaces)]
impl<T: ExportLookup + ?Sized> ExportLookup for &T {
    fn find<'a>(&self, component: &'a Component) -> Option<&'a Export> {
        T::find(self, component)
    }
    fn describe(&self) -> String {
        T::describe(self)
    }
}
