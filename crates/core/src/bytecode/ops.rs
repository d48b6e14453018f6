//! The operations, defined once: each list below is a macro that hands its rows to a callback, and the op numbers, the names, the
//! translator's choice of forms and the interpreter's handlers are all made from these rows.
//!
//! An operation comes in *forms* that differ in where operands are: slots of the frame (`S`), the accumulator of the operand's type
//! (`A`: one for integers and references, one for `f32`, one for `f64`), or an immediate (`I`).

/// Operations on two operands of one type: `Name: operand => result = |a, b| value or trap`.
macro_rules! for_each_binary {
    ($callback:ident) => {
        $callback! {
            I32Add: u32 => u32 = |a, b| Ok(a.wrapping_add(b));
            I32Sub: u32 => u32 = |a, b| Ok(a.wrapping_sub(b));
            I32Mul: u32 => u32 = |a, b| Ok(a.wrapping_mul(b));
            I32DivS: i32 => i32 = |a, b| if b == 0 {
                Err(TrapCode::IntegerDivisionByZero)
            } else {
                a.checked_div(b).ok_or(TrapCode::IntegerOverflow)
            };
            I32DivU: u32 => u32 = |a, b| a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero);
            I32RemS: i32 => i32 = |a, b| if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok(a.wrapping_rem(b)) };
            I32RemU: u32 => u32 = |a, b| a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero);
            I32And: u32 => u32 = |a, b| Ok(a & b);
            I32Or: u32 => u32 = |a, b| Ok(a | b);
            I32Xor: u32 => u32 = |a, b| Ok(a ^ b);
            I32Shl: u32 => u32 = |a, b| Ok(a.wrapping_shl(b));
            I32ShrS: i32 => i32 = |a, b| Ok(a.wrapping_shr(b as u32));
            I32ShrU: u32 => u32 = |a, b| Ok(a.wrapping_shr(b));
            I32Rotl: u32 => u32 = |a, b| Ok(a.rotate_left(b & 31));
            I32Rotr: u32 => u32 = |a, b| Ok(a.rotate_right(b & 31));
            I32Eq: u32 => u32 = |a, b| Ok((a == b).into());
            I32Ne: u32 => u32 = |a, b| Ok((a != b).into());
            I32LtS: i32 => u32 = |a, b| Ok((a < b).into());
            I32LtU: u32 => u32 = |a, b| Ok((a < b).into());
            I32GtS: i32 => u32 = |a, b| Ok((a > b).into());
            I32GtU: u32 => u32 = |a, b| Ok((a > b).into());
            I32LeS: i32 => u32 = |a, b| Ok((a <= b).into());
            I32LeU: u32 => u32 = |a, b| Ok((a <= b).into());
            I32GeS: i32 => u32 = |a, b| Ok((a >= b).into());
            I32GeU: u32 => u32 = |a, b| Ok((a >= b).into());
            I64Add: u64 => u64 = |a, b| Ok(a.wrapping_add(b));
            I64Sub: u64 => u64 = |a, b| Ok(a.wrapping_sub(b));
            I64Mul: u64 => u64 = |a, b| Ok(a.wrapping_mul(b));
            I64DivS: i64 => i64 = |a, b| if b == 0 {
                Err(TrapCode::IntegerDivisionByZero)
            } else {
                a.checked_div(b).ok_or(TrapCode::IntegerOverflow)
            };
            I64DivU: u64 => u64 = |a, b| a.checked_div(b).ok_or(TrapCode::IntegerDivisionByZero);
            I64RemS: i64 => i64 = |a, b| if b == 0 { Err(TrapCode::IntegerDivisionByZero) } else { Ok(a.wrapping_rem(b)) };
            I64RemU: u64 => u64 = |a, b| a.checked_rem(b).ok_or(TrapCode::IntegerDivisionByZero);
            I64And: u64 => u64 = |a, b| Ok(a & b);
            I64Or: u64 => u64 = |a, b| Ok(a | b);
            I64Xor: u64 => u64 = |a, b| Ok(a ^ b);
            I64Shl: u64 => u64 = |a, b| Ok(a.wrapping_shl(b as u32));
            I64ShrS: i64 => i64 = |a, b| Ok(a.wrapping_shr(b as u32));
            I64ShrU: u64 => u64 = |a, b| Ok(a.wrapping_shr(b as u32));
            I64Rotl: u64 => u64 = |a, b| Ok(a.rotate_left(b as u32 & 63));
            I64Rotr: u64 => u64 = |a, b| Ok(a.rotate_right(b as u32 & 63));
            I64Eq: u64 => u32 = |a, b| Ok((a == b).into());
            I64Ne: u64 => u32 = |a, b| Ok((a != b).into());
            I64LtS: i64 => u32 = |a, b| Ok((a < b).into());
            I64LtU: u64 => u32 = |a, b| Ok((a < b).into());
            I64GtS: i64 => u32 = |a, b| Ok((a > b).into());
            I64GtU: u64 => u32 = |a, b| Ok((a > b).into());
            I64LeS: i64 => u32 = |a, b| Ok((a <= b).into());
            I64LeU: u64 => u32 = |a, b| Ok((a <= b).into());
            I64GeS: i64 => u32 = |a, b| Ok((a >= b).into());
            I64GeU: u64 => u32 = |a, b| Ok((a >= b).into());
            F32Add: f32 => f32 = |a, b| Ok(a + b);
            F32Sub: f32 => f32 = |a, b| Ok(a - b);
            F32Mul: f32 => f32 = |a, b| Ok(a * b);
            F32Div: f32 => f32 = |a, b| Ok(a / b);
            F32Min: f32 => f32 = |a, b| Ok(float::f32_min(a, b));
            F32Max: f32 => f32 = |a, b| Ok(float::f32_max(a, b));
            F32Copysign: f32 => f32 = |a, b| Ok(a.copysign(b));
            F32Eq: f32 => u32 = |a, b| Ok((a == b).into());
            F32Ne: f32 => u32 = |a, b| Ok((a != b).into());
            F32Lt: f32 => u32 = |a, b| Ok((a < b).into());
            F32Gt: f32 => u32 = |a, b| Ok((a > b).into());
            F32Le: f32 => u32 = |a, b| Ok((a <= b).into());
            F32Ge: f32 => u32 = |a, b| Ok((a >= b).into());
            F64Add: f64 => f64 = |a, b| Ok(a + b);
            F64Sub: f64 => f64 = |a, b| Ok(a - b);
            F64Mul: f64 => f64 = |a, b| Ok(a * b);
            F64Div: f64 => f64 = |a, b| Ok(a / b);
            F64Min: f64 => f64 = |a, b| Ok(float::f64_min(a, b));
            F64Max: f64 => f64 = |a, b| Ok(float::f64_max(a, b));
            F64Copysign: f64 => f64 = |a, b| Ok(a.copysign(b));
            F64Eq: f64 => u32 = |a, b| Ok((a == b).into());
            F64Ne: f64 => u32 = |a, b| Ok((a != b).into());
            F64Lt: f64 => u32 = |a, b| Ok((a < b).into());
            F64Gt: f64 => u32 = |a, b| Ok((a > b).into());
            F64Le: f64 => u32 = |a, b| Ok((a <= b).into());
            F64Ge: f64 => u32 = |a, b| Ok((a >= b).into());
        }
    };
}
pub(crate) use for_each_binary;

