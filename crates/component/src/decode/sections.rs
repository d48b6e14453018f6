//! Reads the sections of a component, after the validator accepted them.

use wasmparser::component_types::ComponentAnyTypeId;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, ComponentExportSectionReader, ComponentExternalKind,
    ComponentImportSectionReader, ComponentInstance, ComponentInstanceSectionReader, ComponentOuterAliasKind,
    ComponentType, ComponentTypeSectionReader, ExternalKind, Instance, InstanceSectionReader,
    types::TypesRef,
};
use wharf_core::{Error, Result};

use super::{AliasKind, CoreKind, Counts, Decoder, Init, ItemRef, Options, OuterSource, invalid};
use crate::abi::StringEncoding;

impl Decoder<'_> {
    fn types(&self) -> Result<TypesRef<'_>> {
        self.validator
            .types(0)
            .ok_or_else(|| Error::malformed(0, "definition outside a component"))
    }

    pub(super) fn core_instances(&mut self, section: InstanceSectionReader<'_>) -> Result<()> {
        for instance in section {
            let init = match instance.map_err(invalid)? {
                Instance::Instantiate { module_index, args } => Init::CoreInstantiate {
                    module: module_index,
                    args: args.iter().map(|a| (a.name.to_string(), a.index)).collect(),
                },
                Instance::FromExports(exports) => {
                    let items = exports
                        .iter()
                        .map(|e| Ok((e.name.to_string(), core_kind(e.kind)?, e.index)));
                    Init::CoreExports(items.collect::<Result<_>>()?)
                }
            };
            self.current().inits.push(init);
        }
        Ok(())
    }

    pub(super) fn component_instances(
        &mut self,
        section: ComponentInstanceSectionReader<'_>,
        before: Counts,
    ) -> Result<()> {
        for (i, instance) in section.into_iter().enumerate() {
            let index = before.instances + i as u32;
            let init = match instance.map_err(invalid)? {
                ComponentInstance::Instantiate {
                    component_index,
                    args,
                } => {
                    let args = args
                        .iter()
                        .map(|a| Ok((a.name.to_string(), self.item(a.kind, a.index)?)));
                    Init::Instantiate {
                        component: component_index,
                        args: args.collect::<Result<_>>()?,
                        ty: self.types()?.component_instance_at(index),
                    }
                }
                ComponentInstance::FromExports(exports) => {
                    let items = exports
                        .iter()
                        .map(|e| Ok((e.name.name.to_string(), self.item(e.kind, e.index)?)));
                    Init::Exports {
                        items: items.collect::<Result<_>>()?,
                    }
                }
            };
            self.current().inits.push(init);
        }
        Ok(())
    }

    fn item(&self, kind: ComponentExternalKind, index: u32) -> Result<ItemRef> {
        Ok(match kind {
            ComponentExternalKind::Func => ItemRef::Func(index),
            ComponentExternalKind::Instance => ItemRef::Instance(index),
            ComponentExternalKind::Module => ItemRef::Module(index),
            ComponentExternalKind::Component => ItemRef::Component(index),
            ComponentExternalKind::Type => ItemRef::Type(self.types()?.component_any_type_at(index)),
            ComponentExternalKind::Value => ItemRef::Value,
        })
    }

    pub(super) fn aliases(&mut self, section: ComponentAliasSectionReader<'_>) -> Result<()> {
        for alias in section {
            let init = match alias.map_err(invalid)? {
                ComponentAlias::InstanceExport {
                    kind,
                    instance_index,
                    name,
                } => Init::Alias {
                    instance: instance_index,
                    name: name.to_string(),
                    kind: match kind {
                        ComponentExternalKind::Func => AliasKind::Func,
                        ComponentExternalKind::Instance => AliasKind::Instance,
                        ComponentExternalKind::Module => AliasKind::Module,
                        ComponentExternalKind::Component => AliasKind::Component,
                        ComponentExternalKind::Type | ComponentExternalKind::Value => AliasKind::Other,
                    },
                },
                ComponentAlias::CoreInstanceExport {
                    kind,
                    instance_index,
                    name,
                } => Init::CoreAlias {
                    instance: instance_index,
                    name: name.to_string(),
                    kind: core_kind(kind)?,
                },
                ComponentAlias::Outer { kind, count, index } => match kind {
                    ComponentOuterAliasKind::CoreModule => Init::OuterModule(self.outer(true, count, index)?),
                    ComponentOuterAliasKind::Component => {
                        Init::OuterComponent(self.outer(false, count, index)?)
                    }
                    // Types are resolved by the validator.
                    ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => continue,
                },
            };
            self.current().inits.push(init);
        }
        Ok(())
    }

    /// Makes the item at `index`, `count` components out, available in the current component.
    fn outer(&mut self, modules: bool, count: u32, index: u32) -> Result<OuterSource> {
        let depth = self.stack.len() - 1;
        let target = depth
            .checked_sub(count as usize)
            .ok_or_else(|| Error::malformed(0, "outer alias out of range"))?;
        let mut source = OuterSource::Local(index);
        for level in target + 1..=depth {
            let component = &mut self.components[self.stack[level]];
            let list = if modules {
                &mut component.outer_modules
            } else {
                &mut component.outer_components
            };
            let position = list.iter().position(|s| *s == source).unwrap_or_else(|| {
                list.push(source);
                list.len() - 1
            });
            source = OuterSource::Outer(position as u32);
        }
        Ok(source)
    }

    pub(super) fn resource_types(
        &mut self,
        section: ComponentTypeSectionReader<'_>,
        before: Counts,
    ) -> Result<()> {
        for (i, ty) in section.into_iter().enumerate() {
            let ComponentType::Resource { dtor, .. } = ty.map_err(invalid)? else {
                continue;
            };
            let id = self.resource_at(before.types + i as u32)?;
            self.current().inits.push(Init::Resource { id, dtor });
        }
        Ok(())
    }

    fn resource_at(&self, index: u32) -> Result<wasmparser::component_types::ResourceId> {
        match self.types()?.component_any_type_at(index) {
            ComponentAnyTypeId::Resource(id) => Ok(id.resource()),
            _ => Err(Error::malformed(0, "type index is not a resource type")),
        }
    }

    pub(super) fn imports(&mut self, section: ComponentImportSectionReader<'_>) -> Result<()> {
        for import in section {
            let import = import.map_err(invalid)?;
            let item = self.types()?.component_item_for_import(import.name.name);
            let item = item.ok_or_else(|| Error::malformed(0, "import without a type"))?;
            let init = Init::Import {
                name: import.name.name.to_string(),
                ty: item.ty,
            };
            self.current().inits.push(init);
        }
        Ok(())
    }

    pub(super) fn exports(&mut self, section: ComponentExportSectionReader<'_>) -> Result<()> {
        for export in section {
            let export = export.map_err(invalid)?;
            let item = self.types()?.component_item_for_export(export.name.name);
            let ty = item
                .ok_or_else(|| Error::malformed(0, "export without a type"))?
                .ty;
            let item = self.item(export.kind, export.index)?;
            self.current().inits.push(Init::Export {
                name: export.name.name.to_string(),
                item,
                ty,
            });
        }
        Ok(())
    }

    pub(super) fn canons(
        &mut self,
        section: ComponentCanonicalSectionReader<'_>,
        before: Counts,
    ) -> Result<()> {
        let mut core_func = before.core_funcs;
        for canon in section {
            let canon = canon.map_err(invalid)?;
            let init = match canon {
                CanonicalFunction::Lift {
                    core_func_index,
                    type_index,
                    options,
                } => {
                    let options = decode_options(&options);
                    let ty = match self.types()?.component_any_type_at(type_index) {
                        ComponentAnyTypeId::Func(ty) => ty,
                        _ => return Err(Error::malformed(0, "type index is not a function type")),
                    };
                    self.current().inits.push(Init::Lift {
                        ty,
                        func: core_func_index,
                        options,
                    });
                    continue;
                }
                CanonicalFunction::Lower { func_index, options } => {
                    let core_type = self.core_type_of(core_func)?;
                    Init::Lower {
                        func: func_index,
                        options: decode_options(&options),
                        core_type,
                    }
                }
                CanonicalFunction::ResourceNew { resource } => Init::ResourceNew {
                    id: self.resource_at(resource)?,
                    core_type: self.core_type_of(core_func)?,
                },
                CanonicalFunction::ResourceDrop { resource } => Init::ResourceDrop {
                    id: self.resource_at(resource)?,
                    core_type: self.core_type_of(core_func)?,
                },
                CanonicalFunction::ResourceRep { resource } => Init::ResourceRep {
                    id: self.resource_at(resource)?,
                    core_type: self.core_type_of(core_func)?,
                },
                CanonicalFunction::ContextGet { slot, .. } => Init::Context {
                    slot,
                    set: false,
                    core_type: self.core_type_of(core_func)?,
                },
                CanonicalFunction::ContextSet { slot, .. } => Init::Context {
                    slot,
                    set: true,
                    core_type: self.core_type_of(core_func)?,
                },
                CanonicalFunction::BackpressureInc | CanonicalFunction::BackpressureDec => Init::Nothing {
                    core_type: self.core_type_of(core_func)?,
                },
                other => Init::UnsupportedCanon {
                    name: builtin_name(&other),
                    core_type: self.core_type_of(core_func)?,
                },
            };
            core_func += 1;
            self.current().inits.push(init);
        }
        Ok(())
    }
}

