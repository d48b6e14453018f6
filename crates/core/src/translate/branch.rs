//! Blocks and branches.

use std::collections::HashMap;

use wasmparser::{BlockType, BrTable};

use super::{
    Translator,
    block::{Frame, Kind, NONE},
    emit::Condition,
    entry::{Entry, Loc, Ty},
};
use crate::bytecode::{Op, Operands, Single};

impl Translator<'_> {
    /// Counts a block that begins in code that can't be reached; tells whether it does.
    fn skip_block(&mut self) -> bool {
        match &mut self.unreachable {
            Some(depth) => {
                *depth += 1;
                true
            }
            None => false,
        }
    }

    fn open(&mut self, kind: Kind, ty: BlockType) {
        let (params, results) = self.block_type(ty);
        self.settle_top(params);
        let height = self.stack.len() - params;
        let slot = self.stack.get(height).map_or(self.top, |e| e.slot);
        let arity = if matches!(kind, Kind::Loop(_)) {
            params
        } else {
            results.len()
        };
        let params = self.stack[height..].iter().map(|e| e.ty).collect();
        self.frames.push(Frame {
            kind,
            height,
            slot,
            params,
            results,
            arity,
            branches: NONE,
        });
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        if !self.skip_block() {
            self.flush();
            self.open(Kind::Block, ty);
        }
    }

    pub(super) fn enter_loop(&mut self, ty: BlockType) {
        if !self.skip_block() {
            let (params, _) = self.block_type(ty);
            self.settle_top(params);
            self.flush();
            // Machine code that takes over here looks for all values in their slots. Those below stay known as constants, since
            // where paths join around the loop not all may have come by here.
            self.constants_to_slots();
            self.open(Kind::Block, ty);
            let start = self.code.len() as u32;
            if self.offsets.is_some() {
                self.loops.push((start, self.offset));
            }
            self.barrier = self.code.len();
            if let Some(frame) = self.frames.last_mut() {
                frame.kind = Kind::Loop(start);
                frame.arity = frame.params.len();
            }
        }
    }

    pub(super) fn enter_if(&mut self, ty: BlockType) {
        if self.skip_block() {
            return;
        }
        let condition = self.condition();
        // What is flushed here can't be in the condition's operands: they were above it in the stack.
        self.flush();
        let (params, _) = self.block_type(ty);
        self.settle_top(params);
        let (op, operands) = condition.negated().branch();
        let skip = self.code.len() as u32;
        self.emit(op, operands);
        self.open(Kind::If(skip), ty);
    }

    pub(super) fn enter_else(&mut self) {
        if self.unreachable.is_some_and(|depth| depth > 0) {
            return;
        }
        let reachable = self.unreachable.take().is_none();
        let at = self.frames.len() - 1;
        if reachable {
            self.carry_finally(at);
            self.jump(at);
        }
        let frame = &mut self.frames[at];
        let Kind::If(skip) = frame.kind else {
            unreachable!("`else` belongs to an `if`")
        };
        frame.kind = Kind::Else;
        let (height, slot, params) = (frame.height, frame.slot, frame.params.clone());
        self.set_distance(skip, self.code.len() as u32);
        self.barrier = self.code.len();
        self.truncate(height, slot);
        for ty in params {
            self.push(Loc::Temp, ty);
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(depth) = &mut self.unreachable
            && *depth > 0
        {
            *depth -= 1;
            return;
        }
        let reachable = self.unreachable.take().is_none();
        let at = self.frames.len() - 1;
        if self.frames[at].kind == Kind::Function {
            if reachable {
                self.emit_return();
            }
            self.frames.pop();
            return;
        }
        let frame = &self.frames[at];
        let joins = frame.branches != NONE || matches!(frame.kind, Kind::If(_));
        if reachable && !joins {
            // Only falling through leads here, so that the results may stay where they are.
            self.frames.pop();
            return;
        }
        if reachable {
            self.carry_finally(at);
        }
        let Some(frame) = self.frames.pop() else {
            unreachable!("checked above")
        };
        self.truncate(frame.height, frame.slot);
        if !reachable && !joins {
            self.unreachable = Some(0);
            return;
        }
        let here = self.code.len() as u32;
        if let Kind::If(skip) = frame.kind {
            self.set_distance(skip, here);
        }
        let mut branch = frame.branches;
        while branch != NONE {
            let before = self.code[branch as usize].1.imm();
            self.set_distance(branch, here);
            branch = before;
        }
        self.barrier = self.code.len();
        for ty in frame.results {
            self.push(Loc::Temp, ty);
        }
        self.flushed = self.flushed.max(frame.height);
    }

    fn set_distance(&mut self, branch: u32, target: u32) {
        self.code[branch as usize].1.set_imm(target.wrapping_sub(branch));
    }

    /// Lets the branch at this index lead to a block.
    fn lead_to(&mut self, branch: u32, frame: usize) {
        match self.frames[frame].kind {
            Kind::Loop(start) => self.set_distance(branch, start),
            _ => {
                let before = std::mem::replace(&mut self.frames[frame].branches, branch);
                self.code[branch as usize].1.set_imm(before);
            }
        }
    }

    fn jump(&mut self, frame: usize) {
        let at = self.code.len() as u32;
        self.emit(Op::single(Single::Br), Operands::NONE);
        self.lead_to(at, frame);
    }

    fn frame_of(&self, depth: u32) -> usize {
        self.frames.len() - 1 - depth as usize
    }

    /// The entries that a branch to a block carries.
    fn carried(&self, frame: usize) -> std::ops::Range<usize> {
        self.stack.len() - self.frames[frame].arity..self.stack.len()
    }

    /// Whether those entries are where the block wants them.
    fn is_carried(&self, frame: usize) -> bool {
        let mut slot = self.frames[frame].slot;
        self.stack[self.carried(frame)].iter().all(|entry| {
            let there = entry.loc == Loc::Temp && entry.slot == slot;
            slot += entry.ty.slots();
            there
        })
    }

    /// Copies the values that a branch to a block carries to where the block wants them. The entries stay as they are.
    fn carry(&mut self, frame: usize) {
        let mut slot = self.frames[frame].slot;
        // In this order no copy overwrites a value that is still to be copied: a value's own slot is never below its target.
        for index in self.carried(frame) {
            let entry = self.stack[index];
            self.copy_to(entry, slot);
            slot += entry.ty.slots();
        }
        self.reserve(slot);
    }

    /// As `carry`, where nothing uses the entries afterwards: the last instruction may then write its result there at once.
    fn carry_finally(&mut self, frame: usize) {
        if self.frames[frame].arity == 1 {
            let entry = self.stack[self.stack.len() - 1];
            let slot = self.frames[frame].slot;
            if let Some((op, o)) = self.last_producer(entry)
                && let Some(op) = op.with_slot_result()
            {
                let at = self.code.len() - 1;
                self.code[at] = (op, Operands { a: slot as u16, ..o });
                self.reserve(slot + 1);
                return;
            }
        }
        self.carry(frame);
    }

    /// Goes to a block from a side path.
    fn branch(&mut self, frame: usize) {
        if self.frames[frame].kind == Kind::Function {
            self.emit_return();
        } else {
            self.carry(frame);
            self.jump(frame);
        }
    }

    pub(super) fn br(&mut self, depth: u32) {
        let frame = self.frame_of(depth);
        if self.frames[frame].kind == Kind::Function {
            self.emit_return();
        } else {
            self.carry_finally(frame);
            self.jump(frame);
        }
        self.unreachable = Some(0);
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let condition = self.condition();
        let frame = self.frame_of(depth);
        if self.frames[frame].kind != Kind::Function && self.is_carried(frame) {
            if let (Kind::Loop(start), Some(last)) = (self.frames[frame].kind, self.last()) {
                let at = self.code.len() as i32 - 1;
                if let Some((op, operands)) = condition.latch(last, start as i32 - at) {
                    self.unemit();
                    return self.emit(op, operands);
                }
            }
            let at = self.code.len() as u32;
            let (op, operands) = condition.branch();
            self.emit(op, operands);
            self.lead_to(at, frame);
            return;
        }
        let skip = self.skip_unless(condition);
        self.branch(frame);
        self.set_distance(skip, self.code.len() as u32);
        self.barrier = self.code.len();
    }

    fn skip_unless(&mut self, condition: Condition) -> u32 {
        let at = self.code.len() as u32;
        let (op, operands) = condition.negated().branch();
        self.emit(op, operands);
        at
    }

    pub(super) fn br_table(&mut self, targets: &BrTable<'_>) {
        let index = self.pop();
        // All ways out find the values in the same places.
        let arity = self.frames[self.frame_of(targets.default())].arity;
        self.settle_top(arity);
        let (op, a) = match index.loc {
            Loc::Acc => (Single::BrTableA, 0),
            _ => (Single::BrTableS, self.slot_of(index)),
        };
        self.emit(Op::single(op), Operands::with_imm(a, 0, targets.len()));
        let mut stubs: HashMap<usize, Vec<u32>> = HashMap::new();
        let depths = targets
            .targets()
            .map(|t| t.unwrap_or_default())
            .chain([targets.default()]);
        for depth in depths.collect::<Vec<_>>() {
            let frame = self.frame_of(depth);
            let cell = self.code.len() as u32;
            self.emit(Op::single(Single::BrTarget), Operands::NONE);
            if self.frames[frame].kind != Kind::Function && self.is_carried(frame) {
                self.lead_to(cell, frame);
            } else {
                stubs.entry(frame).or_default().push(cell);
            }
        }
        let mut stubs: Vec<_> = stubs.into_iter().collect();
        stubs.sort_unstable();
        for (frame, cells) in stubs {
            for cell in cells {
                self.set_distance(cell, self.code.len() as u32);
            }
            self.barrier = self.code.len();
            self.branch(frame);
        }
        self.unreachable = Some(0);
    }

    /// Returns with the upper entries, which stay as they are.
    pub(super) fn emit_return(&mut self) {
        let arity = self.frames[0].arity;
        let linkage = self.linkage as u16;
        let values: &[Entry] = &self.stack[self.stack.len() - arity..];
        match *values {
            [] => self.emit(Op::single(Single::Return0), Operands::new(linkage, 0, 0, 0)),
            [entry] if entry.ty != Ty::V128 => {
                let (op, b) = match (entry.loc, entry.ty) {
                    (Loc::Acc, Ty::F32) => (Single::ReturnF32, 0),
                    (Loc::Acc, Ty::F64) => (Single::ReturnF64, 0),
                    (Loc::Acc, _) => (Single::ReturnAcc, 0),
                    (Loc::Local(local), _) => (Single::Return1, self.locals[local as usize].slot),
                    (Loc::Const(value), ty) => {
                        self.const_to_slot(ty, value, entry.slot);
                        (Single::Return1, entry.slot)
                    }
                    (Loc::Temp, _) => (Single::Return1, entry.slot),
                };
                self.emit(Op::single(op), Operands::new(linkage, b as u16, 0, 0));
            }
            _ => {
                let first = values[0].slot;
                for index in self.stack.len() - arity..self.stack.len() {
                    let entry = self.stack[index];
                    self.copy_to(entry, entry.slot);
                }
                self.emit(
                    Op::single(Single::ReturnN),
                    Operands::new(linkage, first as u16, (self.top - first) as u16, 0),
                );
            }
        }
    }

    pub(super) fn return_(&mut self) {
        self.emit_return();
        self.unreachable = Some(0);
    }
}
