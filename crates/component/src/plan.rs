//! The link plan: what instantiating a component does, with every index resolved.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use wharf_core::{ExternType, InternedFuncType, Module};

use crate::abi::StringEncoding;
use crate::types::{FuncTypeIndex, ResourceIndex, TypeIndex};

/// A component instance of the plan; number 0 is the root.
pub(crate) type InstanceSlot = u32;

/// Something that the component imports from outside and that has to be provided for instantiation.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// The import's name, followed by the names of the exports of imported instances.
    pub path: Box<[Box<str>]>,
    pub kind: LeafKind,
}

impl Leaf {
    pub fn display(&self) -> String {
        let mut out = self.path.first().map(|s| s.to_string()).unwrap_or_default();
        for (i, part) in self.path.iter().enumerate().skip(1) {
            out.push(if i == 1 { '#' } else { '/' });
            out.push_str(part);
        }
        out
    }
}

#[derive(Debug)]
pub(crate) enum LeafKind {
    Func(FuncTypeIndex),
    Resource(ResourceIndex),
    /// A resource type that must be the one that another import already gave.
    SameResource(ResourceIndex),
    Module(Arc<ModuleRequirement>),
    Component,
}

/// The type of an imported module.
#[derive(Debug, Default)]
pub(crate) struct ModuleRequirement {
    /// What the module may import.
    pub imports: Vec<(String, String, ExternType)>,
    /// What the module has to export.
    pub exports: Vec<(String, ExternType)>,
}

/// A core item that exists once the steps before its use have run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CoreItem {
    /// Export number `index` of a core instance of a module known when the plan was made.
    Export { instance: u32, index: u32 },
    /// An export of an instance of an imported module.
    Named { instance: u32, name: Arc<str> },
    /// A core function made by a canonical definition.
    Canon(u32),
}

#[derive(Copy, Clone, Debug)]
pub(crate) enum ModuleSource {
    Static(u32),
    Import(u32),
}

/// Canonical options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Options {
    pub encoding: StringEncoding,
    pub memory: Option<CoreItem>,
    pub realloc: Option<CoreItem>,
    pub post_return: Option<CoreItem>,
}

/// A component function.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum FuncRef {
    Import(u32),
    Lift(u32),
}

#[derive(Debug)]
pub(crate) struct Lift {
    pub func: CoreItem,
    pub ty: FuncTypeIndex,
    /// A place among the plan's.
    pub options: u32,
    pub instance: InstanceSlot,
    /// What the function needs that Wharf does not have; calls fail with it.
    pub unsupported: Option<String>,
}

/// What a canonical definition makes a core function of.
#[derive(Debug)]
pub(crate) enum Canon {
    Lower {
        func: FuncRef,
        ty: FuncTypeIndex,
        /// A place among the plan's.
        options: u32,
        caller: InstanceSlot,
        /// The instances that a call enters, innermost first.
        entering: Box<[InstanceSlot]>,
    },
    ResourceNew {
        resource: ResourceIndex,
        instance: InstanceSlot,
    },
    ResourceDrop {
        resource: ResourceIndex,
        instance: InstanceSlot,
    },
    ResourceRep {
        resource: ResourceIndex,
        instance: InstanceSlot,
    },
    Context {
        slot: u32,
        set: bool,
    },
    Nothing,
    /// Fails when it is called.
    Unsupported {
        what: String,
        instance: InstanceSlot,
    },
}

/// One step of an instantiation.
#[derive(Debug)]
pub(crate) enum Step {
    /// Makes the next core instance, of a module known when the plan was made, arguments in the order of its imports.
    Instantiate {
        module: u32,
        args: Box<[CoreItem]>,
        owner: InstanceSlot,
    },
    /// Makes the next core instance, of an imported module, arguments by name.
    InstantiateImported {
        leaf: u32,
        args: HashMap<(Box<str>, Box<str>), CoreItem>,
        owner: InstanceSlot,
    },
    /// Makes the next canonical core function, of this type.
    Canon {
        canon: Canon,
        core_type: InternedFuncType,
    },
    /// Makes the next lifted function.
    Lift(Lift),
    /// Defines a resource type.
    Resource {
        resource: ResourceIndex,
        dtor: Option<CoreItem>,
        owner: InstanceSlot,
    },
    /// The component instance is complete and can be entered.
    Ready(InstanceSlot),
    /// The component needs something that Wharf does not have.
    Unsupported(String),
}

/// A component instance.
#[derive(Debug)]
pub(crate) struct InstanceInfo {
    pub parent: Option<InstanceSlot>,
    /// Shown in backtraces.
    pub label: Arc<str>,
}

/// An export of the root component.
#[derive(Debug)]
pub(crate) enum Export {
    Func(FuncRef),
    Instance(IndexMap<Box<str>, Export>),
    Module(ModuleSource),
    Component,
    Resource(ResourceIndex),
    Type,
}

/// The type of an import or export of the root component.
#[derive(Debug)]
pub(crate) enum ItemType {
    Func(FuncTypeIndex),
    Instance(Arc<[(Box<str>, ItemType)]>),
    Module,
    Component,
    Resource(ResourceIndex),
    Type(TypeIndex),
    /// A type that is not a value type (an instance or component type).
    OtherType,
}

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Plan {
    pub modules: Vec<Module>,
    pub leaves: Vec<Leaf>,
    pub steps: Vec<Step>,
    /// Most canonical definitions of a component have the same few.
    pub options: IndexSet<Options>,
    pub instances: Vec<InstanceInfo>,
    pub core_instances: u32,
    pub canons: u32,
    pub lifts: u32,
    pub resources: u32,
    pub exports: IndexMap<Box<str>, Export>,
    pub import_types: Vec<(Box<str>, ItemType)>,
    pub export_types: Vec<(Box<str>, ItemType)>,
}

impl Plan {
    /// A component instance and those around it, innermost first.
    pub fn chain(&self, slot: InstanceSlot) -> Vec<InstanceSlot> {
        let mut chain = vec![slot];
        let mut current = slot;
        while let Some(parent) = self.instances.get(current as usize).and_then(|i| i.parent) {
            chain.push(parent);
            current = parent;
        }
        chain
    }
}
