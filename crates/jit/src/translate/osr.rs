//! Code with a second entry: at the header of a loop, with all values in the slots of the interpreter's frame.
//!
//! What the function is called as tells where it begins. The headers and ends of the blocks around the loop can be reached both from the
//! loop and from their own start, so that the operands below them, which are no arguments of branches, are kept in variables.

use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlagsData, Type, Value};
use cranelift_frontend::Variable;
use wasmparser::Operator;
use wharf_core::{Error, FuncType, Result, tier::abi::CALLED_AS_LOOP};

use super::{FuncTranslator, Local};
use crate::abi::{first_local_slot, slots_of};

/// What a translation needs to know to make a loop entry.
#[derive(Default)]
pub(super) struct Osr {
    /// Offsets of the instructions that open the blocks around the loop, outermost first, and of the loop's.
    enclosing: Vec<usize>,
    /// The block that ends with going to the loop's header; it is filled when the loop is found.
    entry: Option<Block>,
    /// The address of the frame's slots.
    slots: Option<Value>,
    /// The slot of the first operand.
    first_operand: u32,
    /// Variables of the operands below the blocks around the loop.
    operands: Vec<Variable>,
}

impl FuncTranslator<'_, '_> {
    /// In the entry block: if the function is called as a loop, loads the local variables; else goes on with the ordinary start.
    pub(super) fn begin_osr(&mut self, target: usize, ty: &FuncType, called_as: Value) -> Result<()> {
        self.osr.enclosing = self.find_enclosing(target)?;
        let (start, at_loop) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(at_loop);
        let bit = self.number(CALLED_AS_LOOP);
        let has_bit = self.builder.ins().band(called_as, bit);
        self.builder.ins().brif(has_bit, at_loop, &[], start, &[]);
        self.builder.seal_block(start);
        self.builder.seal_block(at_loop);
        self.builder.switch_to_block(at_loop);
        let bit = self.number(CALLED_AS_LOOP);
        let slots = self.builder.ins().isub(called_as, bit);
        self.osr.slots = Some(slots);
        let params = ty.params().len();
        let mut slot = 0;
        for place in 0..self.buffers.locals.len() {
            if place == params {
                slot = first_local_slot(ty);
            }
            let Local { variable, ty } = self.buffers.locals[place];
            let value = self.load_slot(ty, &mut slot);
            self.builder.def_var(variable, value);
        }
        self.osr.first_operand = slot.max(first_local_slot(ty));
        let entry = self.builder.create_block();
        self.builder.ins().jump(entry, &[]);
        self.builder.seal_block(entry);
        self.osr.entry = Some(entry);
        self.builder.switch_to_block(start);
        Ok(())
    }

    fn load_slot(&mut self, ty: Type, slot: &mut u32) -> Value {
        let offset = (*slot * 8) as i32;
        *slot += slots_of(ty);
        let slots = self.osr.slots.unwrap_or(self.state.block);
        // Vectors may lie at any slot.
        let flags = MemFlagsData::new().with_notrap();
        self.builder.ins().load(ty, flags, slots, offset)
    }

    fn find_enclosing(&self, target: usize) -> Result<Vec<usize>> {
        let mut operators = self.module.body(self.job.func).get_operators_reader()?;
        let mut open = Vec::new();
        while !operators.eof() {
            let position = operators.original_position() as usize;
            match operators.read()? {
                Operator::Loop { .. } if position == target => {
                    open.push(position);
                    return Ok(open);
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(position),
                Operator::End => {
                    open.pop();
                }
                _ => {}
            }
        }
        Err(no_loop(target))
    }

    /// A block begins with this many operands below it. Tells whether the loop is in it.
    pub(super) fn enclose_osr(&mut self, height: usize) -> bool {
        if self.osr.entry.is_none() || self.inlining.depth() > 0 || self.buffers.frames.is_empty() {
            return false;
        }
        if self.osr.enclosing.binary_search(&self.position).is_err() {
            return false;
        }
        for place in self.osr.operands.len()..height {
            let value = self.stack[place];
            let ty = self.builder.func.dfg.value_type(value);
            let variable = self.builder.declare_var(ty);
            self.builder.def_var(variable, value);
            self.osr.operands.push(variable);
        }
        true
    }

    /// Takes the lowest operands from their variables again.
    pub(super) fn reload_operands(&mut self, height: usize) {
        for place in 0..height {
            self.stack[place] = self.builder.use_var(self.osr.operands[place]);
        }
    }

    /// Where a loop begins, after its frame was opened and control went to its header: if it is the one with the entry, makes
    /// the way from there to the header.
    pub(super) fn enter_by_osr(&mut self, header: Block, params: usize) {
        if self.job.osr != Some(self.position) || self.inlining.depth() > 0 {
            return;
        }
        let Some(entry) = self.osr.entry.take() else {
            return;
        };
        self.builder.switch_to_block(entry);
        let height = self.stack.len() - params;
        let mut slot = self.osr.first_operand;
        let mut args = Vec::with_capacity(params);
        for place in 0..self.stack.len() {
            let ty = self.builder.func.dfg.value_type(self.stack[place]);
            let value = self.load_slot(ty, &mut slot);
            match self.osr.operands.get(place) {
                Some(variable) if place < height => self.builder.def_var(*variable, value),
                _ => args.push(BlockArg::Value(value)),
            }
        }
        self.builder.ins().jump(header, &args);
    }

    /// At the end of the function.
    pub(super) fn finish_osr(&self) -> Result<()> {
        match (self.job.osr, self.osr.entry) {
            (Some(target), Some(_)) => Err(no_loop(target)),
            _ => Ok(()),
        }
    }
}

fn no_loop(target: usize) -> Error {
    Error::unsupported(format!(
        "beginning in a loop at offset {target:#x}, which can't be reached"
    ))
}