impl Decoder<'_> {
    /// The type of a core function of the component.
    fn core_type_of(&self, index: u32) -> Result<wharf_core::InternedFuncType> {
        let types = self.types()?;
        let ty = crate::link::core_func_type(types[types.core_function_at(index)].unwrap_func())?;
        Ok(self.engine.intern(&ty))
    }
}

fn core_kind(kind: ExternalKind) -> Result<CoreKind> {
    Ok(match kind {
        ExternalKind::Func | ExternalKind::FuncExact => CoreKind::Func,
        ExternalKind::Table => CoreKind::Table,
        ExternalKind::Memory => CoreKind::Memory,
        ExternalKind::Global => CoreKind::Global,
        ExternalKind::Tag => CoreKind::Tag,
    })
}

fn decode_options(options: &[CanonicalOption]) -> Options {
    let mut out = Options::default();
    for option in options {
        match option {
            CanonicalOption::UTF8 => out.encoding = StringEncoding::Utf8,
            CanonicalOption::UTF16 => out.encoding = StringEncoding::Utf16,
            CanonicalOption::CompactUTF16 => out.encoding = StringEncoding::Latin1OrUtf16,
            CanonicalOption::Memory(i) => out.memory = Some(*i),
            CanonicalOption::Realloc(i) => out.realloc = Some(*i),
            CanonicalOption::PostReturn(i) => out.post_return = Some(*i),
            CanonicalOption::Async => out.unsupported = Some("canonical option `async`"),
            CanonicalOption::Callback(_) => out.unsupported = Some("canonical option `callback`"),
            CanonicalOption::CoreType(_) => out.unsupported = Some("canonical option `core-type`"),
            CanonicalOption::Gc => out.unsupported = Some("canonical option `gc`"),
        }
    }
    out
}

