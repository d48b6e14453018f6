//! Indirect calls that were always seen to lead to one function.
//!
//! The reference is compared with that function's; if they are the same, the function is called directly (or its body is there), else the
//! call is made as usual.

use cranelift_codegen::ir::{BlockArg, InstBuilder, Value, condcodes::IntCC};

use super::FuncTranslator;
use crate::abi::type_of;

/// A function that an indirect call is guessed to lead to.
#[derive(Copy, Clone)]
pub(super) struct Guess {
    func: u32,
    /// Where its reference is in the state block.
    reference: u32,
}

impl FuncTranslator<'_, '_> {
    /// What the current call of a function of this type may well lead to.
    pub(super) fn guess(&self, ty: u32) -> Option<Guess> {
        let func = (self.job.indirect_target)(self.position)?;
        let reference = self.module.func_ref_offset(func)?;
        (self.module.func_type(func) == self.module.type_at(ty)).then_some(Guess { func, reference })
    }

    /// Calls the function that a guess tells if `reference` is its, else does `otherwise`, which leaves the results as operands.
    pub(super) fn guessed_call(
        &mut self,
        guess: Guess,
        ty: u32,
        reference: Value,
        otherwise: impl FnOnce(&mut Self),
    ) {
        let module = self.module;
        let func_type = module.type_at(ty);
        let offset = self.number(guess.reference.into());
        let own = self.builder.ins().iadd(self.state.block, offset);
        let same = self.builder.ins().icmp(IntCC::Equal, reference, own);
        let (right, wrong, done) = (
            self.builder.create_block(),
            self.builder.create_block(),
            self.builder.create_block(),
        );
        self.builder.set_cold_block(wrong);
        for result in func_type.results() {
            self.builder.append_block_param(done, type_of(*result));
        }
        self.builder.ins().brif(same, right, &[], wrong, &[]);
        self.builder.seal_block(right);
        self.builder.seal_block(wrong);
        // Values that one way leaves among the operands are not known on the other.
        let operands = self.stack.clone();
        let results = func_type.results().len();
        self.builder.switch_to_block(right);
        self.call(guess.func, false);
        self.meet(done, results);
        self.stack.clone_from(&operands);
        self.unreachable = None;
        self.builder.switch_to_block(wrong);
        otherwise(self);
        self.meet(done, results);
        self.unreachable = None;
        self.stack.clone_from(&operands);
        self.stack.truncate(operands.len() - func_type.params().len());
        self.builder.seal_block(done);
        self.builder.switch_to_block(done);
        self.stack.extend_from_slice(self.builder.block_params(done));
    }

    /// Goes on at `block` with the upper operands, if control gets here.
    fn meet(&mut self, block: cranelift_codegen::ir::Block, count: usize) {
        if self.reachable() {
            let args: Vec<BlockArg> = self.stack[self.stack.len() - count..]
                .iter()
                .map(|value| BlockArg::Value(*value))
                .collect();
            self.builder.ins().jump(block, &args);
        }
    }
}
