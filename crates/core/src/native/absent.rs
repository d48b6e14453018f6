//! Platforms on which machine code can't run: there is none to enter, and engines refuse a compiler.

use std::{fs::File, sync::Arc};

use super::Outcome;
use crate::{
    error::{Error, Result},
    module::ModuleInner,
    runtime::vm::{VmCtx, VmRuntime},
    tier::{Image, NativeCode, Tables},
};

#[derive(Debug)]
pub(crate) struct Builtins;

pub(crate) fn builtins() -> *const Builtins {
    std::ptr::null()
}

#[derive(Debug, Default)]
pub(crate) struct CodeMemory;

impl CodeMemory {
    pub(crate) fn publish(&self, _: *const ModuleInner, _: &[&NativeCode]) -> Result<Vec<*const u8>> {
        Err(unsupported())
    }

    pub(crate) fn adopt(
        &self,
        _: *const ModuleInner,
        _: &Arc<Image>,
        _: Option<(&File, u64)>,
    ) -> Result<*const u8> {
        Err(unsupported())
    }
}

fn unsupported() -> Error {
    Error::unsupported("machine code on this platform: it needs Linux on x86-64 or aarch64")
}

pub(crate) fn install_signal_handlers() -> Result<()> {
    Err(unsupported())
}

/// # Safety
/// None: there is no machine code to pass.
pub(crate) unsafe fn enter(
    _: *const u8,
    _: *const u8,
    _: *mut VmCtx,
    _: *mut u64,
    _: *mut VmRuntime,
    _: u64,
) -> Outcome {
    Outcome::Stopped
}

/// A piece of machine code.
#[derive(Debug)]
pub(crate) struct CodeObject {
    pub(crate) start: usize,
    pub(crate) module: *const ModuleInner,
    pub(crate) alignment: u32,
    pub(crate) tables: Tables,
}

impl CodeObject {
    pub(crate) fn frames(&self, _: usize) -> Vec<(u32, Option<u32>)> {
        Vec::new()
    }

    pub(crate) fn code(&self) -> &[u8] {
        &[]
    }
}

pub(crate) fn find(_: usize) -> Option<Arc<CodeObject>> {
    None
}

pub(crate) fn find_code(_: usize) -> Option<Arc<CodeObject>> {
    None
}

/// Profilers have nothing to be told of.
pub(crate) mod perf {
    use crate::tier::Profiling;

    pub(crate) struct Named<'a> {
        pub(crate) name: String,
        pub(crate) address: *const u8,
        pub(crate) code: &'a [u8],
    }

    pub(crate) fn open(_: Profiling) -> std::io::Result<()> {
        Ok(())
    }

    pub(crate) fn note(_: Profiling, _: &[Named<'_>]) {}
}
