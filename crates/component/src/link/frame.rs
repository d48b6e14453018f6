//! The index spaces of one component instance while the plan is made.

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use wasmparser::component_types::{ComponentDefinedTypeId, ComponentEntityType, ResourceId};
use wharf_core::{Error, Result};

use crate::decode::{CoreKind, OuterSource};
use crate::plan::{CoreItem, Export, FuncRef, ModuleSource};
use crate::types::{FuncTypeIndex, ResourceIndex, TypeIndex};

/// An index that the validator has accepted, but that the plan does not have: a defect, reported and not a panic.
pub(super) fn missing(what: &str) -> Error {
    Error::malformed(0, format!("{what} is not defined"))
}

/// A component together with what it took from the components around it.
#[derive(Clone)]
pub(super) struct ComponentRef {
    pub index: usize,
    pub modules: Rc<[ModuleSource]>,
    pub components: Rc<[ComponentRef]>,
}

pub(super) type Items = Rc<IndexMap<String, Item>>;

/// A component-level item.
#[derive(Clone)]
pub(super) enum Item {
    Func(FuncRef, FuncTypeIndex),
    Instance(Items),
    Module(ModuleSource),
    /// `None`: imported into the root.
    Component(Option<ComponentRef>),
    Resource(ResourceIndex),
    Type,
}

pub(super) enum CoreInstance {
    Instance { index: u32, source: ModuleSource },
    Bag(Rc<HashMap<String, CoreItem>>),
}

#[derive(Default)]
pub(super) struct Frame {
    /// The component instance of the plan that the definitions belong to.
    pub instance: u32,
    pub args: HashMap<String, Item>,
    pub modules: Vec<ModuleSource>,
    pub components: Vec<Option<ComponentRef>>,
    pub funcs: Vec<(FuncRef, FuncTypeIndex)>,
    pub instances: Vec<Items>,
    pub core_instances: Vec<CoreInstance>,
    pub core_funcs: Vec<CoreItem>,
    pub core_tables: Vec<CoreItem>,
    pub core_memories: Vec<CoreItem>,
    pub core_globals: Vec<CoreItem>,
    pub core_tags: Vec<CoreItem>,
    /// What the validator's abstract resources are in this instantiation.
    pub resources: HashMap<ResourceId, ResourceIndex>,
    pub types: HashMap<ComponentDefinedTypeId, TypeIndex>,
    pub exports: IndexMap<String, Item>,
    pub export_types: Vec<(String, ComponentEntityType)>,
}

impl Frame {
    /// Adds an item to its index space.
    pub fn push(&mut self, item: Item) {
        match item {
            Item::Func(func, ty) => self.funcs.push((func, ty)),
            Item::Instance(items) => self.instances.push(items),
            Item::Module(module) => self.modules.push(module),
            Item::Component(component) => self.components.push(component),
            Item::Resource(_) | Item::Type => {}
        }
    }

    pub fn core_space(&mut self, kind: CoreKind) -> &mut Vec<CoreItem> {
        match kind {
            CoreKind::Func => &mut self.core_funcs,
            CoreKind::Table => &mut self.core_tables,
            CoreKind::Memory => &mut self.core_memories,
            CoreKind::Global => &mut self.core_globals,
            CoreKind::Tag => &mut self.core_tags,
        }
    }

    pub fn core(&mut self, kind: CoreKind, index: u32) -> Result<CoreItem> {
        self.core_space(kind)
            .get(index as usize)
            .cloned()
            .ok_or_else(|| missing("core item"))
    }

    pub fn outer_module(&self, component: &ComponentRef, source: OuterSource) -> Result<ModuleSource> {
        let found = match source {
            OuterSource::Local(i) => self.modules.get(i as usize),
            OuterSource::Outer(i) => component.modules.get(i as usize),
        };
        found.copied().ok_or_else(|| missing("module"))
    }

    pub fn outer_component(&self, component: &ComponentRef, source: OuterSource) -> Result<ComponentRef> {
        match source {
            OuterSource::Local(i) => self.components.get(i as usize).cloned().flatten(),
            OuterSource::Outer(i) => component.components.get(i as usize).cloned(),
        }
        .ok_or_else(|| missing("component"))
    }
}

/// What the plan keeps of items that are exported.
pub(super) fn exports(items: &IndexMap<String, Item>) -> IndexMap<Box<str>, Export> {
    let export = |item: &Item| match item {
        Item::Func(func, _) => Export::Func(*func),
        Item::Instance(items) => Export::Instance(exports(items)),
        Item::Module(source) => Export::Module(*source),
        Item::Component(_) => Export::Component,
        Item::Resource(index) => Export::Resource(*index),
        Item::Type => Export::Type,
    };
    items
        .iter()
        .map(|(name, item)| (name.as_str().into(), export(item)))
        .collect()
}
