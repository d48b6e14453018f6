//! Memory for the preview 1 adapter in a Go program. An adapter asks the module's export `cabi_realloc_adapter` for its state and its
//! stack, before the program's own code can run; this adds such a function. It gives out an array of the program, which is found by its
//! first bytes.

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType,
    InstructionSink, Module, TypeSection, ValType,
};
use wasmparser::{DataKind, Operator, Parser, Payload};

/// How the array begins.
const MARK: &[u8] = b"guest-tool adapter memory!\n";

/// How long it is.
const BYTES: i32 = 132 << 10;

/// The module with the function.
pub fn add(module: &[u8]) -> Result<Vec<u8>> {
    let start = (find(module)? + 15) & -16;
    let mut changed = Module::new();
    let mut edit = Edit { start, types: 0, functions: 0, globals: 0 };
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(imports) = payload? {
            for import in imports.into_imports() {
                match import?.ty {
                    wasmparser::TypeRef::Func(_) => edit.functions += 1,
                    wasmparser::TypeRef::Global(_) => edit.globals += 1,
                    _ => {}
                }
            }
        }
    }
    edit.parse_core_module(&mut changed, Parser::new(0), module).context("rewriting the module")?;
    Ok(changed.finish())
}

/// The address of the array.
fn find(module: &[u8]) -> Result<i32> {
    for payload in Parser::new(0).parse_all(module) {
        let Payload::DataSection(section) = payload? else { continue };
        for data in section {
            let data = data?;
            let Some(at) = data.data.windows(MARK.len()).position(|window| window == MARK) else { continue };
            let DataKind::Active { offset_expr, .. } = data.kind else { continue };
            if let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? {
                return Ok(value + at as i32);
            }
        }
    }
    bail!("the program has no memory for the adapter: see go-sockets/adapter.go")
}

/// Copies a module and appends a type, a global and a function. The counts are the indexes of these.
struct Edit {
    start: i32,
    types: u32,
    functions: u32,
    globals: u32,
}

impl Reencode for Edit {
    type Error = std::convert::Infallible;

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_type_section(self, types, section)?;
        self.types = types.len();
        types.ty().function([ValType::I32; 4], [ValType::I32]);
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_function_section(self, functions, section)?;
        self.functions += functions.len();
        functions.function(self.types);
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_global_section(self, globals, section)?;
        self.globals += globals.len();
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(self.start));
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_export_section(self, exports, section)?;
        exports.export("cabi_realloc_adapter", ExportKind::Func, self.functions);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        let mut function = Function::new([]);
        self.allocate(&mut function.instructions());
        code.function(&function);
        Ok(())
    }
}

impl Edit {
    /// Takes the next bytes, at a multiple of 16; a trap if there are not that many, or if something is to be reallocated.
    fn allocate(&self, code: &mut InstructionSink<'_>) {
        const OLD: u32 = 0;
        const SIZE: u32 = 3;
        code.local_get(OLD).if_(BlockType::Empty).unreachable().end();
        code.global_get(self.globals).local_get(SIZE).i32_add();
        code.i32_const(15).i32_add().i32_const(-16).i32_and().local_set(SIZE);
        code.local_get(SIZE).i32_const(self.start + BYTES - 16).i32_gt_u();
        code.if_(BlockType::Empty).unreachable().end();
        code.global_get(self.globals).local_get(SIZE).global_set(self.globals).end();
    }
}
