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
    /// What is worth more effort when there is nothing else to do.
    later: Vec<Job>,
    threads: usize,
    closed: bool,
    /// Whether nothing was asked for during [`IDLE`], and nothing since.
    idle: bool,
}

#[derive(Debug)]
struct Job {
    module: Weak<ModuleInner>,
    target: Target,
}

/// Code is published when this much of it has come together, or nothing is waiting: publishing maps pages for a moment.
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
        let waiting = self.lock();
        waiting.jobs.len() + waiting.later.len()
    }

    pub(super) fn push(self: &Arc<Self>, module: &Arc<ModuleInner>, target: Target, effort: Effort) {
        let mut waiting = self.lock();
        let job = Job {
            module: Arc::downgrade(module),
            target,
        };
        match effort {
            Effort::Quick => {
                waiting.idle = false;
                waiting.jobs.push(job);
            }
            Effort::Full => waiting.later.push(job),
        }
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
        waiting.later.clear();
        drop(waiting);
        self.changed.notify_all();
    }

    /// The next job, see [`rank`]. With `wait` waits for one; `None` at the end.
    fn next(&self, wait: bool) -> Option<(Arc<ModuleInner>, Target, Effort)> {
        // The last reference to a module may be dropped here, and with it its engine, which closes this queue: so that is done when the
        // queue is no longer locked.
        let mut seen = Vec::new();
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some((module, target)) = pick(&mut waiting.jobs, &mut seen) {
                return Some((module, target, Effort::Quick));
            }
            if waiting.idle
                && let Some((module, target)) = pick(&mut waiting.later, &mut seen)
            {
                return Some((module, target, Effort::Full));
            }
            if !wait {
                return None;
            }
            if !waiting.later.is_empty() {
                let result;
                (waiting, result) = self
                    .changed
                    .wait_timeout(waiting, IDLE)
                    .unwrap_or_else(|e| e.into_inner());
                waiting.idle = result.timed_out();
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

/// Takes out the job that is worth most, and those whose modules are gone. Modules that were looked at go into `seen`.
fn pick(jobs: &mut Vec<Job>, seen: &mut Vec<Arc<ModuleInner>>) -> Option<(Arc<ModuleInner>, Target)> {
    let mut best: Option<(u64, usize)> = None;
    let mut at = 0;
    while at < jobs.len() {
        let Some(module) = jobs[at].module.upgrade() else {
            jobs.swap_remove(at);
            continue;
        };
        let rank = rank(&module, jobs[at].target);
        seen.push(module);
        if best.is_none_or(|(r, _)| rank > r) {
            best = Some((rank, at));
        }
        at += 1;
    }
    let job = jobs.swap_remove(best?.1);
    Some((job.module.upgrade()?, job.target))
}

/// What is worth most comes first: time seen in the function per byte to compile.
fn rank(module: &ModuleInner, target: Target) -> u64 {
    /// The work that a function of no size takes, in bytes.
    const FIXED: u64 = 256;
    let own = (target.func - module.imported_funcs) as usize;
    let samples = u64::from(module.tier.samples(own));
    // A call is waiting in a loop.
    let weight = if target.osr.is_some() { 2 } else { 1 };
    ((samples * weight) << 20) / (module.bodies[own].len() as u64 + FIXED)
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
