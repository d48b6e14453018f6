//! The interface between the runtime and a compiler of functions.
//!
//! # Contract of compiled code
//! A compiled function uses Cranelift's `Tail` convention: the state block of its instance, what it was *called as*, then its parameters; its
//! results are the results. Functions take no notice of what they were called as, but exit stubs and loops do.
//! References are 64-bit numbers, vectors `I8X16`. It keeps frame pointers, has no relocations and reaches everything through the
//! state block ([`abi`](super::abi)), so that its bytes can be moved and stored. Where a slot of the value stack is written, 32-bit values are
//! zero-extended to 64 bits and vectors take two slots, low half first.
//!
//! - *Calls of functions that the module defines* call what the callee's code cell has at [`CELL_DIRECT`](super::abi::CELL_DIRECT), as the address of the
//!   cell with the bit [`CALLED_AS_CELL`](super::abi::CALLED_AS_CELL). It is never null: functions without machine code have the exit stub of their type
//!   there, since [`CompileJob::exit_stub_needed`] asked for it.
//! - *Calls through references* call what the reference's code cell has at [`CELL_NATIVE`](super::abi::CELL_NATIVE), as the reference. If that is null they
//!   store their own state block to `RT_NATIVE_CALLER` and call the exit stub of the function type instead: `VM_EXIT_STUBS` leads to one pointer per
//!   type of the module.
//! - *Exit stubs* have the convention of the functions of their type. They store the parameters to the slots from `RT_STACK_TOP` on, call
//!   the built-in `CALL_OUT(runtime block, slots, own frame pointer, parameter slots | result slots << 32, state block, called as)` in the C convention,
//!   which returns only if all went well, and return the results that it left in the slots.
//! - *Entry stubs* have the C convention `(code, state block, slots, called as)`: they load the parameters from the slots, call the code, and store its
//!   results to the slots.
//! - *Code with a loop entry* ([`CompileJob::osr`]) is that of the function, and begins at the header of a loop when it is called as the address of the slots with the
//!   bit [`CALLED_AS_LOOP`](super::abi::CALLED_AS_LOOP): it loads each local and each operand from its slot. Parameters have the first slots, then come three of linkage, the
//!   other locals, and the operands in the order of the stack.
//! - *Traps* are trapping instructions listed in [`NativeCode::traps`]. Accesses of a 32-bit memory need no check when
//!   [`CompileJob::guarded`] and offset and size together are at most [`GUARD`]: the memory is followed by that many bytes that fault.
//! - Functions check the native stack against `RT_HOST_STACK_LIMIT` when they begin.
//! - When [`CompileJob::interruptible`], functions that make calls at their start, and loops at their headers, call the built-in `DEADLINE` if the
//!   number that `RT_EPOCH` leads to is not below `RT_DEADLINE`. It has Cranelift's `PreserveAll` convention and no arguments, and returns if the guest
//!   goes on, by then maybe on another thread.

use std::fmt;

use wasmparser::FunctionBody;

use super::abi;
pub use crate::runtime::memory_guard::GUARD;
use crate::{
    error::Result,
    module::ModuleInner,
    trap::TrapCode,
    types::{FuncType, MemoryType, TableType, ValType},
};

/// Makes machine code of functions. Called from several threads at a time.
pub trait Compiler: Send + Sync + fmt::Debug {
    /// Tells everything that the code depends on beside the module and the job: version, target, settings, CPU features.
    fn fingerprint(&self) -> &str;

    /// Compiles a function.
    ///
    /// # Errors
    /// `Unsupported` when it can't be compiled; it then stays interpreted.
    fn compile(&self, job: &CompileJob<'_>) -> Result<NativeCode>;

    /// The stub that calls functions of this type from the interpreter.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    fn entry_stub(&self, ty: &FuncType) -> Result<NativeCode>;

    /// The stub that compiled code calls instead of functions of this type that are not compiled.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    fn exit_stub(&self, ty: &FuncType) -> Result<NativeCode>;
}

/// What to compile, and how.
#[derive(Clone, Copy)]
pub struct CompileJob<'m> {
    /// The module.
    pub module: ModuleView<'m>,
    /// The function's index in the module; a defined function whose body is valid.
    pub func: u32,
    /// For code with a loop entry, the offset of the `loop` instruction, counted as the offsets of [`ModuleView::body`].
    pub osr: Option<usize>,
    /// How much work the code is worth.
    pub effort: Effort,
    /// Whether 32-bit memories are followed by [`GUARD`] bytes that fault.
    pub guarded: bool,
    /// Whether code must look at the deadline of its store.
    pub interruptible: bool,
    /// How often functions were seen running by the interpreter's samples; the hot ones are worth inlining.
    pub samples: &'m dyn Fn(u32) -> u32,
    /// For the offset of an indirect call (as in [`CompileJob::osr`]), the function of the same instance that it has always been seen to lead to.
    pub indirect_target: &'m dyn Fn(usize) -> Option<u32>,
    /// Must be called with the index of the type of each function that the code calls.
    pub exit_stub_needed: &'m dyn Fn(u32) -> Result<()>,
}

