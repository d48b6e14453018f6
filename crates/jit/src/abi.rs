//! Types, signatures and trap codes of compiled code.

use cranelift_codegen::{
    ir::{AbiParam, ArgumentPurpose, Signature, TrapCode as Code, Type, types},
    isa::{CallConv, TargetIsa},
};
use wharf_core::{Error, FuncType, Result, TrapCode, ValType, tier::abi::LINKAGE};

/// The type of pointers.
pub(crate) const POINTER: Type = types::I64;
/// The type of vectors, whatever their lanes.
pub(crate) const VECTOR: Type = types::I8X16;

/// The type of Wasm values in compiled code.
pub(crate) fn type_of(ty: ValType) -> Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 | ValType::Ref(_) => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => VECTOR,
    }
}

/// How many slots of the value stack a value takes.
pub(crate) fn slots_of(ty: Type) -> u32 {
    if ty.bytes() > 8 { 2 } else { 1 }
}

/// How many slots of the value stack values of these types take.
pub(crate) fn slots(types: &[ValType]) -> u32 {
    types.iter().map(|t| slots_of(type_of(*t))).sum()
}

/// The slot of the first local variable that is no parameter.
pub(crate) fn first_local_slot(ty: &FuncType) -> u32 {
    slots(ty.params()) + LINKAGE
}

/// The signature of functions of a type in compiled code.
pub(crate) fn signature(ty: &FuncType) -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let state = AbiParam::special(POINTER, ArgumentPurpose::VMContext);
    let called_as = AbiParam::new(types::I64);
    let params = ty.params().iter().map(|t| AbiParam::new(type_of(*t)));
    signature
        .params
        .extend([state, called_as].into_iter().chain(params));
    signature
        .returns
        .extend(ty.results().iter().map(|t| AbiParam::new(type_of(*t))));
    signature
}

/// The signature of a C function of 64-bit numbers.
pub(crate) fn c_signature(isa: &dyn TargetIsa, params: usize, results: usize) -> Signature {
    let mut signature = Signature::new(isa.default_call_conv());
    signature.params.resize(params, AbiParam::new(types::I64));
    signature.returns.resize(results, AbiParam::new(types::I64));
    signature
}

/// The traps that Cranelift has no code of its own for; their places are their codes.
const OWN: [TrapCode; 6] = [
    TrapCode::Unreachable,
    TrapCode::TableOutOfBounds,
    TrapCode::UndefinedElement,
    TrapCode::IndirectCallToNull,
    TrapCode::BadSignature,
    TrapCode::NullReference,
];

/// Cranelift's code for a trap.
pub(crate) const fn trap_code(trap: TrapCode) -> Code {
    match trap {
        TrapCode::MemoryOutOfBounds => return Code::HEAP_OUT_OF_BOUNDS,
        TrapCode::StackOverflow => return Code::STACK_OVERFLOW,
        TrapCode::IntegerOverflow => return Code::INTEGER_OVERFLOW,
        TrapCode::IntegerDivisionByZero => return Code::INTEGER_DIVISION_BY_ZERO,
        TrapCode::BadConversionToInteger => return Code::BAD_CONVERSION_TO_INTEGER,
        _ => {}
    }
    let mut place = 0;
    while place < OWN.len() {
        if OWN[place] as u8 == trap as u8 {
            break;
        }
        place += 1;
    }
    Code::unwrap_user(place as u8 + 1)
}

/// The trap that a code of Cranelift's stands for.
pub(crate) fn trap_of(code: Code) -> Result<TrapCode> {
    Ok(match code {
        Code::HEAP_OUT_OF_BOUNDS => TrapCode::MemoryOutOfBounds,
        Code::STACK_OVERFLOW => TrapCode::StackOverflow,
        Code::INTEGER_OVERFLOW => TrapCode::IntegerOverflow,
        Code::INTEGER_DIVISION_BY_ZERO => TrapCode::IntegerDivisionByZero,
        Code::BAD_CONVERSION_TO_INTEGER => TrapCode::BadConversionToInteger,
        code => {
            let place = usize::from(code.as_raw().get()) - 1;
            let own = OWN.get(place).copied();
            own.ok_or_else(|| Error::unsupported(format!("code with the trap {code}")))?
        }
    })
}
