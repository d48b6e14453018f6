//! Calls that are replaced by the bodies of the functions called.
//!
//! A body is translated where the call is, with local variables of its own; returning is a branch to its end. Small functions without
//! loops are worth that, and larger ones if the interpreter saw them running. None of them checks the native stack: they are no calls.

use std::collections::HashMap;

use wasmparser::Operator;
use wharf_core::{
    Result,
    tier::{Effort, ModuleView, NO_LOCATION, Scope},
};

use super::{
    FuncTranslator,
    control::{BlockSig, Kind},
};
use crate::abi::type_of;

/// How deep bodies may be in one another.
const MAX_DEPTH: usize = 3;
/// How many bodies of a function may be in one another, beside the outermost.
const MAX_RECURSION: usize = 1;
/// The largest body in bytes that is always inlined.
const SMALL: usize = 40;
/// The largest body in bytes that is inlined if it was seen running, and somebody waits for the code or nobody does.
const MEDIUM: [usize; 2] = [80, 200];
/// Local variables that are no parameters, at most.
const MAX_LOCALS: u32 = 32;

/// What was inlined so far, and into what.
pub(super) struct Inlining {
    /// What locations mean; see [`wharf_core::tier::NativeCode::scopes`].
    pub(super) scopes: Vec<Scope>,
    /// The first local variable of the body that is translated.
    pub(super) first_local: usize,
    /// The frame that stands for it.
    pub(super) first_frame: usize,
    /// The functions whose bodies are open, outermost first.
    open: Vec<u32>,
    /// The location where the next scope begins.
    next_base: u32,
    /// How many bytes of code may still be added.
    budget: usize,
    /// The largest body in bytes that may be inlined.
    largest: usize,
    /// Whether functions that were looked at may be inlined.
    fit: HashMap<u32, bool>,
}

impl Inlining {
    pub(super) fn new(module: ModuleView<'_>, func: u32, effort: Effort) -> Inlining {
        let size = module.body(func).as_bytes().len();
        let scope = Scope {
            func,
            base: 0,
            call: NO_LOCATION,
        };
        let (budget, largest) = match effort {
            Effort::Quick => ((size / 2).clamp(256, 2048), MEDIUM[0]),
            Effort::Full => ((2 * size).clamp(512, 8192), MEDIUM[1]),
        };
        Inlining {
            scopes: vec![scope],
            first_local: 0,
            first_frame: 0,
            open: vec![func],
            next_base: size as u32,
            budget,
            largest,
            fit: HashMap::new(),
        }
    }

    /// How many calls are open that were replaced.
    pub(super) fn depth(&self) -> usize {
        self.open.len() - 1
    }
}

impl FuncTranslator<'_, '_> {
    fn may_inline(&mut self, func: u32) -> bool {
        let inlining = &self.inlining;
        if func < self.module.imported_funcs()
            || inlining.depth() >= MAX_DEPTH
            || inlining.open.iter().filter(|open| **open == func).count() > MAX_RECURSION
        {
            return false;
        }
        let size = self.module.body(func).as_bytes().len();
        if size > inlining.largest || size > inlining.budget {
            return false;
        }
        if size > SMALL && (self.job.samples)(func) == 0 {
            return false;
        }
        if let Some(fits) = self.inlining.fit.get(&func) {
            return *fits;
        }
        let fits = self.module.is_valid(func) && fits(self.module, func).unwrap_or(false);
        self.inlining.fit.insert(func, fits);
        fits
    }

    /// Replaces a call by the body of the function, if that is worth it.
    pub(super) fn inline(&mut self, func: u32) -> bool {
        if !self.may_inline(func) {
            return false;
        }
        if let Err(error) = self.inline_body(func) {
            self.fail(error);
        }
        true
    }

    fn inline_body(&mut self, func: u32) -> Result<()> {
        let ty = self.module.func_type(func);
        let body = self.module.body(func);
        let size = body.as_bytes().len();
        let base = self.inlining.next_base;
        self.inlining.next_base += size as u32;
        self.inlining.budget -= size;
        self.inlining.scopes.push(Scope {
            func,
            base,
            call: self.location,
        });
        let (outer_local, outer_frame) = (self.inlining.first_local, self.inlining.first_frame);
        let (position, location) = (self.position, self.location);
        let first_local = self.buffers.locals.len();
        self.declare(ty.params().iter().map(|t| type_of(*t)));
        let first_arg = self.stack.len() - ty.params().len();
        for place in 0..ty.params().len() {
            let variable = self.buffers.locals[first_local + place].variable;
            self.builder.def_var(variable, self.stack[first_arg + place]);
        }
        self.stack.truncate(first_arg);
        let operators = self.declare_locals(&body)?;
        self.zero_locals(first_local + ty.params().len());
        self.inlining.open.push(func);
        self.inlining.first_local = first_local;
        self.inlining.first_frame = self.buffers.frames.len();
        let ty = self.module.func_type_index(func);
        self.push_frame(Kind::Inlined, BlockSig::Func(ty), 0);
        self.body(&body, operators, base)?;
        self.inlining.open.pop();
        (self.inlining.first_local, self.inlining.first_frame) = (outer_local, outer_frame);
        (self.position, self.location) = (position, location);
        self.buffers.locals.truncate(first_local);
        Ok(())
    }
}

/// Whether a body has nothing that speaks against inlining it.
fn fits(module: ModuleView<'_>, func: u32) -> Result<bool> {
    let body = module.body(func);
    let mut locals = 0u32;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(group?.0);
    }
    if locals > MAX_LOCALS {
        return Ok(false);
    }
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read()? {
            // A tail call in the middle of another function is none.
            Operator::Loop { .. } | Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => {
                return Ok(false);
            }
            _ => {}
        }
    }
    Ok(true)
}
