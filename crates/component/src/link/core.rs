//! Core instances.

use std::collections::HashMap;

use wharf_core::{Error, Result};

use super::frame::{CoreInstance, Frame, missing};
use super::{MAX_INSTANCES, PlanLinker, Planned};
use crate::plan::{CoreItem, LeafKind, ModuleSource, Step};

impl PlanLinker<'_> {
    pub(super) fn core_instantiate(
        &mut self,
        frame: &mut Frame,
        module: u32,
        args: &[(String, u32)],
    ) -> Planned<()> {
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

    pub(super) fn core_export(&self, frame: &Frame, instance: u32, name: &str) -> Result<CoreItem> {
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
}
