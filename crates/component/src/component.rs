//! A decoded component.

use std::sync::Arc;

use wharf_core::{Bytes, Engine, Result};

use crate::plan::Plan;
use crate::types::{self, ComponentType, TypeArena};
use crate::versions::compatible_key;

/// A component: decoded, validated and linked as far as that goes without its imports. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    engine: Engine,
    plan: Arc<Plan>,
    types: Arc<TypeArena>,
}

impl Component {
    /// Decodes and validates the binary format of a component.
    ///
    /// # Errors
    /// `Malformed` or `Invalid` when the bytes are not a valid component, `Limit` when instantiating it would make
    /// too many instances.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wharf_component::Component;
    ///
    /// let bytes = wat::parse_str(r#"(component (import "log" (func (param "text" string))))"#)?;
    /// let component = Component::new(&wharf_core::Engine::default(), bytes)?;
    /// let ty = component.component_type();
    /// assert_eq!(ty.imports().next().unwrap().0, "log");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(engine: &Engine, bytes: impl Into<Bytes>) -> Result<Component> {
        let bytes = bytes.into();
        let decoded = crate::decode::decode(engine, &bytes)?;
        let (plan, types) = crate::link::link(decoded)?;
        Ok(Component {
            engine: engine.clone(),
            plan: Arc::new(plan),
            types: Arc::new(types),
        })
    }

    /// The engine that the component was made for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The types of its imports and exports.
    pub fn component_type(&self) -> ComponentType {
        ComponentType {
            scope: self.scope(),
            plan: self.plan.clone(),
        }
    }

    /// Finds an export: of the component itself, or of an instance that it exports. A name with a version that is not
    /// there finds the newest compatible one, as imports do.
    pub fn get_export_index(
        &self,
        instance: Option<&ComponentExportIndex>,
        name: &str,
    ) -> Option<ComponentExportIndex> {
        let mut exports = &self.plan.exports;
        let mut path = Vec::new();
        if let Some(instance) = instance {
            for index in &instance.path {
                match exports.get_index(*index as usize) {
                    Some((_, crate::plan::Export::Instance(inner))) => exports = inner,
                    _ => return None,
                }
            }
            path.extend_from_slice(&instance.path);
        }
        let compatible = || {
            let (wanted, _) = compatible_key(name)?;
            let versions = exports
                .keys()
                .enumerate()
                .filter_map(|(i, export)| Some((i, compatible_key(export)?)));
            let found = versions
                .filter(|(_, (key, _))| *key == wanted)
                .max_by_key(|(_, (_, version))| *version)?;
            Some(found.0)
        };
        path.push(exports.get_index_of(name).or_else(compatible)? as u32);
        Some(ComponentExportIndex { path })
    }

    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    pub(crate) fn types(&self) -> &Arc<TypeArena> {
        &self.types
    }

    pub(crate) fn scope(&self) -> types::Scope {
        types::Scope {
            types: self.types.clone(),
            resources: None,
        }
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.component_type().fmt(f)
    }
}

/// Where an export of a component is; valid for all its instances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentExportIndex {
    pub(crate) path: Vec<u32>,
}
