//! From Wasm code to bytecode, one function at a time, in one pass.
//!
//! The translator runs the operand stack symbolically: an entry is a slot, a local, a constant or the accumulator, and most `local.get`
//! and `*.const` make no code. An operation leaves its result in the accumulator of its type; if the accumulator is needed before
//! the result is used, the instruction that made the result is patched to write it to the entry's own slot instead. Each entry has
//! such a slot, by its height in the stack: there it must be wherever control flow joins, at calls, and at loop headers.

mod access;
mod block;
mod branch;
mod call;
mod emit;
mod entry;
mod simd;
mod stack;
mod variable;
mod visit;

use wasmparser::BlockType;

use crate::{
    bytecode::{LINKAGE, Op, Operands, Single, Translated},
    error::{Error, Result},
    module::{ModuleInner, val_type},
};
use block::Frame;
use entry::{Entry, Ty};

/// How many instructions of a function count as much as a call or a jump back, see [`Config::sample_interval`](crate::Config::sample_interval).
const INSTRUCTIONS_PER_EVENT: usize = 16;
/// The most that the length of a function counts for.
const MOST_EVENTS: usize = 1000;

/// Translates a defined function whose body is valid; `offsets` asks for the table of Wasm offsets too.
///
/// # Errors
/// `Unsupported` for functions with frames or bodies beyond what bytecode can address.
pub(crate) fn translate(module: &ModuleInner, func: u32, offsets: bool) -> Result<Translated> {
    let body = module.body(func);
    let mut translator = Translator::new(module, func, offsets);
    let mut locals = body.get_locals_reader()?;
    for _ in 0..locals.get_count() {
        let (count, ty) = locals.read()?;
        translator.declare_locals(count, Ty::from(val_type(ty)?));
    }
    translator.begin();
    let mut reader = wasmparser::OperatorsReader::new(locals.get_binary_reader());
    while !reader.eof() {
        if offsets {
            translator.offset = reader.original_position() as u32;
        }
        reader.visit_operator(&mut translator)?;
    }
    translator.finish()
}

/// The offset in the file of the Wasm instruction that an instruction of a function was made from.
pub(crate) fn offset_of(module: &ModuleInner, func: u32, inst: usize) -> Option<usize> {
    // The trap may be about this body being invalid, and only valid ones can be translated.
    module.validate_body(func).ok()?;
    let offset = *translate(module, func, true).ok()?.offsets.get(inst)?;
    Some(offset as usize)
}

/// The offset in the file of a `loop` whose header is this instruction of a function. Loops that begin at the same instruction do the
/// same.
pub(crate) fn loop_at(module: &ModuleInner, func: u32, inst: u32) -> Result<Option<usize>> {
    let loops = translate(module, func, true)?.loops;
    Ok(loops
        .iter()
        .find(|(header, _)| *header == inst)
        .map(|(_, offset)| *offset as usize))
}

/// A local variable or parameter.
#[derive(Copy, Clone, Debug)]
struct Local {
    slot: u32,
    ty: Ty,
    /// How many entries of the operand stack stand for it.
    refs: u32,
}

/// The state of a translation.
struct Translator<'m> {
    module: &'m ModuleInner,
    func: u32,
    code: Vec<(Op, Operands)>,
    offsets: Option<Vec<u32>>,
    offset: u32,
    loops: Vec<(u32, u32)>,
    /// Code before this index may be reached from elsewhere than by falling through, or is not to be looked at again.
    barrier: usize,
    /// 64-bit constants behind the code, and the instructions that lead to them.
    pool: Vec<u64>,
    pool_users: Vec<(u32, u32)>,
    locals: Vec<Local>,
    stack: Vec<Entry>,
    /// Entries below this one are in their slots or constants.
    flushed: usize,
    /// The slot of the next entry.
    top: u32,
    /// Slots that the frame needs.
    frame_size: u32,
    /// For each accumulator the entry that is in it, and the instruction that made it.
    owners: [Option<(usize, usize)>; 3],
    frames: Vec<Frame>,
    /// While code can't be reached, how many blocks were opened since.
    unreachable: Option<u32>,
    linkage: u32,
    zeroed_from: u32,
    zeroed: u32,
    error: Option<Error>,
}

