//! The code of a module's functions: bytes, then bytecode (then native code), each step made once for all instances.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicPtr, Ordering},
    },
};

use super::{Inst, Op, Operands, Single, disasm};
use crate::{error::Result, interp, module::ModuleInner, translate};

/// Points at the first instruction to execute when a function is called: that of its bytecode, or of a stub that makes it.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct CodeCell(AtomicPtr<Inst>);

impl CodeCell {
    pub(crate) const fn new(inst: *const Inst) -> CodeCell {
        CodeCell(AtomicPtr::new(inst.cast_mut()))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> *const Inst {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, inst: *const Inst) {
        self.0.store(inst.cast_mut(), Ordering::Release);
    }
}

/// A translated function, its operations still as numbers.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    pub(crate) code: Vec<(Op, Operands)>,
    /// For each instruction the offset of the Wasm instruction that it was made from, when that was asked for.
    pub(crate) offsets: Vec<u32>,
}

/// The code of all defined functions of a module.
#[derive(Default)]
pub(crate) struct CodeTable {
    imported: u32,
    cells: Box<[CodeCell]>,
    /// One `Lazy` instruction per function, naming it.
    stubs: Box<[Inst]>,
    code: Mutex<Code>,
}

#[derive(Default)]
struct Code {
    funcs: BTreeMap<u32, Box<[Inst]>>,
    /// Where code begins in memory, to find the function of an instruction.
    by_address: BTreeMap<usize, u32>,
}

impl CodeTable {
    pub(crate) fn new(imported: u32, count: usize) -> CodeTable {
        let handler = interp::handler(Op::single(Single::Lazy));
        let stubs: Box<[Inst]> = (0..count as u32)
            .map(|i| Inst {
                handler,
                operands: Operands::with_imm(0, 0, imported + i),
            })
            .collect();
        let cells = stubs.iter().map(|stub| CodeCell::new(stub)).collect();
        CodeTable {
            imported,
            cells,
            stubs,
            code: Mutex::default(),
        }
    }

    /// The cells of the defined functions in order.
    pub(crate) fn cells(&self) -> *const CodeCell {
        self.cells.as_ptr()
    }

    pub(crate) fn cell(&self, func: u32) -> &CodeCell {
        &self.cells[(func - self.imported) as usize]
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Code> {
        // Translation does not leave the table half changed when it panics.
        self.code.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The code of a defined function, translated now if it was not yet.
    pub(crate) fn ensure(&self, module: &ModuleInner, func: u32) -> Result<*const Inst> {
        let cell = self.cell(func);
        let stub: *const Inst = &self.stubs[(func - self.imported) as usize];
        if !std::ptr::eq(cell.get(), stub) {
            return Ok(cell.get());
        }
        module.validate_body(func)?;
        let translated = translate::translate(module, func, false)?;
        let code: Box<[Inst]> = translated
            .code
            .iter()
            .map(|&(op, operands)| Inst {
                handler: interp::handler(op),
                operands,
            })
            .collect();
        let mut table = self.lock();
        if let Some(code) = table.funcs.get(&func) {
            return Ok(code.as_ptr()); // another thread was faster
        }
        let start = code.as_ptr();
        table.by_address.insert(start as usize, func);
        table.funcs.insert(func, code);
        cell.set(start);
        Ok(start)
    }

    /// The function that an instruction belongs to, and the instruction's number in it.
    pub(crate) fn find(&self, ip: *const Inst) -> Option<(u32, usize)> {
        let stubs = self.stubs.as_ptr_range();
        if stubs.contains(&ip) {
            // A function that could not be translated.
            return Some((
                self.imported + ((ip as usize - stubs.start as usize) / size_of::<Inst>()) as u32,
                0,
            ));
        }
        let table = self.lock();
        let (start, func) = table.by_address.range(..=ip as usize).next_back()?;
        let index = (ip as usize - start) / size_of::<Inst>();
        (index < table.funcs.get(func)?.len()).then_some((*func, index))
    }

    pub(crate) fn translated(&self, module: &ModuleInner) -> (usize, usize) {
        let table = self.lock();
        let bytes = table
            .funcs
            .keys()
            .map(|f| module.bodies[(f - self.imported) as usize].len())
            .sum();
        (table.funcs.len(), bytes)
    }

    pub(crate) fn disassemble(&self, func: u32) -> String {
        match self.lock().funcs.get(&func) {
            Some(code) => disasm::disassemble(code),
            None => String::new(),
        }
    }
}
