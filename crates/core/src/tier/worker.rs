//! Compiling: in the background, at once, or a whole module.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, Weak,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Effort,
    module_tier::{Compiled, Target},
};
use crate::{error::Result, module::ModuleInner};

/// What waits to be compiled.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    inner: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: Vec<Job>,
    threads: usize,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    module: Weak<ModuleInner>,
    target: Target,
    effort: Effort,
}

/// Code is published when this much of it has come together, or nothing is waiting: publishing takes whole pages.
const BATCH_BYTES: usize = 32 << 10;

/// But no function that is ready waits longer than this for others to be compiled.
const BATCH_TIME: Duration = Duration::from_millis(1);

/// How long nothing must have been asked for before the compiler improves what there is.
const IDLE: Duration = Duration::from_millis(20);

/// Stack of a compiling thread: the compiler recurses over the nesting of blocks.
const STACK: usize = 16 << 20;

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.inner.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    pub(super) fn push(self: &Arc<Self>, module: &Arc<ModuleInner>, target: Target, effort: Effort) {
        let mut waiting = self.lock();
        waiting.jobs.push(Job {
            module: Arc::downgrade(module),
            target,
            effort,
        });
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
    fn next(&self, wait: bool) -> Option<(Arc<ModuleInner>, Target, Effort)> {
        // The last reference to a module may be dropped here, and with it its engine, which closes this queue: so that is done when the
        // queue is no longer locked.
        let mut seen = Vec::new();
        let mut waiting = self.lock();
        let mut idle = false;
        loop {
            if waiting.closed {
                return None;
            }
            let mut best: Option<(u64, usize)> = None;
            let mut at = 0;
            while at < waiting.jobs.len() {
                let job = &waiting.jobs[at];
                let rank = match job.effort {
                    // Looked at later, when there is nothing else.
                    Effort::Full if job.module.strong_count() > 0 => 0,
                    Effort::Full => {
                        waiting.jobs.swap_remove(at);
                        continue;
                    }
                    Effort::Quick => {
                        let Some(module) = job.module.upgrade() else {
                            waiting.jobs.swap_remove(at);
                            continue;
                        };
                        let rank = rank(&module, job.target);
                        seen.push(module);
                        rank
                    }
                };
                if best.is_none_or(|(r, _)| rank > r) {
                    best = Some((rank, at));
                }
                at += 1;
            }
            if let Some((rank, at)) = best
                && (rank > 0 || idle)
            {
                let job = waiting.jobs.swap_remove(at);
                match job.module.upgrade() {
                    Some(module) => return Some((module, job.target, job.effort)),
                    None => continue,
                }
            }
            if !wait {
                return None;
            }
            if best.is_some() {
                let result;
                (waiting, result) = self
                    .changed
                    .wait_timeout(waiting, IDLE)
                    .unwrap_or_else(|e| e.into_inner());
                idle = result.timed_out();
            } else {
                waiting = self.changed.wait(waiting).unwrap_or_else(|e| e.into_inner());
            }
        }
    }

    fn work(self: &Arc<Self>) {
        let mut next = self.next(true);
        while let Some((module, target, effort)) = next.take() {
            let begin = Instant::now();
            let mut batch: Vec<Compiled> = Vec::new();
            batch.extend(module.tier.compile(&module, target, effort));
            let mut bytes = batch.iter().map(|c| c.code.bytes.len()).sum::<usize>();
            // Small functions are published together; a loop is entered as soon as it can be.
            while bytes < BATCH_BYTES && begin.elapsed() < BATCH_TIME && target.osr.is_none() {
                match self.next(false) {
                    Some((other, target, effort)) if Arc::ptr_eq(&other, &module) && target.osr.is_none() => {
                        let compiled = module.tier.compile(&module, target, effort);
                        bytes += compiled.as_ref().map_or(0, |c| c.code.bytes.len());
                        batch.extend(compiled);
                    }
                    other => {
                        next = other;
                        break;
                    }
                }
            }
            for again in publish(&module, batch) {
                self.push(&module, again, Effort::Full);
            }
            drop(module);
            if next.is_none() {
                next = self.next(true);
            }
        }
        self.lock().threads -= 1;
    }
}

/// What is worth most comes first: time seen in the function per byte to compile. At least 1; zero is the rank of what waits until there is nothing else to do.
fn rank(module: &ModuleInner, target: Target) -> u64 {
    /// The work that a function of no size takes, in bytes.
    const FIXED: u64 = 256;
    let own = (target.func - module.imported_funcs) as usize;
    let samples = u64::from(module.tier.samples(own));
    // A call is waiting in a loop.
    let weight = if target.osr.is_some() { 2 } else { 1 };
    (((samples * weight) << 20) / (module.bodies[own].len() as u64 + FIXED)).max(1)
}

/// Gives what is worth more effort later.
fn publish(module: &ModuleInner, batch: Vec<Compiled>) -> Vec<Target> {
    // Without memory for it, functions stay interpreted.
    module.tier.publish(module, batch).unwrap_or_default()
}

/// Compiles while the guest waits, on a thread of its own: the guest's may have little stack left.
pub(super) fn compile_now(module: &ModuleInner, target: Target) {
    let compile = || {
        if let Some(compiled) = module.tier.compile(module, target, Effort::Quick) {
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
                    && let Some(compiled) = module.tier.compile(module, target, Effort::Full)
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
