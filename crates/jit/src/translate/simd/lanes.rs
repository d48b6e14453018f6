//! Vectors as lanes, and what several operators are made of.

use cranelift_codegen::ir::{
    ConstantData, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Type, Value, ValueDef,
    condcodes::FloatCC,
    types::{F64X2, I8X16, I32, I64X2},
};
use wasmparser::MemArg;

use crate::translate::FuncTranslator;

impl FuncTranslator<'_, '_> {
    /// Pops a vector, as lanes of type `ty`.
    pub(super) fn pop_lanes(&mut self, ty: Type) -> Value {
        let vector = self.pop();
        self.as_lanes(vector, ty)
    }

    /// Pops two vectors, as lanes of type `ty`; the first pushed comes first.
    pub(super) fn pop2_lanes(&mut self, ty: Type) -> (Value, Value) {
        let (x, y) = self.pop2();
        (self.as_lanes(x, ty), self.as_lanes(y, ty))
    }

    /// Pops three vectors, as lanes of type `ty`; the first pushed comes first.
    pub(super) fn pop3_lanes(&mut self, ty: Type) -> (Value, Value, Value) {
        let (x, y, z) = self.pop3();
        (self.as_lanes(x, ty), self.as_lanes(y, ty), self.as_lanes(z, ty))
    }

    /// Pushes a vector of any lanes.
    pub(super) fn push_lanes(&mut self, vector: Value) {
        let vector = self.as_lanes(vector, I8X16);
        self.push(vector);
    }

    /// The bits of a vector as lanes of type `ty`.
    ///
    /// Looks through the cast that the operator before has left and gives constants the type at once, as the
    /// selection of instructions looks for operands and for constants by their definition.
    pub(super) fn as_lanes(&mut self, vector: Value, ty: Type) -> Value {
        let dfg = &self.builder.func.dfg;
        let mut source = vector;
        if let ValueDef::Result(inst, _) = dfg.value_def(vector) {
            match dfg.insts[inst] {
                InstructionData::LoadNoOffset {
                    opcode: Opcode::Bitcast,
                    arg,
                    ..
                } if dfg.value_type(arg).bits() == 128 => source = arg,
                InstructionData::UnaryConst {
                    opcode: Opcode::Vconst,
                    constant_handle,
                } if dfg.value_type(vector) != ty => {
                    return self.builder.ins().vconst(ty, constant_handle);
                }
                _ => {}
            }
        }
        if self.builder.func.dfg.value_type(source) == ty {
            return source;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.builder.ins().bitcast(ty, flags, source)
    }

    /// A constant vector of lanes of type `ty`.
    pub(super) fn const_lanes(&mut self, ty: Type, bytes: [u8; 16]) -> Value {
        let data = ConstantData::from(bytes.as_slice());
        let constant = self.builder.func.dfg.constants.insert(data);
        self.builder.ins().vconst(ty, constant)
    }

    /// Loads a scalar.
    pub(super) fn load_scalar(&mut self, memarg: &MemArg, ty: Type) -> Value {
        let (flags, base, offset) = self.access(memarg, ty.bytes() as u8);
        self.builder.ins().load(ty, flags, base, offset)
    }

    /// Loads a lane of type `lanes` and leaves the others of the operand.
    pub(super) fn load_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let vector = self.pop_lanes(lanes);
        let value = self.load_scalar(memarg, lanes.lane_type());
        let result = self.builder.ins().insertlane(vector, value, lane);
        self.push_lanes(result);
    }

    /// Stores a lane of type `lanes`.
    pub(super) fn store_lane(&mut self, memarg: &MemArg, lanes: Type, lane: u8) {
        let vector = self.pop_lanes(lanes);
        let (flags, base, offset) = self.access(memarg, lanes.lane_type().bytes() as u8);
        let value = self.builder.ins().extractlane(vector, lane);
        self.builder.ins().store(flags, value, base, offset);
    }

    /// Pushes a truth value.
    pub(super) fn push_bool(&mut self, value: Value) {
        let value = self.builder.ins().uextend(I32, value);
        self.push(value);
    }

    /// Sums of the products of neighbouring signed bytes in 16 bits. The one sum that is too large saturates.
    pub(super) fn dot_bytes(&mut self, x: Value, y: Value) -> Value {
        let eight = self.builder.ins().iconst(I32, 8);
        let [x_odd, y_odd] = [x, y].map(|pairs| self.builder.ins().sshr(pairs, eight));
        let [x_even, y_even] = [x, y].map(|pairs| {
            let top = self.builder.ins().ishl(pairs, eight);
            self.builder.ins().sshr(top, eight)
        });
        let even = self.builder.ins().imul(x_even, y_even);
        let odd = self.builder.ins().imul(x_odd, y_odd);
        self.builder.ins().sadd_sat(even, odd)
    }

    /// Pops two `f64`s and pushes them as saturated 32-bit integers, followed by zeros.
    pub(super) fn truncate_f64x2(&mut self, signed: bool) {
        let x = self.pop_lanes(F64X2);
        // Both targets know the conversion together with this way of narrowing; x86-64 has neither alone.
        let zero = self.const_lanes(I64X2, [0; 16]);
        let result = if signed {
            let wide = self.builder.ins().fcvt_to_sint_sat(I64X2, x);
            self.builder.ins().snarrow(wide, zero)
        } else {
            let wide = self.builder.ins().fcvt_to_uint_sat(I64X2, x);
            self.builder.ins().uunarrow(wide, zero)
        };
        self.push_lanes(result);
    }

    /// Pushes the lanes of `first` where the first of `less` is below the second, of `second` elsewhere.
    pub(super) fn push_beyond(&mut self, less: (Value, Value), first: Value, second: Value) {
        let ty = self.builder.func.dfg.value_type(first);
        let mask = self.builder.ins().fcmp(FloatCC::LessThan, less.0, less.1);
        let mask = self.as_lanes(mask, ty);
        let result = self.builder.ins().bitselect(mask, first, second);
        self.push_lanes(result);
    }
}
