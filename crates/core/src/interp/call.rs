//! Handlers of calls and returns.
//!
//! A frame is `parameters | return address, caller's frame, caller's state block | locals | temporaries`. Arguments are passed in
//! place, at the end of the caller's frame, and results come back from the callee's slot 0 on.

use std::sync::atomic::Ordering;

use super::{
    machine::{Exec, Flow, Regs, next, reload_memory, simple, slot, stop_with_error, trap},
    operand::{Acc, Slot, Source, field, imm32},
};
use crate::{
    bytecode::{Inst, LINKAGE},
    runtime::{
        host_call,
        vm::{VmCtx, VmFuncRef, VmTable},
    },
    trap::TrapCode,
};

/// Makes `vm` the current instance.
#[inline(always)]
unsafe fn switch(r: &mut Regs, vm: *mut VmCtx) {
    if vm != r.vm {
        r.vm = vm;
        reload_memory(r);
    }
}

/// Writes the linkage of a callee whose frame begins at slot `a`, with the linkage at slot `b`, and makes its frame the current one.
#[inline(always)]
unsafe fn link(r: &mut Regs, return_to: *const Inst) {
    let at = slot(r, field::<1>(r));
    *at = return_to as u64;
    *at.add(1) = r.sp as u64;
    *at.add(2) = r.vm as u64;
    r.sp = slot(r, field::<0>(r));
}

/// Goes to the callee's code; the accumulator tells a host function which it is.
#[inline(always)]
unsafe fn enter(r: &mut Regs, func: *const VmFuncRef) -> Flow {
    r.acc = func as u64;
    r.ip = (*(*func).code).get();
    switch(r, (*func).vm);
    Flow::Next
}

/// As `enter`, for a call in tail position: the linkage names the caller's caller, but a host function wants to know the caller.
#[inline(always)]
unsafe fn enter_tail(r: &mut Regs, func: *const VmFuncRef) -> Flow {
    let rt = (*r.vm).rt;
    if (*func).vm == (*rt).host_vm {
        (*rt).tail_caller = r.vm;
    }
    enter(r, func)
}

/// Goes to the code of the module's own function number `imm` (counted without imports).
#[inline(always)]
unsafe fn enter_own(r: &mut Regs, func: u32) -> Flow {
    r.ip = (*(*r.vm).code.add(func as usize)).get();
    Flow::Next
}

/// The imported function that the pointer at the byte offset `imm` of the state block refers to.
#[inline(always)]
unsafe fn imported(r: &Regs) -> *const VmFuncRef {
    *r.vm
        .cast::<u8>()
        .add(imm32(r) as usize)
        .cast::<*const VmFuncRef>()
}

/// Looks a function up in a table; the cell behind the instruction has the type in its low and the table's byte offset in its high half.
#[inline(always)]
unsafe fn look_up(r: &Regs, index: u64) -> Result<*const VmFuncRef, TrapCode> {
    let cell = (*r.ip.add(1)).operands;
    let table = *r
        .vm
        .cast::<u8>()
        .add(cell.imm() as usize)
        .cast::<*const VmTable>();
    if index >= (*table).len as u64 {
        return Err(TrapCode::UndefinedElement);
    }
    let func = *(*table).base.add(index as usize) as *const VmFuncRef;
    if func.is_null() {
        return Err(TrapCode::IndirectCallToNull);
    }
    if (*func).sig != cell.value() as u32 {
        return Err(TrapCode::BadSignature);
    }
    Ok(func)
}

/// Callee frame at `a`, linkage at `b`, function `imm` of the module's own.
pub(super) struct Call;

impl Exec for Call {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let func = imm32(r);
        link(r, r.ip.add(1));
        enter_own(r, func)
    }
}

/// As `Call`, of the imported function whose pointer is at the byte offset `imm`.
pub(super) struct CallImport;

impl Exec for CallImport {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let func = imported(r);
        link(r, r.ip.add(1));
        enter(r, func)
    }
}

#[inline(always)]
unsafe fn call_indirect(r: &mut Regs, index: u64) -> Flow {
    match look_up(r, index) {
        Ok(func) => {
            link(r, r.ip.add(2));
            enter(r, func)
        }
        Err(code) => trap(code),
    }
}

/// As `Call`, of the table element whose index is in slot `c`; a cell with type and table follows.
pub(super) struct CallIndirectS;

impl Exec for CallIndirectS {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        call_indirect(r, Slot::<2>::get(r))
    }
}

/// As `CallIndirectS`, the index in the accumulator.
pub(super) struct CallIndirectA;

impl Exec for CallIndirectA {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        call_indirect(r, Acc::get(r))
    }
}

/// Moves the `b` argument slots from slot `a` on to the start of the frame and the linkage at slot `at` behind them.
#[inline(always)]
unsafe fn relink(r: &mut Regs, at: u16) {
    let linkage = slot(r, at).cast::<[u64; LINKAGE]>().read();
    let arguments = field::<1>(r) as usize;
    std::ptr::copy(slot(r, field::<0>(r)), r.sp, arguments);
    r.sp.add(arguments).cast::<[u64; LINKAGE]>().write(linkage);
}

