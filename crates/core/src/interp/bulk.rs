//! Handlers of memory and table instructions that go through the store.

use super::{
    control::charge,
    machine::{Exec, Flow, Regs, next, operands, reload_memory, simple, slot, trap},
    operand::{field, imm32},
};
use crate::{
    runtime::store::StoreInner,
    runtime::{
        memory_grow, segments, table_grow,
        vm::{VmCtx, VmMemory},
    },
    trap::TrapCode,
};

#[inline(always)]
unsafe fn store<'a>(vm: *mut VmCtx) -> &'a mut StoreInner {
    &mut *(*(*vm).rt).store
}

#[inline(always)]
unsafe fn memory(r: &Regs, index: u16) -> *mut VmMemory {
    *(*r.vm).memories.add(index as usize)
}

/// Whether `len` bytes from `at` on lie inside.
#[inline(always)]
fn inside(at: u64, len: u64, size: usize) -> bool {
    at.checked_add(len).is_some_and(|end| end <= size as u64)
}

simple! {
    /// Pages of memory `b` to slot `a`.
    MemorySize |r| { *slot(r, field::<0>(r)) = ((*memory(r, field::<1>(r))).len >> 16) as u64; }
    /// Grows memory `c` by slot `b` pages, the old size or -1 (of 64 bits if `d`) to slot `a`.
    MemoryGrow |r| {
        let o = operands(r);
        let old = memory_grow(store(r.vm), (*r.vm).instance, o.c, *slot(r, o.b));
        *slot(r, o.a) = old.unwrap_or(if o.d != 0 { u64::MAX } else { u32::MAX.into() });
        reload_memory(r);
    }
    /// Drops data segment `imm`.
    DataDrop |r| { store(r.vm).instances[(*r.vm).instance as usize].dropped_data[imm32(r) as usize] = true; }
    /// Drops element segment `imm`.
    ElemDrop |r| { store(r.vm).instances[(*r.vm).instance as usize].dropped_elements[imm32(r) as usize] = true; }
    /// Elements of table `b` to slot `a`.
    TableSize |r| {
        let o = operands(r);
        *slot(r, o.a) = table(r.vm, o.b).len() as u64;
    }
    /// Grows table `d` by slot `c` elements of value slot `b`, the old size or -1 to slot `a`.
    TableGrow |r| {
        let o = operands(r);
        let old = table_grow(store(r.vm), (*r.vm).instance, o.d, *slot(r, o.c), *slot(r, o.b));
        *slot(r, o.a) = old;
    }
}

#[inline(never)]
pub(crate) unsafe fn table<'a>(vm: *mut VmCtx, index: u16) -> &'a mut [u64] {
    let store = store(vm);
    let table = store.instances[(*vm).instance as usize].tables[index as usize];
    store.tables[table as usize].elements_mut()
}

/// Defines operations that trap or count their work, in units of about a byte.
macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident + $cells:literal |$r:ident| $body:block)*) => {
        $($(#[$doc])*
        pub(super) struct $name;

        impl Exec for $name {
            #[inline(always)]
            unsafe fn exec($r: &mut Regs) -> Flow {
                let work: Result<u64, TrapCode> = $body;
                match work {
                    Ok(units) => {
                        $r.ip = $r.ip.add($cells);
                        charge($r, units)
                    }
                    Err(code) => trap(code),
                }
            }
        })*
    };
}

// The functions below give `None` where they would reach out of bounds. It fits into registers; an out-pointer into the
// handler's frame, which a `Result` with a code needs, would keep the handler from ending in a jump.

#[inline(never)]
pub(crate) unsafe fn memory_fill(memory: *mut VmMemory, at: u64, value: u8, len: u64) -> Option<u64> {
    if !inside(at, len, (*memory).len) {
        return None;
    }
    (*memory).base.add(at as usize).write_bytes(value, len as usize);
    Some(len >> 4)
}

#[inline(never)]
pub(crate) unsafe fn memory_copy(
    to: *mut VmMemory,
    at: u64,
    from: *mut VmMemory,
    source: u64,
    len: u64,
) -> Option<u64> {
    if !inside(at, len, (*to).len) || !inside(source, len, (*from).len) {
        return None;
    }
    std::ptr::copy(
        (*from).base.add(source as usize),
        (*to).base.add(at as usize),
        len as usize,
    );
    Some(len >> 4)
}

#[inline(never)]
pub(crate) unsafe fn table_fill(table: &mut [u64], at: u64, value: u64, len: u64) -> Option<u64> {
    if !inside(at, len, table.len()) {
        return None;
    }
    table[at as usize..(at + len) as usize].fill(value);
    Some(len)
}

