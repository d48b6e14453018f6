//! The imports of a component: whether definitions fit them, and instances of components whose imports are there.

use std::collections::HashMap;
use std::sync::Arc;

use wharf_core::{Error, ExternType, Module, Result, Store};

use crate::component::Component;
use crate::definitions::{Definition, Definitions};
use crate::plan::{Leaf, LeafKind, ModuleRequirement};
use crate::resource::Resources;
use crate::runtime::instance::Instance;
use crate::runtime::instantiate::instantiate;
use crate::runtime::roots::Import;
use crate::store::{AsStore, on_fiber};
use crate::typed::TypeCheck;
use crate::types::{Scope, equal_funcs};

impl Definitions {
    /// Finds and checks everything that a component imports.
    ///
    /// # Errors
    /// `Link` naming the import that is missing or does not fit, with what was expected and what was found.
    pub fn resolve(&self, component: &Component) -> Result<ResolvedImports> {
        let plan = component.plan();
        let resources = Arc::new(Resources::new(plan.resources));
        let mut imports = Vec::with_capacity(plan.leaves.len());
        // Resources first: the types of functions refer to them.
        for leaf in &plan.leaves {
            if let LeafKind::Resource(index) = leaf.kind
                && let Definition::Resource(resource) = self.find(leaf)?
            {
                resources.set(index, resource.clone());
            }
        }
        let scope = Scope {
            types: component.types().clone(),
            resources: Some(resources.clone()),
        };
        for leaf in &plan.leaves {
            let definition = match (self.find(leaf), &leaf.kind) {
                // An interface that uses a resource of another has no definition of its own for it.
                (Err(_), LeafKind::SameResource(index)) => {
                    imports.push(Import::Resource(resources.get(*index)?.clone()));
                    continue;
                }
                (found, _) => found?,
            };
            let checked = import(component, leaf, definition, &scope, &resources);
            imports.push(checked.map_err(|e| {
                let message = e.to_string();
                Error::link(format!("import `{}`: {message}", leaf.display()))
            })?);
        }
        Ok(ResolvedImports {
            component: component.clone(),
            imports: imports.into(),
        })
    }
}

fn import(
    component: &Component,
    leaf: &Leaf,
    definition: &Definition,
    scope: &Scope,
    resources: &Resources,
) -> Result<Import> {
    let mismatch = |expected: &str| {
        Err(Error::link(format!(
            "expected {expected}, found {}",
            definition.desc()
        )))
    };
    match &leaf.kind {
        LeafKind::Func(ty) => match definition {
            Definition::Host(func) => {
                let cx = TypeCheck {
                    types: component.types(),
                    resources,
                };
                func.typecheck(component.types().func(*ty), &cx)?;
                Ok(Import::Host(func.clone()))
            }
            Definition::Guest(func) => {
                if equal_funcs(scope, *ty, &func.root.scope(), func.ty) {
                    return Ok(Import::Guest(func.clone()));
                }
                let describe =
                    |scope: Scope, ty| format!("{:?}", crate::types::ComponentFunc::new(scope, ty));
                let (expected, found) = (describe(scope.clone(), *ty), describe(func.root.scope(), func.ty));
                Err(Error::link(format!(
                    "type mismatch: expected `{expected}`, found `{found}`"
                )))
            }
            _ => mismatch("function"),
        },
        LeafKind::Resource(_) => match definition {
            Definition::Resource(resource) => Ok(Import::Resource(resource.clone())),
            _ => mismatch("resource"),
        },
        LeafKind::SameResource(index) => match definition {
            Definition::Resource(resource) if resources.get(*index)?.ty == resource.ty => {
                Ok(Import::Resource(resource.clone()))
            }
            Definition::Resource(_) => Err(Error::link(
                "type mismatch: the resource is another one than it has to be",
            )),
            _ => mismatch("resource"),
        },
        LeafKind::Module(requirement) => match definition {
            Definition::Module(module) => {
                check_module(module, requirement)?;
                Ok(Import::Module(module.clone()))
            }
            _ => mismatch("module"),
        },
        LeafKind::Component => Err(Error::unsupported("importing a component from the host")),
    }
}

/// Checks that a module has the exports that it must have and imports no more than it may.
fn check_module(module: &Module, requirement: &ModuleRequirement) -> Result<()> {
    let exports: HashMap<String, ExternType> = module.exports().map(|e| (e.name.to_owned(), e.ty)).collect();
    for (name, expected) in &requirement.exports {
        match exports.get(name) {
            Some(found) if fits(found, expected) => {}
            Some(_) => {
                return Err(Error::link(format!(
                    "type mismatch: export `{name}` of the module"
                )));
            }
            None => return Err(Error::link(format!("the module does not export `{name}`"))),
        }
    }
    for import in module.imports() {
        let given = requirement
            .imports
            .iter()
            .find(|(m, n, _)| m == import.module && n == import.name);
        match given {
            Some((_, _, given)) if fits(given, &import.ty) => {}
            Some((module, name, _)) => {
                return Err(Error::link(format!(
                    "type mismatch: import `{module}` `{name}` of the module"
                )));
            }
            None => {
                let (module, name) = (import.module, import.name);
                return Err(Error::link(format!(
                    "the module imports `{module}` `{name}`, which it is not given"
                )));
            }
        }
    }
    Ok(())
}

/// `found` can stand where `expected` is asked for.
fn fits(found: &ExternType, expected: &ExternType) -> bool {
    let limits = |min: u64, max: Option<u64>, emin: u64, emax: Option<u64>| {
        min >= emin && emax.is_none_or(|emax| max.is_some_and(|max| max <= emax))
    };
    match (found, expected) {
        (ExternType::Memory(f), ExternType::Memory(e)) => {
            f.memory64 == e.memory64
                && f.shared == e.shared
                && f.page_size_log2 == e.page_size_log2
                && limits(f.minimum, f.maximum, e.minimum, e.maximum)
        }
        (ExternType::Table(f), ExternType::Table(e)) => {
            f.element == e.element
                && f.table64 == e.table64
                && limits(f.minimum, f.maximum, e.minimum, e.maximum)
        }
        (found, expected) => found == expected,
    }
}

/// A component with everything that it imports, ready to be instantiated many times.
#[derive(Clone)]
pub struct ResolvedImports {
    component: Component,
    imports: Arc<[Import]>,
}

impl ResolvedImports {
    /// The component.
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// Makes an instance.
    ///
    /// # Errors
    /// `Trap` when a start function traps, `Limit` when a quota is met, `Unsupported` when the component needs
    /// something that Wharf does not have, `Usage` when the store is one of another engine than the component.
    pub fn instantiate(&self, mut store: impl AsStore) -> Result<Instance> {
        instantiate(store.as_store(), &self.component, self.imports.clone())
    }

    /// As [`instantiate`](Self::instantiate), on a fiber: host functions that wait make the future pending.
    ///
    /// # Errors
    /// As for `instantiate`.
    pub async fn instantiate_async(&self, mut store: impl AsStore + Send) -> Result<Instance> {
        let instantiate = |store: &mut Store| self.instantiate(store);
        on_fiber(store.as_store(), instantiate).await
    }
}
