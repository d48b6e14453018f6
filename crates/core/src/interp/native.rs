//! Handlers that enter machine code.

use super::{
    call::leave,
    machine::{Exec, Flow, Regs, reload_memory, stop_on, trap},
    operand::field,
};
use crate::{
    bytecode::LINKAGE,
    native::{self, Outcome},
    tier::abi::CALLED_AS_LOOP,
    trap::TrapCode,
};

/// Enters machine code of a function that takes `a` slots of parameters and leaves `b` slots of results, at its start. The cell behind it has
/// the address of the code and, as operands, that of the stub.
pub(super) type EnterNative = Enter<false>;

/// As [`EnterNative`], at the loop that the code has an entry for; the frame is that of a call which is there.
pub(super) type EnterLoop = Enter<true>;

/// What going from one tier to the other and back counts for in the budget: a caller that is interpreted and calls machine code all the time is
/// worth compiling, and so is a callee.
pub(crate) const CROSSING: i64 = 2;

pub(super) struct Enter<const AT_LOOP: bool>;

impl<const AT_LOOP: bool> Exec for Enter<AT_LOOP> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let (params, results) = (usize::from(field::<0>(r)), usize::from(field::<1>(r)));
        let cell = r.ip.add(1);
        let (code, stub) = (
            (*cell).handler as *const u8,
            (*cell).operands.value() as *const u8,
        );
        let linkage = r.sp.add(params).cast::<[u64; LINKAGE]>().read();
        let rt = (*r.vm).rt;
        let end = r.sp.add((params + LINKAGE).max(results));
        if end > (*rt).stack_limit {
            return trap(TrapCode::StackOverflow);
        }
        let top = (*rt).stack_top;
        (*rt).stack_top = end;
        let called_as = match AT_LOOP {
            true => r.sp as u64 | CALLED_AS_LOOP,
            false => 0,
        };
        (*r.vm).budget -= CROSSING;
        let outcome = native::enter(stub, code, r.vm, r.sp, rt, called_as);
        (*rt).stack_top = top;
        match outcome {
            Outcome::Done => {
                let flow = leave(r, linkage);
                reload_memory(r);
                flow
            }
            Outcome::Stopped => {
                leave(r, linkage);
                r.ip = r.ip.sub(1);
                stop_on(r)
            }
            Outcome::TailCall => {
                // The callee takes the place of this function's frame.
                let params = (*rt).tail_params;
                if r.sp.add(params + LINKAGE) > (*rt).stack_limit {
                    return trap(TrapCode::StackOverflow);
                }
                std::ptr::copy((*rt).tail_args, r.sp, params);
                r.sp.add(params).cast::<[u64; LINKAGE]>().write(linkage);
                r.acc = (*rt).callee_func as u64;
                r.ip = (*(*rt).callee_cell).get();
                r.vm = (*rt).callee_vm;
                reload_memory(r);
                Flow::Next
            }
        }
    }
}
