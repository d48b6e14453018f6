//! Core types of the validator as the core crate's.

use wasmparser::types::{EntityType, TypesRef};
use wharf_core::{
    Error, ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, Result, TableType, ValType,
};

pub(crate) fn core_func_type(ty: &wasmparser::FuncType) -> Result<FuncType> {
    let all = |types: &[wasmparser::ValType]| {
        types
            .iter()
            .map(|ty| val_type(*ty))
            .collect::<Result<Box<[ValType]>>>()
    };
    Ok(FuncType::new(all(ty.params())?, all(ty.results())?))
}

fn val_type(ty: wasmparser::ValType) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => ValType::Ref(ref_type(ty)?),
    })
}

fn ref_type(ty: wasmparser::RefType) -> Result<RefType> {
    let heap = match ty.heap_type() {
        wasmparser::HeapType::FUNC => HeapType::Func,
        wasmparser::HeapType::EXTERN => HeapType::Extern,
        other => {
            return Err(Error::unsupported(format!(
                "reference type {other:?} in the type of a core module"
            )));
        }
    };
    Ok(RefType {
        nullable: ty.is_nullable(),
        heap,
    })
}

pub(super) fn extern_type(types: TypesRef<'_>, ty: &EntityType) -> Result<ExternType> {
    Ok(match ty {
        EntityType::Func(id) | EntityType::FuncExact(id) => {
            ExternType::Func(core_func_type(types[*id].unwrap_func())?)
        }
        EntityType::Table(ty) => ExternType::Table(TableType {
            element: ref_type(ty.element_type)?,
            minimum: ty.initial,
            maximum: ty.maximum,
            table64: ty.table64,
        }),
        EntityType::Memory(ty) => ExternType::Memory(MemoryType {
            minimum: ty.initial,
            maximum: ty.maximum,
            memory64: ty.memory64,
            shared: ty.shared,
            page_size_log2: ty.page_size_log2.unwrap_or(16),
        }),
        EntityType::Global(ty) => ExternType::Global(GlobalType {
            content: val_type(ty.content_type)?,
            mutable: ty.mutable,
        }),
        EntityType::Tag(_) => return Err(Error::unsupported("tags in the type of a core module")),
    })
}
