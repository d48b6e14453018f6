//! Blocks, branches and returns.

use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Type, Value, types};
use wasmparser::{BlockType, BrTable};
use wharf_core::{TrapCode, tier::ModuleView};

use super::FuncTranslator;
use crate::abi::{VECTOR, trap_code, type_of};

/// What a frame stands for.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The body of the function that is compiled.
    Function,
    /// The body of a function that was called.
    Inlined,
    Block,
    Loop(Block),
    /// The first arm of an `if`, and the block of the second.
    If(Block),
    Else,
}

/// A block's parameters and results.
#[derive(Copy, Clone)]
pub(super) enum BlockSig {
    Empty,
    Result(Type),
    /// Those of a function type of the module.
    Func(u32),
}

impl BlockSig {
    fn new(ty: BlockType) -> BlockSig {
        match ty {
            BlockType::Empty => BlockSig::Empty,
            BlockType::FuncType(index) => BlockSig::Func(index),
            BlockType::Type(ty) => BlockSig::Result(match ty {
                wasmparser::ValType::I32 => types::I32,
                wasmparser::ValType::I64 | wasmparser::ValType::Ref(_) => types::I64,
                wasmparser::ValType::F32 => types::F32,
                wasmparser::ValType::F64 => types::F64,
                wasmparser::ValType::V128 => VECTOR,
            }),
        }
    }

    fn params(self, module: ModuleView<'_>) -> usize {
        match self {
            BlockSig::Empty | BlockSig::Result(_) => 0,
            BlockSig::Func(index) => module.type_at(index).params().len(),
        }
    }

    fn results(self, module: ModuleView<'_>) -> usize {
        match self {
            BlockSig::Empty => 0,
            BlockSig::Result(_) => 1,
            BlockSig::Func(index) => module.type_at(index).results().len(),
        }
    }
}

/// A block that is open.
pub(super) struct Frame {
    pub(super) kind: Kind,
    sig: BlockSig,
    /// Operands below its parameters.
    height: usize,
    /// Where its end is, once something branches there.
    end: Option<Block>,
    /// Whether the loop that has an entry is in it.
    around_osr: bool,
}

impl FuncTranslator<'_, '_> {
    /// Opens a block whose `params` parameters are on the operand stack.
    pub(super) fn push_frame(&mut self, kind: Kind, sig: BlockSig, params: usize) {
        let height = self.stack.len() - params;
        let around_osr = self.enclose_osr(height);
        self.buffers.frames.push(Frame {
            kind,
            sig,
            height,
            end: None,
            around_osr,
        });
    }

    /// After the start of a Cranelift block where control may come from the OSR entry: the operands below the frame on top, whose place it is.
    fn reload_osr(&mut self, around_osr: bool, height: usize) {
        if around_osr {
            self.reload_operands(height);
        }
    }

    fn switch_to(&mut self, block: Block) {
        self.builder.switch_to_block(block);
    }

    /// The upper operands as arguments of a branch.
    fn arguments(&mut self, count: usize) -> Vec<BlockArg> {
        let mut args = std::mem::take(&mut self.buffers.block_args);
        args.clear();
        let first = self.stack.len() - count;
        args.extend(self.stack[first..].iter().map(|v| BlockArg::Value(*v)));
        args
    }

    pub(super) fn jump(&mut self, block: Block, count: usize) {
        let args = self.arguments(count);
        self.builder.ins().jump(block, &args);
        self.buffers.block_args = args;
    }

    fn append_params(&mut self, block: Block, sig: BlockSig, results: bool) {
        match sig {
            BlockSig::Empty => {}
            BlockSig::Result(ty) if results => {
                self.builder.append_block_param(block, ty);
            }
            BlockSig::Result(_) => {}
            BlockSig::Func(index) => {
                let ty = self.module.type_at(index);
                let types = if results { ty.results() } else { ty.params() };
                for ty in types {
                    self.builder.append_block_param(block, type_of(*ty));
                }
            }
        }
    }

    /// Before variables are used in the block: they become parameters too.
    fn push_params(&mut self, block: Block) {
        self.stack.extend_from_slice(self.builder.block_params(block));
    }

    /// Where the end of a frame is, for something that branches there.
    fn end_of(&mut self, frame: usize) -> Block {
        if let Some(end) = self.buffers.frames[frame].end {
            return end;
        }
        let end = self.builder.create_block();
        self.buffers.frames[frame].end = Some(end);
        self.append_params(end, self.buffers.frames[frame].sig, true);
        end
    }

    /// Where a branch to a frame goes, and how many operands it carries.
    fn label(&mut self, frame: usize) -> (Block, usize) {
        let Frame { kind, sig, .. } = self.buffers.frames[frame];
        match kind {
            Kind::Loop(header) => (header, sig.params(self.module)),
            _ => (self.end_of(frame), sig.results(self.module)),
        }
    }

    fn frame_at(&self, depth: u32) -> usize {
        self.buffers.frames.len() - 1 - depth as usize
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        let sig = BlockSig::new(ty);
        self.push_frame(Kind::Block, sig, sig.params(self.module));
    }

    pub(super) fn enter_loop(&mut self, ty: BlockType) {
        let sig = BlockSig::new(ty);
        let params = sig.params(self.module);
        let header = self.builder.create_block();
        self.append_params(header, sig, false);
        self.push_frame(Kind::Loop(header), sig, params);
        self.jump(header, params);
        self.enter_by_osr(header, params);
        self.switch_to(header);
        let height = self.stack.len() - params;
        self.stack.truncate(height);
        self.push_params(header);
        let around_osr = self.buffers.frames.last().is_some_and(|f| f.around_osr);
        self.reload_osr(around_osr, height);
        self.check_interrupt();
    }

