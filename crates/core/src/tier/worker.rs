//! Compiling: in the background, at once, or a whole module.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::module_tier::{Compiled, Target};
use crate::{error::Result, module::ModuleInner};

/// What waits to be compiled.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: Vec<(Weak<ModuleInner>, Target)>,
    threads: usize,
    closed: bool,
}

/// Code is published when this much of it has come together, or nothing is waiting: publishing takes whole pages.
const BATCH_BYTES: usize = 32 << 10;

/// But no function that is ready waits longer than this for others to be compiled.
const BATCH_TIME: Duration = Duration::from_millis(1);

/// Stack of a compiling thread: the compiler recurses over the nesting of blocks.
const STACK: usize = 16 << 20;

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    pub(super) fn push(self: &Arc<Self>, module: &Arc<ModuleInner>, target: Target) {
        let mut waiting = self.lock();
        waiting.jobs.push((Arc::downgrade(module), target));
        if waiting.threads < module.engine.0.tier.compile_threads && waiting.jobs.len() > waiting.threads {
            let queue = self.clone();
            let thread = thread::Builder::new()
                .name("wharf-compile".into())
                .stack_size(STACK)
                .spawn(move || queue.work());
            if thread.is_ok() {
                waiting.threads += 1;
            }
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Ends the threads; what is waiting is forgotten.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.jobs.clear();
        drop(waiting);
        self.changed.notify_all();
    }

    /// The next job, see [`rank`]. With `wait` waits for one; `None` at the end.
    fn next(&self, wait: bool) -> Option<(Arc<ModuleInner>, Target)> {
        // The last reference to a module may be dropped here, and with it its engine, which closes this queue: so that is done when the
        // queue is no longer locked.
        let mut seen = Vec::new();
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let mut best: Option<(u64, usize)> = None;
            let mut at = 0;
            while at < waiting.jobs.len() {
                let (module, target) = &waiting.jobs[at];
                let Some(module) = module.upgrade() else {
                    waiting.jobs.swap_remove(at);
                    continue;
                };
                let own = (target.func - module.imported_funcs) as usize;
                let rank = rank(&module, *target, own);
                if best.is_none_or(|(r, _)| rank > r) {
                    best = Some((rank, at));
                }
                seen.push(module);
                at += 1;
            }
            if let Some((_, at)) = best {
                let (_, target) = waiting.jobs.swap_remove(at);
                // Each job that is left was seen, at its place.
                return Some((seen.swap_remove(at), target));
            }
            if !wait {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(|e| e.into_inner());
        }
    }

    fn work(&self) {
        let mut next = self.next(true);
        while let Some((module, target)) = next.take() {
            let begin = Instant::now();
            let mut batch: Vec<Compiled> = Vec::new();
            batch.extend(module.tier.compile(&module, target));
            let mut bytes = batch.iter().map(|c| c.code.bytes.len()).sum::<usize>();
            // Small functions are published together; a loop is entered as soon as it can be.
            while bytes < BATCH_BYTES && begin.elapsed() < BATCH_TIME && target.osr.is_none() {
                match self.next(false) {
                    Some((other, target)) if Arc::ptr_eq(&other, &module) && target.osr.is_none() => {
                        let compiled = module.tier.compile(&module, target);
                        bytes += compiled.as_ref().map_or(0, |c| c.code.bytes.len());
                        batch.extend(compiled);
                    }
                    other => {
                        next = other;
                        break;
                    }
                }
            }
            publish(&module, batch);
            drop(module);
            if next.is_none() {
                next = self.next(true);
            }
        }
        self.lock().threads -= 1;
    }
}

/// What is worth most comes first: time seen in the function per byte to compile.
fn rank(module: &ModuleInner, target: Target, own: usize) -> u64 {
    /// The work that a function of no size takes, in bytes.
    const FIXED: u64 = 256;
    let samples = u64::from(module.tier.samples(own));
    // A call is waiting in a loop.
    let weight = if target.osr.is_some() { 2 } else { 1 };
    ((samples * weight) << 20) / (module.bodies[own].len() as u64 + FIXED)
}

fn publish(module: &ModuleInner, batch: Vec<Compiled>) {
    // Without memory for it, functions stay interpreted.
    let _ = module.tier.publish(module, batch);
}

/// Compiles while the guest waits, on a thread of its own: the guest's may have little stack left.
pub(super) fn compile_now(module: &ModuleInner, target: Target) {
    let compile = || {
        if let Some(compiled) = module.tier.compile(module, target) {
            publish(module, vec![compiled]);
        }
    };
    thread::scope(|scope| {
        // Without a thread the function stays interpreted.
        let _ = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, compile);
    });
}

/// Compiles all functions of a module, on all cores.
pub(super) fn compile_all(module: &Arc<ModuleInner>) -> Result<()> {
    let funcs = module.bodies.len() as u32;
    let next = AtomicU32::new(0);
    let failed = Mutex::new(None);
    let threads = thread::available_parallelism()
        .map_or(1, |n| n.get())
        .min(funcs.div_ceil(16) as usize);
    let work = || {
        let mut batch = Vec::new();
        let mut bytes = 0;
        loop {
            let own = next.fetch_add(1, Relaxed);
            if own < funcs {
                let target = Target {
                    func: module.imported_funcs + own,
                    osr: None,
                };
                if module.tier.request(module, target)
                    && let Some(compiled) = module.tier.compile(module, target)
                {
                    bytes += compiled.code.bytes.len();
                    batch.push(compiled);
                }
            }
            if (bytes >= 16 * BATCH_BYTES || own >= funcs)
                && let Err(e) = module.tier.publish(module, std::mem::take(&mut batch))
            {
                *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(e);
            }
            if bytes >= 16 * BATCH_BYTES {
                bytes = 0;
            }
            if own >= funcs {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            // A thread that can't be started is not needed: the last one to be here does what is left.
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        }
    });
    if next.load(Relaxed) < funcs {
        work();
    }
    match failed.into_inner().unwrap_or_else(|e| e.into_inner()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
