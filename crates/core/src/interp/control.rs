//! Handlers of moves, globals, select and control flow.

use super::{
    exit_inst,
    machine::{
        Exec, Flow, Outcome, Regs, distance, make_cold, next, reload_memory, simple, slot, stop_on, trap,
    },
    operand::{Acc, Slot, Source, Target, field, imm32},
};
use crate::{runtime::vm::VmGlobal, tier, trap::TrapCode};

#[inline(always)]
unsafe fn copy(r: &Regs, to: u16, from: u16) {
    *slot(r, to) = *slot(r, from);
}

#[inline(always)]
unsafe fn copy128(r: &Regs, to: u16, from: u16) {
    *slot(r, to).cast::<[u64; 2]>() = *slot(r, from).cast::<[u64; 2]>();
}

/// The value of the pool cell that `imm` leads to.
#[inline(always)]
unsafe fn pool(r: &Regs, cell: isize) -> u64 {
    (*r.ip.offset(imm32(r) as i32 as isize + cell)).operands.value()
}

/// The global variable at the byte offset `imm` of the state block.
#[inline(always)]
unsafe fn global(r: &Regs) -> *mut VmGlobal {
    r.vm.cast::<u8>().add(imm32(r) as usize).cast()
}

/// The imported global variable that the pointer at the byte offset `imm` refers to.
#[inline(always)]
unsafe fn imported_global(r: &Regs) -> *mut VmGlobal {
    *r.vm.cast::<u8>().add(imm32(r) as usize).cast()
}

simple! {
    /// `a` := `b`
    Copy |r| { copy(r, field::<0>(r), field::<1>(r)); }
    /// `a` := `b`, then `c` := `d`
    Copy2 |r| {
        copy(r, field::<0>(r), field::<1>(r));
        copy(r, field::<2>(r), field::<3>(r));
    }
    CopyV128 |r| { copy128(r, field::<0>(r), field::<1>(r)); }
    ConstU32 |r| { *slot(r, field::<0>(r)) = imm32(r).into(); }
    ConstS32 |r| { *slot(r, field::<0>(r)) = imm32(r) as i32 as u64; }
    ConstPool |r| { *slot(r, field::<0>(r)) = pool(r, 0); }
    ConstPool128 |r| { *slot(r, field::<0>(r)).cast::<[u64; 2]>() = [pool(r, 0), pool(r, 1)]; }
    AccToSlot |r| { *slot(r, field::<0>(r)) = r.acc; }
    F32AccToSlot |r| { *slot(r, field::<0>(r)) = r.f32.to_bits().into(); }
    F64AccToSlot |r| { *slot(r, field::<0>(r)) = r.f64.to_bits(); }

    GlobalGet |r| { *slot(r, field::<0>(r)) = (*global(r)).0[0]; }
    GlobalGetAcc |r| { r.acc = (*global(r)).0[0]; }
    GlobalGetF32 |r| { r.f32 = f32::from_bits((*global(r)).0[0] as u32); }
    GlobalGetF64 |r| { r.f64 = f64::from_bits((*global(r)).0[0]); }
    GlobalSet |r| { (*global(r)).0[0] = *slot(r, field::<0>(r)); }
    GlobalSetAcc |r| { (*global(r)).0[0] = r.acc; }
    GlobalGetV128 |r| { *slot(r, field::<0>(r)).cast::<[u64; 2]>() = (*global(r)).0; }
    GlobalSetV128 |r| { (*global(r)).0 = *slot(r, field::<0>(r)).cast::<[u64; 2]>(); }
    ImportedGlobalGet |r| { *slot(r, field::<0>(r)) = (*imported_global(r)).0[0]; }
    ImportedGlobalSet |r| { (*imported_global(r)).0[0] = *slot(r, field::<0>(r)); }
    ImportedGlobalGetV128 |r| { *slot(r, field::<0>(r)).cast::<[u64; 2]>() = (*imported_global(r)).0; }
    ImportedGlobalSetV128 |r| { (*imported_global(r)).0 = *slot(r, field::<0>(r)).cast::<[u64; 2]>(); }

    SelectV128 |r| {
        let from = if Slot::<3>::get::<u32>(r) != 0 { field::<1>(r) } else { field::<2>(r) };
        copy128(r, field::<0>(r), from);
    }
}

/// `if condition { b } else { c }`
struct Select<D, C>(std::marker::PhantomData<(D, C)>);

impl<D: Target, C: Source> Exec for Select<D, C> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let (b, c) = (Slot::<1>::get::<u64>(r), Slot::<2>::get::<u64>(r));
        let value = std::hint::select_unpredictable(C::get::<u32>(r) != 0, b, c);
        D::set(r, value);
        next(r)
    }
}

/// Form names: where the condition is, then where the result goes.
macro_rules! select {
    ($($name:ident = $d:ty, $c:ty;)*) => {
        $(pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec(r: &mut Regs) -> Flow {
                Select::<$d, $c>::exec(r)
            }
        })*
    };
}
select! {
    SelectSS = Slot<0>, Slot<3>;
    SelectAS = Slot<0>, Acc;
    SelectSA = Acc, Slot<3>;
    SelectAA = Acc, Acc;
}