#[inline(never)]
pub(crate) unsafe fn table_copy(
    vm: *mut VmCtx,
    to: u16,
    at: u64,
    from: u16,
    source: u64,
    len: u64,
) -> Option<u64> {
    let store = store(vm);
    let tables = &store.instances[(*vm).instance as usize].tables;
    let (to, from) = (
        &store.tables[tables[to as usize] as usize].vm,
        &store.tables[tables[from as usize] as usize].vm,
    );
    if !inside(at, len, to.len) || !inside(source, len, from.len) {
        return None;
    }
    std::ptr::copy(
        from.base.add(source as usize),
        to.base.add(at as usize),
        len as usize,
    );
    Some(len)
}

#[inline(never)]
pub(crate) unsafe fn memory_init(
    vm: *mut VmCtx,
    segment: u32,
    to: u16,
    at: u64,
    from: u64,
    len: u64,
) -> Option<u64> {
    segments::memory_init(
        store(vm),
        (*vm).instance as usize,
        segment as usize,
        to as usize,
        at,
        from,
        len,
    )
    .ok()?;
    Some(len >> 4)
}

#[inline(never)]
pub(crate) unsafe fn table_init(
    vm: *mut VmCtx,
    segment: u32,
    to: u16,
    at: u64,
    from: u64,
    len: u64,
) -> Option<u64> {
    segments::table_init(
        store(vm),
        (*vm).instance as usize,
        segment as usize,
        to as usize,
        at,
        from,
        len,
    )
    .ok()?;
    Some(len)
}

bulk! {
    /// Fills memory `d` from slot `a` on with the byte in slot `b`, slot `c` times.
    MemoryFill + 0 |r| {
        let o = operands(r);
        memory_fill(memory(r, o.d), *slot(r, o.a), *slot(r, o.b) as u8, *slot(r, o.c)).ok_or(TrapCode::MemoryOutOfBounds)
    }
    /// Copies slot `c` bytes to slot `a` from slot `b`; the cell behind it has the memories of both.
    MemoryCopy + 1 |r| {
        let (o, cell) = (operands(r), (*r.ip.add(1)).operands);
        memory_copy(memory(r, cell.a), *slot(r, o.a), memory(r, cell.b), *slot(r, o.b), *slot(r, o.c)).ok_or(TrapCode::MemoryOutOfBounds)
    }
    /// As `MemoryCopy`, from a data segment; the cell has the memory and, as `imm`, the segment.
    MemoryInit + 1 |r| {
        let (o, cell) = (operands(r), (*r.ip.add(1)).operands);
        memory_init(r.vm, cell.imm(), cell.a, *slot(r, o.a), *slot(r, o.b), *slot(r, o.c)).ok_or(TrapCode::MemoryOutOfBounds)
    }
    /// Element slot `b` of table `c` to slot `a`.
    TableGet + 0 |r| {
        let o = operands(r);
        let table = table(r.vm, o.c);
        match usize::try_from(*slot(r, o.b)).ok().and_then(|i| table.get(i)) {
            Some(value) => {
                *slot(r, o.a) = *value;
                Ok(0)
            }
            None => Err(TrapCode::TableOutOfBounds),
        }
    }
    /// Slot `b` to element slot `a` of table `c`.
    TableSet + 0 |r| {
        let o = operands(r);
        let table = table(r.vm, o.c);
        match usize::try_from(*slot(r, o.a)).ok().and_then(|i| table.get_mut(i)) {
            Some(element) => {
                *element = *slot(r, o.b);
                Ok(0)
            }
            None => Err(TrapCode::TableOutOfBounds),
        }
    }
    /// Fills table `d` from slot `a` on with slot `b`, slot `c` times.
    TableFill + 0 |r| {
        let o = operands(r);
        table_fill(table(r.vm, o.d), *slot(r, o.a), *slot(r, o.b), *slot(r, o.c)).ok_or(TrapCode::TableOutOfBounds)
    }
    /// As `MemoryCopy`, for the tables in the cell.
    TableCopy + 1 |r| {
        let (o, cell) = (operands(r), (*r.ip.add(1)).operands);
        table_copy(r.vm, cell.a, *slot(r, o.a), cell.b, *slot(r, o.b), *slot(r, o.c)).ok_or(TrapCode::TableOutOfBounds)
    }
    /// As `MemoryInit`, for the table and element segment in the cell.
    TableInit + 1 |r| {
        let (o, cell) = (operands(r), (*r.ip.add(1)).operands);
        table_init(r.vm, cell.imm(), cell.a, *slot(r, o.a), *slot(r, o.b), *slot(r, o.c)).ok_or(TrapCode::TableOutOfBounds)
    }
}
