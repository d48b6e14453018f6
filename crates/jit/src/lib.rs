//! The compiler tier of Wharf: WebAssembly functions to machine code with Cranelift.
//!
//! [`Cranelift`] implements [`wharf_core::tier::Compiler`], whose documentation is the contract between compiled code and the
//! runtime. This crate makes bytes and tables only: code memory, signals and the decision what to compile are the runtime's.
//!
//! - `isa`: target and settings
//! - `translate`: a function's Wasm code to Cranelift's intermediate representation
//! - `stubs`: the crossings between interpreter and compiled code
//! - `emit`: intermediate representation to machine code and its tables
#![forbid(unsafe_code)]

mod abi;
mod emit;
mod isa;
mod stubs;
#[cfg(test)]
mod tests;
mod translate;

use std::fmt;

use cranelift_codegen::isa::OwnedTargetIsa;
use wharf_core::{
    FuncType, Result, ValType,
    tier::{CompileJob, Compiler, NativeCode},
};

use emit::Workspaces;

/// Compiles functions with Cranelift for the machine that it runs on.
pub struct Cranelift {
    isa: OwnedTargetIsa,
    fingerprint: String,
    workspaces: Workspaces,
}

impl Cranelift {
    /// A compiler for this machine, which uses what its processor has.
    ///
    /// # Errors
    /// `Unsupported` where Cranelift has no code generator for the machine, or its processor lacks SSE4.1 (x86-64).
    pub fn new() -> Result<Cranelift> {
        Ok(Cranelift::for_isa(isa::host()?))
    }

    fn for_isa(isa: OwnedTargetIsa) -> Cranelift {
        Cranelift {
            fingerprint: isa::fingerprint(&*isa),
            isa,
            workspaces: Workspaces::default(),
        }
    }
}

impl Compiler for Cranelift {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn compile(&self, job: &CompileJob<'_>) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            let scopes = translate::translate(&*self.isa, job, workspace)?;
            workspace.emit(&*self.isa, scopes)
        })
    }

    fn entry_stub(&self, ty: &FuncType) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            stubs::entry(&*self.isa, ty, workspace);
            workspace.emit(&*self.isa, Vec::new())
        })
    }

    fn osr_entry_stub(&self, results: &[ValType]) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            stubs::osr_entry(&*self.isa, results, workspace);
            workspace.emit(&*self.isa, Vec::new())
        })
    }

    fn exit_stub(&self, ty: &FuncType) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            stubs::exit(&*self.isa, ty, workspace);
            workspace.emit(&*self.isa, Vec::new())
        })
    }
}

impl fmt::Debug for Cranelift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cranelift")
            .field("fingerprint", &self.fingerprint)
            .finish()
    }
}