/// Operations on one operand.
macro_rules! for_each_unary {
    ($callback:ident) => {
        $callback! {
            I32Clz: u32 => u32 = |a| Ok(a.leading_zeros());
            I32Ctz: u32 => u32 = |a| Ok(a.trailing_zeros());
            I32Popcnt: u32 => u32 = |a| Ok(a.count_ones());
            I32Eqz: u32 => u32 = |a| Ok((a == 0).into());
            I32Extend8S: i32 => i32 = |a| Ok(a as i8 as i32);
            I32Extend16S: i32 => i32 = |a| Ok(a as i16 as i32);
            I64Clz: u64 => u64 = |a| Ok(a.leading_zeros().into());
            I64Ctz: u64 => u64 = |a| Ok(a.trailing_zeros().into());
            I64Popcnt: u64 => u64 = |a| Ok(a.count_ones().into());
            I64Eqz: u64 => u32 = |a| Ok((a == 0).into());
            I64Extend8S: i64 => i64 = |a| Ok(a as i8 as i64);
            I64Extend16S: i64 => i64 = |a| Ok(a as i16 as i64);
            I64Extend32S: i64 => i64 = |a| Ok(a as i32 as i64);
            I32WrapI64: u64 => u32 = |a| Ok(a as u32);
            I64ExtendI32S: i32 => i64 = |a| Ok(a.into());
            F32Abs: f32 => f32 = |a| Ok(a.abs());
            F32Neg: f32 => f32 = |a| Ok(-a);
            F32Ceil: f32 => f32 = |a| Ok(float::f32_ceil(a));
            F32Floor: f32 => f32 = |a| Ok(float::f32_floor(a));
            F32Trunc: f32 => f32 = |a| Ok(float::f32_trunc(a));
            F32Nearest: f32 => f32 = |a| Ok(float::f32_nearest(a));
            F32Sqrt: f32 => f32 = |a| Ok(a.sqrt());
            F64Abs: f64 => f64 = |a| Ok(a.abs());
            F64Neg: f64 => f64 = |a| Ok(-a);
            F64Ceil: f64 => f64 = |a| Ok(float::f64_ceil(a));
            F64Floor: f64 => f64 = |a| Ok(float::f64_floor(a));
            F64Trunc: f64 => f64 = |a| Ok(float::f64_trunc(a));
            F64Nearest: f64 => f64 = |a| Ok(float::f64_nearest(a));
            F64Sqrt: f64 => f64 = |a| Ok(a.sqrt());
            I32TruncF32S: f32 => i32 = |a| float::i32_trunc_f32_s(a).map_err(TrapCode::from);
            I32TruncF32U: f32 => u32 = |a| float::i32_trunc_f32_u(a).map_err(TrapCode::from);
            I32TruncF64S: f64 => i32 = |a| float::i32_trunc_f64_s(a).map_err(TrapCode::from);
            I32TruncF64U: f64 => u32 = |a| float::i32_trunc_f64_u(a).map_err(TrapCode::from);
            I64TruncF32S: f32 => i64 = |a| float::i64_trunc_f32_s(a).map_err(TrapCode::from);
            I64TruncF32U: f32 => u64 = |a| float::i64_trunc_f32_u(a).map_err(TrapCode::from);
            I64TruncF64S: f64 => i64 = |a| float::i64_trunc_f64_s(a).map_err(TrapCode::from);
            I64TruncF64U: f64 => u64 = |a| float::i64_trunc_f64_u(a).map_err(TrapCode::from);
            I32TruncSatF32S: f32 => i32 = |a| Ok(a as i32);
            I32TruncSatF32U: f32 => u32 = |a| Ok(a as u32);
            I32TruncSatF64S: f64 => i32 = |a| Ok(a as i32);
            I32TruncSatF64U: f64 => u32 = |a| Ok(a as u32);
            I64TruncSatF32S: f32 => i64 = |a| Ok(a as i64);
            I64TruncSatF32U: f32 => u64 = |a| Ok(a as u64);
            I64TruncSatF64S: f64 => i64 = |a| Ok(a as i64);
            I64TruncSatF64U: f64 => u64 = |a| Ok(a as u64);
            F32ConvertI32S: i32 => f32 = |a| Ok(a as f32);
            F32ConvertI32U: u32 => f32 = |a| Ok(a as f32);
            F32ConvertI64S: i64 => f32 = |a| Ok(a as f32);
            F32ConvertI64U: u64 => f32 = |a| Ok(a as f32);
            F64ConvertI32S: i32 => f64 = |a| Ok(a.into());
            F64ConvertI32U: u32 => f64 = |a| Ok(a.into());
            F64ConvertI64S: i64 => f64 = |a| Ok(a as f64);
            F64ConvertI64U: u64 => f64 = |a| Ok(a as f64);
            F32DemoteF64: f64 => f32 = |a| Ok(a as f32);
            F64PromoteF32: f32 => f64 = |a| Ok(a.into());
            I32ReinterpretF32: f32 => u32 = |a| Ok(a.to_bits());
            I64ReinterpretF64: f64 => u64 = |a| Ok(a.to_bits());
            F32ReinterpretI32: u32 => f32 = |a| Ok(f32::from_bits(a));
            F64ReinterpretI64: u64 => f64 = |a| Ok(f64::from_bits(a));
        }
    };
}
pub(crate) use for_each_unary;