/// The linkage slot that the cell behind the instruction tells.
#[inline(always)]
unsafe fn linkage_in_cell(r: &Regs) -> u16 {
    (*r.ip.add(1)).operands.a
}

/// `b` arguments from slot `a` on, function `imm` of the module's own; a cell with the linkage's slot follows.
pub(super) struct ReturnCall;

impl Exec for ReturnCall {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let func = imm32(r);
        relink(r, linkage_in_cell(r));
        enter_own(r, func)
    }
}

/// As `ReturnCall`, of the imported function whose pointer is at the byte offset `imm`.
pub(super) struct ReturnCallImport;

impl Exec for ReturnCallImport {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let func = imported(r);
        relink(r, linkage_in_cell(r));
        enter_tail(r, func)
    }
}

/// `b` arguments from slot `a` on, index in slot `c`, linkage at slot `d`; a cell with type and table follows.
pub(super) struct ReturnCallIndirect;

impl Exec for ReturnCallIndirect {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        match look_up(r, Slot::<2>::get(r)) {
            Ok(func) => {
                relink(r, field::<3>(r));
                enter_tail(r, func)
            }
            Err(code) => trap(code),
        }
    }
}

#[inline(always)]
pub(super) unsafe fn leave(r: &mut Regs, linkage: [u64; LINKAGE]) -> Flow {
    let [ip, sp, vm] = linkage;
    r.ip = ip as *const Inst;
    r.sp = sp as *mut u64;
    switch(r, vm as *mut VmCtx);
    Flow::Next
}

/// The linkage at slot `a`.
#[inline(always)]
unsafe fn linkage(r: &Regs) -> [u64; LINKAGE] {
    slot(r, field::<0>(r)).cast::<[u64; LINKAGE]>().read()
}

macro_rules! returns {
    ($($(#[$doc:meta])* $name:ident |$r:ident| $body:block)*) => {
        $($(#[$doc])*
        pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec($r: &mut Regs) -> Flow {
                // Results may lie where the linkage is.
                let linkage = linkage($r);
                $body
                leave($r, linkage)
            }
        })*
    };
}
returns! {
    /// Linkage at `a`; no results.
    Return0 |r| {}
    /// The result is in slot `b`.
    Return1 |r| { *r.sp = Slot::<1>::get(r); }
    /// The result is in an accumulator.
    ReturnAcc |r| { *r.sp = r.acc; }
    ReturnF32 |r| { *r.sp = r.f32.to_bits().into(); }
    ReturnF64 |r| { *r.sp = r.f64.to_bits(); }
    /// `c` slots of results from `b` on.
    ReturnN |r| { std::ptr::copy(slot(r, field::<1>(r)), r.sp, field::<2>(r) as usize); }
}

/// The code of a function that was not called yet: makes its bytecode and begins it.
pub(super) struct Lazy;

impl Exec for Lazy {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let code = translate(r.vm, imm32(r));
        if code.is_null() {
            return stop_with_error(r);
        }
        r.ip = code;
        Flow::Next
    }
}

#[cold]
#[inline(never)]
unsafe fn translate(vm: *mut VmCtx, func: u32) -> *const Inst {
    let module = &*(*vm).module;
    match module.code.ensure(module, func) {
        Ok(code) => code,
        Err(error) => {
            let error = match error.kind() {
                crate::ErrorKind::Invalid { .. } | crate::ErrorKind::Malformed { .. } => {
                    crate::Error::trap(TrapCode::InvalidBody).context(error.to_string())
                }
                _ => error,
            };
            (*(*vm).rt).error = Some(error);
            std::ptr::null()
        }
    }
}

/// The code of all host functions; the accumulator holds the function's reference.
pub(super) struct HostEnter;

impl Exec for HostEnter {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let func = r.acc as *const VmFuncRef;
        let linkage: [u64; LINKAGE] =
            r.sp.add(crate::runtime::host_param_slots(func))
                .cast::<[u64; LINKAGE]>()
                .read();
        let rt = (*r.vm).rt;
        let caller = match std::mem::replace(&mut (*rt).tail_caller, std::ptr::null_mut()) {
            caller if caller.is_null() => linkage[2] as *mut VmCtx,
            caller => caller,
        };
        let done = host_call(rt, func, r.sp, caller);
        if (*(*rt).epoch).load(Ordering::Relaxed) >= (*rt).deadline {
            // It may have taken long, and many more calls fit into the budget.
            (*caller).budget = (*caller).budget.min(0);
        }
        let flow = leave(r, linkage);
        // The memory may have grown even if the caller is the host's own block.
        reload_memory(r);
        if done {
            flow
        } else {
            r.ip = r.ip.sub(1);
            stop_with_error(r)
        }
    }
}

simple! {
    /// Reference of function `imm` to slot `a`.
    RefFunc |r| {
        let reference = func_ref(r.vm, imm32(r));
        *slot(r, field::<0>(r)) = reference;
    }
}

#[inline(never)]
unsafe fn func_ref(vm: *mut VmCtx, func: u32) -> u64 {
    let store = &*(*(*vm).rt).store;
    crate::runtime::segments::func_ref(store, (*vm).instance as usize, func)
}
