//! Decoding and validation of the sections of a module.

use std::sync::atomic::AtomicPtr;
use std::{collections::HashMap, ops::Range, sync::Arc};

use wasmparser::{
    CompositeInnerType, DataKind, ElementItems as WasmElementItems, ElementKind, Encoding, ExternalKind,
    FuncToValidate, FunctionBody, KnownCustom, Parser, Payload, TableInit, TypeRef, ValidPayload, Validator,
    ValidatorResources, WasmFeatures,
};

use super::{
    ConstExpr, DataSegment, ElementItems, ElementSegment, Export, ExternIndex, FuncDef, GlobalDef, Import,
    ImportKind, Layout, ModuleInner, SegmentMode, TableDef, names,
};
use crate::{
    bytecode::CodeTable,
    bytes::Bytes,
    engine::{Engine, features},
    error::{Error, ErrorKind, Result},
    runtime::memory_image::ImageCell,
    tier::ModuleTier,
    types::{FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, ValType},
};

/// Bodies are validated on several threads when there is at least this much code.
const PARALLEL_VALIDATION_BYTES: usize = 1 << 20;

pub(super) fn decode(engine: &Engine, bytes: Bytes) -> Result<ModuleInner> {
    decode_sections(engine, bytes.clone()).map_err(|error| match error.kind() {
        // Only of interest once something is wrong: is it wrong, or newer than what Wharf has?
        ErrorKind::Invalid { offset, message } if is_valid_with_all_features(&bytes) => {
            Error::unsupported(format!("at offset {offset:#x}: {message}"))
        }
        _ => error,
    })
}

fn is_valid_with_all_features(bytes: &[u8]) -> bool {
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(bytes)
        .is_ok()
}

fn decode_sections(engine: &Engine, bytes: Bytes) -> Result<ModuleInner> {
    let mut decoder = Decoder {
        base: bytes.offset(),
        validator: Validator::new_with_features(features()),
        bodies_to_validate: Vec::new(),
        lazy: engine.config().lazy_validation,
        module: ModuleInner {
            engine: engine.clone(),
            bytes: bytes.clone(),
            types: Vec::new(),
            sigs: Vec::new(),
            imports: Vec::new(),
            funcs: Vec::new(),
            imported_funcs: 0,
            func_refs: Vec::new(),
            tables: Vec::new(),
            imported_tables: 0,
            memories: Vec::new(),
            imported_memories: 0,
            globals: Vec::new(),
            imported_globals: 0,
            tags: Vec::new(),
            exports: Vec::new(),
            export_map: HashMap::new(),
            start: None,
            elements: Vec::new(),
            data: Vec::new(),
            bodies: Vec::new(),
            name_section: None,
            name: None,
            layout: Layout::new(0, 0, 0, 0, 0, 0),
            code: CodeTable::default(),
            exit_stubs: Box::default(),
            tier: ModuleTier::default(),
            lazy_validation: None,
            image: ImageCell::default(),
        },
    };
    let mut parser = Parser::new(decoder.base as u64);
    parser.set_features(features());
    for payload in parser.parse_all(&bytes) {
        decoder.payload(payload?)?;
    }
    decoder.finish()
}

struct Decoder<'a> {
    /// Where the module begins in its file; all offsets of the parser count from the start of the file.
    base: usize,
    validator: Validator,
    bodies_to_validate: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'a>)>,
    lazy: bool,
    module: ModuleInner,
}

