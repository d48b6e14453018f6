//! The crossings between the interpreter, whose values are in slots of the value stack, and compiled code.

use cranelift_codegen::{
    ir::{Endianness, Function, InstBuilder, MemFlagsData, Signature, Type, Value, types},
    isa::TargetIsa,
};
use cranelift_frontend::FunctionBuilder;
use wharf_core::{FuncType, tier::abi::*};

use crate::{
    abi::{self, POINTER, slots, slots_of, type_of},
    emit::Workspace,
};

/// Slots are aligned to 8 bytes, which is too little for vectors.
const SLOT: MemFlagsData = MemFlagsData::new()
    .with_notrap()
    .with_endianness(Endianness::Little);

/// `(code, state block, slots, called as)`: calls compiled code with the parameters in the slots, and leaves the results there.
pub(crate) fn entry(isa: &dyn TargetIsa, ty: &FuncType, workspace: &mut Workspace) {
    let (mut stub, params) = Stub::new(abi::c_signature(isa, 4, 0), workspace);
    let [code, state, base, called_as] = params[..] else {
        return;
    };
    let mut args = vec![state, called_as];
    let mut slot = 0;
    for ty in ty.params() {
        args.push(stub.load(type_of(*ty), base, &mut slot));
    }
    let signature = stub.builder.import_signature(abi::signature(ty));
    let call = stub.builder.ins().call_indirect(signature, code, &args);
    let results = stub.builder.inst_results(call).to_vec();
    let mut slot = 0;
    for value in results {
        stub.store(value, base, &mut slot);
    }
    stub.builder.ins().return_(&[]);
    stub.builder.finalize(isa.frontend_config());
}

/// Takes the place of compiled code: passes the parameters to the runtime, which calls the function that is meant.
pub(crate) fn exit(isa: &dyn TargetIsa, ty: &FuncType, workspace: &mut Workspace) {
    let (mut stub, params) = Stub::new(abi::signature(ty), workspace);
    let constant = MemFlagsData::trusted().with_readonly();
    let ins = |stub: &mut Stub<'_>, base, offset: u32, flags| {
        stub.builder.ins().load(POINTER, flags, base, offset as i32)
    };
    let rt = ins(&mut stub, params[0], VM_RT, constant);
    let base = ins(&mut stub, rt, RT_STACK_TOP, MemFlagsData::trusted());
    let builtins = ins(&mut stub, rt, RT_BUILTINS, constant);
    let call_out = ins(&mut stub, builtins, builtin::CALL_OUT, constant);
    let mut slot = 0;
    for value in &params[2..] {
        stub.store(*value, base, &mut slot);
    }
    let counts = u64::from(slots(ty.params())) | u64::from(slots(ty.results())) << 32;
    let counts = stub.builder.ins().iconst(types::I64, counts as i64);
    let frame = stub.builder.ins().get_frame_pointer(POINTER);
    let signature = stub.builder.import_signature(abi::c_signature(isa, 6, 0));
    let args = [rt, base, frame, counts, params[0], params[1]];
    stub.builder.ins().call_indirect(signature, call_out, &args);
    let mut slot = 0;
    let mut results = Vec::with_capacity(ty.results().len());
    for ty in ty.results() {
        results.push(stub.load(type_of(*ty), base, &mut slot));
    }
    stub.builder.ins().return_(&results);
    stub.builder.finalize(isa.frontend_config());
}

struct Stub<'a> {
    builder: FunctionBuilder<'a>,
}

impl<'a> Stub<'a> {
    fn new(signature: Signature, workspace: &'a mut Workspace) -> (Stub<'a>, Vec<Value>) {
        let func: &mut Function = &mut workspace.context.func;
        func.signature = signature;
        let mut builder = FunctionBuilder::new(func, &mut workspace.builder);
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        builder.seal_block(block);
        let params = builder.block_params(block).to_vec();
        (Stub { builder }, params)
    }

    fn load(&mut self, ty: Type, base: Value, slot: &mut u32) -> Value {
        let offset = (*slot * 8) as i32;
        *slot += slots_of(ty);
        self.builder.ins().load(ty, SLOT, base, offset)
    }

    fn store(&mut self, value: Value, base: Value, slot: &mut u32) {
        let offset = (*slot * 8) as i32;
        let ty = self.builder.func.dfg.value_type(value);
        *slot += slots_of(ty);
        let value = match ty {
            types::F32 => self.builder.ins().bitcast(types::I32, MemFlagsData::new(), value),
            _ => value,
        };
        let value = match ty.bytes() {
            4 => self.builder.ins().uextend(types::I64, value),
            _ => value,
        };
        self.builder.ins().store(SLOT, value, base, offset);
    }
}
