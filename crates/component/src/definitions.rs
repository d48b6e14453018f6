//! Definitions for the imports of components, and finding them by name.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use wharf_core::{Error, Module, Result};

use crate::component::Component;
use crate::host::HostFunc;
use crate::plan::{Leaf, LeafKind};
use crate::resource::{Destructor, HostDestructor, ResourceType, RuntimeResource};
use crate::runtime::call::LiftedFunc;
use crate::runtime::instance::{Exported, Instance};
use crate::store::AsStore;
use crate::versions::{Version, compatible_key};

/// What a name stands for.
pub(crate) enum Definition {
    Host(Arc<HostFunc>),
    Guest(Arc<LiftedFunc>),
    Module(Module),
    Resource(RuntimeResource),
    Instance(Definitions),
}

impl Definition {
    /// What messages call it.
    pub(crate) fn desc(&self) -> &'static str {
        match self {
            Definition::Host(_) | Definition::Guest(_) => "function",
            Definition::Module(_) => "module",
            Definition::Resource(_) => "resource",
            Definition::Instance(_) => "instance",
        }
    }
}

/// What the imports of components can be satisfied with: functions, resources, modules, and instances of them.
///
/// Names with a version are found by semver: `wasi:io/poll@0.2.3` by any definition of `wasi:io/poll` with version
/// 0.2.x, the newest if there are several and none is the same.
#[derive(Default)]
pub struct Definitions {
    items: IndexMap<String, Definition>,
    /// For a name with a version, without what semver lets differ: the newest definition.
    compatible: HashMap<String, (Version, usize)>,
    shadowing: bool,
}

impl Definitions {
    /// Lets later definitions replace earlier ones of the same name, instead of being refused.
    pub fn allow_shadowing(&mut self, allow: bool) {
        self.shadowing = allow;
        for item in self.items.values_mut() {
            if let Definition::Instance(inner) = item {
                inner.allow_shadowing(allow);
            }
        }
    }

    fn insert(&mut self, name: &str, definition: Definition) -> Result<()> {
        if !self.shadowing && self.items.contains_key(name) {
            return Err(Error::link(format!("`{name}` is defined twice")));
        }
        let (index, _) = self.items.insert_full(name.to_owned(), definition);
        if let Some((key, version)) = compatible_key(name) {
            let newest = self.compatible.entry(key).or_insert((version, index));
            if version >= newest.0 {
                *newest = (version, index);
            }
        }
        Ok(())
    }

    /// The definitions of an instance, which is made if there is none.
    ///
    /// # Errors
    /// `Link` when the name is defined as something else.
    pub fn instance(&mut self, name: &str) -> Result<&mut Definitions> {
        if !matches!(self.items.get(name), Some(Definition::Instance(_))) {
            let inner = Definitions {
                shadowing: self.shadowing,
                ..Definitions::default()
            };
            self.insert(name, Definition::Instance(inner))?;
        }
        match self.items.get_mut(name) {
            Some(Definition::Instance(inner)) => Ok(inner),
            _ => Err(Error::link(format!("`{name}` is not an instance"))),
        }
    }

    /// Defines a function of the host.
    ///
    /// # Errors
    /// `Link` when the name is defined already, here and below.
    pub fn func(&mut self, name: &str, func: HostFunc) -> Result<()> {
        self.insert(name, Definition::Host(Arc::new(func)))
    }

    /// Defines a core module.
    ///
    /// # Errors
    /// `Link` when the name is defined already.
    pub fn module(&mut self, name: &str, module: &Module) -> Result<()> {
        self.insert(name, Definition::Module(module.clone()))
    }

    /// Defines a resource type. The destructor runs when a guest drops the last handle.
    ///
    /// # Errors
    /// `Link` when the name is defined already.
    pub fn resource(&mut self, name: &str, ty: ResourceType, dtor: HostDestructor) -> Result<()> {
        let chain = Arc::new([]);
        self.insert(
            name,
            Definition::Resource(RuntimeResource {
                ty,
                owner: None,
                chain,
                dtor: Destructor::Host(dtor),
            }),
        )
    }

    /// Defines everything that a live instance exports. What is made from the definitions works in that store only.
    ///
    /// # Errors
    /// `Link` when a name is defined already, `Usage` when the instance belongs to another store.
    pub fn exports(&mut self, mut store: impl AsStore, instance: &Instance) -> Result<()> {
        let exported = instance.exported(store.as_store())?;
        self.define_exported(exported)
    }

    fn define_exported(&mut self, exported: Vec<(Box<str>, Exported)>) -> Result<()> {
        for (name, item) in exported {
            match item {
                Exported::Func(func) => self.insert(&name, Definition::Guest(func))?,
                Exported::Host(func) => self.insert(&name, Definition::Host(func))?,
                Exported::Module(module) => self.insert(&name, Definition::Module(module))?,
                Exported::Resource(resource) => self.insert(&name, Definition::Resource(resource))?,
                Exported::Instance(inner) => self.instance(&name)?.define_exported(inner)?,
            }
        }
        Ok(())
    }

