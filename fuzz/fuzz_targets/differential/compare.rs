//! Runs one module on both engines.

use std::hash::{DefaultHasher, Hasher};

use wharf_core::ErrorKind;

/// What a step on one engine came to.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// Numbers only; references are compared by being null.
    Values(Vec<Value>),
    Trap(&'static str),
    /// The engine ran into one of its own limits; nothing to compare from here on.
    Limit,
}

#[derive(Clone, Debug, PartialEq)]
enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    Ref { null: bool },
}

/// Runs every exported function once on each engine, in the same order, and compares what can be seen.
///
/// # Panics
/// If the engines differ: that is what the fuzzer looks for.
pub fn compare(wasm: &[u8]) {
    let Some(mut wasmi) = Wasmi::new(wasm) else { return };
    let Some(mut wharf) = Wharf::new(wasm) else {
        panic!("wasmi takes the module, wharf refuses it");
    };
    match (wasmi.instantiate(), wharf.instantiate()) {
        (Outcome::Values(_), Outcome::Values(_)) => {}
        (Outcome::Limit, _) | (_, Outcome::Limit) => return,
        (a, b) => {
            assert_eq!(a, b, "instantiation differs");
            return;
        }
    }
    for name in wasmi.functions() {
        let (a, b) = (wasmi.call(&name), wharf.call(&name));
        if a == Outcome::Limit || b == Outcome::Limit {
            return;
        }
        assert_eq!(a, b, "wasmi (left) and wharf (right) differ in {name}");
        assert_eq!(wasmi.state(), wharf.state(), "wasmi (left) and wharf (right) differ in memory or globals after {name}");
    }
}

/// Memories as hashes and globals as values, by export name.
type State = Vec<(String, Result<u64, Value>)>;

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

struct Wasmi {
    module: wasmi::Module,
    store: wasmi::Store<()>,
    instance: Option<wasmi::Instance>,
}

fn wasmi_trap(error: &wasmi::Error) -> Outcome {
    use wasmi::TrapCode::*;
    Outcome::Trap(match error.as_trap_code() {
        Some(UnreachableCodeReached) => "unreachable",
        Some(MemoryOutOfBounds) => "memory",
        Some(TableOutOfBounds) => "table",
        Some(IndirectCallToNull) => "null call",
        Some(IntegerDivisionByZero) => "division by zero",
        Some(IntegerOverflow) => "integer overflow",
        Some(BadConversionToInteger) => "conversion",
        Some(BadSignature) => "signature",
        _ => return Outcome::Limit,
    })
}

fn wasmi_value(val: &wasmi::Val) -> Value {
    match val {
        wasmi::Val::I32(v) => Value::I32(*v),
        wasmi::Val::I64(v) => Value::I64(*v),
        wasmi::Val::F32(v) => Value::F32(v.to_bits()),
        wasmi::Val::F64(v) => Value::F64(v.to_bits()),
        wasmi::Val::V128(v) => Value::V128(v.as_u128()),
        wasmi::Val::FuncRef(r) => Value::Ref { null: r.is_null() },
        wasmi::Val::ExternRef(r) => Value::Ref { null: r.is_null() },
    }
}

impl Wasmi {
    fn new(wasm: &[u8]) -> Option<Wasmi> {
        let mut config = wasmi::Config::default();
        config.wasm_custom_page_sizes(false);
        let engine = wasmi::Engine::new(&config);
        let module = wasmi::Module::new(&engine, wasm).ok()?;
        let store = wasmi::Store::new(&engine, ());
        Some(Wasmi { module, store, instance: None })
    }

    fn instantiate(&mut self) -> Outcome {
        let linker = wasmi::Linker::new(self.module.engine());
        match linker.instantiate_and_start(&mut self.store, &self.module) {
            Ok(instance) => {
                self.instance = Some(instance);
                Outcome::Values(Vec::new())
            }
            Err(e) => wasmi_trap(&e),
        }
    }

    fn functions(&self) -> Vec<String> {
        self.module
            .exports()
            .filter(|e| matches!(e.ty(), wasmi::ExternType::Func(_)))
            .map(|e| e.name().to_string())
            .collect()
    }