impl<'a> Decoder<'a> {
    fn local_range(&self, range: Range<u64>) -> Range<usize> {
        range.start as usize - self.base..range.end as usize - self.base
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<()> {
        if let ValidPayload::Func(func, body) = self.validator.payload(&payload)? {
            if self.lazy {
                if self.module.lazy_validation.is_none() {
                    self.module.lazy_validation = Some(func.resources.clone());
                }
            } else {
                self.bodies_to_validate.push((func, body));
            }
        }
        let module = &mut self.module;
        match payload {
            Payload::Version {
                encoding: Encoding::Component,
                range,
                ..
            } => {
                return Err(Error::invalid(
                    range.start as usize,
                    "expected a core module, found a component",
                ));
            }
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group?.into_types() {
                        let CompositeInnerType::Func(ty) = &ty.composite_type.inner else {
                            return Err(Error::unsupported("struct, array and continuation types"));
                        };
                        let ty = func_type(ty)?;
                        module.sigs.push(module.engine.0.signatures.intern(&ty));
                        module.types.push(Arc::new(ty));
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let kind = match import.ty {
                        TypeRef::Func(ty) => {
                            module.funcs.push(FuncDef { ty, func_ref: None });
                            module.imported_funcs += 1;
                            ImportKind::Func { ty }
                        }
                        TypeRef::Table(ty) => {
                            let ty = table_type(&ty)?;
                            module.tables.push(TableDef { ty, init: None });
                            module.imported_tables += 1;
                            ImportKind::Table(ty)
                        }
                        TypeRef::Memory(ty) => {
                            let ty = memory_type(&ty);
                            module.memories.push(ty);
                            module.imported_memories += 1;
                            ImportKind::Memory(ty)
                        }
                        TypeRef::Global(ty) => {
                            let ty = global_type(&ty)?;
                            module.globals.push(GlobalDef { ty, init: None });
                            module.imported_globals += 1;
                            ImportKind::Global(ty)
                        }
                        TypeRef::Tag(ty) => {
                            module.tags.push(ty.func_type_idx);
                            ImportKind::Tag { ty: ty.func_type_idx }
                        }
                        TypeRef::FuncExact(_) => return Err(Error::unsupported("exact function imports")),
                    };
                    module.imports.push(Import {
                        module: import.module.to_string(),
                        name: import.name.to_string(),
                        kind,
                    });
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    module.funcs.push(FuncDef {
                        ty: ty?,
                        func_ref: None,
                    });
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table?;
                    let init = match &table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(e) => Some(ConstExpr::new(e)?),
                    };
                    module.tables.push(TableDef {
                        ty: table_type(&table.ty)?,
                        init,
                    });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    module.memories.push(memory_type(&memory?));
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    module.tags.push(tag?.func_type_idx);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    module.globals.push(GlobalDef {
                        ty: global_type(&global.ty)?,
                        init: Some(ConstExpr::new(&global.init_expr)?),
                    });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let index = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => ExternIndex::Func(export.index),
                        ExternalKind::Table => ExternIndex::Table(export.index),
                        ExternalKind::Memory => ExternIndex::Memory(export.index),
                        ExternalKind::Global => ExternIndex::Global(export.index),
                        ExternalKind::Tag => ExternIndex::Tag(export.index),
                    };
                    module
                        .export_map
                        .insert(export.name.to_string(), module.exports.len() as u32);
                    module.exports.push(Export {
                        name: export.name.to_string(),
                        index,
                    });
                }
            }
            Payload::StartSection { func, .. } => module.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    module.elements.push(element_segment(element?)?);
                }
            }
            Payload::CodeSectionEntry(body) => {
                let range = self.local_range(body.range());
                self.module.bodies.push(range);
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let end = data.range.end as usize - self.base;
                    let mode = match &data.kind {
                        DataKind::Passive => SegmentMode::Passive,
                        DataKind::Active {
                            memory_index,
                            offset_expr,
                        } => SegmentMode::Active {
                            index: *memory_index,
                            offset: ConstExpr::new(offset_expr)?,
                        },
                    };
                    module.data.push(DataSegment {
                        mode,
                        range: end - data.data.len()..end,
                    });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(_) = section.as_known() {
                    let start = section.data_offset() as usize - self.base;
                    let range = start..start + section.data().len();
                    module.name = names::module_name(section.data());
                    module.name_section = Some(range);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ModuleInner> {
        validate_bodies(std::mem::take(&mut self.bodies_to_validate))?;
        let module = &mut self.module;
        mark_func_refs(module);
        let defined_globals = module.globals.len() - module.imported_globals as usize;
        module.layout = Layout::new(
            module.memories.len(),
            module.tables.len(),
            module.imported_funcs as usize,
            module.imported_globals as usize,
            defined_globals,
            module.func_refs.len(),
        );
        module.code = CodeTable::new(module.imported_funcs, module.bodies.len());
        module.exit_stubs = module.types.iter().map(|_| AtomicPtr::default()).collect();
        Ok(self.module)
    }
}

fn validate_bodies(mut bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'_>)>) -> Result<()> {
    fn validate(bodies: Vec<(FuncToValidate<ValidatorResources>, FunctionBody<'_>)>) -> Result<()> {
        let mut allocations = Default::default();
        for (func, body) in bodies {
            let mut validator = func.into_validator(allocations);
            validator.validate(&body)?;
            allocations = validator.into_allocations();
        }
        Ok(())
    }
    let bytes: usize = bodies.iter().map(|(_, body)| body.as_bytes().len()).sum();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    if bytes < PARALLEL_VALIDATION_BYTES || threads == 1 {
        return validate(bodies);
    }
    let share = bodies.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let mut handles = Vec::new();
        while !bodies.is_empty() {
            let part = bodies.split_off(bodies.len().saturating_sub(share));
            handles.push(scope.spawn(move || validate(part)));
        }
        // The parts were split off from the end; the first error in the file is the one to report.
        let mut result = Ok(());
        for handle in handles {
            match handle.join() {
                Ok(Ok(())) => {}
                Ok(Err(e)) => result = Err(e),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

/// Numbers the defined functions that something can refer to.
fn mark_func_refs(module: &mut ModuleInner) {
    let mut referenced: Vec<u32> = module.start.into_iter().collect();
    for export in &module.exports {
        if let ExternIndex::Func(f) = export.index {
            referenced.push(f);
        }
    }
    for element in &module.elements {
        match &element.items {
            ElementItems::Funcs(items) => referenced.extend(items),
            ElementItems::Exprs(items) => referenced.extend(items.iter().flat_map(|e| e.func_refs())),
        }
    }
    for init in module.globals.iter().filter_map(|g| g.init.as_ref()) {
        referenced.extend(init.func_refs());
    }
    for init in module.tables.iter().filter_map(|t| t.init.as_ref()) {
        referenced.extend(init.func_refs());
    }
    for f in referenced {
        let func = &mut module.funcs[f as usize];
        if f >= module.imported_funcs && func.func_ref.is_none() {
            func.func_ref = Some(module.func_refs.len() as u32);
            module.func_refs.push((f, module.sigs[func.ty as usize]));
        }
    }
}

fn element_segment(element: wasmparser::Element<'_>) -> Result<ElementSegment> {
    let mode = match &element.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active {
            table_index,
            offset_expr,
        } => SegmentMode::Active {
            index: table_index.unwrap_or(0),
            offset: ConstExpr::new(offset_expr)?,
        },
    };
    let items = match element.items {
        WasmElementItems::Functions(items) => {
            ElementItems::Funcs(items.into_iter().collect::<Result<Vec<_>, _>>()?.into())
        }
        WasmElementItems::Expressions(ty, items) => {
            let items = items
                .into_iter()
                .map(|e| ConstExpr::new(&e?))
                .collect::<Result<Vec<_>>>()?;
            ref_type(ty)?;
            ElementItems::Exprs(items.into())
        }
    };
    Ok(ElementSegment { mode, items })
}

pub(crate) fn val_type(ty: wasmparser::ValType) -> Result<ValType> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(r) => ValType::Ref(ref_type(r)?),
    })
}

fn ref_type(ty: wasmparser::RefType) -> Result<RefType> {
    let heap = if ty.is_func_ref() || ty == wasmparser::RefType::FUNC {
        HeapType::Func
    } else if ty.is_extern_ref() || ty == wasmparser::RefType::EXTERN {
        HeapType::Extern
    } else {
        return Err(Error::unsupported(format!("the reference type {ty}")));
    };
    Ok(RefType {
        nullable: ty.is_nullable(),
        heap,
    })
}

fn func_type(ty: &wasmparser::FuncType) -> Result<FuncType> {
    let list = |types: &[wasmparser::ValType]| types.iter().map(|t| val_type(*t)).collect::<Result<Vec<_>>>();
    Ok(FuncType::new(list(ty.params())?, list(ty.results())?))
}

fn table_type(ty: &wasmparser::TableType) -> Result<TableType> {
    Ok(TableType {
        element: ref_type(ty.element_type)?,
        minimum: ty.initial,
        maximum: ty.maximum,
        table64: ty.table64,
    })
}

fn memory_type(ty: &wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2.unwrap_or(16),
    }
}

fn global_type(ty: &wasmparser::GlobalType) -> Result<GlobalType> {
    Ok(GlobalType {
        content: val_type(ty.content_type)?,
        mutable: ty.mutable,
    })
}
