//! The definitions of one component, in the order in which they are made.

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId, ResourceId,
};
use wharf_core::InternedFuncType;

use crate::abi::StringEncoding;

/// One component of the file.
#[derive(Default)]
pub(crate) struct Translation {
    /// Its name, from the name section.
    pub name: Option<String>,
    /// Its definitions in order.
    pub inits: Vec<Init>,
    /// Modules of the enclosing component that it refers to.
    pub outer_modules: Vec<OuterSource>,
    /// Components of the enclosing component that it refers to.
    pub outer_components: Vec<OuterSource>,
}

/// Where an item comes from that an inner component refers to.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum OuterSource {
    /// The index space of the enclosing component.
    Local(u32),
    /// What the enclosing component itself took from further out.
    Outer(u32),
}

/// Kinds of core items that have an index space in a component.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum CoreKind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

/// A reference to a component-level item by its index.
#[derive(Copy, Clone, Debug)]
pub(crate) enum ItemRef {
    Func(u32),
    Instance(u32),
    Module(u32),
    Component(u32),
    Type(ComponentAnyTypeId),
    Value,
}

/// Canonical options as indices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub encoding: StringEncoding,
    pub memory: Option<u32>,
    pub realloc: Option<u32>,
    pub post_return: Option<u32>,
    /// Uses the asynchronous ABI or another option that Wharf cannot honour yet.
    pub unsupported: Option<&'static str>,
}

/// A definition.
pub(crate) enum Init {
    Import {
        name: String,
        ty: ComponentEntityType,
    },
    Module(usize),
    Component(usize),
    OuterModule(OuterSource),
    OuterComponent(OuterSource),
    CoreInstantiate {
        module: u32,
        args: Vec<(String, u32)>,
    },
    CoreExports(Vec<(String, CoreKind, u32)>),
    CoreAlias {
        instance: u32,
        name: String,
        kind: CoreKind,
    },
    Instantiate {
        component: u32,
        args: Vec<(String, ItemRef)>,
        ty: ComponentInstanceTypeId,
    },
    Exports {
        items: Vec<(String, ItemRef)>,
    },
    Alias {
        instance: u32,
        name: String,
        kind: AliasKind,
    },
    Lift {
        ty: ComponentFuncTypeId,
        func: u32,
        options: Options,
    },
    Lower {
        func: u32,
        options: Options,
        core_type: InternedFuncType,
    },
    ResourceNew {
        id: ResourceId,
        core_type: InternedFuncType,
    },
    ResourceDrop {
        id: ResourceId,
        core_type: InternedFuncType,
    },
    ResourceRep {
        id: ResourceId,
        core_type: InternedFuncType,
    },
    /// Defines a resource type; the destructor is a core function.
    Resource {
        id: ResourceId,
        dtor: Option<u32>,
    },
    Export {
        name: String,
        item: ItemRef,
        ty: ComponentEntityType,
    },
    /// `canon context.get` (`set` is false) or `context.set` of a slot of the running task's storage.
    Context {
        slot: u32,
        set: bool,
        core_type: InternedFuncType,
    },
    /// A canonical built-in whose core function does nothing in a synchronous call.
    Nothing {
        core_type: InternedFuncType,
    },
    /// A canonical built-in that defines a core function, but that Wharf does not have.
    UnsupportedCanon {
        name: &'static str,
        core_type: InternedFuncType,
    },
    /// Something else that Wharf does not have.
    Unsupported(&'static str),
}

/// Kinds of component-level items that an alias can bring into scope.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum AliasKind {
    Func,
    Instance,
    Module,
    Component,
    /// Types and values: no run-time index space.
    Other,
}