/// How much work a compiler does for better code.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Somebody waits for the code.
    Quick,
    /// Nobody does.
    Full,
}

/// Machine code and what the runtime needs to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NativeCode {
    /// The code; its entry is the first byte.
    pub bytes: Vec<u8>,
    /// Alignment of the entry in bytes.
    pub alignment: u32,
    /// Offsets in the code of instructions that trap, ascending, and why they do.
    pub traps: Vec<(u32, TrapCode)>,
    /// Where ranges of the code come from: the offset in the code at which a range begins, ascending, and its location.
    pub locations: Vec<(u32, u32)>,
    /// What locations mean: the function itself first, then what was inlined into it.
    pub scopes: Vec<Scope>,
}

/// No location.
pub const NO_LOCATION: u32 = u32::MAX;

/// A function whose body is part of a compiled function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The function's index in the module.
    pub func: u32,
    /// The location of the first byte of its body; the others follow, up to the next scope's.
    pub base: u32,
    /// The location of the call that was replaced; [`NO_LOCATION`] for the outermost.
    pub call: u32,
}

/// What a compiler may know of a module.
#[derive(Copy, Clone)]
pub struct ModuleView<'m>(pub(crate) &'m ModuleInner);

/// Where the value of a global variable is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum GlobalPlace {
    /// In the state block at this offset.
    Own(u32),
    /// Where the pointer in the state block at this offset leads.
    Imported(u32),
}

impl<'m> ModuleView<'m> {
    /// The type of a function.
    pub fn func_type(&self, func: u32) -> &'m FuncType {
        self.0.func_type(func)
    }

    /// The index of the type of a function.
    pub fn func_type_index(&self, func: u32) -> u32 {
        self.0.funcs[func as usize].ty
    }

    /// A function type of the module.
    pub fn type_at(&self, index: u32) -> &'m FuncType {
        &self.0.types[index as usize]
    }

    /// How many functions are imported; they have the lowest indices.
    pub fn imported_funcs(&self) -> u32 {
        self.0.imported_funcs
    }

    /// The body of a defined function; offsets count from the start of the file.
    pub fn body(&self, func: u32) -> FunctionBody<'m> {
        self.0.body(func)
    }

    /// Whether the body of a defined function is valid. Bodies that are looked at for inlining need not be.
    pub fn is_valid(&self, func: u32) -> bool {
        self.0.validate_body(func).is_ok()
    }

    /// Offset in the state block of the pointer to an imported function's reference.
    pub fn imported_func_offset(&self, func: u32) -> u32 {
        self.0.layout.imported_funcs + func * abi::POINTER
    }

    /// Offset in the state block of a defined function's reference, if something can refer to it.
    pub fn func_ref_offset(&self, func: u32) -> Option<u32> {
        let place = self.0.funcs[func as usize].func_ref?;
        Some(self.0.layout.func_refs + place * abi::FUNC_REF_SIZE)
    }

    /// The type of a global variable, whether it can change, and where it is.
    pub fn global(&self, index: u32) -> (ValType, bool, GlobalPlace) {
        let ty = self.0.globals[index as usize].ty;
        let layout = &self.0.layout;
        let place = match index.checked_sub(self.0.imported_globals) {
            None => GlobalPlace::Imported(layout.imported_globals + index * abi::POINTER),
            Some(own) => GlobalPlace::Own(layout.globals + own * 16),
        };
        (ty.content, ty.mutable, place)
    }

    /// The type of a memory.
    pub fn memory(&self, index: u32) -> MemoryType {
        self.0.memories[index as usize]
    }

    /// Offset in the state block of the pointer to a memory (`MEMORY_BASE`, `MEMORY_LEN`).
    pub fn memory_offset(&self, index: u32) -> u32 {
        self.0.layout.memories + index * abi::POINTER
    }

    /// The type of a table.
    pub fn table(&self, index: u32) -> TableType {
        self.0.tables[index as usize].ty
    }

    /// Offset in the state block of the pointer to a table (`TABLE_BASE`, `TABLE_LEN`).
    pub fn table_offset(&self, index: u32) -> u32 {
        self.0.layout.tables + index * abi::POINTER
    }
}

impl fmt::Debug for ModuleView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleView").field("name", &self.0.name).finish()
    }
}
