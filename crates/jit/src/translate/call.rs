//! Calls of functions and of the runtime.

use cranelift_codegen::{
    ir::{
        ExtFuncData, ExternalName, InstBuilder, MemFlagsData, SigRef, Signature, UserExternalName, Value,
        condcodes::IntCC, types,
    },
    isa::CallConv,
};
use wharf_core::{TrapCode, tier::abi::*};

use super::FuncTranslator;
use crate::abi::{self, POINTER, trap_code};

/// A function that is called.
struct Callee {
    /// Its machine code, or where it has none the exit stub of its type.
    entry: Value,
    /// Its state block.
    state: Value,
    /// What it is called as.
    called_as: Value,
    /// Its type's index.
    ty: u32,
}

impl FuncTranslator<'_, '_> {
    fn callee(&mut self, func: u32) -> Callee {
        let ty = self.module.func_type_index(func);
        let state = self.state.block;
        if func < self.module.imported_funcs() {
            let reference = self.nearby(POINTER, state, self.module.imported_func_offset(func));
            return self.referred(reference, ty);
        }
        self.need_exit_stub(ty);
        let (cells, offset) = self.own_cell(func);
        Callee {
            entry: self.mutable(POINTER, cells, offset + CELL_DIRECT),
            state,
            called_as: self.as_cell(cells, offset),
            ty,
        }
    }

    /// What the function of a code cell is called as.
    fn as_cell(&mut self, cells: Value, offset: u32) -> Value {
        let offset = self.number(u64::from(offset) | CALLED_AS_CELL);
        self.builder.ins().iadd(cells, offset)
    }

    fn need_exit_stub(&mut self, ty: u32) {
        if self.buffers.exits.insert(ty)
            && let Err(error) = (self.job.exit_stub_needed)(ty)
        {
            self.fail(error);
        }
    }

    /// The reference that a table has at the popped index.
    fn indirect_reference(&mut self, table: u32) -> Value {
        let at = self.pop();
        let address = self.element(table, at, TrapCode::UndefinedElement);
        self.builder.ins().load(POINTER, self.state.element, address, 0)
    }

    /// The function of a reference, which must be of this type.
    fn indirect_callee(&mut self, ty: u32, reference: Value) -> Callee {
        // Null is told by the fault that this load of its signature makes.
        let flags = MemFlagsData::trusted()
            .with_readonly()
            .with_trap_code(Some(trap_code(TrapCode::IndirectCallToNull)));
        let actual = self
            .builder
            .ins()
            .load(types::I32, flags, reference, FUNC_REF_SIG as i32);
        let expected = self.signature_number(ty);
        let differs = self.builder.ins().icmp(IntCC::NotEqual, actual, expected);
        self.trap_if(differs, TrapCode::BadSignature);
        self.referred(reference, ty)
    }

    /// The function of a reference, which is of this type.
    fn referred(&mut self, reference: Value, ty: u32) -> Callee {
        self.need_exit_stub(ty);
        let cell = self.nearby(POINTER, reference, FUNC_REF_CODE);
        let state = self.nearby(POINTER, reference, FUNC_REF_VM);
        let native = self.mutable(POINTER, cell, CELL_NATIVE);
        let (known, missing) = (self.builder.create_block(), self.builder.create_block());
        let entry = self.builder.append_block_param(known, POINTER);
        self.builder.set_cold_block(missing);
        self.builder
            .ins()
            .brif(native, known, &[native.into()], missing, &[]);
        self.builder.seal_block(missing);
        self.builder.switch_to_block(missing);
        let block = self.state.block;
        let rt = self.nearby(POINTER, block, VM_RT);
        self.builder
            .ins()
            .store(self.state.mutable, block, rt, RT_NATIVE_CALLER as i32);
        let stubs = self.nearby(POINTER, block, VM_EXIT_STUBS);
        let stub = self.mutable(POINTER, stubs, ty * POINTER.bytes());
        self.builder.ins().jump(known, &[stub.into()]);
        self.builder.seal_block(known);
        self.builder.switch_to_block(known);
        Callee {
            entry,
            state,
            called_as: reference,
            ty,
        }
    }

    fn signature(&mut self, ty: u32) -> SigRef {
        match self.buffers.signatures.get(&ty) {
            Some(signature) => *signature,
            None => {
                let signature = abi::signature(self.module.type_at(ty));
                self.import_signature(ty, signature)
            }
        }
    }

    fn import_signature(&mut self, key: u32, signature: Signature) -> SigRef {
        let signature = self.builder.import_signature(signature);
        self.buffers.signatures.insert(key, signature);
        signature
    }

    /// Pops the arguments of a function and puts its state block, and what it is called as, in front.
    fn call_args(&mut self, ty: u32, state: Value, called_as: Value) -> Vec<Value> {
        let first = self.stack.len() - self.module.type_at(ty).params().len();
        let mut args = std::mem::take(&mut self.buffers.values);
        args.clear();
        args.extend([state, called_as]);
        args.extend(self.stack.drain(first..));
        args
    }

