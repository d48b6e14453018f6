//! One method per Wasm instruction.

use wasmparser::{BlockType, BrTable, Ieee32, Ieee64, MemArg, VisitOperator, VisitSimdOperator};

use super::{
    Translator,
    entry::{Entry, Loc, Ty},
};
use crate::{
    bytecode::{Binary, FloatStore, Load, Op, Operands, Single, Store, Unary},
    error::Error,
};

impl Translator<'_> {
    /// Three operands in slots, no result.
    fn three_slots(&mut self) -> (u16, u16, u16) {
        let (c, b, a) = (self.pop(), self.pop(), self.pop());
        let (a, b) = (self.slot_of(a), self.slot_of(b));
        (a, b, self.slot_of(c))
    }

    /// An operation whose result goes to the slot at the top of the stack.
    pub(super) fn emit_to_top(&mut self, op: Op, ty: Ty, b: u16, c: u16, d: u16) {
        self.emit(op, Operands::new(self.top as u16, b, c, d));
        self.push(Loc::Temp, ty);
    }

    fn index_type(memory64: bool) -> Ty {
        if memory64 { Ty::I64 } else { Ty::I32 }
    }
}

macro_rules! binary {
    ($($visit:ident $op:ident $ty:ident $result:ident;)*) => {
        $(fn $visit(&mut self) {
            if self.unreachable.is_none() {
                self.binary(Binary::$op, Ty::$ty, Ty::$result);
            }
        })*
    };
}

macro_rules! unary {
    ($($visit:ident $op:ident $result:ident;)*) => {
        $(fn $visit(&mut self) {
            if self.unreachable.is_none() {
                self.unary(Unary::$op, Ty::$result);
            }
        })*
    };
}

macro_rules! load {
    ($($visit:ident $op:ident $size:literal $ty:ident;)*) => {
        $(fn $visit(&mut self, memarg: MemArg) {
            if self.unreachable.is_none() {
                self.load(Load::$op, $size, Ty::$ty, &memarg);
            }
        })*
    };
}

macro_rules! store {
    ($($visit:ident $op:ident $size:literal $float:expr;)*) => {
        $(fn $visit(&mut self, memarg: MemArg) {
            if self.unreachable.is_none() {
                self.store(Store::$op, $float, $size, &memarg);
            }
        })*
    };
}

/// Defines methods that do nothing in code that can't be reached.
macro_rules! visit {
    ($(fn $visit:ident($self:ident $(, $arg:ident: $ty:ty)*) $body:block)*) => {
        $(fn $visit(&mut $self $(, $arg: $ty)*) {
            if $self.unreachable.is_none() {
                $body
            }
        })*
    };
}

/// Defines the methods of instructions that validation refuses, because their features are off.
macro_rules! refused {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        $(refused!(@one $proposal $visit ($($($arg: $argty),*)?));)*
    };
    (@one mvp $($rest:tt)*) => {};
    (@one sign_extension $($rest:tt)*) => {};
    (@one saturating_float_to_int $($rest:tt)*) => {};
    (@one bulk_memory $($rest:tt)*) => {};
    (@one reference_types $($rest:tt)*) => {};
    (@one tail_call $($rest:tt)*) => {};
    (@one $proposal:ident $visit:ident ($($arg:ident: $argty:ty),*)) => {
        fn $visit(&mut self, $(_: $argty),*) {
            self.fail(Error::unsupported(concat!("instructions of the proposal ", stringify!($proposal))));
        }
    };
}

