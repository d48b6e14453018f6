//! From a function's Wasm code to Cranelift's intermediate representation, in one pass.
//!
//! The translator runs the operand stack symbolically: its entries are values of the intermediate representation. Local variables are
//! variables of Cranelift's frontend, which finds out where they have to be merged.

mod bulk;
mod call;
mod control;
mod guess;
mod inline;
mod memory;
mod numeric;
mod osr;
mod simd;
mod state;
mod table;
mod visit;

use std::collections::{HashMap, HashSet};

use cranelift_codegen::{
    ir::{
        BlockArg, BlockCall, FuncRef, Function, GlobalValueData, InstBuilder, SigRef, SourceLoc, Type, Value,
        types,
    },
    isa::TargetIsa,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use wasmparser::{FunctionBody, Operator, OperatorsReader};
use wharf_core::{
    Error, FuncType, Result,
    tier::{CompileJob, ModuleView, Scope, abi::*},
};

use crate::abi::{self, POINTER, VECTOR};
use control::{Frame, Kind};
use inline::Inlining;
use osr::Osr;
use state::State;

/// Translates the function that a job asks for into `func`, which is empty, and tells what its locations mean.
///
/// # Errors
/// `Unsupported` for what this compiler does not have.
pub(crate) fn translate(
    isa: &dyn TargetIsa,
    job: &CompileJob<'_>,
    func: &mut Function,
    frontend: &mut FunctionBuilderContext,
    buffers: &mut Buffers,
) -> Result<Vec<Scope>> {
    let ty = job.module.func_type(job.func);
    func.signature = abi::signature(ty);
    let mut translator = FuncTranslator {
        state: State::new(func),
        builder: FunctionBuilder::new(func, frontend),
        stack: std::mem::take(&mut buffers.stack),
        isa,
        job,
        module: job.module,
        buffers: std::mem::take(buffers),
        unreachable: None,
        position: 0,
        location: 0,
        osr: Osr::default(),
        inlining: Inlining::new(job.module, job.func, job.effort),
        itself: None,
        error: None,
    };
    translator.limit_stack();
    translator.function(ty)?;
    let FuncTranslator {
        builder,
        buffers: used,
        stack,
        inlining,
        ..
    } = translator;
    builder.finalize(isa.frontend_config());
    *buffers = used;
    buffers.stack = stack;
    buffers.clear();
    Ok(inlining.scopes)
}

/// Whether a function calls others, or itself.
fn makes_calls(body: &FunctionBody<'_>) -> Result<bool> {
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        if let Operator::Call { .. }
        | Operator::CallIndirect { .. }
        | Operator::ReturnCall { .. }
        | Operator::ReturnCallIndirect { .. } = operators.read()?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Allocations that are kept from one translation to the next.
#[derive(Default)]
pub(crate) struct Buffers {
    stack: Vec<Value>,
    frames: Vec<Frame>,
    locals: Vec<Local>,
    /// The operands that are parameters of open `if` blocks.
    saved: Vec<Value>,
    block_args: Vec<BlockArg>,
    values: Vec<Value>,
    block_calls: Vec<BlockCall>,
    /// Signatures of the function types that were called.
    signatures: HashMap<u32, SigRef>,
    /// Function types whose exit stubs are used.
    exits: HashSet<u32>,
}

impl Buffers {
    fn clear(&mut self) {
        self.stack.clear();
        self.frames.clear();
        self.locals.clear();
        self.saved.clear();
        self.signatures.clear();
        self.exits.clear();
    }
}

/// A local variable or parameter.
#[derive(Copy, Clone)]
struct Local {
    variable: Variable,
    ty: Type,
}

/// The state of a translation.
pub(crate) struct FuncTranslator<'a, 'm> {
    pub(crate) builder: FunctionBuilder<'a>,
    /// The operand stack; vectors are always `I8X16`, references `I64`.
    pub(crate) stack: Vec<Value>,
    pub(crate) isa: &'a dyn TargetIsa,
    job: &'a CompileJob<'m>,
    module: ModuleView<'m>,
    /// The instance's state block and what is found through it.
    state: State,
    buffers: Buffers,
    /// While code can't be reached, how many blocks were opened since.
    unreachable: Option<u32>,
    /// Offset in the file of the current instruction.
    position: usize,
    /// Its location.
    location: u32,
    osr: Osr,
    inlining: Inlining,
    /// The function that is compiled, to be called by itself.
    itself: Option<FuncRef>,
    error: Option<Error>,
}

impl<'m> FuncTranslator<'_, 'm> {
    pub(crate) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(crate) fn pop(&mut self) -> Value {
        // Bodies are valid, so there is one.
        let Some(value) = self.stack.pop() else {
            unreachable!("the operand stack of a valid function is deep enough")
        };
        value
    }

    /// The two upper operands, the one that was pushed first in front.
    pub(crate) fn pop2(&mut self) -> (Value, Value) {
        let second = self.pop();
        (self.pop(), second)
    }

    /// The three upper operands, the one that was pushed first in front.
    pub(crate) fn pop3(&mut self) -> (Value, Value, Value) {
        let third = self.pop();
        let (first, second) = self.pop2();
        (first, second, third)
    }

    /// Whether control can reach the current instruction. Visitors are only called when it can.
    pub(crate) fn reachable(&self) -> bool {
        self.unreachable.is_none()
    }

    /// Gives up on the function, at the end of the current instruction.
    pub(crate) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// A zero of this type.
    fn zero(&mut self, ty: Type) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(0.0),
            types::F64 => self.builder.ins().f64const(0.0),
            VECTOR => {
                let zero = self.builder.func.dfg.constants.insert([0; 16].as_slice().into());
                self.builder.ins().vconst(VECTOR, zero)
            }
            ty => self.builder.ins().iconst(ty, 0),
        }
    }

    /// Makes the prologue check the native stack.
    fn limit_stack(&mut self) {
        let flags = self.builder.func.dfg.mem_flags.insert_unchecked(State::CONSTANT);
        let state = self.builder.create_global_value(GlobalValueData::VMContext);
        let mut load = |base, offset: u32| {
            self.builder.create_global_value(GlobalValueData::Load {
                base,
                offset: (offset as i32).into(),
                global_type: POINTER,
                flags,
            })
        };
        let rt = load(state, VM_RT);
        let limit = load(rt, RT_HOST_STACK_LIMIT);
        self.builder.func.stack_limit = Some(limit);
    }

    /// Translates the function of the job.
    fn function(&mut self, ty: &FuncType) -> Result<()> {
        let body = self.module.body(self.job.func);
        self.declare(ty.params().iter().map(|t| abi::type_of(*t)));
        let operators = self.declare_locals(&body)?;
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        self.builder.seal_block(entry);
        let [block, called_as, ref params @ ..] = *self.builder.block_params(entry) else {
            return Err(Error::unsupported("a function without a state block"));
        };
        self.state.block = block;
        self.buffers.values.clear();
        self.buffers.values.extend_from_slice(params);
        self.load_roots();
        if let Some(target) = self.job.osr {
            self.begin_osr(target, ty, called_as)?;
        }
        for place in 0..ty.params().len() {
            let variable = self.buffers.locals[place].variable;
            self.builder.def_var(variable, self.buffers.values[place]);
        }
        self.zero_locals(ty.params().len());
        // What makes no calls comes to its end soon, but for loops, which look themselves.
        if self.job.interruptible && makes_calls(&body)? {
            self.check_interrupt();
        }
        let type_index = self.module.func_type_index(self.job.func);
        self.push_frame(Kind::Function, control::BlockSig::Func(type_index), 0);
        self.body(&body, operators, 0)?;
        self.finish_osr()
    }

    fn declare(&mut self, types: impl Iterator<Item = Type>) {
        for ty in types {
            let variable = self.builder.declare_var(ty);
            self.buffers.locals.push(Local { variable, ty });
        }
    }

    /// Declares the local variables of a body that are no parameters.
    fn declare_locals(&mut self, body: &FunctionBody<'m>) -> Result<OperatorsReader<'m>> {
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let (count, ty) = locals.read()?;
            let ty = match ty {
                wasmparser::ValType::I32 => types::I32,
                wasmparser::ValType::I64 | wasmparser::ValType::Ref(_) => types::I64,
                wasmparser::ValType::F32 => types::F32,
                wasmparser::ValType::F64 => types::F64,
                wasmparser::ValType::V128 => VECTOR,
            };
            self.declare((0..count).map(|_| ty));
        }
        Ok(OperatorsReader::new(locals.get_binary_reader()))
    }

    /// Lets the local variables from this place on be zero.
    fn zero_locals(&mut self, from: usize) {
        let mut last: Option<(Type, Value)> = None;
        for place in from..self.buffers.locals.len() {
            let Local { variable, ty } = self.buffers.locals[place];
            let zero = match last {
                Some((same, zero)) if same == ty => zero,
                _ => self.zero(ty),
            };
            last = Some((ty, zero));
            self.builder.def_var(variable, zero);
        }
    }

    /// Translates the instructions of a body whose locations begin at `base`, with the frame that stands for the whole body on top.
    fn body(&mut self, body: &FunctionBody<'m>, mut operators: OperatorsReader<'m>, base: u32) -> Result<()> {
        let start = body.range().start as usize;
        while !operators.eof() {
            self.position = operators.original_position() as usize;
            self.location = base + (self.position - start) as u32;
            if self.unreachable.is_none() {
                self.builder.set_srcloc(SourceLoc::new(self.location));
                operators.visit_operator(self)?;
            } else {
                self.skip(&operators.read()?);
            }
            if let Some(error) = self.error.take() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// An instruction that can't be reached.
    fn skip(&mut self, operator: &Operator<'_>) {
        let depth = self.unreachable.unwrap_or_default();
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.unreachable = Some(depth + 1);
            }
            Operator::Else if depth == 0 => self.enter_else(),
            Operator::End if depth == 0 => self.end(),
            Operator::End => self.unreachable = Some(depth - 1),
            _ => {}
        }
    }

    fn local(&self, index: u32) -> Variable {
        self.buffers.locals[self.inlining.first_local + index as usize].variable
    }
}
