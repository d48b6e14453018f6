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
    FuncType, Result,
    tier::{CompileJob, Compiler, Effort, NativeCode},
};

use emit::Workspaces;

/// Compiles functions with Cranelift for the machine that it runs on.
pub struct Cranelift {
    /// For code that somebody waits for.
    quick: OwnedTargetIsa,
    /// For code that nobody waits for.
    full: OwnedTargetIsa,
    fingerprint: String,
    workspaces: Workspaces,
}

impl Cranelift {
    /// A compiler for this machine, which uses what its processor has.
    ///
    /// # Errors
    /// `Unsupported` where Cranelift has no code generator for the machine, or its processor lacks SSE4.1 (x86-64).
    pub fn new() -> Result<Cranelift> {
        Ok(Cranelift::for_isas(
            isa::host(Effort::Quick)?,
            isa::host(Effort::Full)?,
        ))
    }

    fn for_isas(quick: OwnedTargetIsa, full: OwnedTargetIsa) -> Cranelift {
        Cranelift {
            fingerprint: isa::fingerprint(&[&*quick, &*full]),
            quick,
            full,
            workspaces: Workspaces::default(),
        }
    }
}

impl Compiler for Cranelift {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn compile(&self, job: &CompileJob<'_>) -> Result<NativeCode> {
        let isa = match job.effort {
            Effort::Quick => &*self.quick,
            Effort::Full => &*self.full,
        };
        self.workspaces.with(|workspace| {
            let scopes = translate::translate(
                isa,
                job,
                &mut workspace.context.func,
                &mut workspace.builder,
                &mut workspace.buffers,
            )?;
            workspace.emit(isa, scopes)
        })
    }

    fn entry_stub(&self, ty: &FuncType) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            stubs::entry(&*self.quick, ty, workspace);
            workspace.emit(&*self.quick, Vec::new())
        })
    }

    fn exit_stub(&self, ty: &FuncType) -> Result<NativeCode> {
        self.workspaces.with(|workspace| {
            stubs::exit(&*self.quick, ty, workspace);
            workspace.emit(&*self.quick, Vec::new())
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
