//! Vector instructions. Their operands and results are always in slots.

use wasmparser::{MemArg, V128, VisitSimdOperator};

use super::{
    Translator,
    entry::{Loc, Ty},
};
use crate::{
    bytecode::{Address, LaneAccess, Op, Operands, Simd, Single, VectorLoad},
    numeric::simd::for_each_simd_op,
};

impl Translator<'_> {
    /// A vector instruction with this many operands, then a lane number if it has one.
    fn vector(&mut self, op: Simd, operands: usize, lane: Option<u8>, result: Ty) {
        let mut slots = [0; 3];
        let first = self.stack.len() - operands;
        let entries: [_; 3] = std::array::from_fn(|i| self.stack.get(first + i).copied());
        for _ in 0..operands {
            self.pop();
        }
        for (slot, entry) in slots.iter_mut().zip(entries).take(operands) {
            if let Some(entry) = entry {
                *slot = self.slot_of(entry);
            }
        }
        if let Some(lane) = lane {
            slots[operands] = lane.into();
        }
        self.emit_to_top(Op::simd(op), result, slots[0], slots[1], slots[2]);
    }

    /// The slot or checked host address of an access of `1 << size` bytes.
    fn vector_access(&mut self, memarg: &MemArg, size: u16) -> (bool, u16, u16, u16) {
        let address = self.pop();
        let slot = self.slot_of(address);
        if self.is_plain(memarg) {
            (false, slot, memarg.offset as u16, (memarg.offset >> 16) as u16)
        } else {
            let access = self.checked_access(memarg, slot, size);
            debug_assert!(access.address == Address::X);
            (true, 0, 0, 0)
        }
    }

    fn vector_load(&mut self, op: VectorLoad, size: u16, memarg: &MemArg) {
        let (checked, b, c, d) = self.vector_access(memarg, size);
        self.emit_to_top(Op::vector_load(op, checked), Ty::V128, b, c, d);
    }

    fn lane_access(&mut self, op: LaneAccess, size: u16, memarg: &MemArg, lane: u8, load: bool) {
        let vector = self.pop();
        let v = self.slot_of(vector);
        let (checked, b, c, d) = self.vector_access(memarg, size);
        self.emit(
            Op::lane_access(op, checked),
            Operands::new(self.top as u16, b, c, d),
        );
        self.emit(Op::single(Single::Operands), Operands::new(v, lane.into(), 0, 0));
        if load {
            self.push(Loc::Temp, Ty::V128);
        }
    }
}

macro_rules! shape {
    (unary $visit:ident $op:ident) => { shape!(@plain $visit $op 1 V128); };
    (binary $visit:ident $op:ident) => { shape!(@plain $visit $op 2 V128); };
    (ternary $visit:ident $op:ident) => { shape!(@plain $visit $op 3 V128); };
    (shift $visit:ident $op:ident) => { shape!(@plain $visit $op 2 V128); };
    (test $visit:ident $op:ident) => { shape!(@plain $visit $op 1 I32); };
    (splat32 $visit:ident $op:ident) => { shape!(@plain $visit $op 1 V128); };
    (splat64 $visit:ident $op:ident) => { shape!(@plain $visit $op 1 V128); };
    (splatf32 $visit:ident $op:ident) => { shape!(@plain $visit $op 1 V128); };
    (splatf64 $visit:ident $op:ident) => { shape!(@plain $visit $op 1 V128); };
    (extract32 $visit:ident $op:ident) => { shape!(@lane $visit $op 1 I32); };
    (extract64 $visit:ident $op:ident) => { shape!(@lane $visit $op 1 I64); };
    (extractf32 $visit:ident $op:ident) => { shape!(@lane $visit $op 1 F32); };
    (extractf64 $visit:ident $op:ident) => { shape!(@lane $visit $op 1 F64); };
    (replace32 $visit:ident $op:ident) => { shape!(@lane $visit $op 2 V128); };
    (replace64 $visit:ident $op:ident) => { shape!(@lane $visit $op 2 V128); };
    (replacef32 $visit:ident $op:ident) => { shape!(@lane $visit $op 2 V128); };
    (replacef64 $visit:ident $op:ident) => { shape!(@lane $visit $op 2 V128); };
    (@plain $visit:ident $op:ident $operands:literal $result:ident) => {
        fn $visit(&mut self) {
            if self.unreachable.is_none() {
                self.vector(Simd::$op, $operands, None, Ty::$result);
            }
        }
    };
    (@lane $visit:ident $op:ident $operands:literal $result:ident) => {
        fn $visit(&mut self, lane: u8) {
            if self.unreachable.is_none() {
                self.vector(Simd::$op, $operands, Some(lane), Ty::$result);
            }
        }
    };
}

