//! Makes the link plan: walks the definitions of the root component as instantiation would, following nested
//! components into each of their instantiations, so that nothing is left to resolve at run time but the imports.

mod core_types;
mod frame;
mod types;

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use wharf_core::{Error, InternedFuncType, Result};

use crate::decode::{AliasKind, Decoded, Init, ItemRef, OuterSource};
use crate::plan::{Canon, CoreItem, Export, FuncRef, InstanceInfo, Leaf, LeafKind, Lift, Plan, Step};
use crate::plan::{ModuleSource, Options};
use crate::types::{ResourceIndex, TypeArena};

pub(crate) use core_types::core_func_type;
use frame::{ComponentRef, CoreInstance, Frame, Item, Items};

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

/// An index that the validator has accepted, but that the plan does not have: a defect, reported and not a panic.
fn missing(what: &str) -> Error {
    Error::malformed(0, format!("{what} is not defined"))
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

    fn define(
        &mut self,
        frame: &mut Frame,
        component: &ComponentRef,
        init: &Init,
        depth: u32,
    ) -> Planned<()> {
        match init {
            Init::Import { name, ty } => {
                let item = if frame.instance == 0 && depth == 0 {
                    let item = self.import(frame, &mut vec![name.as_str().into()], *ty)?;
                    let described = self.describe(frame, *ty)?;
                    self.plan.import_types.push((name.as_str().into(), described));
                    item
                } else {
                    let item = frame.args.get(name).cloned();
                    item.ok_or_else(|| {
                        Error::link(format!("missing argument `{name}` of a nested component"))
                    })?
                };
                self.register(frame, *ty, &item)?;
                frame.push(item);
            }
            Init::Module(index) => frame.modules.push(ModuleSource::Static(*index as u32)),
            Init::Component(index) => {
                let inner = self.components.get(*index).ok_or_else(|| missing("component"))?;
                let modules = inner
                    .outer_modules
                    .iter()
                    .map(|s| frame.outer_module(component, *s));
                let modules = modules.collect::<Result<Rc<[_]>>>()?;
                let nested = inner
                    .outer_components
                    .iter()
                    .map(|s| frame.outer_component(component, *s));
                let nested = nested.collect::<Result<Rc<[_]>>>()?;
                frame.components.push(Some(ComponentRef {
                    index: *index,
                    modules,
                    components: nested,
                }));
            }
            Init::OuterModule(source) => {
                let module = frame.outer_module(component, *source)?;
                frame.modules.push(module);
            }
            Init::OuterComponent(source) => {
                let outer = frame.outer_component(component, *source)?;
                frame.components.push(Some(outer));
            }
            Init::CoreInstantiate { module, args } => self.core_instantiate(frame, *module, args)?,
            Init::CoreExports(items) => {
                let items = items
                    .iter()
                    .map(|(name, kind, index)| Ok((name.clone(), frame.core(*kind, *index)?)));
                let items = items.collect::<Result<HashMap<_, _>>>()?;
                frame.core_instances.push(CoreInstance::Bag(Rc::new(items)));
            }
            Init::CoreAlias { instance, name, kind } => {
                let item = self.core_export(frame, *instance, name)?;
                frame.core_space(*kind).push(item);
            }
            Init::Instantiate {
                component: index,
                args,
                ty,
            } => {
                let target = frame
                    .components
                    .get(*index as usize)
                    .ok_or_else(|| missing("component"))?
                    .clone();
                let Some(target) = target else {
                    return Err(Stop::Unsupported("instantiating an imported component".into()));
                };
                let args = args
                    .iter()
                    .map(|(name, item)| Ok((name.clone(), self.item(frame, item)?)));
                let args = args.collect::<Result<HashMap<_, _>>>()?;
                let items = self.instantiate(frame.instance, &target, args, depth)?;
                let item = Item::Instance(items);
                self.register(
                    frame,
                    wasmparser::component_types::ComponentEntityType::Instance(*ty),
                    &item,
                )?;
                frame.push(item);
            }
            Init::Exports { items } => {
                let items = items
                    .iter()
                    .map(|(name, item)| Ok((name.clone(), self.item(frame, item)?)));
                let items = items.collect::<Result<IndexMap<_, _>>>()?;
                frame.push(Item::Instance(Rc::new(items)));
            }
            Init::Alias { instance, name, kind } => {
                if *kind != AliasKind::Other {
                    let instance = frame
                        .instances
                        .get(*instance as usize)
                        .ok_or_else(|| missing("instance"))?;
                    let item = instance.get(name).cloned().ok_or_else(|| missing("export"))?;
                    frame.push(item);
                }
            }
            Init::Lift { ty, func, options } => {
                let func = frame.core(crate::decode::CoreKind::Func, *func)?;
                let ty = self.func_type(frame, *ty)?;
                let unsupported = self.unsupported_function(ty, options, "lift");
                let options = self.options(frame, options)?;
                let instance = frame.instance;
                self.plan.steps.push(Step::Lift(Lift {
                    func,
                    ty,
                    options,
                    instance,
                    unsupported,
                }));
                frame.funcs.push((FuncRef::Lift(self.plan.lifts), ty));
                self.plan.lifts += 1;
                self.lift_instances.push(frame.instance);
            }
            Init::Lower {
                func,
                options,
                core_type,
            } => {
                let (func, ty) = *frame
                    .funcs
                    .get(*func as usize)
                    .ok_or_else(|| missing("function"))?;
                if let Some(what) = self.unsupported_function(ty, options, "lower") {
                    self.canon(
                        frame,
                        core_type,
                        Canon::Unsupported {
                            what,
                            instance: frame.instance,
                        },
                    );
                    return Ok(());
                }
                let options = self.options(frame, options)?;
                let entering = self.entering(func, frame.instance);
                self.canon(
                    frame,
                    core_type,
                    Canon::Lower {
                        func,
                        ty,
                        options,
                        caller: frame.instance,
                        entering,
                    },
                );
            }
            Init::ResourceNew { id, core_type } => {
                let resource = self.resource(frame, *id);
                self.canon(
                    frame,
                    core_type,
                    Canon::ResourceNew {
                        resource,
                        instance: frame.instance,
                    },
                );
            }
            Init::ResourceDrop { id, core_type } => {
                let resource = self.resource(frame, *id);
                self.canon(
                    frame,
                    core_type,
                    Canon::ResourceDrop {
                        resource,
                        instance: frame.instance,
                    },
                );
            }
            Init::ResourceRep { id, core_type } => {
                let resource = self.resource(frame, *id);
                self.canon(
                    frame,
                    core_type,
                    Canon::ResourceRep {
                        resource,
                        instance: frame.instance,
                    },
                );
            }
            Init::Resource { id, dtor } => {
                let dtor = dtor
                    .map(|f| frame.core(crate::decode::CoreKind::Func, f))
                    .transpose()?;
                let resource = self.new_resource();
                frame.resources.insert(*id, resource);
                self.plan.steps.push(Step::Resource {
                    resource,
                    dtor,
                    owner: frame.instance,
                });
            }
            Init::Export { name, item, ty } => {
                let item = self.item(frame, item)?;
                self.register(frame, *ty, &item)?;
                frame.exports.insert(name.clone(), item.clone());
                frame.export_types.push((name.clone(), *ty));
                frame.push(item);
            }
            Init::Context { slot, set, core_type } => {
                self.canon(
                    frame,
                    core_type,
                    Canon::Context {
                        slot: *slot,
                        set: *set,
                    },
                );
            }
            Init::Nothing { core_type } => {
                self.canon(frame, core_type, Canon::Nothing);
            }
            Init::UnsupportedCanon { name, core_type } => {
                let what = format!("canonical built-in `{name}`");
                let instance = frame.instance;
                self.canon(frame, core_type, Canon::Unsupported { what, instance });
            }
            Init::Unsupported(what) => return Err(Stop::Unsupported((*what).to_string())),
        }
        Ok(())
    }

    /// What a lifted or lowered function needs that Wharf does not have.
    fn unsupported_function(
        &self,
        ty: crate::types::FuncTypeIndex,
        options: &crate::decode::Options,
        what: &str,
    ) -> Option<String> {
        if let Some(option) = options.unsupported {
            return Some(format!("`canon {what}` with {option}"));
        }
        let unsupported = self.arena.func(ty).unsupported;
        unsupported.then(|| format!("`canon {what}` of a function with streams, futures or error contexts"))
    }

    fn canon(&mut self, frame: &mut Frame, core_type: &InternedFuncType, canon: Canon) {
        self.plan.steps.push(Step::Canon {
            canon,
            core_type: core_type.clone(),
        });
        frame.core_funcs.push(CoreItem::Canon(self.plan.canons));
        self.plan.canons += 1;
    }

    fn options(&mut self, frame: &mut Frame, options: &crate::decode::Options) -> Result<u32> {
        use crate::decode::CoreKind::{Func, Memory};
        let options = Options {
            encoding: options.encoding,
            memory: options.memory.map(|i| frame.core(Memory, i)).transpose()?,
            realloc: options.realloc.map(|i| frame.core(Func, i)).transpose()?,
            post_return: options.post_return.map(|i| frame.core(Func, i)).transpose()?,
        };
        Ok(self.plan.options.insert_full(options).0 as u32)
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

    fn core_instantiate(&mut self, frame: &mut Frame, module: u32, args: &[(String, u32)]) -> Planned<()> {
        if self.plan.instances.len() + self.plan.core_instances as usize > MAX_INSTANCES {
            return Err(Error::limit("too many instances").into());
        }
        let source = *frame
            .modules
            .get(module as usize)
            .ok_or_else(|| missing("module"))?;
        let by_name: HashMap<&str, u32> = args.iter().map(|(name, index)| (name.as_str(), *index)).collect();
        let owner = frame.instance;
        let step = match source {
            ModuleSource::Static(index) => {
                let module = self
                    .plan
                    .modules
                    .get(index as usize)
                    .ok_or_else(|| missing("module"))?
                    .clone();
                self.spend(module.imports().len())?;
                let imports = module.imports().map(|import| {
                    let instance = by_name
                        .get(import.module)
                        .ok_or_else(|| missing("core instance"))?;
                    self.core_export(frame, *instance, import.name)
                });
                Step::Instantiate {
                    module: index,
                    args: imports.collect::<Result<_>>()?,
                    owner,
                }
            }
            ModuleSource::Import(leaf) => {
                let LeafKind::Module(requirement) = &self.plan.leaves[leaf as usize].kind else {
                    return Err(missing("module").into());
                };
                let requirement = requirement.clone();
                let mut items = HashMap::new();
                for (module, name, _) in &requirement.imports {
                    let instance = by_name
                        .get(module.as_str())
                        .ok_or_else(|| missing("core instance"))?;
                    let item = self.core_export(frame, *instance, name)?;
                    items.insert((module.as_str().into(), name.as_str().into()), item);
                }
                Step::InstantiateImported {
                    leaf,
                    args: items,
                    owner,
                }
            }
        };
        self.plan.steps.push(step);
        frame.core_instances.push(CoreInstance::Instance {
            index: self.plan.core_instances,
            source,
        });
        self.plan.core_instances += 1;
        Ok(())
    }

    fn core_export(&self, frame: &Frame, instance: u32, name: &str) -> Result<CoreItem> {
        match frame
            .core_instances
            .get(instance as usize)
            .ok_or_else(|| missing("core instance"))?
        {
            CoreInstance::Bag(items) => items.get(name).cloned().ok_or_else(|| missing("core export")),
            CoreInstance::Instance {
                index,
                source: ModuleSource::Static(module),
            } => {
                let module = self
                    .plan
                    .modules
                    .get(*module as usize)
                    .ok_or_else(|| missing("module"))?;
                let export = module.export_index(name).ok_or_else(|| missing("core export"))?;
                Ok(CoreItem::Export {
                    instance: *index,
                    index: export,
                })
            }
            CoreInstance::Instance {
                index,
                source: ModuleSource::Import(_),
            } => Ok(CoreItem::Named {
                instance: *index,
                name: name.into(),
            }),
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

fn exports(items: &IndexMap<String, Item>) -> IndexMap<Box<str>, Export> {
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

impl Frame {
    fn outer_module(&self, component: &ComponentRef, source: OuterSource) -> Result<ModuleSource> {
        let found = match source {
            OuterSource::Local(i) => self.modules.get(i as usize),
            OuterSource::Outer(i) => component.modules.get(i as usize),
        };
        found.copied().ok_or_else(|| missing("module"))
    }

    fn outer_component(&self, component: &ComponentRef, source: OuterSource) -> Result<ComponentRef> {
        match source {
            OuterSource::Local(i) => self.components.get(i as usize).cloned().flatten(),
            OuterSource::Outer(i) => component.components.get(i as usize).cloned(),
        }
        .ok_or_else(|| missing("component"))
    }
}