    fn call(&mut self, name: &str) -> Outcome {
        let Some(func) = self.instance.and_then(|i| i.get_func(&self.store, name)) else { return Outcome::Limit };
        let ty = func.ty(&self.store);
        let args: Vec<wasmi::Val> = ty.params().iter().map(|t| wasmi::Val::default_for_ty(*t)).collect();
        let mut results: Vec<wasmi::Val> = ty.results().iter().map(|t| wasmi::Val::default_for_ty(*t)).collect();
        match func.call(&mut self.store, &args, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(wasmi_value).collect()),
            Err(e) => wasmi_trap(&e),
        }
    }

    fn state(&self) -> State {
        let Some(instance) = self.instance else { return State::new() };
        let mut state = State::new();
        for export in instance.exports(&self.store) {
            let name = export.name().to_string();
            match export.into_extern() {
                wasmi::Extern::Memory(m) => state.push((name, Ok(hash(m.data(&self.store))))),
                wasmi::Extern::Global(g) => state.push((name, Err(wasmi_value(&g.get(&self.store))))),
                _ => {}
            }
        }
        state.sort_by(|a, b| a.0.cmp(&b.0));
        state
    }
}

struct Wharf {
    module: wharf_core::Module,
    store: wharf_core::Store,
    instance: Option<wharf_core::Instance>,
}

fn wharf_trap(error: &wharf_core::Error) -> Outcome {
    use wharf_core::TrapCode::*;
    let ErrorKind::Trap(code) = error.kind() else { return Outcome::Limit };
    Outcome::Trap(match code {
        Unreachable => "unreachable",
        MemoryOutOfBounds => "memory",
        // wasmi has one code for both.
        TableOutOfBounds | UndefinedElement => "table",
        IndirectCallToNull => "null call",
        IntegerDivisionByZero => "division by zero",
        IntegerOverflow => "integer overflow",
        BadConversionToInteger => "conversion",
        BadSignature => "signature",
        _ => return Outcome::Limit,
    })
}

fn wharf_value(val: &wharf_core::Val) -> Value {
    match val {
        wharf_core::Val::I32(v) => Value::I32(*v),
        wharf_core::Val::I64(v) => Value::I64(*v),
        wharf_core::Val::F32(v) => Value::F32(*v),
        wharf_core::Val::F64(v) => Value::F64(*v),
        wharf_core::Val::V128(v) => Value::V128(*v),
        wharf_core::Val::FuncRef(r) => Value::Ref { null: r.is_none() },
        wharf_core::Val::ExternRef(r) => Value::Ref { null: r.is_none() },
    }
}

impl Wharf {
    fn new(wasm: &[u8]) -> Option<Wharf> {
        let engine = wharf_core::Engine::default();
        let module = wharf_core::Module::new(&engine, wasm.to_vec()).ok()?;
        let store = wharf_core::Store::new(&engine, Box::new(()));
        Some(Wharf { module, store, instance: None })
    }

    fn instantiate(&mut self) -> Outcome {
        match wharf_core::Instance::new(&mut self.store, &self.module, &[]) {
            Ok(instance) => {
                self.instance = Some(instance);
                Outcome::Values(Vec::new())
            }
            Err(e) => wharf_trap(&e),
        }
    }

    fn call(&mut self, name: &str) -> Outcome {
        let store = &mut self.store;
        let Some(wharf_core::Extern::Func(func)) = self.instance.and_then(|i| i.get_export(store, name)) else {
            panic!("{name} is not exported");
        };
        let ty = func.ty(store);
        let args: Vec<wharf_core::Val> = ty.params().iter().map(zero).collect();
        let mut results: Vec<wharf_core::Val> = ty.results().iter().map(zero).collect();
        match func.call(store, &args, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(wharf_value).collect()),
            Err(e) => wharf_trap(&e),
        }
    }

    fn state(&mut self) -> State {
        let Some(instance) = self.instance else { return State::new() };
        let names: Vec<String> = self.module.exports().map(|e| e.name.to_string()).collect();
        let mut state = State::new();
        for name in names {
            match instance.get_export(&mut self.store, &name) {
                Some(wharf_core::Extern::Memory(m)) => state.push((name, Ok(hash(m.data(&self.store))))),
                Some(wharf_core::Extern::Global(g)) => {
                    state.push((name, Err(wharf_value(&g.get(&self.store)))));
                }
                _ => {}
            }
        }
        state.sort_by(|a, b| a.0.cmp(&b.0));
        state
    }
}

/// The default value of a type, as wasmi's side uses it.
fn zero(ty: &wharf_core::ValType) -> wharf_core::Val {
    match ty {
        wharf_core::ValType::I32 => wharf_core::Val::I32(0),
        wharf_core::ValType::I64 => wharf_core::Val::I64(0),
        wharf_core::ValType::F32 => wharf_core::Val::F32(0),
        wharf_core::ValType::F64 => wharf_core::Val::F64(0),
        wharf_core::ValType::V128 => wharf_core::Val::V128(0),
        wharf_core::ValType::Ref(r) if r.heap == wharf_core::HeapType::Extern => wharf_core::Val::ExternRef(None),
        wharf_core::ValType::Ref(_) => wharf_core::Val::FuncRef(None),
    }
}
