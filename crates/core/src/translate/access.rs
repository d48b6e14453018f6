//! Loads and stores.

use wasmparser::{MemArg, MemArgTarget};

use super::{
    Translator,
    entry::{Entry, Loc, Ty},
};
use crate::bytecode::{Address, Binary, FloatStore, Load, Op, Operand2, Operands, Single, Store, Stored};

/// Where the address of a memory access is, once its operands are emitted.
pub(super) struct Access {
    pub(super) address: Address,
    /// The slot of the address, or of the first part of a sum.
    pub(super) base: u16,
    /// Everything behind it: offset, or second slot and offset.
    pub(super) rest: (u16, u16),
}

impl Translator<'_> {
    pub(super) fn memory_of(memarg: &MemArg) -> u32 {
        match memarg.target {
            MemArgTarget::Memory(index) => index,
            MemArgTarget::Array(_) => 0,
        }
    }

    /// Whether an access can use the registers of memory 0 and 32-bit addresses and offsets.
    pub(super) fn is_plain(&self, memarg: &MemArg) -> bool {
        let memory = Self::memory_of(memarg);
        memory == 0 && !self.module.memories[0].memory64 && memarg.offset <= u32::MAX.into()
    }

    /// Emits what finds the address of an access of `1 << size` bytes; `may_fuse` tells whether the last instruction, if it made the address,
    /// can become part of the access (nothing may be emitted in between then).
    pub(super) fn access(&mut self, memarg: &MemArg, address: Entry, size: u16, may_fuse: bool) -> Access {
        let offset = memarg.offset;
        if !self.is_plain(memarg) {
            let slot = self.slot_of(address);
            return self.checked_access(memarg, slot, size);
        }
        let imm = (offset as u16, (offset >> 16) as u16);
        match address.loc {
            Loc::Const(base) => {
                if let Ok(at) = u32::try_from(u64::from(base as u32) + offset) {
                    return Access {
                        address: Address::K,
                        base: 0,
                        rest: (at as u16, (at >> 16) as u16),
                    };
                }
            }
            Loc::Acc => {
                let producer = if may_fuse {
                    self.last_producer(address)
                } else {
                    None
                };
                match producer {
                    Some((op, o))
                        if op == Op::binary(Binary::I32Add, Operand2::SS, true) && offset <= 0xffff =>
                    {
                        self.unemit();
                        return Access {
                            address: Address::Sum,
                            base: o.b,
                            rest: (o.c, offset as u16),
                        };
                    }
                    Some((op, o)) if op == Op::binary(Binary::I32Add, Operand2::SI, true) && offset == 0 => {
                        self.unemit();
                        return Access {
                            address: Address::SumI,
                            base: o.b,
                            rest: (o.c, o.d),
                        };
                    }
                    Some((op, o)) if op == Op::single(Single::AddShl) && offset <= 0x3fff => {
                        self.unemit();
                        return Access {
                            address: Address::SumShl,
                            base: o.b,
                            rest: (o.c, offset as u16 | o.d << 14),
                        };
                    }
                    _ => {
                        return Access {
                            address: Address::A,
                            base: 0,
                            rest: imm,
                        };
                    }
                }
            }
            _ => {}
        }
        Access {
            address: Address::S,
            base: self.slot_of(address),
            rest: imm,
        }
    }

    /// An access through `EffectiveAddress`, the address in a slot.
    pub(super) fn checked_access(&mut self, memarg: &MemArg, slot: u16, size: u16) -> Access {
        let offset = memarg.offset;
        let b = (Self::memory_of(memarg) as u16) << 4 | size;
        self.claim(0);
        match u32::try_from(offset) {
            Ok(offset) => self.emit(
                Op::single(Single::EffectiveAddress),
                Operands::with_imm(slot, b, offset),
            ),
            Err(_) => {
                self.use_pool(offset);
                self.emit(
                    Op::single(Single::EffectiveAddressWide),
                    Operands::new(slot, b, 0, 0),
                );
            }
        }
        Access {
            address: Address::X,
            base: 0,
            rest: (0, 0),
        }
    }

    pub(super) fn load(&mut self, op: Load, size: u16, ty: Ty, memarg: &MemArg) {
        let address = self.pop();
        let access = self.access(memarg, address, size, true);
        self.claim(ty.class());
        let (c, d) = access.rest;
        self.emit(
            Op::load(op, access.address, true),
            Operands::new(0, access.base, c, d),
        );
        self.push_acc(ty);
    }

    pub(super) fn store(&mut self, op: Store, float: Option<FloatStore>, size: u16, memarg: &MemArg) {
        let value = self.pop();
        let address = self.pop();
        // A value in the integer accumulator has to leave it for a checked address.
        let plain = self.is_plain(memarg);
        let (stored, b) = match value.loc {
            Loc::Acc if float.is_some() => (None, 0),
            Loc::Acc if plain => (Some(Stored::A), 0),
            Loc::Const(bits) => match immediate16(bits, value.ty) {
                Some(imm) => (Some(Stored::I), imm),
                None => (Some(Stored::S), value.slot as u16),
            },
            Loc::Local(_) | Loc::Temp | Loc::Acc => (Some(Stored::S), 0),
        };
        // The slots of a sum's operands may be the value's own slot; then the value must not be put there before the access.
        let quiet = stored != Some(Stored::S) || matches!(value.loc, Loc::Local(_) | Loc::Temp);
        let b = match (stored, quiet) {
            (Some(Stored::S), _) => self.slot_of(value),
            _ => b,
        };
        let access = self.access(memarg, address, size, quiet);
        let (c, d) = access.rest;
        let op = match (stored, float) {
            (Some(stored), _) => Op::store(op, access.address, stored),
            (None, Some(float)) => Op::float_store(float, access.address),
            (None, None) => Op::store(op, access.address, Stored::A),
        };
        self.emit(op, Operands::new(access.base, b, c, d));
    }
}

/// A constant as the 16-bit immediate of a store.
fn immediate16(bits: u64, ty: Ty) -> Option<u16> {
    let value = match ty {
        Ty::I32 | Ty::F32 => i64::from(bits as u32 as i32),
        _ => bits as i64,
    };
    i16::try_from(value).ok().map(|v| v as u16)
}
