//! The root instances of a store: what they were given, and the functions that they define.

use std::sync::Arc;

use wharf_core::{Module, Store};

use super::call::LiftedFunc;
use super::root::Root;
use crate::host::HostFunc;
use crate::plan::{FuncRef, ModuleSource};
use crate::resource::RuntimeResource;

/// What was given for an import.
#[derive(Clone)]
pub(crate) enum Import {
    Host(Arc<HostFunc>),
    Guest(Arc<LiftedFunc>),
    Module(Module),
    Resource(RuntimeResource),
}

/// What the store keeps of a root instance.
pub(crate) struct RootData {
    pub root: Arc<Root>,
    pub imports: Arc<[Import]>,
    pub lifts: Vec<Arc<LiftedFunc>>,
}

/// The root instances of a store, by number.
#[derive(Default)]
struct Roots(Vec<RootData>);

/// The root instances of a store.
pub(crate) fn roots(store: &mut Store) -> &mut Vec<RootData> {
    &mut store.extension::<Roots>().0
}

impl RootData {
    /// A function that a guest defines; none if the host does.
    pub fn lifted(&self, func: FuncRef) -> Option<Arc<LiftedFunc>> {
        match func {
            FuncRef::Lift(index) => self.lifts.get(index as usize).cloned(),
            FuncRef::Import(leaf) => match self.imports.get(leaf as usize)? {
                Import::Guest(func) => Some(func.clone()),
                _ => None,
            },
        }
    }

    pub fn host(&self, func: FuncRef) -> Option<Arc<HostFunc>> {
        let FuncRef::Import(leaf) = func else { return None };
        match self.imports.get(leaf as usize)? {
            Import::Host(func) => Some(func.clone()),
            _ => None,
        }
    }

    pub fn module(&self, source: ModuleSource) -> Option<Module> {
        match source {
            ModuleSource::Static(index) => self.root.component.plan().modules.get(index as usize).cloned(),
            ModuleSource::Import(leaf) => match self.imports.get(leaf as usize)? {
                Import::Module(module) => Some(module.clone()),
                _ => None,
            },
        }
    }
}
