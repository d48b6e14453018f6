//! Decoded modules (core spec, "Modules").

mod const_expr;
mod decode;
mod layout;
mod names;

use std::{
    collections::HashMap,
    fmt,
    ops::Range,
    sync::{Arc, atomic::AtomicPtr},
};

use wasmparser::{FuncToValidate, FunctionBody, ValidatorResources, WasmModuleResources};

pub(crate) use const_expr::ConstExpr;
pub(crate) use decode::val_type;
pub(crate) use layout::Layout;

use crate::{
    bytecode::CodeTable,
    bytes::Bytes,
    engine::{Engine, SigId},
    error::Result,
    runtime::memory_image::ImageCell,
    tier::ModuleTier,
    types::{ExternType, FuncType, GlobalType, MemoryType, TableType},
};

/// A decoded core module: what instances of it share. Clones are the same module.
///
/// Function bodies are translated to bytecode at their first call, whichever instance makes it.
///
/// ```
/// # fn main() -> wharf_core::Result<()> {
/// let engine = wharf_core::Engine::default();
/// let module = wharf_core::Module::new(&engine, b"\0asm\x01\0\0\0")?;
/// assert_eq!(module.imports().len(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Module(pub(crate) Arc<ModuleInner>);

pub(crate) struct ModuleInner {
    pub(crate) engine: Engine,
    pub(crate) bytes: Bytes,
    pub(crate) types: Vec<Arc<FuncType>>,
    pub(crate) sigs: Vec<SigId>,
    pub(crate) imports: Vec<Import>,
    /// All functions, imported ones first.
    pub(crate) funcs: Vec<FuncDef>,
    pub(crate) imported_funcs: u32,
    /// The functions that need a `VmFuncRef`, by their places among these, and their types. Each instance makes all of them.
    pub(crate) func_refs: Vec<(u32, SigId)>,
    pub(crate) tables: Vec<TableDef>,
    pub(crate) imported_tables: u32,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) imported_memories: u32,
    pub(crate) globals: Vec<GlobalDef>,
    pub(crate) imported_globals: u32,
    /// Type indices of the exception tags, imported ones first; none can be made while exceptions are not supported.
    pub(crate) tags: Vec<u32>,
    pub(crate) exports: Vec<Export>,
    pub(crate) export_map: HashMap<String, u32>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) data: Vec<DataSegment>,
    /// Where the bodies of the defined functions are in `bytes`.
    pub(crate) bodies: Vec<Range<usize>>,
    pub(crate) name_section: Option<Range<usize>>,
    pub(crate) name: Option<String>,
    pub(crate) layout: Layout,
    pub(crate) code: CodeTable,
    /// For each type, the stub through which compiled code calls functions of the type that are not compiled; null until needed.
    pub(crate) exit_stubs: Box<[AtomicPtr<u8>]>,
    pub(crate) tier: ModuleTier,
    /// What validation of a body needs to know of the module; kept where bodies are validated at their first call.
    pub(crate) lazy_validation: Option<ValidatorResources>,
    pub(crate) image: ImageCell,
}

#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) module: String,
    pub(crate) name: String,
    pub(crate) kind: ImportKind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ImportKind {
    Func { ty: u32 },
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    Tag { ty: u32 },
}

#[derive(Copy, Clone, Debug)]
pub(crate) struct FuncDef {
    /// Index into `types` and `sigs`.
    pub(crate) ty: u32,
    /// The function's place among those that need a `VmFuncRef` (defined functions that are exported or referenced).
    pub(crate) func_ref: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct TableDef {
    pub(crate) ty: TableType,
    pub(crate) init: Option<ConstExpr>,
}

#[derive(Clone, Debug)]
pub(crate) struct GlobalDef {
    pub(crate) ty: GlobalType,
    /// `None` for an imported global.
    pub(crate) init: Option<ConstExpr>,
}

#[derive(Copy, Clone, Debug)]
pub(crate) enum ExternIndex {
    Func(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub(crate) name: String,
    pub(crate) index: ExternIndex,
}

#[derive(Clone, Debug)]
pub(crate) struct ElementSegment {
    pub(crate) mode: SegmentMode,
    pub(crate) items: ElementItems,
}

#[derive(Clone, Debug)]
pub(crate) enum ElementItems {
    Funcs(Box<[u32]>),
    Exprs(Box<[ConstExpr]>),
}

impl ElementItems {
    pub(crate) fn len(&self) -> usize {
        match self {
            ElementItems::Funcs(items) => items.len(),
            ElementItems::Exprs(items) => items.len(),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct DataSegment {
    pub(crate) mode: SegmentMode,
    pub(crate) range: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) enum SegmentMode {
    Passive,
    Declared,
    /// Copied into the table or memory of this index at instantiation.
    Active {
        index: u32,
        offset: ConstExpr,
    },
}

/// An import of a module.
#[derive(Clone, Debug)]
pub struct ImportType<'a> {
    /// The first part of its name.
    pub module: &'a str,
    /// The second part of its name.
    pub name: &'a str,
    /// What is imported.
    pub ty: ExternType,
}

/// An export of a module.
#[derive(Clone, Debug)]
pub struct ExportType<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is exported.
    pub ty: ExternType,
}

impl Module {
    /// Decodes a module and validates it (function bodies later, if the engine's configuration says so).
    ///
    /// # Errors
    /// `Malformed` and `Invalid` errors with the offset in the bytes (counted from the start of the bytes' owner), and
    /// `Unsupported` for features that Wharf does not have.
    pub fn new(engine: &Engine, bytes: impl Into<Bytes>) -> Result<Module> {
        let module = Arc::new(decode::decode(engine, bytes.into())?);
        engine.0.tier.module_made(&module)?;
        Ok(Module(module))
    }

