//! What happens when the interpreter's budget is used up.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use super::{
    Effort, Tier,
    module_tier::{Target, keep},
    worker,
};
use crate::{
    bytecode::Inst,
    module::ModuleInner,
    runtime::{deadline, vm::VmCtx},
};

/// How many samples one counts as, by the time since the last: events are not equally far apart everywhere.
fn weight(sampled: &mut Option<Instant>) -> u32 {
    /// What makes one sample.
    const UNIT: Duration = Duration::from_micros(32);
    /// The most that one counts as: part of the time may have been spent elsewhere.
    const MOST: u128 = 8;
    let now = Instant::now();
    let last = sampled.replace(now);
    let passed = last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
    (passed.as_nanos() / UNIT.as_nanos()).clamp(1, MOST) as u32
}

/// In how many samples a function of this length must be seen whatever the configuration says. While the compiler is busy with a giant, nothing else gets
/// compiled, so giants have to be hotter.
fn least_samples(len: usize, mode: Tier) -> u32 {
    let blocks = (len / 4096).min(1 << 10) as u32;
    match mode {
        Tier::Tiered => blocks * blocks,
        _ => 0,
    }
}

/// In how many samples a function must be seen elsewhere before it is compiled with an entry at another loop.
const PATIENCE: u32 = 16;

/// Refills the budget of an instance that is about to execute the instruction at `ip`, which is that behind the entry of a function or
/// at the header of a loop, and does what is to be done if the deadline of the store has come. Gives the instruction to execute instead, or null if the
/// guest must stop; the reason is in the runtime block then.
///
/// # Safety
/// `vm` is the state block of the instance whose bytecode is running, `sp` the frame. As [`deadline::reached`].
#[cold]
#[inline(never)]
pub(crate) unsafe fn sample(vm: *mut VmCtx, ip: *const Inst, sp: *const u64) -> *const Inst {
    // SAFETY: by the contract above, the block and what it leads to are live.
    let (module, interrupted) = unsafe { (&*(*vm).module, (*(*(*vm).rt).store).interrupted()) };
    // SAFETY: as above.
    unsafe { (*vm).budget = module.engine.config().budget() };
    // SAFETY: as above.
    if interrupted && unsafe { !deadline::reached((*vm).rt) } {
        return std::ptr::null();
    }
    match module.engine.0.tier.mode() {
        Tier::Off | Tier::Eager => ip,
        // SAFETY: as above.
        Tier::Tiered | Tier::Sync => unsafe { hot(module, vm, ip, sp) },
    }
}

/// When the budget is used up where no function and no loop begins: leaves the sample to the next place where one does, and does what is to be
/// done if the deadline of the store has come. `false` when the guest must stop; the reason is in the runtime block then.
///
/// # Safety
/// As `sample`.
#[cold]
#[inline(never)]
pub(crate) unsafe fn postpone_sample(vm: *mut VmCtx) -> bool {
    // SAFETY: by the contract above, the block and what it leads to are live.
    unsafe {
        (*vm).budget = 0;
        !(*(*(*vm).rt).store).interrupted() || deadline::reached((*vm).rt)
    }
}

/// # Safety
/// As `sample`; the module is that of the instance.
unsafe fn hot(
    module_ptr: *const ModuleInner,
    vm: *mut VmCtx,
    ip: *const Inst,
    sp: *const u64,
) -> *const Inst {
    // SAFETY: by the contract above.
    let module = unsafe { &*module_ptr };
    let tier = &module.engine.0.tier;
    let Some((func, inst)) = module.code.find(ip) else {
        return ip;
    };
    let own = (func - module.imported_funcs) as usize;
    let weight = match tier.mode() {
        // SAFETY: by the contract above.
        Tier::Tiered => weight(unsafe { &mut (*(*vm).rt).sampled }),
        _ => 1,
    };
    let samples = module.tier.count(module.bodies.len(), own, weight);
    if inst == 1 {
        // SAFETY: behind the first instruction the frame is as it was made (or a loop begins there, and it still is).
        unsafe { module.tier.profile.entered(module, vm, func, sp) };
    }
    if samples
        < tier
            .hot_samples
            .max(least_samples(module.bodies[own].len(), tier.mode()))
    {
        return ip;
    }
    let whole = Target { func, osr: None };
    // Behind the first instruction a function may have been entered or a loop be repeated: if machine code is there already, this call
    // is an old one, and in a loop.
    let at_loop = inst != 1 || module.code.is_native(func);
    let osr = Target {
        func,
        osr: Some(inst as u32),
    };
    if at_loop && let Some(entry) = module.tier.ready(osr) {
        tier.counters.osr_entries.fetch_add(1, Relaxed);
        return entry;
    }
    let target = match at_loop {
        true => {
            let patience = if tier.mode() == Tier::Sync { 0 } else { PATIENCE };
            module.tier.request_osr(module, osr, samples, patience)
        }
        false => module.tier.request(module, whole).then_some(whole),
    };
    if let Some(target) = target {
        match tier.mode() {
            Tier::Sync => worker::compile_now(module, target),
            // SAFETY: by the contract above.
            _ => tier
                .queue
                .push(&unsafe { keep(module_ptr) }, target, Effort::Quick),
        }
    }
    if tier.mode() == Tier::Sync
        && at_loop
        && let Some(entry) = module.tier.ready(osr)
    {
        tier.counters.osr_entries.fetch_add(1, Relaxed);
        return entry;
    }
    ip
}
