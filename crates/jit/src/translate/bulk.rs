//! Copying and filling of memories.
//!
//! Compilers make these instructions for structures and arrays of known size; a few loads and stores then do it without a call.

use cranelift_codegen::ir::{
    InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, condcodes::IntCC, types,
};
use wharf_core::{TrapCode, tier::abi::builtin};

use super::FuncTranslator;
use crate::abi::{VECTOR, trap_code};

/// The most bytes that are copied or filled in place: they pass through registers all at once.
const MAX_INLINE: u8 = 128;

/// Pieces that cover a number of bytes from the first to the last: offsets and types. They may overlap.
fn pieces(len: u8) -> impl Iterator<Item = (i32, Type)> {
    let ty = match len {
        16.. => VECTOR,
        8.. => types::I64,
        4.. => types::I32,
        2.. => types::I16,
        _ => types::I8,
    };
    let size = ty.bytes() as u8;
    (0..len.div_ceil(size)).map(move |piece| (i32::from((piece * size).min(len - size)), ty))
}

impl FuncTranslator<'_, '_> {
    /// The value of a constant number of bytes that is worth doing without a call.
    fn short(&self, len: Value) -> Option<u8> {
        let dfg = &self.builder.func.dfg;
        let InstructionData::UnaryImm {
            opcode: Opcode::Iconst,
            imm,
        } = dfg.insts[dfg.value_def(len).inst()?]
        else {
            return None;
        };
        let len = u8::try_from(imm.bits()).ok()?;
        (1..=MAX_INLINE).contains(&len).then_some(len)
    }

    /// Access to `len` bytes of a memory from an address on.
    fn span(&mut self, memory: u32, at: Value, len: u8) -> (MemFlagsData, Value, i32) {
        self.push(at);
        self.access_memory(memory, 0, len)
    }

    /// Access to bytes that are going to be written: a trap comes before the first is.
    fn written_span(&mut self, memory: u32, at: Value, len: u8) -> (MemFlagsData, Value, i32) {
        let (flags, base, offset) = self.span(memory, at, len);
        // If the last byte is there, all are.
        self.builder
            .ins()
            .load(types::I8, flags, base, offset + i32::from(len) - 1);
        (flags, base, offset)
    }

    /// The address of `len` bytes of a memory that a C function may access; traps if they are not all there.
    fn checked_address(&mut self, memory: u32, at: Value, len: Value) -> Value {
        let ty = self.module.memory(memory);
        let end = match ty.memory64 {
            true => {
                let trap = trap_code(TrapCode::MemoryOutOfBounds);
                self.builder.ins().uadd_overflow_trap(at, len, trap)
            }
            // Both are far below 2^64.
            false => self.builder.ins().iadd(at, len),
        };
        let memory_len = self.memory_len(memory, &ty);
        let outside = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThan, end, memory_len);
        self.trap_if(outside, TrapCode::MemoryOutOfBounds);
        let base = self.memory_base(memory, &ty);
        self.builder.ins().iadd(base, at)
    }

    pub(super) fn memory_fill(&mut self, index: u32) {
        let is64 = self.module.memory(index).memory64;
        let (to, value, len) = self.pop3();
        if let Some(len) = self.short(len) {
            let byte = self.builder.ins().ireduce(types::I8, value);
            let vector = self.builder.ins().splat(VECTOR, byte);
            let (flags, base, offset) = self.written_span(index, to, len);
            for (at, ty) in pieces(len) {
                let piece = match ty {
                    VECTOR => vector,
                    types::I8 => byte,
                    ty => {
                        let long = self.builder.ins().uextend(types::I64, byte);
                        let ones = self.number(0x0101_0101_0101_0101);
                        let long = self.builder.ins().imul(long, ones);
                        match ty {
                            types::I64 => long,
                            ty => self.builder.ins().ireduce(ty, long),
                        }
                    }
                };
                self.builder.ins().store(flags, piece, base, offset + at);
            }
            return;
        }
        let (at, len) = (self.extend(to, is64), self.extend(len, is64));
        let address = self.checked_address(index, at, len);
        let value = self.extend(value, false);
        self.c_function(builtin::FILL, &[address, value, len]);
    }

    pub(super) fn memory_copy(&mut self, to_memory: u32, from_memory: u32) {
        let to_64 = self.module.memory(to_memory).memory64;
        let from_64 = self.module.memory(from_memory).memory64;
        let (to, from, len) = self.pop3();
        if let Some(len) = self.short(len) {
            let (to_flags, to_base, to_offset) = self.written_span(to_memory, to, len);
            let (flags, base, offset) = self.span(from_memory, from, len);
            // They may overlap, so that everything is read before anything is written.
            let mut values = std::mem::take(&mut self.buffers.values);
            values.clear();
            for (at, ty) in pieces(len) {
                values.push(self.builder.ins().load(ty, flags, base, offset + at));
            }
            for ((at, _), value) in pieces(len).zip(&values) {
                self.builder
                    .ins()
                    .store(to_flags, *value, to_base, to_offset + at);
            }
            self.buffers.values = values;
            return;
        }
        let (to, from) = (self.extend(to, to_64), self.extend(from, from_64));
        let len = self.extend(len, to_64 && from_64);
        let to = self.checked_address(to_memory, to, len);
        let from = self.checked_address(from_memory, from, len);
        self.c_function(builtin::COPY, &[to, from, len]);
    }

    pub(super) fn memory_init(&mut self, segment: u32, index: u32) {
        let is64 = self.module.memory(index).memory64;
        let (to, from, len) = self.pop3();
        let to = self.extend(to, is64);
        let (from, len) = (self.extend(from, false), self.extend(len, false));
        let places = self.number(u64::from(index) | u64::from(segment) << 32);
        self.checked_builtin(
            builtin::MEMORY_INIT,
            &[places, to, from, len],
            TrapCode::MemoryOutOfBounds,
        );
    }

    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.number(segment.into());
        self.builtin(builtin::DATA_DROP, &[segment], 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_INLINE, pieces};

    #[test]
    fn pieces_cover_all_bytes_and_no_more() {
        for len in 1..=MAX_INLINE {
            let mut covered = vec![false; len.into()];
            for (at, ty) in pieces(len) {
                for byte in at..at + ty.bytes() as i32 {
                    covered[byte as usize] = true;
                }
            }
            assert!(covered.iter().all(|c| *c), "{len}");
        }
    }
}
