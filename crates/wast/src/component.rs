//! Component instances of a script.

use wharf::Store;
use wharf::component::Linker;
pub(crate) use wharf::component::types::Type;
pub(crate) use wharf::component::{Component, Func, Instance, Val};
use wharf_core::{Engine, Result};

use crate::host;

/// The store of a script and what its components may import.
pub(crate) struct ComponentHost {
    store: Store<()>,
    linker: Linker<()>,
}

impl ComponentHost {
    pub(crate) fn new(engine: &Engine) -> Result<ComponentHost> {
        let mut linker = Linker::new(engine);
        host::add_to_linker(engine, &mut linker)?;
        Ok(ComponentHost {
            store: Store::new(engine, ()),
            linker,
        })
    }

    /// The store, for work on core modules.
    pub(crate) fn core(&mut self) -> &mut wharf_core::Store {
        self.store.core_mut()
    }

    pub(crate) fn instantiate(&mut self, component: &Component) -> Result<Instance> {
        self.linker.instantiate(&mut self.store, component)
    }

    /// An exported function and the types of its parameters. Scripts name functions of exported instances with the
    /// instance's name and `#` in front.
    pub(crate) fn func(&mut self, instance: &Instance, name: &str) -> Option<(Func, Vec<Type>)> {
        let func = match instance.get_func(&mut self.store, name) {
            Some(func) => func,
            None => {
                let (outer, inner) = name.split_once('#')?;
                let outer = instance.get_export_index(&mut self.store, None, outer)?;
                let index = instance.get_export_index(&mut self.store, Some(&outer), inner)?;
                instance.get_func(&mut self.store, &index)?
            }
        };
        let ty = func.func_type(&mut self.store).ok()?;
        let params = ty.params().map(|(_, ty)| ty).collect();
        Some((func, params))
    }

    pub(crate) fn call(&mut self, func: &Func, args: &[Val]) -> Result<Vec<Val>> {
        let count = func.func_type(&mut self.store)?.results().len();
        let mut results = vec![Val::Bool(false); count];
        func.call(&mut self.store, args, &mut results)?;
        Ok(results)
    }
}