impl<'a> VisitOperator<'a> for Translator<'_> {
    type Output = ();

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = ()>> {
        Some(self)
    }

    fn visit_block(&mut self, ty: BlockType) {
        self.block(ty);
    }

    fn visit_loop(&mut self, ty: BlockType) {
        self.enter_loop(ty);
    }

    fn visit_if(&mut self, ty: BlockType) {
        self.enter_if(ty);
    }

    fn visit_else(&mut self) {
        self.enter_else();
    }

    fn visit_end(&mut self) {
        self.end();
    }

    fn visit_nop(&mut self) {}

    visit! {
        fn visit_unreachable(self) {
            self.emit(Op::single(Single::Unreachable), Operands::NONE);
            self.unreachable = Some(0);
        }
        fn visit_br(self, depth: u32) { self.br(depth); }
        fn visit_br_if(self, depth: u32) { self.br_if(depth); }
        fn visit_br_table(self, targets: BrTable<'a>) { self.br_table(&targets); }
        fn visit_return(self) { self.return_(); }
        fn visit_call(self, func: u32) { self.call(func); }
        fn visit_call_indirect(self, ty: u32, table: u32) { self.call_indirect(ty, table); }
        fn visit_return_call(self, func: u32) { self.return_call(func); }
        fn visit_return_call_indirect(self, ty: u32, table: u32) { self.return_call_indirect(ty, table); }
        fn visit_drop(self) { self.pop(); }
        fn visit_select(self) { self.select(); }
        fn visit_typed_select(self, _ty: wasmparser::ValType) { self.select(); }
        fn visit_typed_select_multi(self, _tys: Vec<wasmparser::ValType>) {
            self.fail(Error::unsupported("select with several results"));
        }
        fn visit_local_get(self, local: u32) {
            let ty = self.locals[local as usize].ty;
            self.locals[local as usize].refs += 1;
            self.push(Loc::Local(local), ty);
        }
        fn visit_local_set(self, local: u32) { self.local_set(local, false); }
        fn visit_local_tee(self, local: u32) { self.local_set(local, true); }
        fn visit_global_get(self, global: u32) { self.global_get(global); }
        fn visit_global_set(self, global: u32) { self.global_set(global); }
        fn visit_i32_const(self, value: i32) { self.push(Loc::Const((value as u32).into()), Ty::I32); }
        fn visit_i64_const(self, value: i64) { self.push(Loc::Const(value as u64), Ty::I64); }
        fn visit_f32_const(self, value: Ieee32) { self.push(Loc::Const(value.bits().into()), Ty::F32); }
        fn visit_f64_const(self, value: Ieee64) { self.push(Loc::Const(value.bits()), Ty::F64); }
        fn visit_ref_null(self, _ty: wasmparser::HeapType) { self.push(Loc::Const(0), Ty::Ref); }
        fn visit_ref_func(self, func: u32) {
            self.emit(Op::single(Single::RefFunc), Operands::with_imm(self.top as u16, 0, func));
            self.push(Loc::Temp, Ty::Ref);
        }
        fn visit_ref_is_null(self) { self.unary(Unary::I64Eqz, Ty::I32); }
        // 32-bit values are kept zero-extended, so that this costs nothing.
        fn visit_i64_extend_i32_u(self) {
            let value = self.pop();
            match value.loc {
                Loc::Acc => {
                    self.owners[0] = Some((self.stack.len(), value.producer as usize));
                    self.top = value.slot + 1;
                    self.stack.push(Entry { ty: Ty::I64, ..value });
                }
                Loc::Local(local) => {
                    self.locals[local as usize].refs += 1;
                    self.push(value.loc, Ty::I64);
                }
                loc => self.push(loc, Ty::I64),
            }
        }

        fn visit_memory_size(self, memory: u32) {
            let ty = Self::index_type(self.module.memories[memory as usize].memory64);
            self.emit_to_top(Op::single(Single::MemorySize), ty, memory as u16, 0, 0);
        }
        fn visit_memory_grow(self, memory: u32) {
            let memory64 = self.module.memories[memory as usize].memory64;
            let delta = self.pop();
            let b = self.slot_of(delta);
            self.spill();
            let op = Op::single(Single::MemoryGrow);
            self.emit_to_top(op, Self::index_type(memory64), b, memory as u16, memory64.into());
        }
        fn visit_memory_fill(self, memory: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::MemoryFill), Operands::new(a, b, c, memory as u16));
        }
        fn visit_memory_copy(self, to: u32, from: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::MemoryCopy), Operands::new(a, b, c, 0));
            self.emit(Op::single(Single::Operands), Operands::new(to as u16, from as u16, 0, 0));
        }
        fn visit_memory_init(self, segment: u32, memory: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::MemoryInit), Operands::new(a, b, c, 0));
            self.emit(Op::single(Single::Operands), Operands::with_imm(memory as u16, 0, segment));
        }
        fn visit_data_drop(self, segment: u32) {
            self.spill();
            self.emit(Op::single(Single::DataDrop), Operands::with_imm(0, 0, segment));
        }
        fn visit_table_get(self, table: u32) {
            let index = self.pop();
            let b = self.slot_of(index);
            self.spill();
            self.emit_to_top(Op::single(Single::TableGet), Ty::Ref, b, table as u16, 0);
        }
        fn visit_table_set(self, table: u32) {
            let (value, index) = (self.pop(), self.pop());
            let (a, b) = (self.slot_of(index), self.slot_of(value));
            self.spill();
            self.emit(Op::single(Single::TableSet), Operands::new(a, b, table as u16, 0));
        }
        fn visit_table_size(self, table: u32) {
            let ty = Self::index_type(self.module.tables[table as usize].ty.table64);
            self.spill();
            self.emit_to_top(Op::single(Single::TableSize), ty, table as u16, 0, 0);
        }
        fn visit_table_grow(self, table: u32) {
            let ty = Self::index_type(self.module.tables[table as usize].ty.table64);
            let (delta, init) = (self.pop(), self.pop());
            let (b, c) = (self.slot_of(init), self.slot_of(delta));
            self.spill();
            self.emit_to_top(Op::single(Single::TableGrow), ty, b, c, table as u16);
        }
        fn visit_table_fill(self, table: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::TableFill), Operands::new(a, b, c, table as u16));
        }
        fn visit_table_copy(self, to: u32, from: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::TableCopy), Operands::new(a, b, c, 0));
            self.emit(Op::single(Single::Operands), Operands::new(to as u16, from as u16, 0, 0));
        }
        fn visit_table_init(self, segment: u32, table: u32) {
            let (a, b, c) = self.three_slots();
            self.spill();
            self.emit(Op::single(Single::TableInit), Operands::new(a, b, c, 0));
            self.emit(Op::single(Single::Operands), Operands::with_imm(table as u16, 0, segment));
        }
        fn visit_elem_drop(self, segment: u32) {
            self.spill();
            self.emit(Op::single(Single::ElemDrop), Operands::with_imm(0, 0, segment));
        }
    }

    load! {
        visit_i32_load Load32U 2 I32;
        visit_i64_load Load64 3 I64;
        visit_f32_load LoadF32 2 F32;
        visit_f64_load LoadF64 3 F64;
        visit_i32_load8_s Load8SI32 0 I32;
        visit_i32_load8_u Load8U 0 I32;
        visit_i32_load16_s Load16SI32 1 I32;
        visit_i32_load16_u Load16U 1 I32;
        visit_i64_load8_s Load8SI64 0 I64;
        visit_i64_load8_u Load8U 0 I64;
        visit_i64_load16_s Load16SI64 1 I64;
        visit_i64_load16_u Load16U 1 I64;
        visit_i64_load32_s Load32SI64 2 I64;
        visit_i64_load32_u Load32U 2 I64;
    }

    store! {
        visit_i32_store Store32 2 None;
        visit_i64_store Store64 3 None;
        visit_f32_store Store32 2 Some(FloatStore::StoreF32Acc);
        visit_f64_store Store64 3 Some(FloatStore::StoreF64Acc);
        visit_i32_store8 Store8 0 None;
        visit_i32_store16 Store16 1 None;
        visit_i64_store8 Store8 0 None;
        visit_i64_store16 Store16 1 None;
        visit_i64_store32 Store32 2 None;
    }

    unary! {
        visit_i32_clz I32Clz I32;
        visit_i32_ctz I32Ctz I32;
        visit_i32_popcnt I32Popcnt I32;
        visit_i32_eqz I32Eqz I32;
        visit_i32_extend8_s I32Extend8S I32;
        visit_i32_extend16_s I32Extend16S I32;
        visit_i64_clz I64Clz I64;
        visit_i64_ctz I64Ctz I64;
        visit_i64_popcnt I64Popcnt I64;
        visit_i64_eqz I64Eqz I32;
        visit_i64_extend8_s I64Extend8S I64;
        visit_i64_extend16_s I64Extend16S I64;
        visit_i64_extend32_s I64Extend32S I64;
        visit_i32_wrap_i64 I32WrapI64 I32;
        visit_i64_extend_i32_s I64ExtendI32S I64;
        visit_f32_abs F32Abs F32;
        visit_f32_neg F32Neg F32;
        visit_f32_ceil F32Ceil F32;
        visit_f32_floor F32Floor F32;
        visit_f32_trunc F32Trunc F32;
        visit_f32_nearest F32Nearest F32;
        visit_f32_sqrt F32Sqrt F32;
        visit_f64_abs F64Abs F64;
        visit_f64_neg F64Neg F64;
        visit_f64_ceil F64Ceil F64;
        visit_f64_floor F64Floor F64;
        visit_f64_trunc F64Trunc F64;
        visit_f64_nearest F64Nearest F64;
        visit_f64_sqrt F64Sqrt F64;
        visit_i32_trunc_f32_s I32TruncF32S I32;
        visit_i32_trunc_f32_u I32TruncF32U I32;
        visit_i32_trunc_f64_s I32TruncF64S I32;
        visit_i32_trunc_f64_u I32TruncF64U I32;
        visit_i64_trunc_f32_s I64TruncF32S I64;
        visit_i64_trunc_f32_u I64TruncF32U I64;
        visit_i64_trunc_f64_s I64TruncF64S I64;
        visit_i64_trunc_f64_u I64TruncF64U I64;
        visit_i32_trunc_sat_f32_s I32TruncSatF32S I32;
        visit_i32_trunc_sat_f32_u I32TruncSatF32U I32;
        visit_i32_trunc_sat_f64_s I32TruncSatF64S I32;
        visit_i32_trunc_sat_f64_u I32TruncSatF64U I32;
        visit_i64_trunc_sat_f32_s I64TruncSatF32S I64;
        visit_i64_trunc_sat_f32_u I64TruncSatF32U I64;
        visit_i64_trunc_sat_f64_s I64TruncSatF64S I64;
        visit_i64_trunc_sat_f64_u I64TruncSatF64U I64;
        visit_f32_convert_i32_s F32ConvertI32S F32;
        visit_f32_convert_i32_u F32ConvertI32U F32;
        visit_f32_convert_i64_s F32ConvertI64S F32;
        visit_f32_convert_i64_u F32ConvertI64U F32;
        visit_f64_convert_i32_s F64ConvertI32S F64;
        visit_f64_convert_i32_u F64ConvertI32U F64;
        visit_f64_convert_i64_s F64ConvertI64S F64;
        visit_f64_convert_i64_u F64ConvertI64U F64;
        visit_f32_demote_f64 F32DemoteF64 F32;
        visit_f64_promote_f32 F64PromoteF32 F64;
        visit_i32_reinterpret_f32 I32ReinterpretF32 I32;
        visit_i64_reinterpret_f64 I64ReinterpretF64 I64;
        visit_f32_reinterpret_i32 F32ReinterpretI32 F32;
        visit_f64_reinterpret_i64 F64ReinterpretI64 F64;
    }

    binary! {
        visit_i32_add I32Add I32 I32;
        visit_i32_sub I32Sub I32 I32;
        visit_i32_mul I32Mul I32 I32;
        visit_i32_div_s I32DivS I32 I32;
        visit_i32_div_u I32DivU I32 I32;
        visit_i32_rem_s I32RemS I32 I32;
        visit_i32_rem_u I32RemU I32 I32;
        visit_i32_and I32And I32 I32;
        visit_i32_or I32Or I32 I32;
        visit_i32_xor I32Xor I32 I32;
        visit_i32_shl I32Shl I32 I32;
        visit_i32_shr_s I32ShrS I32 I32;
        visit_i32_shr_u I32ShrU I32 I32;
        visit_i32_rotl I32Rotl I32 I32;
        visit_i32_rotr I32Rotr I32 I32;
        visit_i32_eq I32Eq I32 I32;
        visit_i32_ne I32Ne I32 I32;
        visit_i32_lt_s I32LtS I32 I32;
        visit_i32_lt_u I32LtU I32 I32;
        visit_i32_gt_s I32GtS I32 I32;
        visit_i32_gt_u I32GtU I32 I32;
        visit_i32_le_s I32LeS I32 I32;
        visit_i32_le_u I32LeU I32 I32;
        visit_i32_ge_s I32GeS I32 I32;
        visit_i32_ge_u I32GeU I32 I32;
        visit_i64_add I64Add I64 I64;
        visit_i64_sub I64Sub I64 I64;
        visit_i64_mul I64Mul I64 I64;
        visit_i64_div_s I64DivS I64 I64;
        visit_i64_div_u I64DivU I64 I64;
        visit_i64_rem_s I64RemS I64 I64;
        visit_i64_rem_u I64RemU I64 I64;
        visit_i64_and I64And I64 I64;
        visit_i64_or I64Or I64 I64;
        visit_i64_xor I64Xor I64 I64;
        visit_i64_shl I64Shl I64 I64;
        visit_i64_shr_s I64ShrS I64 I64;
        visit_i64_shr_u I64ShrU I64 I64;
        visit_i64_rotl I64Rotl I64 I64;
        visit_i64_rotr I64Rotr I64 I64;
        visit_i64_eq I64Eq I64 I32;
        visit_i64_ne I64Ne I64 I32;
        visit_i64_lt_s I64LtS I64 I32;
        visit_i64_lt_u I64LtU I64 I32;
        visit_i64_gt_s I64GtS I64 I32;
        visit_i64_gt_u I64GtU I64 I32;
        visit_i64_le_s I64LeS I64 I32;
        visit_i64_le_u I64LeU I64 I32;
        visit_i64_ge_s I64GeS I64 I32;
        visit_i64_ge_u I64GeU I64 I32;
        visit_f32_add F32Add F32 F32;
        visit_f32_sub F32Sub F32 F32;
        visit_f32_mul F32Mul F32 F32;
        visit_f32_div F32Div F32 F32;
        visit_f32_min F32Min F32 F32;
        visit_f32_max F32Max F32 F32;
        visit_f32_copysign F32Copysign F32 F32;
        visit_f32_eq F32Eq F32 I32;
        visit_f32_ne F32Ne F32 I32;
        visit_f32_lt F32Lt F32 I32;
        visit_f32_gt F32Gt F32 I32;
        visit_f32_le F32Le F32 I32;
        visit_f32_ge F32Ge F32 I32;
        visit_f64_add F64Add F64 F64;
        visit_f64_sub F64Sub F64 F64;
        visit_f64_mul F64Mul F64 F64;
        visit_f64_div F64Div F64 F64;
        visit_f64_min F64Min F64 F64;
        visit_f64_max F64Max F64 F64;
        visit_f64_copysign F64Copysign F64 F64;
        visit_f64_eq F64Eq F64 I32;
        visit_f64_ne F64Ne F64 I32;
        visit_f64_lt F64Lt F64 I32;
        visit_f64_gt F64Gt F64 I32;
        visit_f64_le F64Le F64 I32;
        visit_f64_ge F64Ge F64 I32;
    }

    wasmparser::for_each_visit_operator!(refused);
}
