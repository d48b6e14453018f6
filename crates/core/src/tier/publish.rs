//! Letting machine code be used: what was compiled, and what was saved.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs::File,
    sync::{
        Arc,
        atomic::Ordering::{Relaxed, Release},
    },
};

use super::{
    Effort, NativeCode, Profiling,
    engine_tier::EntryInst,
    module_tier::{Compiled, ModuleTier, State, Target, wanted},
    profiling,
    saved::{Image, PieceKind},
};
use crate::{
    bytecode::{Inst, Op, Operands, Single},
    engine::SigId,
    error::{Error, Result},
    interp,
    module::ModuleInner,
};

impl ModuleTier {
    /// Makes compiled targets executable, with the stubs that they need, and lets the interpreter and other machine code use them. Gives the functions
    /// whose code is worth more effort later.
    pub(super) fn publish(&self, module: &ModuleInner, batch: Vec<Compiled>) -> Result<Vec<Target>> {
        let tier = &module.engine.0.tier;
        let Some(compiler) = tier.compiler() else {
            return Ok(Vec::new());
        };
        // The compiler works without the lock, since the guest takes it at every sample.
        let new_stubs = self.missing_stubs(module, &batch);
        let mut stubs = Vec::with_capacity(new_stubs.len());
        for kind in &new_stubs {
            stubs.push(match *kind {
                StubKind::Entry(_, ty) => compiler.entry_stub(&module.types[ty as usize])?,
                StubKind::Exit(ty) => compiler.exit_stub(&module.types[ty as usize])?,
            });
        }
        let pieces: Vec<&NativeCode> = batch.iter().map(|c| &c.code).chain(&stubs).collect();
        if pieces.is_empty() {
            return Ok(Vec::new());
        }
        let addresses = self.memory.publish(module, &pieces)?;
        let targets = batch
            .iter()
            .map(|c| (PieceKind::Func, c.target.func, c.target.osr));
        let what = targets.chain(new_stubs.iter().map(|kind| kind.piece()));
        let published = what.zip(pieces.iter().zip(&addresses));
        profiling::note(
            module,
            published.map(|((kind, index, osr), (piece, address))| {
                (kind, index, osr, *address, piece.bytes.as_slice())
            }),
        );
        let mut guard = self.lock();
        let inner = &mut *guard;
        let mut new_exits = false;
        for (kind, address) in new_stubs.into_iter().zip(&addresses[batch.len()..]) {
            match kind {
                // Another thread may have made it meanwhile.
                StubKind::Entry(sig, _) => {
                    inner.entry_stubs.entry(sig).or_insert(*address);
                }
                StubKind::Exit(ty) => {
                    if inner.exit_stubs.insert(ty) {
                        module.exit_stubs[ty as usize].store(address.cast_mut(), Release);
                        new_exits = true;
                    }
                }
            }
        }
        if new_exits {
            fill_cells(module);
        }
        let interruptible = tier.interruptible();
        let mut later = Vec::new();
        for (compiled, address) in batch.iter().zip(addresses) {
            if compiled.interruptible != interruptible {
                // Code from before a reset is of no use.
                inner.forget(compiled.target);
                continue;
            }
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

    /// The stubs that compiled targets need and that are not there.
    fn missing_stubs(&self, module: &ModuleInner, batch: &[Compiled]) -> Vec<StubKind> {
        let inner = self.lock();
        let mut missing = Vec::new();
        for compiled in batch {
            let ty = module.funcs[compiled.target.func as usize].ty;
            let sig = module.sigs[ty as usize];
            let known = |kind: &&StubKind| matches!(kind, StubKind::Entry(known, _) if *known == sig);
            if !inner.entry_stubs.contains_key(&sig) && !missing.iter().any(|kind| known(&kind)) {
                missing.push(StubKind::Entry(sig, ty));
            }
            for ty in &compiled.exits {
                let kind = StubKind::Exit(*ty);
                if !inner.exit_stubs.contains(ty) && !missing.contains(&kind) {
                    missing.push(kind);
                }
            }
        }
        missing
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
}

/// A stub by what it is for.
#[derive(Copy, Clone, PartialEq, Eq)]
enum StubKind {
    /// Entries of functions of a type: its number in the engine, and an index of the type in the module.
    Entry(SigId, u32),
    /// Calls of functions of a type, by its index in the module.
    Exit(u32),
}

impl StubKind {
    /// What it is as a piece of the module.
    fn piece(self) -> (PieceKind, u32, Option<u32>) {
        match self {
            StubKind::Entry(_, ty) => (PieceKind::EntryStub, ty, None),
            StubKind::Exit(ty) => (PieceKind::ExitStub, ty, None),
        }
    }
}

/// What machine code calls instead of a function that has none; null until there is code that calls functions of this type.
pub(super) fn exit_stub_of(module: &ModuleInner, func: u32) -> *mut u8 {
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
