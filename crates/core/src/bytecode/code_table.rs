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

/// Where a function's code is now.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct CodeCell {
    /// The first instruction to execute when the interpreter calls it: that of its bytecode, or of a stub that makes it or that
    /// enters its machine code.
    inst: AtomicPtr<Inst>,
    /// Its machine code, or null.
    pub(crate) native: AtomicPtr<u8>,
    /// What machine code of the same module calls: its machine code, else the exit stub of its type; null as long as there is neither.
    pub(crate) direct: AtomicPtr<u8>,
}

impl CodeCell {
    pub(crate) const fn new(inst: *const Inst) -> CodeCell {
        CodeCell {
            inst: AtomicPtr::new(inst.cast_mut()),
            native: AtomicPtr::new(std::ptr::null_mut()),
            direct: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> *const Inst {
        self.inst.load(Ordering::Acquire)
    }

    fn set(&self, inst: *const Inst) {
        self.inst.store(inst.cast_mut(), Ordering::Release);
    }

    /// Sets the instruction if it is still `old`.
    fn replace(&self, old: *const Inst, new: *const Inst) {
        let _ = self.inst.compare_exchange(
            old.cast_mut(),
            new.cast_mut(),
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
    }
}

/// A translated function, its operations still as numbers.
#[derive(Debug, Default)]
pub(crate) struct Translated {
    pub(crate) code: Vec<(Op, Operands)>,
    /// For each instruction the offset of the Wasm instruction that it was made from, when that was asked for.
    pub(crate) offsets: Vec<u32>,
    /// With the offsets, also where loops begin: the instruction at the header, and the offset of the `loop`.
    pub(crate) loops: Vec<(u32, u32)>,
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
    /// Where instructions are that enter machine code.
    native_entries: BTreeMap<usize, u32>,
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
        let stub = self.stub(func);
        if !std::ptr::eq(cell.get(), stub) {
            return Ok(cell.get());
        }
        // The function may be compiled meanwhile, and must stay so.
        if let Some(code) = self.lock().funcs.get(&func) {
            return Ok(code.as_ptr());
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
        cell.replace(stub, start);
        module.engine.0.tier.count_translated();
        Ok(start)
    }

    fn stub(&self, func: u32) -> *const Inst {
        &self.stubs[(func - self.imported) as usize]
    }

    /// Lets calls of a function enter its machine code: through `entry` from the interpreter, at `code` from machine code.
    pub(crate) fn set_native(&self, func: u32, entry: &[Inst; 2], code: *const u8) {
        let mut table = self.lock();
        table.native_entries.insert(entry.as_ptr() as usize, func);
        let cell = self.cell(func);
        cell.native.store(code.cast_mut(), Ordering::Release);
        cell.direct.store(code.cast_mut(), Ordering::Release);
        cell.set(entry.as_ptr());
    }

    /// Lets calls of a function be interpreted again; those from machine code through an exit stub.
    pub(crate) fn unset_native(&self, func: u32, exit_stub: *mut u8) {
        let table = self.lock();
        let cell = self.cell(func);
        cell.native.store(std::ptr::null_mut(), Ordering::Release);
        cell.direct.store(exit_stub, Ordering::Release);
        cell.set(
            table
                .funcs
                .get(&func)
                .map_or(self.stub(func), |code| code.as_ptr()),
        );
    }

    /// Whether calls of a function enter machine code.
    pub(crate) fn is_native(&self, func: u32) -> bool {
        !self.cell(func).native.load(Ordering::Relaxed).is_null()
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
        if let Some(func) = table.native_entries.get(&(ip as usize)) {
            return Some((*func, 0));
        }
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
