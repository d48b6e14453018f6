//! What the tiers have done.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

/// What the tiers of an engine have done so far; see [`Engine::tier_stats`](crate::Engine::tier_stats).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierStats {
    /// Functions translated to bytecode.
    pub translated: usize,
    /// Functions compiled to machine code.
    pub compiled: usize,
    /// Functions whose machine code was replaced by better code when the compiler had nothing else to do.
    pub improved: usize,
    /// Functions that were loaded compiled, from the cache or an artifact.
    pub loaded: usize,
    /// Functions whose machine code was written to the cache.
    pub saved: usize,
    /// Modules whose machine code could not be written to the cache.
    pub save_failed: usize,
    /// Loops that code was given an entry for, for calls that were under way.
    pub osr_compiled: usize,
    /// Calls that went on in machine code at a loop.
    pub osr_entries: usize,
    /// Functions and loops that the compiler could not compile.
    pub failed: usize,
    /// Functions that wait for the compiler, those among them that have code already.
    pub waiting: usize,
    /// Time spent compiling, all threads together.
    pub compile_time: Duration,
    /// Bytes of machine code.
    pub code_bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) translated: AtomicUsize,
    pub(super) compiled: AtomicUsize,
    pub(super) improved: AtomicUsize,
    pub(super) loaded: AtomicUsize,
    pub(super) saved: AtomicUsize,
    pub(super) save_failed: AtomicUsize,
    pub(super) osr_compiled: AtomicUsize,
    pub(super) osr_entries: AtomicUsize,
    pub(super) failed: AtomicUsize,
    pub(super) compile_nanos: AtomicU64,
    pub(super) code_bytes: AtomicUsize,
}

impl Counters {
    pub(super) fn read(&self, waiting: usize) -> TierStats {
        TierStats {
            translated: self.translated.load(Relaxed),
            compiled: self.compiled.load(Relaxed),
            improved: self.improved.load(Relaxed),
            loaded: self.loaded.load(Relaxed),
            saved: self.saved.load(Relaxed),
            save_failed: self.save_failed.load(Relaxed),
            osr_compiled: self.osr_compiled.load(Relaxed),
            osr_entries: self.osr_entries.load(Relaxed),
            failed: self.failed.load(Relaxed),
            waiting,
            compile_time: Duration::from_nanos(self.compile_nanos.load(Relaxed)),
            code_bytes: self.code_bytes.load(Relaxed),
        }
    }
}
