//! Takes the validator's types over into the component's own, with resources as they are in this instantiation.

use std::rc::Rc;
use std::sync::Arc;

use wasmparser::PrimitiveValType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentDefinedTypeId, ComponentEntityType,
    ComponentFuncTypeId, ComponentValType, ResourceId,
};
use wharf_core::Result;

use super::frame::{Frame, Item};
use super::{PlanLinker, Planned};
use crate::plan::{FuncRef, ItemType, LeafKind, ModuleRequirement, ModuleSource};
use crate::types::{FuncTypeIndex, ResourceIndex, TypeDef, TypeIndex};

impl PlanLinker<'_> {
    pub(super) fn func_type(&mut self, frame: &mut Frame, id: ComponentFuncTypeId) -> Result<FuncTypeIndex> {
        let validated = self.validated;
        let ty = &validated[id];
        let mut params = Vec::with_capacity(ty.params.len());
        for (name, ty) in &ty.params {
            params.push((Box::from(name.as_str()), self.val_type(frame, *ty)?));
        }
        let result = ty.result.map(|ty| self.val_type(frame, ty)).transpose()?;
        Ok(self.arena.intern_func(params.into(), result, ty.async_))
    }

    fn val_type(&mut self, frame: &mut Frame, ty: ComponentValType) -> Result<TypeIndex> {
        match ty {
            ComponentValType::Primitive(p) => Ok(primitive(p)),
            ComponentValType::Type(id) => self.defined_type(frame, id),
        }
    }

    fn optional(&mut self, frame: &mut Frame, ty: Option<ComponentValType>) -> Result<Option<TypeIndex>> {
        ty.map(|ty| self.val_type(frame, ty)).transpose()
    }

    fn defined_type(&mut self, frame: &mut Frame, id: ComponentDefinedTypeId) -> Result<TypeIndex> {
        if let Some(index) = frame.types.get(&id) {
            return Ok(*index);
        }
        self.spend(1)?;
        let validated = self.validated;
        let def = match &validated[id] {
            ComponentDefinedType::Primitive(p) => return Ok(primitive(*p)),
            ComponentDefinedType::Record(record) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|(name, ty)| Ok((name.as_str().into(), self.val_type(frame, *ty)?)));
                TypeDef::Record(fields.collect::<Result<_>>()?)
            }
            ComponentDefinedType::Variant(variant) => {
                let cases = variant.cases.iter();
                let cases =
                    cases.map(|(name, case)| Ok((name.as_str().into(), self.optional(frame, case.ty)?)));
                TypeDef::Variant(cases.collect::<Result<_>>()?)
            }
            ComponentDefinedType::List { element, .. } => TypeDef::List(self.val_type(frame, *element)?),
            ComponentDefinedType::Map { key, value, .. } => {
                let key = self.val_type(frame, *key)?;
                let value = self.val_type(frame, *value)?;
                let pair = self.arena.intern(TypeDef::Tuple([key, value].into()));
                TypeDef::Map(key, value, pair)
            }
            ComponentDefinedType::FixedLengthList { element, length, .. } => {
                TypeDef::FixedList(self.val_type(frame, *element)?, *length)
            }
            ComponentDefinedType::Tuple(tuple) => {
                let types = tuple.types.iter().map(|ty| self.val_type(frame, *ty));
                TypeDef::Tuple(types.collect::<Result<_>>()?)
            }
            ComponentDefinedType::Flags(names) => {
                TypeDef::Flags(names.iter().map(|n| n.as_str().into()).collect())
            }
            ComponentDefinedType::Enum(names) => {
                TypeDef::Enum(names.iter().map(|n| n.as_str().into()).collect())
            }
            ComponentDefinedType::Option { ty, .. } => TypeDef::Option(self.val_type(frame, *ty)?),
            ComponentDefinedType::Result { ok, err, .. } => {
                TypeDef::Result(self.optional(frame, *ok)?, self.optional(frame, *err)?)
            }
            ComponentDefinedType::Own(id) => TypeDef::Own(self.resource(frame, id.resource())),
            ComponentDefinedType::Borrow(id) => TypeDef::Borrow(self.resource(frame, id.resource())),
            ComponentDefinedType::Future { ty, .. } => TypeDef::Future(self.optional(frame, *ty)?),
            ComponentDefinedType::Stream { ty, .. } => TypeDef::Stream(self.optional(frame, *ty)?),
        };
        let index = self.arena.intern(def);
        frame.types.insert(id, index);
        Ok(index)
    }

    /// What an abstract resource is in this instantiation. One that nothing has given is a resource of its own.
    pub(super) fn resource(&mut self, frame: &mut Frame, id: ResourceId) -> ResourceIndex {
        if let Some(index) = frame.resources.get(&id) {
            return *index;
        }
        let index = self.new_resource();
        frame.resources.insert(id, index);
        index
    }

    /// Learns from an item that was given for `ty` which resources the type's abstract ones are.
    pub(super) fn register(&mut self, frame: &mut Frame, ty: ComponentEntityType, item: &Item) -> Result<()> {
        self.spend(1)?;
        match (ty, item) {
            (
                ComponentEntityType::Type {
                    created: ComponentAnyTypeId::Resource(id),
                    ..
                },
                Item::Resource(index),
            ) => {
                frame.resources.entry(id.resource()).or_insert(*index);
            }
            (ComponentEntityType::Instance(id), Item::Instance(items)) => {
                let validated = self.validated;
                for (name, export) in &validated[id].exports {
                    if let Some(item) = items.get(name) {
                        self.register(frame, export.ty, item)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes the leaves for an import of the root component.
    pub(super) fn import(
        &mut self,
        frame: &mut Frame,
        path: &mut Vec<Box<str>>,
        ty: ComponentEntityType,
    ) -> Planned<Item> {
        self.spend(1)?;
        Ok(match ty {
            ComponentEntityType::Func(id) => {
                let ty = self.func_type(frame, id)?;
                Item::Func(FuncRef::Import(self.leaf(path, LeafKind::Func(ty))), ty)
            }
            ComponentEntityType::Instance(id) => {
                let validated = self.validated;
                let mut items = indexmap::IndexMap::new();
                for (name, export) in &validated[id].exports {
                    path.push(name.as_str().into());
                    let item = self.import(frame, path, export.ty)?;
                    path.pop();
                    items.insert(name.clone(), item);
                }
                Item::Instance(Rc::new(items))
            }
            ComponentEntityType::Module(id) => {
                let requirement = self.module_requirement(id)?;
                Item::Module(ModuleSource::Import(
                    self.leaf(path, LeafKind::Module(Arc::new(requirement))),
                ))
            }
            ComponentEntityType::Component(_) => {
                self.leaf(path, LeafKind::Component);
                Item::Component(None)
            }
            ComponentEntityType::Type {
                created: ComponentAnyTypeId::Resource(id),
                ..
            } => {
                let index = match frame.resources.get(&id.resource()) {
                    Some(index) => {
                        let index = *index;
                        self.leaf(path, LeafKind::SameResource(index));
                        index
                    }
                    None => {
                        let index = self.new_resource();
                        frame.resources.insert(id.resource(), index);
                        self.leaf(path, LeafKind::Resource(index));
                        index
                    }
                };
                Item::Resource(index)
            }
            ComponentEntityType::Type { .. } | ComponentEntityType::Value(_) => Item::Type,
        })
    }

    pub(super) fn describe(&mut self, frame: &mut Frame, ty: ComponentEntityType) -> Result<ItemType> {
        self.spend(1)?;
        Ok(match ty {
            ComponentEntityType::Func(id) => ItemType::Func(self.func_type(frame, id)?),
            ComponentEntityType::Instance(id) => {
                let validated = self.validated;
                let mut items = Vec::new();
                for (name, export) in &validated[id].exports {
                    items.push((Box::from(name.as_str()), self.describe(frame, export.ty)?));
                }
                ItemType::Instance(items.into())
            }
            ComponentEntityType::Module(_) => ItemType::Module,
            ComponentEntityType::Component(_) => ItemType::Component,
            ComponentEntityType::Type { created, .. } => match created {
                ComponentAnyTypeId::Resource(id) => ItemType::Resource(self.resource(frame, id.resource())),
                ComponentAnyTypeId::Defined(id) => ItemType::Type(self.defined_type(frame, id)?),
                _ => ItemType::OtherType,
            },
            ComponentEntityType::Value(ty) => ItemType::Type(self.val_type(frame, ty)?),
        })
    }

    fn module_requirement(
        &mut self,
        id: wasmparser::component_types::ComponentCoreModuleTypeId,
    ) -> Result<ModuleRequirement> {
        let validated = self.validated;
        let ty = &validated[id];
        let mut out = ModuleRequirement::default();
        for ((module, name), ty) in &ty.imports {
            out.imports.push((
                module.clone(),
                name.clone(),
                super::core_types::extern_type(validated, ty)?,
            ));
        }
        for (name, ty) in &ty.exports {
            out.exports
                .push((name.clone(), super::core_types::extern_type(validated, ty)?));
        }
        Ok(out)
    }
}

fn primitive(ty: PrimitiveValType) -> TypeIndex {
    match ty {
        PrimitiveValType::Bool => TypeIndex::BOOL,
        PrimitiveValType::S8 => TypeIndex::S8,
        PrimitiveValType::U8 => TypeIndex::U8,
        PrimitiveValType::S16 => TypeIndex::S16,
        PrimitiveValType::U16 => TypeIndex::U16,
        PrimitiveValType::S32 => TypeIndex::S32,
        PrimitiveValType::U32 => TypeIndex::U32,
        PrimitiveValType::S64 => TypeIndex::S64,
        PrimitiveValType::U64 => TypeIndex::U64,
        PrimitiveValType::F32 => TypeIndex::F32,
        PrimitiveValType::F64 => TypeIndex::F64,
        PrimitiveValType::Char => TypeIndex::CHAR,
        PrimitiveValType::String => TypeIndex::STRING,
        PrimitiveValType::ErrorContext => TypeIndex::ERROR_CONTEXT,
    }
}
