//! Which functions indirect calls lead to.
//!
//! A sample at the entry of a function shows who called it. Sites that were seen a few times with one callee only are worth a guess
//! by the compiler.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use crate::{
    bytecode::{Inst, LINKAGE, Op, Single},
    interp,
    module::ModuleInner,
    runtime::vm::VmCtx,
    translate,
};

/// What samples have shown of the indirect calls of a module.
#[derive(Debug, Default)]
pub(super) struct Profile {
    sites: Mutex<HashMap<u32, Vec<Site>>>,
}

/// An indirect call of a function.
#[derive(Copy, Clone, Debug)]
struct Site {
    /// The number of its instruction in the function's bytecode.
    inst: u32,
    callee: u32,
    /// Samples with this callee.
    same: u32,
    /// Samples with others.
    other: u32,
}

/// Sites with fewer samples are not guessed at.
const ENOUGH: u32 = 2;

impl Profile {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Vec<Site>>> {
        self.sites.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Notes who called a function that was just entered, if that was an indirect call of the same instance.
    ///
    /// # Safety
    /// `sp` is the frame of a function `func` of `vm`'s module that the interpreter has just entered.
    pub(super) unsafe fn entered(&self, module: &ModuleInner, vm: *mut VmCtx, func: u32, sp: *const u64) {
        let linkage = sp.wrapping_add(module.func_type(func).param_slots());
        // SAFETY: by the contract above, the linkage lies behind the parameters.
        let [return_to, _, caller_vm] = unsafe { linkage.cast::<[u64; LINKAGE]>().read() };
        if caller_vm != vm as u64 || return_to == interp::exit_inst() as u64 {
            return;
        }
        let return_to = return_to as *const Inst;
        let Some((caller, inst)) = module.code.find(return_to) else {
            return;
        };
        // The call is in front of its cell, which is in front of the return address.
        let Some(inst) = inst.checked_sub(2) else {
            return;
        };
        // SAFETY: both lie in the code of the function that was found.
        let handler = unsafe { (*return_to.sub(2)).handler };
        let is_indirect = [Single::CallIndirectS, Single::CallIndirectA]
            .iter()
            .any(|op| handler == interp::handler(Op::single(*op)));
        if is_indirect {
            self.note(caller, inst as u32, func);
        }
    }

    fn note(&self, caller: u32, inst: u32, callee: u32) {
        let mut sites = self.lock();
        let sites = sites.entry(caller).or_default();
        match sites.iter_mut().find(|s| s.inst == inst) {
            Some(site) if site.callee == callee => site.same += 1,
            Some(site) => site.other += 1,
            None => sites.push(Site {
                inst,
                callee,
                same: 1,
                other: 0,
            }),
        }
    }

    /// The indirect calls of a function that were seen with one callee only: their offsets in the file, and the callee.
    pub(super) fn guesses(&self, module: &ModuleInner, func: u32) -> Vec<(usize, u32)> {
        let sites: Vec<Site> = match self.lock().get(&func) {
            Some(sites) => sites
                .iter()
                .filter(|s| s.other == 0 && s.same >= ENOUGH)
                .copied()
                .collect(),
            None => return Vec::new(),
        };
        if sites.is_empty() {
            return Vec::new();
        }
        let Ok(translated) = translate::translate(module, func, true) else {
            return Vec::new();
        };
        let offset = |site: &Site| Some((*translated.offsets.get(site.inst as usize)? as usize, site.callee));
        sites.iter().filter_map(offset).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sites_with_one_callee_are_guessed() {
        let engine = crate::Engine::default();
        let wasm = wat::parse_str(
            r#"(module (type $t (func)) (table funcref (elem $a $a)) (func $a)
            (func (call_indirect (type $t) (i32.const 0)) (call_indirect (type $t) (i32.const 1))))"#,
        )
        .unwrap();
        let module = crate::Module::new(&engine, wasm).unwrap();
        let translated = translate::translate(&module.0, 1, true).unwrap();
        let calls: Vec<u32> = (0..translated.code.len() as u32)
            .filter(|i| translated.code[*i as usize].0 == Op::single(Single::CallIndirectS))
            .collect();
        assert_eq!(calls.len(), 2);
        let profile = Profile::default();
        profile.note(1, calls[0], 0);
        assert!(profile.guesses(&module.0, 1).is_empty());
        profile.note(1, calls[0], 0);
        profile.note(1, calls[1], 0);
        profile.note(1, calls[1], 0);
        profile.note(1, calls[1], 1);
        let offset = translated.offsets[calls[0] as usize] as usize;
        assert_eq!(profile.guesses(&module.0, 1), [(offset, 0)]);
        assert!(profile.guesses(&module.0, 0).is_empty());
    }
}
