//! The compiler of an engine and what it needs.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{
    Compiler, Tier, TierStats,
    saved::{Artifacts, Cache},
    stats::Counters,
    worker::Queue,
};
use crate::{
    bytecode::Inst,
    engine::Config,
    error::{Error, Result},
    module::ModuleInner,
    native,
    runtime::memory_guard,
};

/// The compiling side of an engine.
#[derive(Debug)]
pub(crate) struct EngineTier {
    compiler: Option<Arc<dyn Compiler>>,
    mode: Tier,
    pub(super) hot_samples: u32,
    pub(super) compile_threads: usize,
    guarded: bool,
    /// Whether machine code must look at deadlines.
    interruptible: AtomicBool,
    pub(super) counters: Counters,
    pub(super) queue: Arc<Queue>,
    modules: Mutex<Vec<Weak<ModuleInner>>>,
    cache: Option<Cache>,
    pub(super) artifacts: Artifacts,
}

impl EngineTier {
    pub(crate) fn new(config: &Config, compiler: Option<Arc<dyn Compiler>>) -> Result<EngineTier> {
        let mode = match &compiler {
            None => Tier::Off,
            Some(_) => config.tier,
        };
        let compiler = compiler.filter(|_| mode != Tier::Off);
        if compiler.is_some() {
            native::install_signal_handlers()?;
            native::perf::open(config.profiling)
                .map_err(|e| Error::host(e).context("a file for the profiler can't be made"))?;
        }
        Ok(EngineTier {
            guarded: compiler.is_some() && memory_guard::available(),
            compiler,
            mode,
            hot_samples: config.hot_samples,
            compile_threads: config.compile_threads.unwrap_or_else(default_threads),
            interruptible: AtomicBool::new(config.epoch_interruption),
            counters: Counters::default(),
            queue: Arc::default(),
            modules: Mutex::default(),
            cache: config.cache_dir.as_deref().map(Cache::new),
            artifacts: Artifacts::default(),
        })
    }

    pub(crate) fn compiler(&self) -> Option<&Arc<dyn Compiler>> {
        self.compiler.as_ref()
    }

    pub(crate) fn mode(&self) -> Tier {
        self.mode
    }

    /// Whether the engine's 32-bit memories are followed by guard pages, so that machine code does not check addresses.
    pub(crate) fn guarded(&self) -> bool {
        self.guarded
    }

    pub(super) fn interruptible(&self) -> bool {
        self.interruptible.load(Relaxed)
    }

    pub(crate) fn stats(&self) -> TierStats {
        self.counters.read(self.queue.len())
    }

    pub(crate) fn count_translated(&self) {
        self.counters.translated.fetch_add(1, Relaxed);
    }

    /// Makes a new module known; takes what is saved of it, and compiles it in `Eager` mode.
    pub(crate) fn module_made(&self, module: &Arc<ModuleInner>) -> Result<()> {
        if self.compiler.is_none() {
            return Ok(());
        }
        let mut modules = self.modules.lock().unwrap_or_else(|e| e.into_inner());
        modules.retain(|m| m.strong_count() > 0);
        modules.push(Arc::downgrade(module));
        drop(modules);
        self.load(module);
        if self.mode == Tier::Eager {
            super::worker::compile_all(module)?;
        }
        Ok(())
    }

    /// The modules of the engine that are alive.
    pub(super) fn modules(&self) -> Vec<Arc<ModuleInner>> {
        let modules = self.modules.lock().unwrap_or_else(|e| e.into_inner());
        modules.iter().filter_map(Weak::upgrade).collect()
    }

    fn load(&self, module: &ModuleInner) {
        if !self.artifacts.load(self, module)
            && let Some(cache) = &self.cache
        {
            cache.load(self, module);
        }
    }

    /// Saves what was compiled since it was saved last; gives how many functions that are.
    pub(crate) fn save(&self) -> Result<usize> {
        let mut saved = 0;
        let mut error = None;
        for module in self.modules() {
            match self.save_module(&module) {
                Ok(funcs) => saved += funcs,
                Err(e) => error = error.or(Some(e)),
            }
        }
        match error {
            Some(e) => Err(Error::host(e).context("the cache of compiled code can't be written")),
            None => Ok(saved),
        }
    }

    fn save_module(&self, module: &ModuleInner) -> std::io::Result<usize> {
        let Some(cache) = &self.cache else {
            return Ok(0);
        };
        let saved = cache.save(self, module);
        match &saved {
            Ok(funcs) => self.counters.saved.fetch_add(*funcs, Relaxed),
            Err(_) => self.counters.save_failed.fetch_add(1, Relaxed),
        };
        saved
    }

    /// Saves the code of a module that nothing refers to any more.
    pub(crate) fn module_dropped(&self, module: &ModuleInner) {
        // Nobody is there who could be told; it is counted.
        let _ = self.save_module(module);
    }

    /// From now on machine code looks at deadlines: what was compiled without is not entered any more.
    ///
    /// Stores seldom have deadlines, and looking at them costs every loop a little; so code does it only once there was one.
    pub(crate) fn require_interrupts(&self) {
        if self.compiler.is_none() || self.interruptible.swap(true, Relaxed) {
            return;
        }
        for module in self.modules() {
            module.tier.reset(&module);
            self.load(&module);
            if self.mode == Tier::Eager {
                // What can't be compiled now stays interpreted, as before.
                let _ = super::worker::compile_all(&module);
            }
        }
    }
}

impl Drop for EngineTier {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// One thread less than the machine has cores, at least one.
fn default_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    cores.saturating_sub(1).max(1)
}

/// An instruction that enters machine code, with its cell.
pub(super) type EntryInst = Box<[Inst; 2]>;
