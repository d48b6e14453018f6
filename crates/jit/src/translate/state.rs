//! The state block of an instance, and how what it leads to is accessed.

use std::borrow::Cow;

use cranelift_codegen::{
    entity::EntityRef,
    ir::{
        AliasRegion, AliasRegionData, Endianness, Function, InstBuilder, MemFlagsData, TrapCode as Code,
        Type, Value, condcodes::IntCC, types,
    },
};
use wharf_core::{
    TrapCode,
    tier::{GlobalPlace, abi::*},
};

use super::FuncTranslator;
use crate::abi::{POINTER, trap_code, type_of};

/// Globals of the module with a region of their own; the others share one.
const MAX_GLOBAL_REGIONS: u32 = 64;

/// Values that are found through the state block, and what the accesses of memory are allowed.
pub(super) struct State {
    /// The address of the state block.
    pub(super) block: Value,
    pub(super) memory0: Value,
    /// Of linear memories: they may be the same one, so that there is one region for them all.
    pub(super) heap: MemFlagsData,
    /// Of elements of tables.
    pub(super) element: MemFlagsData,
    /// Of all else that changes.
    pub(super) mutable: MemFlagsData,
    global_regions: AliasRegion,
}

impl State {
    /// Of what does not change while the function runs.
    pub(super) const CONSTANT: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

    pub(super) fn new(func: &mut Function) -> State {
        let mut region = |user_id: u32, description: &'static str| {
            let description = Cow::Borrowed(description);
            func.dfg
                .alias_regions
                .insert(AliasRegionData { user_id, description })
        };
        let heap = region(0, "memories");
        let element = region(1, "tables");
        let mutable = region(2, "runtime state");
        let global_regions = region(3, "globals");
        let none = Value::new(0);
        State {
            block: none,
            memory0: none,
            heap: MemFlagsData::new()
                .with_endianness(Endianness::Little)
                .with_trap_code(Some(Code::HEAP_OUT_OF_BOUNDS))
                .with_alias_region(Some(heap)),
            element: MemFlagsData::trusted().with_alias_region(Some(element)),
            mutable: MemFlagsData::trusted().with_alias_region(Some(mutable)),
            global_regions,
        }
    }
}

impl FuncTranslator<'_, '_> {
    /// Loads what most functions use; what is not used vanishes.
    pub(super) fn load_roots(&mut self) {
        self.state.memory0 = self.constant(POINTER, self.state.block, VM_MEMORY0_BASE);
    }

    /// Loads something that does not change, once for all its uses and outside of loops.
    pub(super) fn constant(&mut self, ty: Type, base: Value, offset: u32) -> Value {
        self.builder.ins().load(ty, State::CONSTANT, base, offset as i32)
    }

    /// Loads something that does not change, where it is used: for what is used seldom, or near calls, where registers are dear.
    pub(super) fn nearby(&mut self, ty: Type, base: Value, offset: u32) -> Value {
        let flags = MemFlagsData::trusted().with_readonly();
        self.builder.ins().load(ty, flags, base, offset as i32)
    }

    /// Loads something that changes and that only the runtime writes.
    pub(super) fn mutable(&mut self, ty: Type, base: Value, offset: u32) -> Value {
        self.builder
            .ins()
            .load(ty, self.state.mutable, base, offset as i32)
    }

    pub(super) fn trap_if(&mut self, condition: Value, trap: TrapCode) {
        self.builder.ins().trapnz(condition, trap_code(trap));
    }

    /// The address of the code cell of a function that the module defines.
    pub(super) fn own_cell(&mut self, func: u32) -> (Value, u32) {
        let code = self.nearby(POINTER, self.state.block, VM_CODE);
        let offset = u64::from(func - self.module.imported_funcs()) * u64::from(CELL_SIZE);
        match i32::try_from(offset + u64::from(CELL_SIZE)) {
            Ok(_) => (code, offset as u32),
            Err(_) => (self.builder.ins().iadd_imm_s(code, offset as i64), 0),
        }
    }

    /// The engine's number of a function type.
    pub(super) fn signature_number(&mut self, ty: u32) -> Value {
        let sigs = self.constant(POINTER, self.state.block, VM_SIGS);
        self.constant(types::I32, sigs, ty * 4)
    }

    /// Tells the runtime when the deadline has come, in code that has to look.
    ///
    /// The call keeps all registers, so that it costs nothing while it is not made.
    pub(super) fn check_interrupt(&mut self) {
        if !self.job.interruptible {
            return;
        }
        let rt = self.constant(POINTER, self.state.block, VM_RT);
        let clock = self.constant(POINTER, rt, RT_EPOCH);
        // Other threads write it. A plain load could be taken out of the loop.
        let now = self
            .builder
            .ins()
            .atomic_load(types::I64, self.state.mutable, clock);
        let deadline = self.mutable(types::I64, rt, RT_DEADLINE);
        let late = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedGreaterThanOrEqual, now, deadline);
        let (tell, go_on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(tell);
        self.builder.ins().brif(late, tell, &[], go_on, &[]);
        self.builder.seal_block(tell);
        self.builder.switch_to_block(tell);
        self.deadline();
        self.builder.ins().jump(go_on, &[]);
        self.builder.seal_block(go_on);
        self.builder.switch_to_block(go_on);
    }

    /// Type, flags, base and offset for an access of a global variable.
    fn global(&mut self, index: u32) -> (Type, MemFlagsData, Value, i32) {
        let (ty, mutable, place) = self.module.global(index);
        let ty = type_of(ty);
        let block = self.state.block;
        let (base, offset, region) = match place {
            GlobalPlace::Own(offset) if index < MAX_GLOBAL_REGIONS => {
                let data = AliasRegionData {
                    user_id: 16 + index,
                    description: Cow::Borrowed("global"),
                };
                (block, offset, self.builder.func.dfg.alias_regions.insert(data))
            }
            GlobalPlace::Own(offset) => (block, offset, self.state.global_regions),
            GlobalPlace::Imported(offset) => (
                self.constant(POINTER, block, offset),
                0,
                self.state.global_regions,
            ),
        };
        let flags = match mutable {
            true => MemFlagsData::trusted().with_alias_region(Some(region)),
            false => State::CONSTANT,
        };
        (ty, flags.with_endianness(Endianness::Little), base, offset as i32)
    }

    pub(super) fn global_get(&mut self, index: u32) {
        let (ty, flags, base, offset) = self.global(index);
        let value = self.builder.ins().load(ty, flags, base, offset);
        self.push(value);
    }

    pub(super) fn global_set(&mut self, index: u32) {
        // The upper half of 32-bit values is and stays zero.
        let (_, flags, base, offset) = self.global(index);
        let value = self.pop();
        self.builder.ins().store(flags, value, base, offset);
    }
}
