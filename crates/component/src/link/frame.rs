//! The index spaces of one component instance while the plan is made.

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use wasmparser::component_types::{ComponentDefinedTypeId, ComponentEntityType, ResourceId};
use wharf_core::Result;

use crate::decode::CoreKind;
use crate::plan::{CoreItem, FuncRef, ModuleSource};
use crate::types::{FuncTypeIndex, ResourceIndex, TypeIndex};

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
            .ok_or_else(|| super::missing("core item"))
    }
}
