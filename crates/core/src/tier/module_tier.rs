//! What is compiled of a module, and the samples that decide it.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
    fs::File,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{
            AtomicU32,
            Ordering::{Relaxed, Release},
        },
    },
    time::Instant,
};

use super::{
    CompileJob, Effort, ModuleView, NativeCode, Profiling,
    engine_tier::EntryInst,
    profile::Profile,
    profiling,
    saved::{Collected, Image, PieceKind},
};
use crate::{
    bytecode::{Inst, Op, Operands, Single},
    engine::SigId,
    error::{Error, Result},
    interp,
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
enum State {
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
    memory: CodeMemory,
    inner: Mutex<Inner>,
    /// Of the module's bytes, for the cache.
    digest: OnceLock<[u8; 32]>,
}

#[derive(Default)]
struct Inner {
    targets: HashMap<Target, State>,
    entry_stubs: HashMap<SigId, *const u8>,
    /// Per function, how many of its loops were requested, and at how many samples the last one was.
    osr_requests: HashMap<u32, (u32, u32)>,
    /// Types whose exit stubs are there.
    exit_stubs: HashSet<u32>,
    /// Entries that others took the place of; the interpreter may be about to execute them.
    retired: Vec<EntryInst>,
    /// Functions that were compiled and not saved yet.
    unsaved: usize,
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
    target: Target,
    effort: Effort,
    pub(super) code: NativeCode,
    /// Types whose exit stubs the code uses.
    exits: Vec<u32>,
    interruptible: bool,
}

impl ModuleTier {
    fn lock(&self) -> MutexGuard<'_, Inner> {
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

    /// Makes compiled targets executable, with the stubs that they need, and lets the interpreter and other machine code use them. Gives the functions
    /// whose code is worth more effort later.
    pub(super) fn publish(&self, module: &ModuleInner, mut batch: Vec<Compiled>) -> Result<Vec<Target>> {
        let tier = &module.engine.0.tier;
        let Some(compiler) = tier.compiler() else {
            return Ok(Vec::new());
        };
        let mut inner = self.lock();
        // Code from before a reset is of no use.
        let interruptible = tier.interruptible();
        batch.retain(|compiled| {
            let valid = compiled.interruptible == interruptible;
            if !valid {
                inner.targets.remove(&compiled.target);
                if let Some(State::Requested) = inner.targets.get(&compiled.target.whole()) {
                    inner.targets.remove(&compiled.target.whole());
                }
            }
            valid
        });
        let mut stubs = Vec::new();
        let mut new_stubs = Vec::new();
        for compiled in &batch {
            let ty = module.funcs[compiled.target.func as usize].ty;
            let sig = module.sigs[ty as usize];
            let func_type = &module.types[ty as usize];
            let kind = StubKind::Entry(sig);
            if !inner.entry_stubs.contains_key(&sig) && !new_stubs.contains(&kind) {
                stubs.push(compiler.entry_stub(func_type)?);
                new_stubs.push(kind);
            }
            for ty in &compiled.exits {
                let kind = StubKind::Exit(*ty);
                if !inner.exit_stubs.contains(ty) && !new_stubs.contains(&kind) {
                    stubs.push(compiler.exit_stub(&module.types[*ty as usize])?);
                    new_stubs.push(kind);
                }
            }
        }
        let pieces: Vec<&NativeCode> = batch.iter().map(|c| &c.code).chain(&stubs).collect();
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let mut later = Vec::new();
        let addresses = self.memory.publish(module, &pieces)?;
        let targets = batch
            .iter()
            .map(|c| (PieceKind::Func, c.target.func, c.target.osr));
        let what = targets.chain(new_stubs.iter().map(|kind| kind.piece(module)));
        let published = what.zip(pieces.iter().zip(&addresses));
        profiling::note(
            module,
            published.map(|((kind, index, osr), (piece, address))| {
                (kind, index, osr, *address, piece.bytes.as_slice())
            }),
        );
        let mut new_exits = false;
        for (kind, address) in new_stubs.into_iter().zip(&addresses[batch.len()..]) {
            match kind {
                StubKind::Entry(sig) => {
                    inner.entry_stubs.insert(sig, *address);
                }
                StubKind::Exit(ty) => {
                    inner.exit_stubs.insert(ty);
                    module.exit_stubs[ty as usize].store(address.cast_mut(), Release);
                    new_exits = true;
                }
            }
        }
        if new_exits {
            fill_cells(module);
        }
        for (compiled, address) in batch.iter().zip(addresses) {
            let Target { func, osr } = compiled.target;
            let ty = module.funcs[func as usize].ty;
            let stub = inner.entry_stubs[&module.sigs[ty as usize]];
            let counters = &tier.counters;
            counters.code_bytes.fetch_add(compiled.code.bytes.len(), Relaxed);
            if osr.is_some() {
                counters.osr_compiled.fetch_add(1, Relaxed);
                let entry = entry_inst(Single::EnterLoop, module, func, address, stub);
                inner
                    .targets
                    .insert(compiled.target, State::Ready(entry, interruptible));
            }
            let whole = compiled.target.whole();
            match (inner.targets.remove(&whole), osr) {
                // Code without the entry is better for calls.
                (Some(ready @ State::Ready(..)), Some(_)) => {
                    inner.targets.insert(whole, ready);
                    continue;
                }
                (Some(State::Ready(entry, _)), None) => {
                    counters.improved.fetch_add(1, Relaxed);
                    inner.retired.push(entry);
                }
                _ => {
                    counters.compiled.fetch_add(1, Relaxed);
                }
            }
            inner.unsaved += 1;
            let entry = entry_inst(Single::EnterNative, module, func, address, stub);
            module.code.set_native(func, &entry, address);
            inner.targets.insert(whole, State::Ready(entry, interruptible));
            if compiled.effort == Effort::Quick {
                later.push(whole);
            }
        }
        Ok(later)
    }

    /// Whether there is code of a target.
    fn has_code(&self, target: Target) -> bool {
        matches!(self.lock().targets.get(&target), Some(State::Ready(..)))
    }

    /// Publishes saved code of this module, which `file` may hold at an offset. Functions that have code already keep it.
    ///
    /// # Errors
    /// If the image does not fit the module; `Limit` when the system gives no executable memory.
    pub(super) fn adopt(
        &self,
        module: &ModuleInner,
        image: &Arc<Image>,
        file: Option<(&File, u64)>,
        interruptible: bool,
    ) -> Result<()> {
        let tier = &module.engine.0.tier;
        let funcs = module.imported_funcs..module.funcs.len() as u32;
        let fits = image.pieces().all(|piece| match piece.kind {
            PieceKind::Func => funcs.contains(&piece.index),
            _ => (piece.index as usize) < module.types.len(),
        });
        if !fits {
            return Err(Error::usage("saved code of another module"));
        }
        let mut inner = self.lock();
        if tier.interruptible() != interruptible {
            return Ok(());
        }
        // perf looks into its map only for addresses that are not in a file.
        let file = file.filter(|_| module.engine.config().profiling != Profiling::PerfMap);
        let code = self.memory.adopt(module, image, file)?;
        profiling::note(
            module,
            image.pieces().map(|piece| {
                let range = piece.start as usize..(piece.start + piece.len) as usize;
                let address = code.wrapping_add(range.start);
                (piece.kind, piece.index, None, address, &image.code()[range])
            }),
        );
        let mut entry_stubs = HashMap::new();
        for piece in image.pieces() {
            let address = code.wrapping_add(piece.start as usize);
            match piece.kind {
                PieceKind::Func => {}
                PieceKind::EntryStub => {
                    entry_stubs.insert(module.sigs[piece.index as usize], address);
                }
                PieceKind::ExitStub => {
                    if inner.exit_stubs.insert(piece.index) {
                        module.exit_stubs[piece.index as usize].store(address.cast_mut(), Release);
                    }
                }
            }
        }
        for (sig, address) in entry_stubs {
            inner.entry_stubs.entry(sig).or_insert(address);
        }
        fill_cells(module);
        // Functions last: other threads may call them at once.
        for piece in image.pieces().filter(|piece| piece.kind == PieceKind::Func) {
            let target = Target {
                func: piece.index,
                osr: None,
            };
            let sig = module.sigs[module.funcs[piece.index as usize].ty as usize];
            let Some(stub) = inner.entry_stubs.get(&sig).copied() else {
                continue;
            };
            let Entry::Vacant(vacant) = inner.targets.entry(target) else {
                continue;
            };
            if !wanted(module, piece.index) {
                continue;
            }
            let address = code.wrapping_add(piece.start as usize);
            let entry = entry_inst(Single::EnterNative, module, piece.index, address, stub);
            module.code.set_native(piece.index, &entry, address);
            vacant.insert(State::Ready(entry, interruptible));
            tier.counters.loaded.fetch_add(1, Relaxed);
            tier.counters.code_bytes.fetch_add(piece.len as usize, Relaxed);
        }
        Ok(())
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
                            .unset_native(target.func, exit_stub_of(module, target.func));
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

#[derive(Copy, Clone, PartialEq, Eq)]
enum StubKind {
    Entry(SigId),
    Exit(u32),
}

impl StubKind {
    /// What it is as a piece of the module, with a type that it is for.
    fn piece(self, module: &ModuleInner) -> (PieceKind, u32, Option<u32>) {
        let type_of = |sig| module.sigs.iter().position(|s| *s == sig).unwrap_or_default() as u32;
        match self {
            StubKind::Entry(sig) => (PieceKind::EntryStub, type_of(sig), None),
            StubKind::Exit(ty) => (PieceKind::ExitStub, ty, None),
        }
    }
}

/// Whether a function may have machine code.
fn wanted(module: &ModuleInner, func: u32) -> bool {
    module
        .engine
        .config()
        .compile_filter
        .is_none_or(|filter| filter(func))
}

/// What machine code calls instead of a function that has none; null until there is code that calls functions of this type.
fn exit_stub_of(module: &ModuleInner, func: u32) -> *mut u8 {
    module.exit_stubs[module.funcs[func as usize].ty as usize].load(Relaxed)
}

/// Lets machine code that calls a function without machine code call the exit stub of its type. Called with the lock held, when there are new exit stubs.
fn fill_cells(module: &ModuleInner) {
    for func in module.imported_funcs..module.funcs.len() as u32 {
        let cell = module.code.cell(func);
        if cell.direct.load(Relaxed).is_null() {
            cell.direct.store(exit_stub_of(module, func), Release);
        }
    }
}

/// The instruction that enters machine code of a function, at its start or at its loop entry.
fn entry_inst(op: Single, module: &ModuleInner, func: u32, code: *const u8, stub: *const u8) -> EntryInst {
    let ty = module.func_type(func);
    // Types have at most 1,000 parameters and results.
    let operands = Operands::with_imm(ty.param_slots() as u16, ty.result_slots() as u16, func);
    Box::new([
        Inst {
            handler: interp::handler(Op::single(op)),
            operands,
        },
        Inst {
            handler: code as usize,
            operands: Operands::wide(stub as u64),
        },
    ])
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
