//! Linear memories.

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value, condcodes::IntCC, types};
use wasmparser::{MemArg, MemArgTarget};
use wharf_core::{
    MemoryType, TrapCode,
    tier::{GUARD, abi::*},
};

use super::FuncTranslator;
use crate::abi::{POINTER, trap_code};

/// The largest offset that loads and stores have themselves.
const MAX_OFFSET: u64 = i32::MAX as u64;

impl FuncTranslator<'_, '_> {
    /// Whether what is behind a memory faults, and it never moves.
    fn is_guarded(&self, ty: &MemoryType) -> bool {
        self.job.guarded && !ty.memory64 && ty.page_size_log2 == 16
    }

    /// The address of a memory's description.
    fn memory(&mut self, index: u32) -> Value {
        let block = self.state.block;
        self.constant(POINTER, block, self.module.memory_offset(index))
    }

    pub(super) fn memory_base(&mut self, index: u32, ty: &MemoryType) -> Value {
        match (self.is_guarded(ty), index) {
            (true, 0) => self.state.memory0,
            (true, _) => {
                let memory = self.memory(index);
                self.constant(POINTER, memory, MEMORY_BASE)
            }
            (false, _) => {
                let memory = self.memory(index);
                self.mutable(POINTER, memory, MEMORY_BASE)
            }
        }
    }

    pub(super) fn memory_len(&mut self, index: u32, ty: &MemoryType) -> Value {
        match minimum_bytes(ty) {
            bytes if ty.maximum == Some(ty.minimum) && bytes < u64::MAX => {
                self.builder.ins().iconst(types::I64, bytes as i64)
            }
            _ => {
                let memory = self.memory(index);
                self.mutable(types::I64, memory, MEMORY_LEN)
            }
        }
    }

    /// Pops the address of an access of `size` bytes; gives the flags, the base and the offset for a load or store instruction.
    pub(crate) fn access(&mut self, memarg: &MemArg, size: u8) -> (MemFlagsData, Value, i32) {
        let index = match memarg.target {
            MemArgTarget::Memory(index) => index,
            MemArgTarget::Array(_) => 0,
        };
        self.access_memory(index, memarg.offset, size)
    }

    /// As `access`, of this memory.
    pub(super) fn access_memory(&mut self, index: u32, offset: u64, size: u8) -> (MemFlagsData, Value, i32) {
        let ty = self.module.memory(index);
        let at = self.pop();
        let at = self.extend(at, ty.memory64);
        let flags = self.state.heap;
        let base = self.memory_base(index, &ty);
        let Some(end) = offset.checked_add(size.into()) else {
            let always = self.builder.ins().iconst(types::I8, 1);
            self.trap_if(always, TrapCode::MemoryOutOfBounds);
            return (flags, base, 0);
        };
        let address = self.builder.ins().iadd(base, at);
        if self.is_guarded(&ty) && end <= GUARD {
            if offset <= MAX_OFFSET {
                return (flags, address, offset as i32);
            }
            return (flags, self.add(address, offset), 0);
        }
        let len = self.memory_len(index, &ty);
        let outside = if end <= minimum_bytes(&ty) {
            // The memory is at least that long.
            let end = self.builder.ins().iconst(types::I64, end as i64);
            let limit = self.builder.ins().isub(len, end);
            self.builder.ins().icmp(IntCC::UnsignedGreaterThan, at, limit)
        } else {
            let end = self.builder.ins().iconst(types::I64, end as i64);
            let end = match ty.memory64 {
                true => {
                    let trap = trap_code(TrapCode::MemoryOutOfBounds);
                    self.builder.ins().uadd_overflow_trap(at, end, trap)
                }
                // Both are far below 2^64.
                false => self.builder.ins().iadd(at, end),
            };
            self.builder.ins().icmp(IntCC::UnsignedGreaterThan, end, len)
        };
        let address = self.add(address, offset);
        self.trap_if(outside, TrapCode::MemoryOutOfBounds);
        // The processor may run ahead of the trap with an address that is outside.
        let nowhere = self.builder.ins().iconst(POINTER, 0);
        let address = self.builder.ins().select_spectre_guard(outside, nowhere, address);
        (flags, address, 0)
    }

    fn add(&mut self, address: Value, offset: u64) -> Value {
        match offset {
            0 => address,
            _ => {
                let offset = self.builder.ins().iconst(POINTER, offset as i64);
                self.builder.ins().iadd(address, offset)
            }
        }
    }

    /// An index or length of a memory or table in 64 bits.
    pub(super) fn extend(&mut self, value: Value, is64: bool) -> Value {
        if is64 {
            value
        } else {
            self.builder.ins().uextend(types::I64, value)
        }
    }

    /// A number of 64 bits as an index or length of a memory or table.
    pub(super) fn reduce(&mut self, value: Value, is64: bool) -> Value {
        if is64 {
            value
        } else {
            self.builder.ins().ireduce(types::I32, value)
        }
    }

    pub(super) fn load(&mut self, ty: Type, memarg: &MemArg) {
        let (flags, base, offset) = self.access(memarg, ty.bytes() as u8);
        let value = self.builder.ins().load(ty, flags, base, offset);
        self.push(value);
    }

    pub(super) fn store(&mut self, memarg: &MemArg) {
        let value = self.pop();
        let size = self.builder.func.dfg.value_type(value).bytes() as u8;
        let (flags, base, offset) = self.access(memarg, size);
        self.builder.ins().store(flags, value, base, offset);
    }

    pub(super) fn memory_size(&mut self, index: u32) {
        let ty = self.module.memory(index);
        let memory = self.memory(index);
        let len = self.mutable(types::I64, memory, MEMORY_LEN);
        let shift = self
            .builder
            .ins()
            .iconst(types::I32, i64::from(ty.page_size_log2));
        let pages = self.builder.ins().ushr(len, shift);
        let pages = self.reduce(pages, ty.memory64);
        self.push(pages);
    }

    pub(super) fn memory_grow(&mut self, index: u32) {
        let is64 = self.module.memory(index).memory64;
        let delta = self.pop();
        let delta = self.extend(delta, is64);
        let memory = self.number(index.into());
        let before = self.builtin_with_result(builtin::MEMORY_GROW, &[memory, delta]);
        let before = self.reduce(before, is64);
        self.push(before);
    }
}

/// The length that a memory has at least.
fn minimum_bytes(ty: &MemoryType) -> u64 {
    u64::try_from(u128::from(ty.minimum) << ty.page_size_log2.min(64)).unwrap_or(u64::MAX)
}