/// Conditions of compare-and-branch on integers: `Name: operand = |a, b| taken, negated name`.
macro_rules! for_each_int_branch {
    ($callback:ident) => {
        $callback! {
            BrI32Eq: u32 = |a, b| a == b, BrI32Ne;
            BrI32Ne: u32 = |a, b| a != b, BrI32Eq;
            BrI32LtS: i32 = |a, b| a < b, BrI32GeS;
            BrI32LtU: u32 = |a, b| a < b, BrI32GeU;
            BrI32GtS: i32 = |a, b| a > b, BrI32LeS;
            BrI32GtU: u32 = |a, b| a > b, BrI32LeU;
            BrI32LeS: i32 = |a, b| a <= b, BrI32GtS;
            BrI32LeU: u32 = |a, b| a <= b, BrI32GtU;
            BrI32GeS: i32 = |a, b| a >= b, BrI32LtS;
            BrI32GeU: u32 = |a, b| a >= b, BrI32LtU;
            BrI32Any: u32 = |a, b| a & b != 0, BrI32None;
            BrI32None: u32 = |a, b| a & b == 0, BrI32Any;
            BrI64Eq: u64 = |a, b| a == b, BrI64Ne;
            BrI64Ne: u64 = |a, b| a != b, BrI64Eq;
            BrI64LtS: i64 = |a, b| a < b, BrI64GeS;
            BrI64LtU: u64 = |a, b| a < b, BrI64GeU;
            BrI64GtS: i64 = |a, b| a > b, BrI64LeS;
            BrI64GtU: u64 = |a, b| a > b, BrI64LeU;
            BrI64LeS: i64 = |a, b| a <= b, BrI64GtS;
            BrI64LeU: u64 = |a, b| a <= b, BrI64GtU;
            BrI64GeS: i64 = |a, b| a >= b, BrI64LtS;
            BrI64GeU: u64 = |a, b| a >= b, BrI64LtU;
        }
    };
}
pub(crate) use for_each_int_branch;

