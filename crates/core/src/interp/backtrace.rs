//! Walking the frames of guest functions.

use super::exit_inst;
use crate::{
    bytecode::{Inst, LINKAGE},
    error::Error,
    module::ModuleInner,
    native,
    runtime::vm::{RawFrame, TrapSite, VmCtx, VmRuntime},
    translate,
    trap::Frame,
};

/// Notes the frames from the trap's site outwards, up to where the interpreter was entered.
///
/// # Safety
/// The interpreter just stopped, and the frames are as the guest left them.
pub(crate) unsafe fn note_frames(rt: *mut VmRuntime) {
    let store = &*(*rt).store;
    let TrapSite {
        mut ip,
        mut sp,
        mut vm,
        ..
    } = (*rt).trap;
    while let Some((_, module)) = store.module_of(vm) {
        let Some((func, _)) = module.code.find(ip) else {
            break;
        };
        native::note(rt, RawFrame::Bytecode(ip, vm));
        let linkage = sp
            .add(module.func_type(func).param_slots())
            .cast::<[u64; LINKAGE]>()
            .read();
        if linkage[0] == exit_inst() as u64 {
            break;
        }
        ip = (linkage[0] as *const Inst).sub(1);
        sp = linkage[1] as *mut u64;
        vm = linkage[2] as *mut VmCtx;
    }
}

/// Takes the frames that were noted and adds them to the error's backtrace.
///
/// # Safety
/// `rt` is a live runtime block and no reference into it is live.
pub(crate) unsafe fn resolve_frames(error: &mut Error, rt: *mut VmRuntime) {
    let store = &*(*rt).store;
    let trace = std::mem::take(&mut (*rt).trace);
    let omitted = std::mem::take(&mut (*rt).trace_omitted);
    let backtrace = error.backtrace_mut();
    for frame in trace {
        match frame {
            RawFrame::Bytecode(ip, vm) => {
                let Some((instance, module)) = store.module_of(vm) else {
                    continue;
                };
                if let Some((func, inst)) = module.code.find(ip) {
                    backtrace.push(|| {
                        describe(
                            instance.label.as_deref(),
                            module,
                            func,
                            translate::offset_of(module, func, inst),
                        )
                    });
                }
            }
            RawFrame::Native(address) => {
                let Some(code) = native::find(address) else {
                    continue;
                };
                let Some((label, module)) = store.instance_of(code.module) else {
                    continue;
                };
                for (func, offset) in code.frames(address) {
                    let offset = offset.map(|offset| module.body_offset(func) + offset as usize);
                    backtrace.push(|| describe(label, module, func, offset));
                }
            }
        }
    }
    backtrace.omitted += omitted;
}

fn describe(instance: Option<&str>, module: &ModuleInner, func: u32, offset: Option<usize>) -> Frame {
    Frame {
        instance: instance.map(str::to_owned),
        module: module.name.clone(),
        func_index: func,
        func_name: module.func_name(func),
        offset,
    }
}