    pub(super) fn enter_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        let sig = BlockSig::new(ty);
        let params = sig.params(self.module);
        let (first, second) = (self.builder.create_block(), self.builder.create_block());
        self.push_frame(Kind::If(second), sig, params);
        self.builder.ins().brif(condition, first, &[], second, &[]);
        self.builder.seal_block(first);
        self.builder.seal_block(second);
        let operands = self.stack.len() - params;
        self.buffers.saved.extend_from_slice(&self.stack[operands..]);
        self.switch_to(first);
    }

    /// Goes to the end of the frame on top, where control gets there.
    fn fall_to_end(&mut self) {
        if self.reachable() {
            let frame = self.buffers.frames.len() - 1;
            let (end, results) = (
                self.end_of(frame),
                self.buffers.frames[frame].sig.results(self.module),
            );
            self.jump(end, results);
        }
    }

    /// Begins the second arm of the `if` on top, with its parameters on the operand stack.
    fn second_arm(&mut self, second: Block) {
        self.switch_to(second);
        let Some(frame) = self.buffers.frames.last() else {
            return;
        };
        let (height, around_osr) = (frame.height, frame.around_osr);
        let params = frame.sig.params(self.module);
        self.stack.truncate(height);
        self.reload_osr(around_osr, height);
        let saved = self.buffers.saved.len() - params;
        self.stack.extend(self.buffers.saved.drain(saved..));
        self.unreachable = None;
    }

    pub(super) fn enter_else(&mut self) {
        let Some(&Frame {
            kind: Kind::If(second),
            ..
        }) = self.buffers.frames.last()
        else {
            return;
        };
        self.fall_to_end();
        self.second_arm(second);
        if let Some(frame) = self.buffers.frames.last_mut() {
            frame.kind = Kind::Else;
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(&Frame {
            kind: Kind::If(second),
            ..
        }) = self.buffers.frames.last()
        {
            // Without `else`, the parameters are the results.
            self.fall_to_end();
            self.second_arm(second);
        }
        if self.buffers.frames.last().is_some_and(|f| f.end.is_some()) {
            self.fall_to_end();
        }
        let Some(frame) = self.buffers.frames.pop() else {
            return;
        };
        if let Kind::Loop(header) = frame.kind {
            self.builder.seal_block(header);
        }
        if let Some(end) = frame.end {
            self.builder.seal_block(end);
            self.switch_to(end);
            self.stack.truncate(frame.height);
            self.push_params(end);
            self.reload_osr(frame.around_osr, frame.height);
            self.unreachable = None;
        }
        if frame.kind == Kind::Function && self.reachable() {
            self.return_operands(frame.sig.results(self.module));
        }
    }

    /// Returns from the function that is compiled with the upper operands.
    fn return_operands(&mut self, count: usize) {
        let first = self.stack.len() - count;
        self.builder.ins().return_(&self.stack[first..]);
        self.unreachable = Some(0);
    }

    pub(super) fn return_(&mut self) {
        let frame = self.inlining.first_frame;
        if self.buffers.frames[frame].kind == Kind::Function {
            self.return_operands(self.buffers.frames[frame].sig.results(self.module));
        } else {
            self.branch(frame);
        }
    }

    fn branch(&mut self, frame: usize) {
        let (label, count) = self.label(frame);
        self.jump(label, count);
        self.unreachable = Some(0);
    }

    pub(super) fn br(&mut self, depth: u32) {
        let frame = self.frame_at(depth);
        if self.buffers.frames[frame].kind == Kind::Function {
            self.return_();
        } else {
            self.branch(frame);
        }
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let condition = self.pop();
        let (label, count) = self.label(self.frame_at(depth));
        let args = self.arguments(count);
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, label, &args, next, &[]);
        self.buffers.block_args = args;
        self.builder.seal_block(next);
        self.switch_to(next);
    }

    pub(super) fn br_table(&mut self, targets: &BrTable<'_>) {
        let index = self.pop();
        let mut calls = std::mem::take(&mut self.buffers.block_calls);
        calls.clear();
        for depth in targets.targets() {
            match depth {
                Ok(depth) => calls.push(self.block_call(depth)),
                Err(e) => self.fail(e.into()),
            }
        }
        let default = self.block_call(targets.default());
        let table = self
            .builder
            .create_jump_table(JumpTableData::new(default, &calls));
        self.builder.ins().br_table(index, table);
        self.buffers.block_calls = calls;
        self.unreachable = Some(0);
    }

    fn block_call(&mut self, depth: u32) -> BlockCall {
        let (label, count) = self.label(self.frame_at(depth));
        let args = self.arguments(count);
        let call = BlockCall::new(
            label,
            args.iter().copied(),
            &mut self.builder.func.dfg.value_lists,
        );
        self.buffers.block_args = args;
        call
    }

    pub(super) fn unreachable(&mut self) {
        self.builder.ins().trap(trap_code(TrapCode::Unreachable));
        self.unreachable = Some(0);
    }

    pub(super) fn select(&mut self) {
        let (first, second, condition) = self.pop3();
        let value: Value = self.builder.ins().select(condition, first, second);
        self.push(value);
    }
}