    fn get(&self, name: &str) -> Option<&Definition> {
        if let Some(found) = self.items.get(name) {
            return Some(found);
        }
        let (key, _) = compatible_key(name)?;
        let (_, index) = self.compatible.get(&key)?;
        self.items.get_index(*index).map(|(_, definition)| definition)
    }

    /// The definition for an import.
    ///
    /// # Errors
    /// `Link` saying which name is not there, or is no instance.
    pub(crate) fn find(&self, leaf: &Leaf) -> Result<&Definition> {
        let (last, instances) = leaf
            .path
            .split_last()
            .ok_or_else(|| Error::link("import without a name"))?;
        let mut scope = self;
        for (i, name) in instances.iter().enumerate() {
            scope = match scope.get(name) {
                Some(Definition::Instance(inner)) => inner,
                Some(other) => {
                    let found = other.desc();
                    return Err(Error::link(format!(
                        "import `{name}`: expected instance, found {found}"
                    )));
                }
                None if i == 0 => {
                    return Err(Error::link(format!(
                        "unknown import: `{name}` has not been defined"
                    )));
                }
                None => return Err(Error::link(format!("unknown import: `{}`", leaf.display()))),
            };
        }
        let missing = || match leaf.path.len() {
            1 => Error::link(format!("unknown import: `{last}` has not been defined")),
            _ => Error::link(format!(
                "unknown import: `{}` has no export `{last}`",
                instances.join("/")
            )),
        };
        scope.get(last).ok_or_else(missing)
    }

    /// Whether the first name of an import is defined, whatever it is.
    pub fn is_defined(&self, import: &str) -> bool {
        self.get(import).is_some()
    }

    /// Defines each import of a component that is missing: functions that fail, and resources nobody can make.
    ///
    /// # Errors
    /// `Link` when a missing import is a module or a component, or its name is taken by something else.
    pub fn define_unknown_as_traps(&mut self, component: &Component) -> Result<()> {
        for leaf in &component.plan().leaves {
            if self.find(leaf).is_ok() {
                continue;
            }
            let Some((last, instances)) = leaf.path.split_last() else {
                continue;
            };
            let mut scope = &mut *self;
            for name in instances {
                // The name under which a compatible version is defined already, so that its functions stay.
                let known = compatible_key(name).and_then(|(key, _)| scope.compatible.get(&key).copied());
                let name = match known.and_then(|(_, index)| scope.items.get_index(index)) {
                    Some((existing, Definition::Instance(_))) if !scope.items.contains_key(&**name) => {
                        existing.clone()
                    }
                    _ => name.to_string(),
                };
                scope = scope.instance(&name)?;
            }
            let path = leaf.display();
            match &leaf.kind {
                LeafKind::Func(_) => scope.func(
                    last,
                    HostFunc::dynamic(move |_, _, _, _| {
                        Err(Error::link(format!(
                            "unknown import: `{path}` has not been defined"
                        )))
                    }),
                )?,
                LeafKind::Resource(_) | LeafKind::SameResource(_) => {
                    scope.resource(last, ResourceType::guest(), Arc::new(|_, _| Ok(())))?;
                }
                LeafKind::Module(_) | LeafKind::Component => {
                    return Err(Error::link(format!(
                        "unknown import: `{path}` cannot be replaced by a trap"
                    )));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defs(names: &[&str]) -> Definitions {
        let mut out = Definitions::default();
        for name in names {
            out.instance(name).unwrap();
        }
        out
    }

    #[test]
    fn versions_resolve_by_semver() {
        let d = defs(&["a:b/c@0.2.1", "a:b/c@0.2.12", "a:b/c@0.3.0", "a:b/d@1.4.0"]);
        assert!(d.is_defined("a:b/c@0.2.1"));
        assert!(d.is_defined("a:b/c@0.2.99"));
        assert!(d.is_defined("a:b/c@0.3.7"));
        assert!(!d.is_defined("a:b/c@0.4.0"));
        assert!(d.is_defined("a:b/d@1.0.3"));
        assert!(!d.is_defined("a:b/d@2.0.0"));
        assert!(!d.is_defined("a:b/c"));
        assert_eq!(d.compatible["a:b/c@0.2"].0, (0, 2, 12));
    }

    #[test]
    fn names_are_defined_once_unless_shadowing() {
        let mut d = Definitions::default();
        let f = || HostFunc::dynamic(|_, _, _, _| Ok(()));
        d.func("f", f()).unwrap();
        assert!(d.func("f", f()).is_err());
        assert!(d.instance("f").is_err());
        d.allow_shadowing(true);
        d.func("f", f()).unwrap();
    }
}
