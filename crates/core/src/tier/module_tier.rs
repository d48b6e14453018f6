//! What is compiled of a module, and the samples that decide it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Instant,
};

use super::{
    CompileJob, Effort, ModuleView, NativeCode,
    engine_tier::EntryInst,
    profile::Profile,
    saved::{Collected, PieceKind},
};
use crate::{
    bytecode::Inst,
    engine::SigId,
    error::{Error, Result},
    module::ModuleInner,
    native::{self, CodeMemory},
    translate,
};

/// What to compile: a function, with an entry at one of its loops or without. The loop is named by the number of the bytecode instruction at its
/// header.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Target {
    pub(crate) func: u32,
    pub(crate) osr: Option<u32>,
}

impl Target {
    /// The function without an entry at a loop.
    pub(super) fn whole(self) -> Target {
        Target { osr: None, ..self }
    }
}

/// How far a target has come.
pub(super) enum State {
    Requested,
    /// The instruction that enters it, and whether its code looks at deadlines.
    Ready(EntryInst, bool),
    /// The compiler can't.
    Failed,
}

/// The compiling side of a module.
#[derive(Default)]
pub(crate) struct ModuleTier {
    /// Per defined function; made at the first sample.
    samples: OnceLock<Box<[AtomicU32]>>,
    pub(super) profile: Profile,
    pub(super) memory: CodeMemory,
    inner: Mutex<Inner>,
    /// Of the module's bytes, for the cache.
    digest: OnceLock<[u8; 32]>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) targets: HashMap<Target, State>,
    pub(super) entry_stubs: HashMap<SigId, *const u8>,
    /// Per function, how many of its loops were requested, and at how many samples the last one was.
    osr_requests: HashMap<u32, (u32, u32)>,
    /// Types whose exit stubs are there.
    pub(super) exit_stubs: HashSet<u32>,
    /// Entries that others took the place of; the interpreter may be about to execute them.
    pub(super) retired: Vec<EntryInst>,
    /// Functions that were compiled and not saved yet.
    pub(super) unsaved: usize,
}

// SAFETY: the pointers lead into `memory`, which is shared and freed with the rest.
unsafe impl Send for Inner {}

impl fmt::Debug for ModuleTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleTier")
            .field("targets", &self.lock().targets.len())
            .finish()
    }
}

/// Machine code that is not published yet.
pub(super) struct Compiled {
    pub(super) target: Target,
    pub(super) effort: Effort,
    pub(super) code: NativeCode,
    /// Types whose exit stubs the code uses.
    pub(super) exits: Vec<u32>,
    pub(super) interruptible: bool,
}

impl Inner {
    /// Lets a target be requested again.
    pub(super) fn forget(&mut self, target: Target) {
        self.targets.remove(&target);
        if let Some(State::Requested) = self.targets.get(&target.whole()) {
            self.targets.remove(&target.whole());
        }
    }
}

impl ModuleTier {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Counts samples of a defined function (numbered without imports); gives how many it has now.
    pub(super) fn count(&self, funcs: usize, func: usize, samples: u32) -> u32 {
        let all = self
            .samples
            .get_or_init(|| (0..funcs).map(|_| AtomicU32::new(0)).collect());
        all[func].fetch_add(samples, Relaxed).saturating_add(samples)
    }

    /// How many samples a defined function has.
    pub(super) fn samples(&self, func: usize) -> u32 {
        self.samples.get().map_or(0, |s| s[func].load(Relaxed))
    }

    /// Marks a target as requested, unless it was already.
    pub(super) fn request(&self, module: &ModuleInner, target: Target) -> bool {
        if !wanted(module, target.func) {
            return false;
        }
        let mut inner = self.lock();
        let new = !inner.targets.contains_key(&target);
        if new {
            inner.targets.insert(target, State::Requested);
        }
        new
    }

    /// As `request`, for a loop of a function that has this many samples. Gives what is to be compiled now.
    ///
    /// Code with a loop entry is code of the function too, so that the first time it serves for both. A call needs one entry only: code with another
    /// one is compiled when the call was seen elsewhere in `patience` samples; twice as many each time.
    pub(super) fn request_osr(
        &self,
        module: &ModuleInner,
        target: Target,
        samples: u32,
        patience: u32,
    ) -> Option<Target> {
        if !wanted(module, target.func) {
            return None;
        }
        let mut guard = self.lock();
        let inner = &mut *guard;
        let whole = target.whole();
        match (inner.targets.contains_key(&target), inner.targets.get(&whole)) {
            // What is there, or on its way, is enough for now.
            (_, Some(State::Requested)) | (true, Some(_)) => None,
            // There is no entry at this loop.
            (true, None) => {
                inner.targets.insert(whole, State::Requested);
                Some(whole)
            }
            (false, known) => {
                let first = known.is_none();
                let (requests, last) = inner.osr_requests.entry(target.func).or_default();
                if *requests > 0 && samples.saturating_sub(*last) < patience << (*requests).min(16) {
                    return None;
                }
                *requests += 1;
                *last = samples;
                inner.targets.insert(target, State::Requested);
                if first {
                    inner.targets.insert(whole, State::Requested);
                }
                Some(target)
            }
        }
    }

    /// Marks a target as one that can't be compiled.
    fn give_up(&self, target: Target) {
        let mut inner = self.lock();
        inner.targets.insert(target, State::Failed);
        // Without the entry it may be possible.
        if target.osr.is_some()
            && let Some(State::Requested) = inner.targets.get(&target.whole())
        {
            inner.targets.remove(&target.whole());
        }
    }

