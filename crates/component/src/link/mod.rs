//! Makes the link plan: walks the definitions of the root component as instantiation would, following nested
//! components into each of their instantiations, so that nothing is left to resolve at run time but the imports.

mod core;
mod core_types;
mod define;
mod frame;
mod types;

use std::collections::HashMap;
use std::rc::Rc;

use wharf_core::{Error, Result};

use crate::decode::{Decoded, Init, ItemRef};
use crate::plan::{FuncRef, InstanceInfo, Leaf, LeafKind, Plan, Step};
use crate::types::{ResourceIndex, TypeArena};

pub(crate) use core_types::core_func_type;
use frame::{ComponentRef, Frame, Item, Items, exports, missing};

/// How deep component instances may nest.
const MAX_DEPTH: u32 = 100;
/// The most component and core instances of one root component.
const MAX_INSTANCES: usize = 30_000;
/// The most definitions that one instantiation may evaluate; nested components count each time that they are instantiated.
const MAX_WORK: usize = 1_000_000;
/// About the longest label of a component instance, in bytes.
const MAX_LABEL: usize = 256;

/// Makes the plan and the types that it refers to.
pub(crate) fn link(decoded: Decoded) -> Result<(Plan, TypeArena)> {
    let Decoded {
        components,
        modules,
        types,
    } = decoded;
    let mut linker = PlanLinker {
        components: &components,
        validated: types.as_ref(),
        plan: Plan {
            modules,
            ..Plan::default()
        },
        arena: TypeArena::default(),
        work: 0,
        lift_instances: Vec::new(),
    };
    linker.root()?;
    let PlanLinker { plan, arena, .. } = linker;
    Ok((plan, arena))
}

/// Why planning stopped: an error, or something that can't be instantiated but is valid.
enum Stop {
    Error(Error),
    Unsupported(String),
}

impl From<Error> for Stop {
    fn from(e: Error) -> Stop {
        Stop::Error(e)
    }
}

type Planned<T> = Result<T, Stop>;

struct PlanLinker<'a> {
    components: &'a [crate::decode::Translation],
    validated: wasmparser::types::TypesRef<'a>,
    plan: Plan,
    arena: TypeArena,
    work: usize,
    /// The instance of each lifted function.
    lift_instances: Vec<u32>,
}

impl PlanLinker<'_> {
    fn root(&mut self) -> Result<()> {
        let mut frame = Frame::default();
        self.plan.instances.push(InstanceInfo {
            parent: None,
            label: "".into(),
        });
        let root = ComponentRef {
            index: 0,
            modules: Rc::new([]),
            components: Rc::new([]),
        };
        match self.run(&mut frame, &root, 0) {
            Ok(()) => {}
            Err(Stop::Error(e)) => return Err(e),
            Err(Stop::Unsupported(what)) => self.plan.steps.insert(0, Step::Unsupported(what)),
        }
        self.plan.steps.push(Step::Ready(0));
        self.plan.exports = exports(&frame.exports);
        for (name, ty) in std::mem::take(&mut frame.export_types) {
            let ty = self.describe(&mut frame, ty)?;
            self.plan.export_types.push((name.into(), ty));
        }
        Ok(())
    }

    fn spend(&mut self, amount: usize) -> Result<()> {
        self.work += amount;
        if self.work > MAX_WORK {
            return Err(Error::limit(
                "the component's instances have too many definitions",
            ));
        }
        Ok(())
    }

    fn run(&mut self, frame: &mut Frame, component: &ComponentRef, depth: u32) -> Planned<()> {
        if depth > MAX_DEPTH {
            return Err(Error::limit("component instances are nested too deeply").into());
        }
        let components = self.components;
        let translation = components
            .get(component.index)
            .ok_or_else(|| missing("component"))?;
        for init in &translation.inits {
            self.spend(weight(init))?;
            self.define(frame, component, init, depth)?;
        }
        Ok(())
    }

    fn new_resource(&mut self) -> ResourceIndex {
        let index = ResourceIndex(self.plan.resources);
        self.plan.resources += 1;
        index
    }

    /// The instances that a call of `func` from `caller` enters.
    fn entering(&self, func: FuncRef, caller: u32) -> Box<[u32]> {
        let FuncRef::Lift(lift) = func else {
            return Box::default();
        };
        let Some(instance) = self.lift_instances.get(lift as usize) else {
            return Box::default();
        };
        let around = self.plan.chain(caller);
        self.plan
            .chain(*instance)
            .into_iter()
            .filter(|i| !around.contains(i))
            .collect()
    }

    fn item(&mut self, frame: &mut Frame, item: &ItemRef) -> Result<Item> {
        Ok(match item {
            ItemRef::Func(i) => {
                let (func, ty) = *frame.funcs.get(*i as usize).ok_or_else(|| missing("function"))?;
                Item::Func(func, ty)
            }
            ItemRef::Instance(i) => Item::Instance(
                frame
                    .instances
                    .get(*i as usize)
                    .ok_or_else(|| missing("instance"))?
                    .clone(),
            ),
            ItemRef::Module(i) => {
                Item::Module(*frame.modules.get(*i as usize).ok_or_else(|| missing("module"))?)
            }
            ItemRef::Component(i) => Item::Component(
                frame
                    .components
                    .get(*i as usize)
                    .ok_or_else(|| missing("component"))?
                    .clone(),
            ),
            ItemRef::Type(wasmparser::component_types::ComponentAnyTypeId::Resource(id)) => {
                Item::Resource(self.resource(frame, id.resource()))
            }
            ItemRef::Type(_) | ItemRef::Value => Item::Type,
        })
    }

    fn instantiate(
        &mut self,
        parent: u32,
        component: &ComponentRef,
        args: HashMap<String, Item>,
        depth: u32,
    ) -> Planned<Items> {
        let instance = self.plan.instances.len() as u32;
        if self.plan.instances.len() + self.plan.core_instances as usize > MAX_INSTANCES {
            return Err(Error::limit("too many instances").into());
        }
        let components = self.components;
        let name = match components.get(component.index).and_then(|c| c.name.clone()) {
            Some(name) => name,
            None => format!("component[{}]", component.index),
        };
        let name: String = name.chars().take(MAX_LABEL / 4).collect();
        let label = format!("{}{name}", self.label_prefix(parent));
        self.plan.instances.push(InstanceInfo {
            parent: Some(parent),
            label: label.into(),
        });
        let mut frame = Frame {
            instance,
            args,
            ..Frame::default()
        };
        self.run(&mut frame, component, depth + 1)?;
        self.plan.steps.push(Step::Ready(instance));
        Ok(Rc::new(frame.exports))
    }

    fn label_prefix(&self, parent: u32) -> String {
        match self.plan.instances.get(parent as usize) {
            Some(info) if info.label.len() > MAX_LABEL => "../".to_owned(),
            Some(info) if !info.label.is_empty() => format!("{}/", info.label),
            _ => String::new(),
        }
    }

    fn leaf(&mut self, path: &[Box<str>], kind: LeafKind) -> u32 {
        self.plan.leaves.push(Leaf {
            path: path.into(),
            kind,
        });
        self.plan.leaves.len() as u32 - 1
    }
}

/// How many things a definition makes or looks at.
fn weight(init: &Init) -> usize {
    1 + match init {
        Init::CoreInstantiate { args, .. } => args.len(),
        Init::CoreExports(items) => items.len(),
        Init::Instantiate { args, .. } => args.len(),
        Init::Exports { items } => items.len(),
        _ => 0,
    }
}
