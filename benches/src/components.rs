//! Components on the engines that run them, with WASI hosts that grant nothing: what a guest prints goes nowhere.

use std::path::Path;

use crate::instance::Instance;
use crate::wasmtime_engine::wasmtime_engine;

/// Whether these are the bytes of a component.
pub fn is_component(wasm: &[u8]) -> bool {
    wasm.starts_with(b"\0asm") && wasm.get(6..8) == Some(&[1, 0])
}

/// The arguments of an exported function: they are declared as `i32`s for the modules' sake.
fn rounds(args: &[i32]) -> (u32,) {
    match args {
        [rounds] => (rounds.cast_unsigned(),),
        _ => panic!("a component's function takes one argument"),
    }
}

struct WharfHost {
    ctx: wharf_wasi::WasiCtx,
    table: wharf::component::ResourceTable,
}

impl wharf_wasi::WasiView for WharfHost {
    fn ctx(&mut self) -> wharf_wasi::WasiCtxView<'_> {
        wharf_wasi::WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// A component in Wharf.
pub(crate) struct Wharf {
    store: wharf::Store<WharfHost>,
    instance: wharf::component::Instance,
}

impl Wharf {
    pub(crate) fn new(wasm: Vec<u8>, config: &wharf::Config) -> wharf::Result<Wharf> {
        let engine = wharf::Engine::new(config)?;
        let component = wharf::component::Component::new(&engine, wasm)?;
        let mut linker = wharf::component::Linker::new(&engine);
        wharf_wasi::p2::add_to_linker(&mut linker)?;
        let host = WharfHost {
            ctx: wharf_wasi::WasiCtx::builder().build(),
            table: wharf::component::ResourceTable::new(),
        };
        let mut store = wharf::Store::new(&engine, host);
        let instance = linker.instantiate(&mut store, &component)?;
        Ok(Wharf { store, instance })
    }
}

impl Instance for Wharf {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let func = self
            .instance
            .get_typed_func::<(u32,), (i64,)>(&mut self.store, export)
            .expect("the export is there");
        let (result,) = func
            .call(&mut self.store, rounds(args))
            .expect("the call succeeds on wharf");
        result
    }
}

struct WasmtimeHost {
    ctx: wasmtime_wasi::WasiCtx,
    table: wasmtime_wasi::ResourceTable,
}

impl wasmtime_wasi::WasiView for WasmtimeHost {
    fn ctx(&mut self) -> wasmtime_wasi::WasiCtxView<'_> {
        wasmtime_wasi::WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// A component in Wasmtime.
pub(crate) struct Wasmtime {
    store: wasmtime::Store<WasmtimeHost>,
    instance: wasmtime::component::Instance,
}

impl Wasmtime {
    pub(crate) fn new(wasm: &[u8], cache: Option<&Path>) -> wasmtime::Result<Wasmtime> {
        let engine = wasmtime_engine(cache)?;
        let component = wasmtime::component::Component::new(&engine, wasm)?;
        let mut linker = wasmtime::component::Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        let host = WasmtimeHost {
            ctx: wasmtime_wasi::WasiCtx::builder().build(),
            table: wasmtime_wasi::ResourceTable::new(),
        };
        let mut store = wasmtime::Store::new(&engine, host);
        let instance = linker.instantiate(&mut store, &component)?;
        Ok(Wasmtime { store, instance })
    }
}

impl Instance for Wasmtime {
    fn call(&mut self, export: &str, args: &[i32]) -> i64 {
        let func = self
            .instance
            .get_typed_func::<(u32,), (i64,)>(&mut self.store, export)
            .expect("the export is there");
        let (result,) = func
            .call(&mut self.store, rounds(args))
            .expect("the call succeeds on wasmtime");
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_told_from_modules() {
        assert!(is_component(&wat::parse_str("(component)").unwrap()));
        assert!(!is_component(&wat::parse_str("(module)").unwrap()));
        assert!(!is_component(b"\0asm"));
    }

    /// A component of which both engines must give the same.
    const DOUBLE: &str = r#"(component
        (core module $m (func (export "double") (param i32) (result i64)
            (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const -2))))
        (core instance $i (instantiate $m))
        (func (export "double") (param "n" u32) (result s64) (canon lift (core func $i "double"))))"#;

    #[test]
    fn both_engines_call_a_component() {
        let wasm = wat::parse_str(DOUBLE).unwrap();
        let mut wharf = Wharf::new(wasm.clone(), &wharf::Config::new()).unwrap();
        let mut wasmtime = Wasmtime::new(&wasm, None).unwrap();
        assert_eq!(wharf.call("double", &[21]), -42);
        assert_eq!(wasmtime.call("double", &[21]), -42);
        assert_eq!(wharf.call("double", &[-1]), wasmtime.call("double", &[-1]));
    }
}