fn builtin_name(canon: &CanonicalFunction) -> &'static str {
    use CanonicalFunction::*;
    match canon {
        Lift { .. } => "lift",
        Lower { .. } => "lower",
        ResourceNew { .. } => "resource.new",
        ResourceDrop { .. } => "resource.drop",
        ResourceRep { .. } => "resource.rep",
        ThreadSpawnRef { .. } => "thread.spawn-ref",
        ThreadSpawnIndirect { .. } => "thread.spawn-indirect",
        ThreadAvailableParallelism => "thread.available-parallelism",
        BackpressureInc => "backpressure.inc",
        BackpressureDec => "backpressure.dec",
        TaskReturn { .. } => "task.return",
        TaskCancel => "task.cancel",
        ContextGet { .. } => "context.get",
        ContextSet { .. } => "context.set",
        ThreadYield => "thread.yield",
        SubtaskDrop => "subtask.drop",
        SubtaskCancel { .. } => "subtask.cancel",
        StreamNew { .. } => "stream.new",
        StreamRead { .. } => "stream.read",
        StreamWrite { .. } => "stream.write",
        StreamForward { .. } => "stream.forward",
        StreamCancelRead { .. } => "stream.cancel-read",
        StreamCancelWrite { .. } => "stream.cancel-write",
        StreamDropReadable { .. } => "stream.drop-readable",
        StreamDropWritable { .. } => "stream.drop-writable",
        FutureNew { .. } => "future.new",
        FutureRead { .. } => "future.read",
        FutureWrite { .. } => "future.write",
        FutureForward { .. } => "future.forward",
        FutureCancelRead { .. } => "future.cancel-read",
        FutureCancelWrite { .. } => "future.cancel-write",
        FutureDropReadable { .. } => "future.drop-readable",
        FutureDropWritable { .. } => "future.drop-writable",
        ErrorContextNew { .. } => "error-context.new",
        ErrorContextDebugMessage { .. } => "error-context.debug-message",
        ErrorContextDrop => "error-context.drop",
        WaitableSetNew => "waitable-set.new",
        WaitableSetWait { .. } => "waitable-set.wait",
        WaitableSetPoll { .. } => "waitable-set.poll",
        WaitableSetDrop => "waitable-set.drop",
        WaitableJoin => "waitable.join",
        ThreadIndex => "thread.index",
        ThreadNewIndirect { .. } => "thread.new-indirect",
        ThreadResumeLater => "thread.resume-later",
        ThreadSuspend => "thread.suspend",
        ThreadSuspendThenResume => "thread.suspend-then-resume",
        ThreadYieldThenResume => "thread.yield-then-resume",
        ThreadSuspendThenPromote => "thread.suspend-then-promote",
        ThreadYieldThenPromote => "thread.yield-then-promote",
    }
}
