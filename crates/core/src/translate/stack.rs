//! The symbolic operand stack.

use super::{
    Translator,
    entry::{Entry, Loc, Ty},
};
use crate::bytecode::{Op, Operands, Single};

impl Translator<'_> {
    #[inline]
    pub(super) fn push(&mut self, loc: Loc, ty: Ty) {
        self.stack.push(Entry {
            loc,
            ty,
            slot: self.top,
            producer: 0,
        });
        self.top += ty.slots();
        self.reserve(self.top);
    }

    /// The last instruction left a value of this type in its accumulator.
    #[inline]
    pub(super) fn push_acc(&mut self, ty: Ty) {
        let producer = self.code.len() - 1;
        self.owners[ty.class()] = Some((self.stack.len(), producer));
        self.stack.push(Entry {
            loc: Loc::Acc,
            ty,
            slot: self.top,
            producer: producer as u32,
        });
        self.top += 1;
        self.reserve(self.top);
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Entry {
        // Bodies are valid, so there is an entry.
        let Some(entry) = self.stack.pop() else {
            unreachable!("the operand stack of a valid function is deep enough")
        };
        self.top = entry.slot;
        self.flushed = self.flushed.min(self.stack.len());
        match entry.loc {
            Loc::Acc => self.owners[entry.ty.class()] = None,
            Loc::Local(local) => self.locals[local as usize].refs -= 1,
            _ => {}
        }
        entry
    }

    /// Makes the accumulator of a class free to be written by the next instruction.
    #[inline]
    pub(super) fn claim(&mut self, class: usize) {
        if let Some(&Some((index, _))) = self.owners.get(class) {
            self.owners[class] = None;
            let entry = self.stack[index];
            self.acc_to_own_slot(entry);
            self.stack[index].loc = Loc::Temp;
        }
    }

    /// Puts a value that is in its accumulator into the entry's slot: best by patching the instruction that made it.
    fn acc_to_own_slot(&mut self, entry: Entry) {
        let (op, operands) = self.code[entry.producer as usize];
        match op.with_slot_result() {
            Some(op) => {
                self.code[entry.producer as usize] = (
                    op,
                    Operands {
                        a: entry.slot as u16,
                        ..operands
                    },
                )
            }
            None => self.acc_to_slot(entry.ty, entry.slot),
        }
    }

    /// Copies an accumulator to a slot.
    pub(super) fn acc_to_slot(&mut self, ty: Ty, slot: u32) {
        let op = match ty {
            Ty::F32 => Single::F32AccToSlot,
            Ty::F64 => Single::F64AccToSlot,
            _ => Single::AccToSlot,
        };
        self.emit(Op::single(op), Operands::new(slot as u16, 0, 0, 0));
    }

    /// The slot that holds the value of an entry that was popped, which is put into its own slot if it was in none.
    #[inline]
    pub(super) fn slot_of(&mut self, entry: Entry) -> u16 {
        match entry.loc {
            Loc::Temp => {}
            Loc::Local(local) => return self.locals[local as usize].slot as u16,
            Loc::Const(value) => self.const_to_slot(entry.ty, value, entry.slot),
            Loc::Acc => self.acc_to_own_slot(entry),
        }
        self.reserve(entry.slot + entry.ty.slots());
        entry.slot as u16
    }

    /// Copies the value of an entry to a slot, leaving the entry as it is.
    pub(super) fn copy_to(&mut self, entry: Entry, to: u32) {
        match entry.loc {
            Loc::Temp if entry.slot == to => {}
            Loc::Temp => self.copy(entry.ty, to, entry.slot),
            Loc::Local(local) => self.copy(entry.ty, to, self.locals[local as usize].slot),
            Loc::Const(value) => self.const_to_slot(entry.ty, value, to),
            Loc::Acc => self.acc_to_slot(entry.ty, to),
        }
    }

    /// Brings the entry of this index into its own slot.
    fn settle(&mut self, index: usize) {
        let entry = self.stack[index];
        match entry.loc {
            Loc::Temp => return,
            Loc::Acc => {
                self.owners[entry.ty.class()] = None;
                self.acc_to_own_slot(entry);
            }
            Loc::Local(local) => {
                self.locals[local as usize].refs -= 1;
                self.copy(entry.ty, entry.slot, self.locals[local as usize].slot);
            }
            Loc::Const(value) => self.const_to_slot(entry.ty, value, entry.slot),
        }
        self.stack[index].loc = Loc::Temp;
    }

    /// Brings the upper `count` entries into their own slots, constants too.
    pub(super) fn settle_top(&mut self, count: usize) {
        for index in self.stack.len() - count..self.stack.len() {
            self.settle(index);
        }
    }

    /// Brings all entries that are in accumulators into their own slots.
    #[inline]
    pub(super) fn spill(&mut self) {
        for class in 0..3 {
            self.claim(class);
        }
    }

    /// Brings all entries but constants into their own slots.
    #[inline]
    pub(super) fn flush(&mut self) {
        for index in self.flushed..self.stack.len() {
            if !matches!(self.stack[index].loc, Loc::Const(_)) {
                self.settle(index);
            }
        }
        self.flushed = self.stack.len();
    }

    /// Copies all constants into their own slots, leaving the entries as they are.
    pub(super) fn constants_to_slots(&mut self) {
        for index in 0..self.stack.len() {
            let entry = self.stack[index];
            if let Loc::Const(_) = entry.loc {
                self.copy_to(entry, entry.slot);
            }
        }
    }

    /// Before a local variable is written: entries that stand for its old value get a copy.
    pub(super) fn preserve(&mut self, local: u32) {
        for index in (0..self.stack.len()).rev() {
            if self.locals[local as usize].refs == 0 {
                break;
            }
            if self.stack[index].loc == Loc::Local(local) {
                self.settle(index);
            }
        }
    }

    /// Drops all entries from this index on.
    pub(super) fn truncate(&mut self, height: usize, top: u32) {
        while self.stack.len() > height {
            self.pop();
        }
        self.top = top;
    }
}
