//! The table of all handlers, in the order of the op numbers.

use super::{
    access, bulk, call, control,
    machine::{Handler, make},
    native, numeric, vector,
};
use crate::{
    bytecode::{Group, OP_COUNT, Op, ops},
    interp::access::{AddShl, EffectiveAddress, EffectiveAddressWide},
};
use bulk::*;
use call::*;
use control::*;
use native::{EnterLoop, EnterNative};
use vector::{Shuffle, V128Store, V128StoreX};

// Cells that hold operands of the instruction before them are never executed.
use control::{Data as BrTarget, Data as CallIndirectSig, Data as Operands};

macro_rules! single_handlers {
    ($($op:ident),* $(,)?) => { const SINGLE: &[[Handler; 1]] = &[$([make::<$op>()]),*]; };
}
ops::for_each_single!(single_handlers);

const fn place<const N: usize>(
    mut table: [Handler; OP_COUNT],
    group: Group,
    rows: &[[Handler; N]],
) -> [Handler; OP_COUNT] {
    assert!(group.forms as usize == N && group.names.len() == rows.len());
    let mut row = 0;
    while row < rows.len() {
        let mut form = 0;
        while form < N {
            table[group.start as usize + row * N + form] = rows[row][form];
            form += 1;
        }
        row += 1;
    }
    table
}

static HANDLERS: [Handler; OP_COUNT] = {
    let table = [make::<Unreachable>(); OP_COUNT];
    let table = place(table, Group::SINGLE, SINGLE);
    let table = place(table, Group::BINARY, numeric::BINARY);
    let table = place(table, Group::UNARY, numeric::UNARY);
    let table = place(table, Group::INT_BRANCH, numeric::INT_BRANCH);
    let table = place(table, Group::FLOAT_BRANCH, numeric::FLOAT_BRANCH);
    let table = place(table, Group::LATCH, numeric::LATCH);
    let table = place(table, Group::LOAD, access::LOAD);
    let table = place(table, Group::STORE, access::STORE);
    let table = place(table, Group::FLOAT_STORE, access::FLOAT_STORE);
    let table = place(table, Group::VECTOR_LOAD, vector::VECTOR_LOAD);
    let table = place(table, Group::LANE_ACCESS, vector::LANE_ACCESS);
    place(table, Group::SIMD, vector::SIMD)
};

/// The address of an operation's handler.
#[inline(always)]
pub(crate) fn handler(op: Op) -> usize {
    HANDLERS[op.0 as usize] as usize
}