/// Conditions of compare-and-branch on floats.
macro_rules! for_each_float_branch {
    ($callback:ident) => {
        $callback! {
            BrF32Eq: f32 = |a, b| a == b, BrF32Ne;
            BrF32Ne: f32 = |a, b| a != b, BrF32Eq;
            BrF32Lt: f32 = |a, b| a < b, BrF32NotLt;
            BrF32Gt: f32 = |a, b| a > b, BrF32NotGt;
            BrF32Le: f32 = |a, b| a <= b, BrF32NotLe;
            BrF32Ge: f32 = |a, b| a >= b, BrF32NotGe;
            BrF32NotLt: f32 = |a, b| !(a < b), BrF32Lt;
            BrF32NotGt: f32 = |a, b| !(a > b), BrF32Gt;
            BrF32NotLe: f32 = |a, b| !(a <= b), BrF32Le;
            BrF32NotGe: f32 = |a, b| !(a >= b), BrF32Ge;
            BrF64Eq: f64 = |a, b| a == b, BrF64Ne;
            BrF64Ne: f64 = |a, b| a != b, BrF64Eq;
            BrF64Lt: f64 = |a, b| a < b, BrF64NotLt;
            BrF64Gt: f64 = |a, b| a > b, BrF64NotGt;
            BrF64Le: f64 = |a, b| a <= b, BrF64NotLe;
            BrF64Ge: f64 = |a, b| a >= b, BrF64NotGe;
            BrF64NotLt: f64 = |a, b| !(a < b), BrF64Lt;
            BrF64NotGt: f64 = |a, b| !(a > b), BrF64Gt;
            BrF64NotLe: f64 = |a, b| !(a <= b), BrF64Le;
            BrF64NotGe: f64 = |a, b| !(a >= b), BrF64Ge;
        }
    };
}
pub(crate) use for_each_float_branch;

/// Loads: `Name: type in memory => type of the result`.
macro_rules! for_each_load {
    ($callback:ident) => {
        $callback! {
            Load8U: u8 => u64;
            Load16U: u16 => u64;
            Load32U: u32 => u64;
            Load64: u64 => u64;
            Load8SI32: i8 => i32;
            Load16SI32: i16 => i32;
            Load8SI64: i8 => i64;
            Load16SI64: i16 => i64;
            Load32SI64: i32 => i64;
            LoadF32: f32 => f32;
            LoadF64: f64 => f64;
        }
    };
}
pub(crate) use for_each_load;