    /// The engine that the module was made for.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The name that the module's name section gives, if any.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The imports in the order of the module, which is the order of the arguments of `Instance::new`.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        self.0.imports.iter().map(|i| ImportType {
            module: &i.module,
            name: &i.name,
            ty: self.0.import_type(i),
        })
    }

    /// The exports in the order of the module.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        self.0.exports.iter().map(|e| ExportType {
            name: &e.name,
            ty: self.0.extern_type(e.index),
        })
    }

    /// The place of the export of this name among [`Module::exports`].
    pub fn export_index(&self, name: &str) -> Option<u32> {
        self.0.export_map.get(name).copied()
    }

    /// The type of the export of this name.
    pub fn export(&self, name: &str) -> Option<ExternType> {
        let index = self.export_index(name)?;
        Some(self.0.extern_type(self.0.exports[index as usize].index))
    }

    /// Translates every function now, instead of at its first call.
    ///
    /// # Errors
    /// The validation error of a body, where bodies are validated lazily.
    pub fn translate_all(&self) -> Result<()> {
        for index in self.0.imported_funcs..self.0.funcs.len() as u32 {
            self.0.code.ensure(&self.0, index)?;
        }
        Ok(())
    }

    /// How many functions are translated so far, and the bytes of Wasm code in them.
    pub fn translated(&self) -> (usize, usize) {
        self.0.code.translated(&self.0)
    }

    /// The bytecode of a defined function as text, for people who debug the engine; translates it if needed.
    ///
    /// # Errors
    /// A usage error when there is no such defined function; the validation error of its body.
    pub fn disassemble(&self, func_index: u32) -> Result<String> {
        if func_index < self.0.imported_funcs || func_index as usize >= self.0.funcs.len() {
            return Err(crate::Error::usage(format!(
                "there is no defined function {func_index}"
            )));
        }
        self.0.code.ensure(&self.0, func_index)?;
        Ok(self.0.code.disassemble(func_index))
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module")
            .field("name", &self.0.name)
            .field("funcs", &self.0.funcs.len())
            .field("bytes", &self.0.bytes.len())
            .finish()
    }
}

impl Drop for ModuleInner {
    fn drop(&mut self) {
        self.engine.0.tier.module_dropped(self);
    }
}

impl ModuleInner {
    pub(crate) fn func_type(&self, func: u32) -> &Arc<FuncType> {
        &self.types[self.funcs[func as usize].ty as usize]
    }

    fn import_type(&self, import: &Import) -> ExternType {
        match import.kind {
            ImportKind::Func { ty } => ExternType::Func((*self.types[ty as usize]).clone()),
            ImportKind::Table(ty) => ExternType::Table(ty),
            ImportKind::Memory(ty) => ExternType::Memory(ty),
            ImportKind::Global(ty) => ExternType::Global(ty),
            ImportKind::Tag { ty } => ExternType::Tag(crate::types::TagType {
                func: (*self.types[ty as usize]).clone(),
            }),
        }
    }

    fn extern_type(&self, index: ExternIndex) -> ExternType {
        match index {
            ExternIndex::Func(i) => ExternType::Func((**self.func_type(i)).clone()),
            ExternIndex::Table(i) => ExternType::Table(self.tables[i as usize].ty),
            ExternIndex::Memory(i) => ExternType::Memory(self.memories[i as usize]),
            ExternIndex::Global(i) => ExternType::Global(self.globals[i as usize].ty),
            ExternIndex::Tag(i) => ExternType::Tag(crate::types::TagType {
                func: (*self.types[self.tags[i as usize] as usize]).clone(),
            }),
        }
    }

    /// The body of a defined function, with offsets that count from the start of the file.
    pub(crate) fn body(&self, func: u32) -> FunctionBody<'_> {
        let range = self.bodies[(func - self.imported_funcs) as usize].clone();
        let offset = (self.bytes.offset() + range.start) as u64;
        FunctionBody::new(wasmparser::BinaryReader::new(&self.bytes[range], offset))
    }

    /// Where the body of a defined function begins, counted from the start of the file.
    pub(crate) fn body_offset(&self, func: u32) -> usize {
        self.bytes.offset() + self.bodies[(func - self.imported_funcs) as usize].start
    }

    /// Validates a body whose validation was put off.
    pub(crate) fn validate_body(&self, func: u32) -> Result<()> {
        let Some(resources) = &self.lazy_validation else {
            return Ok(());
        };
        let ty = resources.type_index_of_function(func).unwrap_or_default();
        let to_validate = FuncToValidate {
            resources: resources.clone(),
            index: func,
            ty,
            features: crate::engine::features(),
        };
        to_validate
            .into_validator(Default::default())
            .validate(&self.body(func))?;
        Ok(())
    }

    /// The function's name in the name section.
    pub(crate) fn func_name(&self, func: u32) -> Option<String> {
        names::func_name(&self.bytes[self.name_section.clone()?], func)
    }

    /// The names of all functions that have one in the name section.
    pub(crate) fn func_names(&self) -> HashMap<u32, &str> {
        match &self.name_section {
            Some(section) => names::func_names(&self.bytes[section.clone()]),
            None => HashMap::new(),
        }
    }
}
