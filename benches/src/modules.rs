//! Core modules without imports on the engines that run in this process.

use std::path::Path;

use crate::instance::Instance;
use crate::wasmtime_engine::wasmtime_engine;

/// A module in Wharf.
pub(crate) struct Wharf {
    store: wharf::Store<()>,
    instance: wharf::Instance,
}

impl Wharf {
    pub(crate) fn new(wasm: Vec<u8>, config: &wharf::Config) -> wharf::Result<Wharf> {
        let engine = wharf::Engine::new(config)?;
        let module = wharf::Module::new(&engine, wasm)?;
        let mut store = wharf::Store::new(&engine, ());
        let instance = wharf::Linker::new(&engine).instantiate(&mut store, &module)?;
        Ok(Wharf { store, instance })
    }
}

impl Instance for Wharf {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let func = self
            .instance
            .get_func(&self.store, export)
            .expect("the export is there");
        let args: Vec<_> = args.iter().map(|a| wharf::Val::I32(*a)).collect();
        let mut results = [wharf::Val::I64(0)];
        func.call(&mut self.store, &args, &mut results)
            .expect("the call succeeds on wharf");
        match results[0] {
            wharf::Val::I64(v) => v,
            ref other => panic!("unexpected result {other:?}"),
        }
    }
}

/// A module in wasmi.
pub(crate) struct Wasmi {
    store: wasmi::Store<()>,
    instance: wasmi::Instance,
}

impl Wasmi {
    pub(crate) fn new(wasm: &[u8]) -> Result<Wasmi, wasmi::Error> {
        let engine = wasmi::Engine::default();
        let module = wasmi::Module::new(&engine, wasm)?;
        let mut store = wasmi::Store::new(&engine, ());
        let instance = wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module)?;
        Ok(Wasmi { store, instance })
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

/// A module in Wasmtime.
pub(crate) struct Wasmtime {
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
}

impl Wasmtime {
    pub(crate) fn new(wasm: &[u8], cache: Option<&Path>) -> wasmtime::Result<Wasmtime> {
        let engine = wasmtime_engine(cache)?;
        let module = wasmtime::Module::new(&engine, wasm)?;
        let mut store = wasmtime::Store::new(&engine, ());
        let instance = wasmtime::Instance::new(&mut store, &module, &[])?;
        Ok(Wasmtime { store, instance })
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