pub(super) struct Unreachable;

impl Exec for Unreachable {
    #[inline(always)]
    unsafe fn exec(_: &mut Regs) -> Flow {
        trap(TrapCode::Unreachable)
    }
}

/// What is behind cells that hold data: never executed by translated code.
pub(super) type Data = Unreachable;

pub(super) struct Br;

impl Exec for Br {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        branch(r, distance(r))
    }
}

/// Index in the slot `a` or the accumulator; `imm` cells with distances follow, and one for all larger indices.
struct BrTable<I>(std::marker::PhantomData<I>);

impl<I: Source> Exec for BrTable<I> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let index = I::get::<u32>(r).min(imm32(r));
        r.ip = r.ip.add(1 + index as usize);
        branch(r, distance(r))
    }
}

pub(super) struct BrTableS;

impl Exec for BrTableS {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        BrTable::<Slot<0>>::exec(r)
    }
}

pub(super) struct BrTableA;

impl Exec for BrTableA {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        BrTable::<Acc>::exec(r)
    }
}

/// The budget is used up: refills it, looks at the deadline, at which the fiber may be suspended, notes where the guest is, and goes on, in machine
/// code if there is some by now.
pub(super) struct OutOfBudget;

impl Exec for OutOfBudget {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let next = tier::sample(r.vm, r.ip, r.sp);
        if next.is_null() {
            return stop_on(r);
        }
        r.ip = next;
        reload_memory(r);
        Flow::Next
    }
}

/// As `OutOfBudget`, but between instructions where no function and no loop begins.
struct OutOfBudgetAmid;

impl Exec for OutOfBudgetAmid {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        if !tier::postpone_sample(r.vm) {
            return stop_on(r);
        }
        reload_memory(r);
        Flow::Next
    }
}

/// Continues at `distance` instructions from here, having counted a jump back.
#[inline(always)]
pub(crate) unsafe fn branch(r: &mut Regs, distance: i32) -> Flow {
    r.ip = r.ip.offset(distance as isize);
    // Takes one off the budget for jumps back (or to itself) only, without a branch.
    let budget = (*r.vm).budget + i64::from((distance - 1) >> 31);
    (*r.vm).budget = budget;
    if budget < 0 {
        Flow::Jump(make_cold::<OutOfBudget>())
    } else {
        Flow::Next
    }
}

/// One bulk operation uses up a budget at most.
const MOST_CHARGED: u64 = 20_000;

/// Counts the work of a bulk operation, as if it had been done in a loop.
#[inline(always)]
pub(super) unsafe fn charge(r: &mut Regs, units: u64) -> Flow {
    r.ip = r.ip.add(1);
    (*r.vm).budget -= (units >> 6).min(MOST_CHARGED) as i64;
    if (*r.vm).budget < 0 {
        Flow::Jump(make_cold::<OutOfBudgetAmid>())
    } else {
        Flow::Next
    }
}

/// Begins a function: checks the stack for the `c` slots of its frame, zeroes locals, `ZEROED` slots from `a` on (or `b`, if
/// `ZEROED` is `MANY`), and takes `d` off the budget, which stands for the length of the function. More slots than there are
/// locals may be zeroed; what follows are temporaries.
struct Enter<const ZEROED: usize>;

const MANY: usize = usize::MAX;

impl<const ZEROED: usize> Exec for Enter<ZEROED> {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        let room = ((*(*r.vm).rt).stack_limit as usize).wrapping_sub(r.sp as usize);
        if room < usize::from(field::<2>(r)) * 8 {
            return trap(TrapCode::StackOverflow);
        }
        let first = slot(r, field::<0>(r));
        if ZEROED == MANY {
            first.write_bytes(0, field::<1>(r) as usize);
        } else if ZEROED > 0 {
            let mut i = 0;
            while i < ZEROED {
                *first.add(i) = 0;
                i += 1;
            }
        }
        let budget = (*r.vm).budget - i64::from(field::<3>(r));
        (*r.vm).budget = budget;
        r.ip = r.ip.add(1);
        if budget < 0 {
            Flow::Jump(make_cold::<OutOfBudget>())
        } else {
            Flow::Next
        }
    }
}

macro_rules! enter {
    ($($name:ident = $zeroed:expr;)*) => {
        $(pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec(r: &mut Regs) -> Flow {
                Enter::<{ $zeroed }>::exec(r)
            }
        })*
    };
}
enter! {
    Enter0 = 0;
    Enter2 = 2;
    Enter4 = 4;
    Enter8 = 8;
    EnterN = MANY;
}

/// The outermost guest function returned.
pub(super) struct Exit;

impl Exec for Exit {
    #[inline(always)]
    unsafe fn exec(r: &mut Regs) -> Flow {
        debug_assert!(std::ptr::eq(r.ip, exit_inst()));
        Flow::Exit(Outcome::Done)
    }
}