    fn invoke(&mut self, callee: &Callee, tail: bool) {
        let (entry, signature) = (callee.entry, self.signature(callee.ty));
        let args = self.call_args(callee.ty, callee.state, callee.called_as);
        if tail {
            self.builder.ins().return_call_indirect(signature, entry, &args);
            self.unreachable = Some(0);
        } else {
            let call = self.builder.ins().call_indirect(signature, entry, &args);
            self.stack.extend_from_slice(self.builder.inst_results(call));
        }
        self.buffers.values = args;
    }

    /// A call of the function that is compiled, straight to its own beginning.
    fn invoke_self(&mut self, tail: bool) {
        let ty = self.module.func_type_index(self.job.func);
        let func = match self.itself {
            Some(func) => func,
            None => {
                let signature = self.signature(ty);
                let name = UserExternalName::new(0, self.job.func);
                let name = self.builder.func.declare_imported_user_function(name);
                *self.itself.insert(self.builder.import_function(ExtFuncData {
                    name: ExternalName::user(name),
                    signature,
                    colocated: true,
                    patchable: false,
                }))
            }
        };
        // It is never an exit stub.
        let called_as = self.number(0);
        let args = self.call_args(ty, self.state.block, called_as);
        if tail {
            self.builder.ins().return_call(func, &args);
            self.unreachable = Some(0);
        } else {
            let call = self.builder.ins().call(func, &args);
            self.stack.extend_from_slice(self.builder.inst_results(call));
        }
        self.buffers.values = args;
    }

    pub(super) fn call(&mut self, func: u32, tail: bool) {
        if !tail && self.inline(func) {
            return;
        }
        if func == self.job.func {
            return self.invoke_self(tail);
        }
        let callee = self.callee(func);
        self.invoke(&callee, tail);
    }

    pub(super) fn call_indirect(&mut self, ty: u32, table: u32, tail: bool) {
        let reference = self.indirect_reference(table);
        match self.guess(ty) {
            Some(guess) if !tail => self.guessed_call(guess, ty, reference, |translator| {
                let callee = translator.indirect_callee(ty, reference);
                translator.invoke(&callee, false);
            }),
            _ => {
                let callee = self.indirect_callee(ty, reference);
                self.invoke(&callee, tail);
            }
        }
    }

    /// A constant number of 64 bits.
    pub(super) fn number(&mut self, number: u64) -> Value {
        self.builder.ins().iconst(types::I64, number as i64)
    }

    /// Calls a function of the runtime with the state block and these arguments.
    pub(super) fn builtin(&mut self, offset: u32, args: &[Value], results: usize) -> Option<Value> {
        let block = self.state.block;
        self.runtime_function(offset, Some(block), args, results)
    }

    /// Calls a function that returns nothing of interest, with these arguments alone.
    pub(super) fn c_function(&mut self, offset: u32, args: &[Value]) {
        self.runtime_function(offset, None, args, 0);
    }

    fn runtime_function(
        &mut self,
        offset: u32,
        block: Option<Value>,
        args: &[Value],
        results: usize,
    ) -> Option<Value> {
        let rt = self.nearby(POINTER, self.state.block, VM_RT);
        let builtins = self.nearby(POINTER, rt, RT_BUILTINS);
        let entry = self.nearby(POINTER, builtins, offset);
        let mut all = std::mem::take(&mut self.buffers.values);
        all.clear();
        all.extend(block);
        all.extend_from_slice(args);
        // Numbers of types are far below.
        let key = u32::MAX - (2 * all.len() + results) as u32;
        let signature = match self.buffers.signatures.get(&key) {
            Some(signature) => *signature,
            None => {
                let signature = abi::c_signature(self.isa, all.len(), results);
                self.import_signature(key, signature)
            }
        };
        let call = self.builder.ins().call_indirect(signature, entry, &all);
        self.buffers.values = all;
        self.builder.inst_results(call).first().copied()
    }

    /// Calls the function of the runtime for guests whose deadline has come.
    pub(super) fn deadline(&mut self) {
        // Numbers of types and of other functions of the runtime are others.
        const KEY: u32 = u32::MAX / 2;
        let rt = self.nearby(POINTER, self.state.block, VM_RT);
        let builtins = self.nearby(POINTER, rt, RT_BUILTINS);
        let entry = self.nearby(POINTER, builtins, builtin::DEADLINE);
        let signature = match self.buffers.signatures.get(&KEY) {
            Some(signature) => *signature,
            None => self.import_signature(KEY, Signature::new(CallConv::PreserveAll)),
        };
        self.builder.ins().call_indirect(signature, entry, &[]);
    }

    pub(super) fn builtin_with_result(&mut self, offset: u32, args: &[Value]) -> Value {
        match self.builtin(offset, args, 1) {
            Some(result) => result,
            None => self.number(0),
        }
    }

    /// Calls a function of the runtime that tells whether something was out of bounds.
    pub(super) fn checked_builtin(&mut self, offset: u32, args: &[Value], trap: TrapCode) {
        let status = self.builtin_with_result(offset, args);
        self.trap_if(status, trap);
    }
}
