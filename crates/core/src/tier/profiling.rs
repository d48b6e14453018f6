//! Names of machine code for profilers.

use super::PieceKind;
use crate::{
    module::ModuleInner,
    native::perf::{self, Named},
};

/// What is written for the profiler `perf`; see [`Config::profiling`](crate::Config::profiling).
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Profiling {
    /// Nothing.
    #[default]
    None,
    /// The map `/tmp/perf-PID.map` of addresses to names, which `perf report` looks at.
    PerfMap,
    /// The dump `jit-PID.dump` in the current folder, with the code itself, for `perf record -k mono` and `perf inject --jit`.
    JitDump,
}

/// Published code: what it is, the index of its function or type, the loop that it begins at, and where it is.
pub(super) type Published<'a> = (PieceKind, u32, Option<u32>, *const u8, &'a [u8]);

/// Tells a profiler of code of a module, if one wants to know.
pub(super) fn note<'a>(module: &ModuleInner, pieces: impl Iterator<Item = Published<'a>>) {
    let profiling = module.engine.config().profiling;
    if profiling == Profiling::None {
        return;
    }
    let names = module.func_names();
    let in_module = module.name.as_deref().unwrap_or("<module>");
    let named: Vec<_> = pieces
        .map(|(kind, index, osr, address, code)| {
            let what = match kind {
                PieceKind::EntryStub => format!("<entry stub of type {index}>"),
                PieceKind::ExitStub => format!("<exit stub of type {index}>"),
                PieceKind::Func => {
                    let name = match names.get(&index) {
                        Some(name) => name.to_string(),
                        None => format!("<function {index}>"),
                    };
                    match osr {
                        Some(inst) => format!("{name} <loop at {inst}>"),
                        None => name,
                    }
                }
            };
            Named {
                name: format!("{in_module}!{what}"),
                address,
                code,
            }
        })
        .collect();
    perf::note(profiling, &named);
}
