//! Instantiation: walks the link plan.

use std::cell::OnceCell;
use std::sync::Arc;

use wharf_core::{Engine, Error, Extern, Func, InternedFuncType, Memory, RawFunc, Result, Store};

use super::call::LiftedFunc;
use super::canon;
use super::instance::Instance;
use super::root::Root;
use super::roots::{Import, RootData, roots};
use super::state::{InstanceState, state};
use crate::abi::CanonOptions;
use crate::component::Component;
use crate::host::CallSite;
use crate::plan::{Canon, CoreItem, FuncRef, LeafKind, Options, Plan, Step};
use crate::resource::{Destructor, ResourceType, Resources, RuntimeResource};

/// Makes an instance; `imports` has what was given for each leaf of the plan, types checked.
pub(crate) fn instantiate(
    store: &mut Store,
    component: &Component,
    imports: Arc<[Import]>,
) -> Result<Instance> {
    if !Engine::same(component.engine(), store.engine()) {
        return Err(Error::usage(
            "the component was made for another engine than the store",
        ));
    }
    let plan = component.plan().clone();
    if let Some(Step::Unsupported(what)) = plan.steps.first() {
        return Err(Error::unsupported(what.clone()));
    }
    let resources = Arc::new(Resources::new(plan.resources));
    for (leaf, import) in plan.leaves.iter().zip(imports.iter()) {
        if let (LeafKind::Resource(index), Import::Resource(resource)) = (&leaf.kind, import) {
            resources.set(*index, resource.clone());
        }
    }
    let components = state(store);
    let base = components.instances.len() as u32;
    components
        .instances
        .extend(plan.instances.iter().map(|_| InstanceState::default()));
    let root = Arc::new(Root {
        component: component.clone(),
        base,
        resources,
    });
    let mut builder = Builder {
        plan: &plan,
        root,
        imports,
        core_instances: Vec::with_capacity(plan.core_instances as usize),
        canons: Vec::with_capacity(plan.canons as usize),
        lifts: Vec::with_capacity(plan.lifts as usize),
        chains: plan.instances.iter().map(|_| OnceCell::new()).collect(),
        options: plan.options.iter().map(|_| OnceCell::new()).collect(),
    };
    // Start functions run as tasks.
    let scope = state(store).push_scope();
    let built = plan.steps.iter().try_for_each(|step| builder.step(store, step));
    state(store).scopes.truncate(scope as usize);
    built?;
    let Builder {
        root, imports, lifts, ..
    } = builder;
    let roots = roots(store);
    let index = roots.len() as u32;
    roots.push(RootData { root, imports, lifts });
    Ok(Instance { index })
}

struct Builder<'a> {
    plan: &'a Plan,
    root: Arc<Root>,
    imports: Arc<[Import]>,
    core_instances: Vec<wharf_core::Instance>,
    canons: Vec<Func>,
    lifts: Vec<Arc<LiftedFunc>>,
    /// What `chain` gave before.
    chains: Box<[OnceCell<Arc<[u32]>>]>,
    /// What `options` gave before.
    options: Box<[OnceCell<CanonOptions>]>,
}

/// An item of the plan that an earlier step has not made: a defect, reported and not a panic.
fn missing() -> Error {
    Error::link("core item is not defined yet")
}