    /// The instruction that enters a target that is ready.
    pub(super) fn ready(&self, target: Target) -> Option<*const Inst> {
        match self.lock().targets.get(&target) {
            Some(State::Ready(entry, _)) => Some(entry.as_ptr()),
            _ => None,
        }
    }

    fn fail(&self, module: &ModuleInner, target: Target) {
        module.engine.0.tier.counters.failed.fetch_add(1, Relaxed);
        self.give_up(target);
    }

    /// Compiles a target; `None` if that can't be done, now or ever.
    pub(super) fn compile(&self, module: &ModuleInner, target: Target, effort: Effort) -> Option<Compiled> {
        let tier = &module.engine.0.tier;
        let begin = Instant::now();
        let compiled = self.try_compile(module, target, effort);
        tier.counters
            .compile_nanos
            .fetch_add(begin.elapsed().as_nanos() as u64, Relaxed);
        match compiled {
            Ok(None) => {
                // Seen behind its first instruction by a call that began when it was not compiled yet: that is not tried again.
                self.give_up(target);
                None
            }
            Ok(compiled) => compiled,
            // What is there already stays.
            Err(_) if self.has_code(target) => None,
            Err(_) => {
                self.fail(module, target);
                None
            }
        }
    }

    /// Compiles a target; `None` if it is no loop.
    fn try_compile(&self, module: &ModuleInner, target: Target, effort: Effort) -> Result<Option<Compiled>> {
        let tier = &module.engine.0.tier;
        let compiler = tier
            .compiler()
            .ok_or_else(|| Error::unsupported("the engine has no compiler"))?;
        module.validate_body(target.func)?;
        let osr = match target.osr {
            None => None,
            Some(inst) => match translate::loop_at(module, target.func, inst)? {
                None => return Ok(None),
                at => at,
            },
        };
        let exits = std::cell::RefCell::new(Vec::new());
        let interruptible = tier.interruptible();
        let guesses = self.profile.guesses(module, target.func);
        let job = CompileJob {
            module: ModuleView(module),
            func: target.func,
            osr,
            effort,
            guarded: tier.guarded(),
            interruptible,
            samples: &|func| match func.checked_sub(module.imported_funcs) {
                Some(own) => self.samples(own as usize),
                None => 0,
            },
            indirect_target: &|offset| {
                guesses
                    .iter()
                    .find(|(at, _)| *at == offset)
                    .map(|(_, callee)| *callee)
            },
            exit_stub_needed: &|ty| {
                exits.borrow_mut().push(ty);
                Ok(())
            },
        };
        let code = compiler.compile(&job)?;
        let mut exits = exits.into_inner();
        exits.sort_unstable();
        exits.dedup();
        Ok(Some(Compiled {
            target,
            effort,
            code,
            exits,
            interruptible,
        }))
    }

    /// Whether there is code of a target.
    fn has_code(&self, target: Target) -> bool {
        matches!(self.lock().targets.get(&target), Some(State::Ready(..)))
    }

    /// The code that there is to save, and how many functions of it were not saved yet.
    pub(super) fn collect(&self, module: &ModuleInner, interruptible: bool) -> (Collected, usize) {
        let inner = self.lock();
        let mut collected = Collected::new();
        let mut add = |kind, index, address: *const u8| {
            if let Some(code) = native::find_code(address as usize) {
                collected.push((kind, index, code));
            }
        };
        for (target, state) in &inner.targets {
            if let (State::Ready(entry, looks), None) = (state, target.osr)
                && *looks == interruptible
            {
                add(PieceKind::Func, target.func, entry[1].handler as *const u8);
            }
        }
        // Types that are equal have one number in the engine, and one stub.
        let mut seen = HashSet::new();
        for (ty, sig) in module.sigs.iter().enumerate() {
            let index = ty as u32;
            if seen.insert(*sig)
                && let Some(stub) = inner.entry_stubs.get(sig)
            {
                add(PieceKind::EntryStub, index, *stub);
            }
            if inner.exit_stubs.contains(&index) {
                add(PieceKind::ExitStub, index, module.exit_stubs[ty].load(Relaxed));
            }
        }
        (collected, inner.unsaved)
    }

    /// So many functions were saved.
    pub(super) fn saved(&self, funcs: usize) {
        let mut inner = self.lock();
        inner.unsaved = inner.unsaved.saturating_sub(funcs);
    }

    /// The digest of the module's bytes, made once.
    pub(super) fn digest(&self, make: impl FnOnce() -> [u8; 32]) -> [u8; 32] {
        *self.digest.get_or_init(make)
    }

    /// Takes all machine code out of use. It stays where it is, because it may be running.
    pub(super) fn reset(&self, module: &ModuleInner) {
        let mut inner = self.lock();
        inner.unsaved = 0;
        for (target, state) in std::mem::take(&mut inner.targets) {
            match state {
                State::Ready(entry, _) => {
                    if target.osr.is_none() {
                        module
                            .code
                            .unset_native(target.func, super::publish::exit_stub_of(module, target.func));
                    }
                    inner.retired.push(entry);
                }
                State::Requested | State::Failed => {
                    inner.targets.insert(target, state);
                }
            }
        }
    }
}

/// Whether a function may have machine code.
pub(super) fn wanted(module: &ModuleInner, func: u32) -> bool {
    module
        .engine
        .config()
        .compile_filter
        .is_none_or(|filter| filter(func))
}

/// The module of a running instance, to be kept.
///
/// # Safety
/// The module belongs to a live instance.
pub(super) unsafe fn keep(module: *const ModuleInner) -> Arc<ModuleInner> {
    // SAFETY: an instance owns its module through an `Arc`, whose pointer this is.
    unsafe {
        Arc::increment_strong_count(module);
        Arc::from_raw(module)
    }
}
