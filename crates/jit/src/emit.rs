//! From Cranelift's intermediate representation to machine code and its tables.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
};

use cranelift_codegen::{
    Context, FinalizedMachReloc, FinalizedRelocTarget,
    binemit::Reloc,
    control::ControlPlane,
    ir::{ExternalName, SourceLoc},
    isa::TargetIsa,
};
use cranelift_frontend::FunctionBuilderContext;
use wharf_core::{
    Error, Result,
    tier::{NO_LOCATION, NativeCode, Scope},
};

use crate::{abi, translate::Buffers};

/// What a compilation works with; kept from one to the next so that its allocations are.
pub(crate) struct Workspace {
    pub(crate) context: Context,
    pub(crate) builder: FunctionBuilderContext,
    pub(crate) buffers: Buffers,
    control: ControlPlane,
}

impl Workspace {
    fn new() -> Workspace {
        Workspace {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            buffers: Buffers::default(),
            control: ControlPlane::default(),
        }
    }

    /// Compiles the function that the context holds.
    ///
    /// # Errors
    /// `Unsupported` when Cranelift can't compile it, or the code would need to be linked.
    pub(crate) fn emit(&mut self, isa: &dyn TargetIsa, scopes: Vec<Scope>) -> Result<NativeCode> {
        let result = self.context.compile(isa, &mut self.control);
        let compiled =
            result.map_err(|e| Error::unsupported(format!("compiling a function: {:?}", e.inner)))?;
        let buffer = &compiled.buffer;
        let mut bytes = buffer.data().to_vec();
        for relocation in buffer.relocs() {
            if !resolve(&mut bytes, relocation) {
                return Err(Error::unsupported(format!("code with {relocation:?}")));
            }
        }
        let mut traps = Vec::with_capacity(buffer.traps().len());
        for trap in buffer.traps() {
            traps.push((trap.offset, abi::trap_of(trap.code)?));
        }
        traps.sort_unstable_by_key(|&(offset, _)| offset);
        let mut locations: Vec<(u32, u32)> = Vec::with_capacity(buffer.get_srclocs_sorted().len());
        let mut end = 0;
        let mut add = |offset: u32, location: u32| {
            if locations.last().is_none_or(|&(_, last)| last != location) {
                locations.push((offset, location));
            }
        };
        for range in buffer.get_srclocs_sorted() {
            if range.start > end {
                add(end, NO_LOCATION);
            }
            if range.end > range.start {
                add(range.start, location(range.loc));
                end = range.end;
            }
        }
        if end < buffer.total_size() {
            add(end, NO_LOCATION);
        }
        let code = NativeCode {
            bytes,
            alignment: buffer.alignment.max(isa.function_alignment().preferred),
            traps,
            locations,
            scopes,
        };
        Ok(code)
    }
}

/// Writes the distance into a call of the function by itself, which is all that code may refer to; tells whether it is one.
fn resolve(bytes: &mut [u8], relocation: &FinalizedMachReloc) -> bool {
    let FinalizedRelocTarget::ExternalName(ExternalName::User(_)) = relocation.target else {
        return false;
    };
    let at = relocation.offset as usize;
    let Some(place) = bytes
        .get_mut(at..at + 4)
        .and_then(|b| <&mut [u8; 4]>::try_from(b).ok())
    else {
        return false;
    };
    // The function begins at 0.
    let distance = relocation.addend - at as i64;
    match relocation.kind {
        Reloc::X86CallPCRel4 => match i32::try_from(distance) {
            Ok(distance) => *place = distance.to_le_bytes(),
            Err(_) => return false,
        },
        Reloc::Arm64Call => {
            if distance < -(1 << 27) {
                return false;
            }
            let instruction = u32::from_le_bytes(*place) & 0xfc00_0000;
            let words = (distance >> 2) as u32 & 0x03ff_ffff;
            *place = (instruction | words).to_le_bytes();
        }
        _ => return false,
    }
    true
}

fn location(loc: SourceLoc) -> u32 {
    if loc.is_default() { NO_LOCATION } else { loc.bits() }
}

/// Workspaces that are not in use.
#[derive(Default)]
pub(crate) struct Workspaces(Mutex<Vec<Box<Workspace>>>);

impl Workspaces {
    /// Lends a workspace whose context is empty.
    ///
    /// Should Cranelift panic, the function is one that can't be compiled; in builds with debug assertions the panic goes on.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Workspace) -> Result<T>) -> Result<T> {
        let pooled = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = pooled.unwrap_or_else(|| Box::new(Workspace::new()));
        let result = if cfg!(debug_assertions) {
            work(&mut workspace)
        } else {
            // What a panic leaves half done is the workspace, which is not used again.
            catch_unwind(AssertUnwindSafe(|| work(&mut workspace)))
                .unwrap_or_else(|_| Err(Error::unsupported("compiling a function: the compiler panicked")))
        };
        if result.is_ok() {
            workspace.context.clear();
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(workspace);
        }
        result
    }
}