impl<'m> Translator<'m> {
    fn new(module: &'m ModuleInner, func: u32, offsets: bool) -> Translator<'m> {
        let ty = module.func_type(func);
        let mut translator = Translator {
            module,
            func,
            code: Vec::with_capacity(module.bodies[(func - module.imported_funcs) as usize].len() / 2 + 8),
            offsets: offsets.then(Vec::new),
            offset: 0,
            loops: Vec::new(),
            barrier: 0,
            pool: Vec::new(),
            pool_users: Vec::new(),
            locals: Vec::with_capacity(16),
            stack: Vec::with_capacity(32),
            flushed: 0,
            top: 0,
            frame_size: 0,
            owners: [None; 3],
            frames: Vec::with_capacity(8),
            unreachable: None,
            linkage: 0,
            zeroed_from: 0,
            zeroed: 0,
            error: None,
        };
        for ty in ty.params() {
            translator.declare_locals(1, Ty::from(*ty));
        }
        translator.linkage = translator.top;
        translator.top += LINKAGE as u32;
        translator.zeroed_from = translator.top;
        translator
    }

    fn declare_locals(&mut self, count: u32, ty: Ty) {
        for _ in 0..count {
            self.locals.push(Local {
                slot: self.top,
                ty,
                refs: 0,
            });
            self.top += ty.slots();
        }
    }

    /// After all locals are declared.
    fn begin(&mut self) {
        self.zeroed = self.top - self.zeroed_from;
        self.reserve(self.top);
        self.emit(Op::single(Single::Unreachable), Operands::NONE); // becomes `Enter*` in `finish`
        self.barrier = self.code.len();
        self.frames.push(Frame::function(
            self.module.func_type(self.func).results().len(),
            self.top,
        ));
    }

    fn finish(mut self) -> Result<Translated> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (enter, zeroed) = match self.zeroed {
            0 => (Single::Enter0, 0),
            1..=2 => (Single::Enter2, 2),
            3..=4 => (Single::Enter4, 4),
            5..=8 => (Single::Enter8, 8),
            n => (Single::EnterN, n),
        };
        self.reserve(self.zeroed_from + zeroed);
        if self.frame_size > u16::MAX.into() || self.code.len() + self.pool.len() > i32::MAX as usize {
            return Err(Error::unsupported(format!(
                "function {} needs a frame of {} slots; at most {} are supported",
                self.func,
                self.frame_size,
                u16::MAX
            )));
        }
        // A long function without loops takes more time than a short one.
        let events = (1 + self.code.len() / INSTRUCTIONS_PER_EVENT).min(MOST_EVENTS) as u32;
        self.code[0] = (
            Op::single(enter),
            Operands::with_imm(
                self.zeroed_from as u16,
                self.zeroed as u16,
                self.frame_size | events << 16,
            ),
        );
        let pool_start = self.code.len() as u32;
        for (user, cell) in std::mem::take(&mut self.pool_users) {
            self.code[user as usize].1.set_imm(pool_start + cell - user);
        }
        for value in std::mem::take(&mut self.pool) {
            self.emit(Op::single(Single::Operands), Operands::wide(value));
        }
        Ok(Translated {
            code: self.code,
            offsets: self.offsets.unwrap_or_default(),
            loops: self.loops,
        })
    }

    /// Makes sure that the frame has slots up to `end`.
    #[inline]
    fn reserve(&mut self, end: u32) {
        self.frame_size = self.frame_size.max(end);
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// The numbers of parameters and results of a block, and the types of its results.
    fn block_type(&self, ty: BlockType) -> (usize, Vec<Ty>) {
        match ty {
            BlockType::Empty => (0, Vec::new()),
            BlockType::Type(ty) => (0, val_type(ty).map(|t| vec![Ty::from(t)]).unwrap_or_default()),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (
                    ty.params().len(),
                    ty.results().iter().map(|t| Ty::from(*t)).collect(),
                )
            }
        }
    }
}
