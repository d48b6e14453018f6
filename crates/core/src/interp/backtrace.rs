//! Walking the frames of guest functions.

use super::{LINKAGE, exit_inst};
use crate::{
    bytecode::Inst,
    error::Error,
    runtime::vm::{TrapSite, VmCtx, VmRuntime},
    translate,
    trap::Frame,
};

/// Adds the frames from `site` outwards, up to the host function's call that they belong to, to the error's backtrace.
///
/// # Safety
/// The frames are as the guest left them.
pub(crate) unsafe fn add_frames(error: &mut Error, rt: *mut VmRuntime, site: TrapSite) {
    let store = &*(*rt).store;
    let (mut ip, mut sp, mut vm) = (site.ip, site.sp, site.vm);
    let backtrace = error.backtrace_mut();
    while let Some((instance, module)) = store.module_of(vm) {
        let Some((func, inst)) = module.code.find(ip) else {
            break;
        };
        backtrace.push(|| Frame {
            instance: instance.label.clone(),
            module: module.name.clone(),
            func_index: func,
            func_name: module.func_name(func),
            offset: translate::offset_of(module, func, inst),
        });
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
