//! Offsets and numbers that compiled code relies on. Offsets are in bytes.

use std::mem::offset_of;

use crate::{
    bytecode::CodeCell,
    runtime::vm::{VmCtx, VmFuncRef, VmMemory, VmRuntime, VmTable},
};

/// Size of a pointer.
pub const POINTER: u32 = size_of::<*const ()>() as u32;

/// In the state block: the runtime block. Does not change.
pub const VM_RT: u32 = offset_of!(VmCtx, rt) as u32;
/// In the state block: the base of memory 0, if that is a 32-bit memory of an engine with guarded memories. Does not change.
pub const VM_MEMORY0_BASE: u32 = offset_of!(VmCtx, memory0_base) as u32;
/// In the state block: the code cells of the defined functions. Does not change.
pub const VM_CODE: u32 = offset_of!(VmCtx, code) as u32;
/// In the state block: the engine's numbers (`u32`) of the module's function types. Does not change.
pub const VM_SIGS: u32 = offset_of!(VmCtx, sigs) as u32;
/// In the state block: the exit stubs (pointers) of the module's function types. Does not change, but what it leads to does.
pub const VM_EXIT_STUBS: u32 = offset_of!(VmCtx, exit_stubs) as u32;

/// The bit that tells the address of a code cell from a reference in what functions are called as.
pub const CALLED_AS_CELL: u64 = 1;
/// The bit that tells that a function begins at a loop, with its values in the slots whose address has the bit.
pub const CALLED_AS_LOOP: u64 = 2;

/// Size of a code cell.
pub const CELL_SIZE: u32 = size_of::<CodeCell>() as u32;
/// In a code cell: the address of the function's machine code, or null.
pub const CELL_NATIVE: u32 = offset_of!(CodeCell, native) as u32;
/// In a code cell: what machine code of the same module calls, its machine code or an exit stub.
pub const CELL_DIRECT: u32 = offset_of!(CodeCell, direct) as u32;

/// Size of a function's reference.
pub const FUNC_REF_SIZE: u32 = size_of::<VmFuncRef>() as u32;
/// In a function's reference: its code cell. Does not change.
pub const FUNC_REF_CODE: u32 = offset_of!(VmFuncRef, code) as u32;
/// In a function's reference: the state block of its instance. Does not change.
pub const FUNC_REF_VM: u32 = offset_of!(VmFuncRef, vm) as u32;
/// In a function's reference: the engine's number (`u32`) of its type. Does not change.
pub const FUNC_REF_SIG: u32 = offset_of!(VmFuncRef, sig) as u32;

/// In a memory: the address of its first byte. Changes with growth, except for 32-bit memories of an engine with guarded memories.
pub const MEMORY_BASE: u32 = offset_of!(VmMemory, base) as u32;
/// In a memory: its length in bytes.
pub const MEMORY_LEN: u32 = offset_of!(VmMemory, len) as u32;

/// In a table: the address of its first element, of 8 bytes each.
pub const TABLE_BASE: u32 = offset_of!(VmTable, base) as u32;
/// In a table: its length in elements.
pub const TABLE_LEN: u32 = offset_of!(VmTable, len) as u32;

/// In the runtime block: where free slots of the value stack begin.
pub const RT_STACK_TOP: u32 = offset_of!(VmRuntime, stack_top) as u32;
/// In the runtime block: the native stack may not go below this address.
pub const RT_HOST_STACK_LIMIT: u32 = offset_of!(VmRuntime, host_stack_limit) as u32;
/// In the runtime block: the state block of the instance that calls an exit stub through a reference.
pub const RT_NATIVE_CALLER: u32 = offset_of!(VmRuntime, native_caller) as u32;
/// In the runtime block: the address of the engine's epoch, 64 bits.
pub const RT_EPOCH: u32 = offset_of!(VmRuntime, epoch) as u32;
/// In the runtime block: the epoch that must not be reached, 64 bits.
pub const RT_DEADLINE: u32 = offset_of!(VmRuntime, deadline) as u32;
/// In the runtime block: the built-in functions. Does not change.
pub const RT_BUILTINS: u32 = offset_of!(VmRuntime, builtins) as u32;

/// Slots between a function's parameters and its other locals.
pub const LINKAGE: u32 = crate::bytecode::LINKAGE as u32;

/// Offsets in the list of built-in functions, in the C convention but for the last. `vm` is a state block; other arguments and results are of
/// 64 bits. *Status* is 0, or 1 for an operation that is out of bounds.
pub mod builtin {
    /// `(rt, slots, frame pointer, parameter slots | result slots << 32, vm, called as)`; see the contract.
    pub const CALL_OUT: u32 = 0;
    /// `(vm, memory, delta) -> old size in pages, or -1`
    pub const MEMORY_GROW: u32 = 8;
    /// `(address, value, len)`: the C function `memset`.
    pub const FILL: u32 = 16;
    /// `(to address, from address, len)`: the C function `memmove`.
    pub const COPY: u32 = 24;
    /// `(vm, memory | segment << 32, to, from, len) -> status`
    pub const MEMORY_INIT: u32 = 32;
    /// `(vm, segment)`
    pub const DATA_DROP: u32 = 40;
    /// `(vm, table, delta, value) -> old size, or -1 (in the width of the table's indices, zero-extended)`
    pub const TABLE_GROW: u32 = 48;
    /// `(vm, table, at, value, len) -> status`
    pub const TABLE_FILL: u32 = 56;
    /// `(vm, to table | from table << 32, to, from, len) -> status`
    pub const TABLE_COPY: u32 = 64;
    /// `(vm, table | segment << 32, to, from, len) -> status`
    pub const TABLE_INIT: u32 = 72;
    /// `(vm, segment)`
    pub const ELEM_DROP: u32 = 80;
    /// `()`, in Cranelift's `PreserveAll` convention: returns if the guest goes on although its deadline has come.
    pub const DEADLINE: u32 = 88;
}