/// Stores: `Name: type of the value => type in memory`.
macro_rules! for_each_store {
    ($callback:ident) => {
        $callback! {
            Store8: u64 => u8;
            Store16: u64 => u16;
            Store32: u64 => u32;
            Store64: u64 => u64;
        }
    };
}
pub(crate) use for_each_store;

/// Vector loads to a slot pair: `Name: type in memory = |bits| vector`.
macro_rules! for_each_vector_load {
    ($callback:ident) => {
        $callback! {
            V128Load: u128 = |x| V128::from_u128(x);
            V128Load8x8S: u64 = |x| simd::v128_load8x8_s(x.to_le_bytes());
            V128Load8x8U: u64 = |x| simd::v128_load8x8_u(x.to_le_bytes());
            V128Load16x4S: u64 = |x| simd::v128_load16x4_s(x.to_le_bytes());
            V128Load16x4U: u64 = |x| simd::v128_load16x4_u(x.to_le_bytes());
            V128Load32x2S: u64 = |x| simd::v128_load32x2_s(x.to_le_bytes());
            V128Load32x2U: u64 = |x| simd::v128_load32x2_u(x.to_le_bytes());
            V128Load8Splat: u8 = |x| simd::i8x16_splat(x.into());
            V128Load16Splat: u16 = |x| simd::i16x8_splat(x.into());
            V128Load32Splat: u32 = |x| simd::i32x4_splat(x);
            V128Load64Splat: u64 = |x| simd::i64x2_splat(x);
            V128Load32Zero: u32 = |x| V128::from_u128(x.into());
            V128Load64Zero: u64 = |x| V128::from_u128(x.into());
        }
    };
}
pub(crate) use for_each_vector_load;

/// Loads and stores of one lane: `Name: type in memory, read of a lane`.
macro_rules! for_each_lane_access {
    ($callback:ident) => {
        $callback! {
            V128Load8Lane, V128Store8Lane: u8;
            V128Load16Lane, V128Store16Lane: u16;
            V128Load32Lane, V128Store32Lane: u32;
            V128Load64Lane, V128Store64Lane: u64;
        }
    };
}
pub(crate) use for_each_lane_access;

/// Everything that has one form. Each has its handler of the same name in `interp`.
macro_rules! for_each_single {
    ($callback:ident) => {
        $callback! {
            // Moves.
            Copy, Copy2, CopyV128, ConstU32, ConstS32, ConstPool, ConstPool128,
            AccToSlot, F32AccToSlot, F64AccToSlot, AddShl,
            // Globals.
            GlobalGet, GlobalGetAcc, GlobalGetF32, GlobalGetF64, GlobalSet, GlobalSetAcc, GlobalGetV128, GlobalSetV128,
            ImportedGlobalGet, ImportedGlobalSet, ImportedGlobalGetV128, ImportedGlobalSetV128,
            // Select: condition in a slot or the accumulator, result in a slot or the accumulator.
            SelectSS, SelectAS, SelectSA, SelectAA, SelectV128,
            // Control.
            Unreachable, Br, BrTableS, BrTableA, BrTarget,
            Enter0, Enter2, Enter4, Enter8, EnterN,
            Return0, Return1, ReturnAcc, ReturnF32, ReturnF64, ReturnN,
            Call, CallImport, CallIndirectS, CallIndirectA, CallIndirectSig,
            ReturnCall, ReturnCallImport, ReturnCallIndirect,
            Lazy, HostEnter, EnterNative, EnterLoop, Exit,
            // Memory.
            EffectiveAddress, EffectiveAddressWide, MemorySize, MemoryGrow, MemoryFill, MemoryCopy, MemoryInit, DataDrop,
            V128Store, V128StoreX,
            // Tables and references.
            TableGet, TableSet, TableSize, TableGrow, TableFill, TableCopy, TableInit, ElemDrop, RefFunc,
            // Vectors.
            Shuffle, Operands,
        }
    };
}
pub(crate) use for_each_single;