impl Builder<'_> {
    fn step(&mut self, store: &mut Store, step: &Step) -> Result<()> {
        match step {
            Step::Instantiate { module, args, owner } => {
                let module = self.plan.modules.get(*module as usize).ok_or_else(missing)?;
                let args = args
                    .iter()
                    .map(|item| self.core_item(store, item))
                    .collect::<Result<Vec<_>>>()?;
                let instance = wharf_core::Instance::new(store, module, &args)?;
                self.label(store, &instance, *owner);
                self.core_instances.push(instance);
            }
            Step::InstantiateImported { leaf, args, owner } => {
                let Some(Import::Module(module)) = self.imports.get(*leaf as usize) else {
                    return Err(missing());
                };
                let module = module.clone();
                let mut list = Vec::new();
                for import in module.imports() {
                    let key = (Box::from(import.module), Box::from(import.name));
                    let item = args.get(&key).ok_or_else(missing)?;
                    list.push(self.core_item(store, item)?);
                }
                let instance = wharf_core::Instance::new(store, &module, &list)?;
                self.label(store, &instance, *owner);
                self.core_instances.push(instance);
            }
            Step::Canon { canon, core_type } => {
                let func = self.canon(store, canon, core_type)?;
                self.canons.push(func);
            }
            Step::Lift(lift) => {
                let post_return = &self.plan_options(lift.options)?.post_return;
                let func = LiftedFunc {
                    core: self.core_func(store, &lift.func)?,
                    post_return: post_return
                        .as_ref()
                        .map(|f| self.core_func(store, f))
                        .transpose()?,
                    options: self.options(store, lift.options)?,
                    instance: self.root.base + lift.instance,
                    chain: self.chain(lift.instance),
                    ty: lift.ty,
                    root: self.root.clone(),
                    unsupported: lift.unsupported.clone(),
                };
                self.lifts.push(Arc::new(func));
            }
            Step::Resource {
                resource,
                dtor,
                owner,
            } => {
                let dtor = match dtor {
                    Some(dtor) => Destructor::Guest(self.core_func(store, dtor)?),
                    None => Destructor::None,
                };
                let runtime = RuntimeResource {
                    ty: ResourceType::guest(),
                    owner: Some(self.root.base + owner),
                    chain: self.chain(*owner),
                    dtor,
                };
                self.root.resources.set(*resource, runtime);
            }
            Step::Ready(instance) => {
                state(store).instance(self.root.base + instance)?.may_enter = true;
            }
            Step::Unsupported(what) => return Err(Error::unsupported(what.clone())),
        }
        Ok(())
    }

    /// An instance of the plan and those around it, by their numbers in the store.
    fn chain(&self, instance: u32) -> Arc<[u32]> {
        let make = || {
            let chain = self.plan.chain(instance);
            chain.into_iter().map(|i| self.root.base + i).collect()
        };
        match self.chains.get(instance as usize) {
            Some(chain) => chain.get_or_init(make).clone(),
            None => make(),
        }
    }

    fn label(&self, store: &mut Store, instance: &wharf_core::Instance, owner: u32) {
        if let Some(info) = self
            .plan
            .instances
            .get(owner as usize)
            .filter(|i| !i.label.is_empty())
        {
            instance.set_label(store, info.label.clone());
        }
    }

    fn canon(&self, store: &mut Store, canon: &Canon, core_type: &InternedFuncType) -> Result<Func> {
        let base = self.root.base;
        match canon {
            Canon::Lower {
                func,
                ty,
                options,
                caller,
                entering,
            } => {
                let site = CallSite {
                    root: self.root.clone(),
                    ty: *ty,
                    options: self.options(store, *options)?,
                    instance: base + caller,
                };
                match func {
                    FuncRef::Lift(index) => {
                        let callee = self.lifts.get(*index as usize).ok_or_else(missing)?.clone();
                        let entering = entering.iter().map(|i| base + i).collect();
                        Ok(canon::lower_guest(store, core_type, callee, site, entering))
                    }
                    FuncRef::Import(leaf) => match self.imports.get(*leaf as usize) {
                        Some(Import::Host(func)) => Ok(func.define(store, core_type, site)),
                        Some(Import::Guest(func)) => {
                            let entering = func.chain.clone();
                            Ok(canon::lower_guest(store, core_type, func.clone(), site, entering))
                        }
                        _ => Err(missing()),
                    },
                }
            }
            Canon::Context { slot, set } => Ok(canon::context(store, core_type, *slot, *set)),
            Canon::Nothing => Ok(canon::nothing(store, core_type)),
            Canon::Unsupported { what, instance } => Ok(canon::unsupported(
                store,
                core_type,
                what.clone(),
                base + instance,
            )),
            Canon::ResourceNew { resource, instance } => Ok(canon::resource_new(
                store,
                core_type,
                self.root.resources.get(*resource)?,
                base + instance,
            )),
            Canon::ResourceRep { resource, instance } => Ok(canon::resource_rep(
                store,
                core_type,
                self.root.resources.get(*resource)?,
                base + instance,
            )),
            Canon::ResourceDrop { resource, instance } => {
                let resource = self.root.resources.get(*resource)?;
                Ok(canon::resource_drop(
                    store,
                    core_type,
                    resource,
                    base + instance,
                    self.chain(*instance),
                ))
            }
        }
    }

    fn plan_options(&self, index: u32) -> Result<&Options> {
        self.plan.options.get_index(index as usize).ok_or_else(missing)
    }

    fn options(&self, store: &mut Store, index: u32) -> Result<CanonOptions> {
        let cell = self.options.get(index as usize).ok_or_else(missing)?;
        if let Some(options) = cell.get() {
            return Ok(*options);
        }
        let options = self.plan_options(index)?;
        let (memory, realloc) = (&options.memory, &options.realloc);
        let resolved = CanonOptions {
            encoding: options.encoding,
            memory: memory.as_ref().map(|m| self.core_memory(store, m)).transpose()?,
            realloc: realloc.as_ref().map(|f| self.core_func(store, f)).transpose()?,
        };
        Ok(*cell.get_or_init(|| resolved))
    }

    fn core_item(&self, store: &mut Store, item: &CoreItem) -> Result<Extern> {
        let instance = |index: &u32| self.core_instances.get(*index as usize).ok_or_else(missing);
        match item {
            CoreItem::Export { instance: i, index } => {
                instance(i)?.export_at(store, *index).ok_or_else(missing)
            }
            CoreItem::Named { instance: i, name } => instance(i)?.get_export(store, name).ok_or_else(missing),
            CoreItem::Canon(index) => self
                .canons
                .get(*index as usize)
                .map(|f| Extern::Func(*f))
                .ok_or_else(missing),
        }
    }

    fn core_func(&self, store: &mut Store, item: &CoreItem) -> Result<RawFunc> {
        match self.core_item(store, item)? {
            Extern::Func(func) => func.raw(store),
            _ => Err(missing()),
        }
    }

    fn core_memory(&self, store: &mut Store, item: &CoreItem) -> Result<Memory> {
        match self.core_item(store, item)? {
            Extern::Memory(memory) => Ok(memory),
            _ => Err(missing()),
        }
    }
}
