//! Types of functions, instances and components as an embedder sees them.

use std::fmt;
use std::sync::Arc;

use super::FuncTypeIndex;
use super::scope::Scope;
use super::value::Type;
use crate::plan::ItemType;
use crate::resource::ResourceType;

impl Scope {
    /// The type of an import or export.
    pub(crate) fn item(&self, item: &ItemType) -> ComponentItem {
        match item {
            ItemType::Func(ty) => ComponentItem::ComponentFunc(ComponentFunc {
                scope: self.clone(),
                index: *ty,
            }),
            ItemType::Instance(items) => ComponentItem::ComponentInstance(ComponentInstance {
                scope: self.clone(),
                items: items.clone(),
            }),
            ItemType::Module => ComponentItem::Module,
            ItemType::Component | ItemType::OtherType => ComponentItem::Component,
            ItemType::Resource(index) => ComponentItem::Resource(self.resource(*index)),
            ItemType::Type(index) => ComponentItem::Type(self.ty(*index)),
        }
    }
}

/// The type of a component function.
#[derive(Clone)]
pub struct ComponentFunc {
    scope: Scope,
    index: FuncTypeIndex,
}

impl ComponentFunc {
    pub(crate) fn new(scope: Scope, index: FuncTypeIndex) -> ComponentFunc {
        ComponentFunc { scope, index }
    }

    /// Names and types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> + '_ {
        self.scope
            .types
            .func(self.index)
            .params
            .iter()
            .map(|(name, ty)| (&**name, self.scope.ty(*ty)))
    }

    /// The types of the results: none or one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        self.scope
            .types
            .func(self.index)
            .result
            .iter()
            .map(|ty| self.scope.ty(*ty))
    }

    /// The function is declared `async`.
    pub fn async_(&self) -> bool {
        self.scope.types.func(self.index).is_async
    }
}

impl fmt::Debug for ComponentFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("func(")?;
        for (i, (name, ty)) in self.scope.types.func(self.index).params.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{name}: {}", self.scope.types.display(*ty))?;
        }
        f.write_str(")")?;
        if let Some(ty) = self.scope.types.func(self.index).result {
            write!(f, " -> {}", self.scope.types.display(ty))?;
        }
        Ok(())
    }
}

/// The type of a component instance: its exports.
#[derive(Clone)]
pub struct ComponentInstance {
    scope: Scope,
    items: Arc<[(Box<str>, ItemType)]>,
}

impl ComponentInstance {
    /// Names and types of the exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.items
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }
}

impl fmt::Debug for ComponentInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.exports()).finish()
    }
}

/// The type of an import or export.
#[derive(Clone, Debug)]
pub enum ComponentItem {
    /// A component function
    ComponentFunc(ComponentFunc),
    /// An instance
    ComponentInstance(ComponentInstance),
    /// A core module
    Module,
    /// A component, or a type of components or instances
    Component,
    /// A value type
    Type(Type),
    /// A resource type
    Resource(ResourceType),
}

/// The imports and exports of a component.
#[derive(Clone)]
pub struct ComponentType {
    pub(crate) scope: Scope,
    pub(crate) plan: Arc<crate::plan::Plan>,
}

impl ComponentType {
    /// Names and types of the imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.plan
            .import_types
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }

    /// Names and types of the exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        self.plan
            .export_types
            .iter()
            .map(|(name, item)| (&**name, self.scope.item(item)))
    }
}

impl fmt::Debug for ComponentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("imports", &self.imports().collect::<Vec<_>>())
            .field("exports", &self.exports().collect::<Vec<_>>())
            .finish()
    }
}
