//! One definition of a component after the other.

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use wharf_core::{Error, InternedFuncType, Result};

use super::frame::{ComponentRef, CoreInstance, Frame, Item, missing};
use super::{PlanLinker, Planned, Stop};
use crate::decode::{AliasKind, Init};
use crate::plan::{Canon, CoreItem, FuncRef, Lift, ModuleSource, Options, Step};
use crate::types::FuncTypeIndex;

impl PlanLinker<'_> {
    /// Evaluates a definition: adds to the index spaces of `frame`, and to the plan what there is to do at run time.
    pub(super) fn define(
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
        ty: FuncTypeIndex,
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
}