macro_rules! pure {
    ($($shape:ident $visit:ident $func:ident $op:ident;)*) => { $(shape!($shape $visit $op);)* };
}

macro_rules! loads {
    ($($visit:ident $op:ident $size:literal;)*) => {
        $(fn $visit(&mut self, memarg: MemArg) {
            if self.unreachable.is_none() {
                self.vector_load(VectorLoad::$op, $size, &memarg);
            }
        })*
    };
}

macro_rules! lanes {
    ($($visit:ident $op:ident $size:literal $load:literal;)*) => {
        $(fn $visit(&mut self, memarg: MemArg, lane: u8) {
            if self.unreachable.is_none() {
                self.lane_access(LaneAccess::$op, $size, &memarg, lane, $load);
            }
        })*
    };
}

impl<'a> VisitSimdOperator<'a> for Translator<'_> {
    for_each_simd_op!(pure);

    loads! {
        visit_v128_load V128Load 4;
        visit_v128_load8x8_s V128Load8x8S 3;
        visit_v128_load8x8_u V128Load8x8U 3;
        visit_v128_load16x4_s V128Load16x4S 3;
        visit_v128_load16x4_u V128Load16x4U 3;
        visit_v128_load32x2_s V128Load32x2S 3;
        visit_v128_load32x2_u V128Load32x2U 3;
        visit_v128_load8_splat V128Load8Splat 0;
        visit_v128_load16_splat V128Load16Splat 1;
        visit_v128_load32_splat V128Load32Splat 2;
        visit_v128_load64_splat V128Load64Splat 3;
        visit_v128_load32_zero V128Load32Zero 2;
        visit_v128_load64_zero V128Load64Zero 3;
    }

    lanes! {
        visit_v128_load8_lane V128Load8Lane 0 true;
        visit_v128_load16_lane V128Load16Lane 1 true;
        visit_v128_load32_lane V128Load32Lane 2 true;
        visit_v128_load64_lane V128Load64Lane 3 true;
        visit_v128_store8_lane V128Store8Lane 0 false;
        visit_v128_store16_lane V128Store16Lane 1 false;
        visit_v128_store32_lane V128Store32Lane 2 false;
        visit_v128_store64_lane V128Store64Lane 3 false;
    }

    fn visit_v128_store(&mut self, memarg: MemArg) {
        if self.unreachable.is_some() {
            return;
        }
        let value = self.pop();
        let v = self.slot_of(value);
        let (checked, a, c, d) = self.vector_access(&memarg, 4);
        let op = if checked {
            Single::V128StoreX
        } else {
            Single::V128Store
        };
        self.emit(Op::single(op), Operands::new(a, v, c, d));
    }

    fn visit_v128_const(&mut self, value: V128) {
        if self.unreachable.is_some() {
            return;
        }
        let value = value.i128() as u128;
        // Both halves one after the other, not shared with other constants.
        self.pool_users
            .push((self.code.len() as u32, self.pool.len() as u32));
        self.pool.push(value as u64);
        self.pool.push((value >> 64) as u64);
        self.emit_to_top(Op::single(Single::ConstPool128), Ty::V128, 0, 0, 0);
    }

    fn visit_i8x16_shuffle(&mut self, lanes: [u8; 16]) {
        if self.unreachable.is_some() {
            return;
        }
        let (second, first) = (self.pop(), self.pop());
        let (b, c) = (self.slot_of(first), self.slot_of(second));
        self.emit_to_top(Op::single(Single::Shuffle), Ty::V128, b, c, 0);
        let lanes = u128::from_le_bytes(lanes);
        self.emit(Op::single(Single::Operands), Operands::wide(lanes as u64));
        self.emit(Op::single(Single::Operands), Operands::wide((lanes >> 64) as u64));
    }
}
