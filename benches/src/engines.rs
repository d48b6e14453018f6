//! One face for the engines that are compared.

/// A module that one engine has made ready to call.
pub trait Instance {
    /// Calls an export that takes `i32`s and gives an `i64`.
    ///
    /// # Panics
    /// If there is no such export, or the call fails: a benchmark has no use for errors.
    fn call(&mut self, export: &str, args: &[i32]) -> i64;
}

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Wharf's interpreter.
    Wharf,
    /// wasmi's interpreter.
    Wasmi,
    /// Wasmtime's compiler, with its default optimisations.
    Wasmtime,
}

/// All engines, Wharf first.
pub const ENGINES: [EngineKind; 3] = [EngineKind::Wharf, EngineKind::Wasmi, EngineKind::Wasmtime];

impl EngineKind {
    /// The engine's name, in tables.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Wharf => "wharf",
            EngineKind::Wasmi => "wasmi",
            EngineKind::Wasmtime => "wasmtime",
        }
    }

    /// Compiles (or whatever the engine does first) and instantiates a module without imports.
    ///
    /// # Panics
    /// If the engine refuses the module.
    pub fn instantiate(self, wasm: &[u8]) -> Box<dyn Instance> {
        match self {
            EngineKind::Wharf => Box::new(Wharf::new(wasm)),
            EngineKind::Wasmi => Box::new(Wasmi::new(wasm)),
            EngineKind::Wasmtime => Box::new(Wasmtime::new(wasm)),
        }
    }
}

struct Wharf {
    store: wharf_core::Store,
    instance: wharf_core::Instance,
}

impl Wharf {
    fn new(wasm: &[u8]) -> Wharf {
        let engine = wharf_core::Engine::default();
        let module = wharf_core::Module::new(&engine, wasm.to_vec()).expect("wharf takes the module");
        let mut store = wharf_core::Store::new(&engine, Box::new(()));
        let instance = wharf_core::Instance::new(&mut store, &module, &[]).expect("wharf instantiates it");
        Wharf { store, instance }
    }
}

impl Instance for Wharf {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let Some(wharf_core::Extern::Func(func)) = self.instance.get_export(&mut self.store, export) else {
            panic!("no export {export}");
        };
        let args: Vec<_> = args.iter().map(|a| wharf_core::Val::I32(*a)).collect();
        let mut results = [wharf_core::Val::I64(0)];
        func.call(&mut self.store, &args, &mut results)
            .expect("the call succeeds on wharf");
        match results[0] {
            wharf_core::Val::I64(v) => v,
            ref other => panic!("unexpected result {other:?}"),
        }
    }
}

struct Wasmi {
    store: wasmi::Store<()>,
    instance: wasmi::Instance,
}

impl Wasmi {
    fn new(wasm: &[u8]) -> Wasmi {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, wasm).expect("wasmi takes the module");
        let mut store = wasmi::Store::new(&engine, ());
        let instance = wasmi::Linker::new(&engine)
            .instantiate_and_start(&mut store, &module)
            .expect("wasmi instantiates it");
        Wasmi { store, instance }
    }
}

impl Instance for Wasmi {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let func = self
            .instance
            .get_func(&self.store, export)
            .expect("the export is there");
        let args: Vec<_> = args.iter().map(|a| wasmi::Val::I32(*a)).collect();
        let mut results = [wasmi::Val::I64(0)];
        func.call(&mut self.store, &args, &mut results)
            .expect("the call succeeds on wasmi");
        results[0].i64().expect("an i64")
    }
}

struct Wasmtime {
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
}

impl Wasmtime {
    fn new(wasm: &[u8]) -> Wasmtime {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, wasm).expect("wasmtime takes the module");
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("wasmtime instantiates it");
        Wasmtime { store, instance }
    }
}

impl Instance for Wasmtime {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let func = self
            .instance
            .get_func(&mut self.store, export)
            .expect("the export is there");
        let args: Vec<_> = args.iter().map(|a| wasmtime::Val::I32(*a)).collect();
        let mut results = [wasmtime::Val::I64(0)];
        func.call(&mut self.store, &args, &mut results)
            .expect("the call succeeds on wasmtime");
        results[0].unwrap_i64()
    }
}
