//! One face for the engines that are compared.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::components::{self, is_component};
use crate::wasm3::Wasm3;

/// A module or component that one engine has made ready to call.
pub trait Instance {
    /// Calls an export that takes `i32`s and gives an `i64`; of a component, one that takes a `u32` and gives an `s64`.
    ///
    /// # Panics
    /// If there is no such export, or the call fails: a benchmark has no use for errors.
    fn call(&mut self, export: &str, args: &[i32]) -> i64;

    /// As [`Instance::call`], with the time that the call took; nothing if the engine can't run the program, which
    /// only wasm3 is allowed.
    fn timed(&mut self, export: &str, args: &[i32]) -> Option<(i64, Duration)> {
        let start = Instant::now();
        let result = self.call(export, args);
        Some((result, start.elapsed()))
    }
}

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Wharf in its default configuration.
    Wharf,
    /// Wharf without its compiler.
    WharfInterpreter,
    /// Wasmtime's compiler, with its default optimisations.
    Wasmtime,
    /// wasmi's interpreter.
    Wasmi,
    /// wasm3's interpreter, if `benches/wasm3/build.sh` has been run.
    Wasm3,
}

/// The engines of the interpreter's table: Wharf's interpreter first.
pub const INTERPRETERS: [EngineKind; 3] = [
    EngineKind::WharfInterpreter,
    EngineKind::Wasmi,
    EngineKind::Wasmtime,
];

/// All engines, Wharf first.
pub const ENGINES: [EngineKind; 5] = [
    EngineKind::Wharf,
    EngineKind::WharfInterpreter,
    EngineKind::Wasmtime,
    EngineKind::Wasmi,
    EngineKind::Wasm3,
];

impl EngineKind {
    /// The engine's name on the command line and in criterion's reports.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Wharf => "wharf",
            EngineKind::WharfInterpreter => "interpreter",
            EngineKind::Wasmtime => "wasmtime",
            EngineKind::Wasmi => "wasmi",
            EngineKind::Wasm3 => "wasm3",
        }
    }

    /// The engine of this name.
    pub fn named(name: &str) -> Option<EngineKind> {
        ENGINES.into_iter().find(|e| e.name() == name)
    }

    /// Whether calls become faster for a while, as code that is hot gets compiled in the background.
    pub fn warms_up(self) -> bool {
        self == EngineKind::Wharf
    }

    /// Whether it can't run every program: wasm3 and, with its default features, wasmi have no SIMD, and neither runs
    /// components.
    pub fn may_fail(self) -> bool {
        matches!(self, EngineKind::Wasmi | EngineKind::Wasm3)
    }

    /// Compiles (or whatever the engine does first) and instantiates a module without imports, or a component that
    /// imports WASI 0.2 at most.
    ///
    /// # Panics
    /// If the engine refuses the module.
    pub fn instantiate(self, wasm: &[u8]) -> Box<dyn Instance> {
        self.try_instantiate(wasm.to_vec(), None)
            .unwrap_or_else(|e| panic!("{}: {e}", self.name()))
    }

    /// As [`EngineKind::instantiate`]; with a folder, the engine keeps compiled code there.
    ///
    /// # Errors
    /// What the engine says when it refuses the module or component, or that it has no such cache.
    pub fn try_instantiate(self, wasm: Vec<u8>, cache: Option<&Path>) -> Result<Box<dyn Instance>, String> {
        let component = is_component(&wasm);
        Ok(match self {
            EngineKind::Wharf | EngineKind::WharfInterpreter => {
                let config = wharf_config(self == EngineKind::Wharf, cache);
                match component {
                    true => Box::new(components::Wharf::new(wasm, &config).map_err(|e| e.to_string())?),
                    false => Box::new(Wharf::new(wasm, &config).map_err(|e| e.to_string())?),
                }
            }
            EngineKind::Wasmtime => match component {
                true => Box::new(components::Wasmtime::new(&wasm, cache).map_err(|e| format!("{e:#}"))?),
                false => Box::new(Wasmtime::new(&wasm, cache).map_err(|e| format!("{e:#}"))?),
            },
            EngineKind::Wasmi | EngineKind::Wasm3 if component => return Err("runs no components".to_owned()),
            EngineKind::Wasmi | EngineKind::Wasm3 if cache.is_some() => return Err("has no cache".to_owned()),
            EngineKind::Wasmi => Box::new(Wasmi::new(&wasm).map_err(|e| e.to_string())?),
            EngineKind::Wasm3 => Box::new(Wasm3::new(&wasm)?),
        })
    }
}

/// Wharf's configuration: its default, or the interpreter alone.
fn wharf_config(compiler: bool, cache: Option<&Path>) -> wharf::Config {
    let mut config = wharf::Config::new();
    if !compiler {
        config.tier(wharf::Tier::Off);
    }
    if let Some(folder) = cache {
        config.cache_dir(folder);
    }
    config
}

/// Wasmtime's engine in its default configuration; with a folder, it keeps compiled code there.
pub(crate) fn wasmtime_engine(cache: Option<&Path>) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    if let Some(folder) = cache {
        let mut settings = wasmtime::CacheConfig::new();
        settings.with_directory(folder);
        config.cache(Some(wasmtime::Cache::new(settings)?));
    }
    wasmtime::Engine::new(&config)
}

struct Wharf {
    store: wharf::Store<()>,
    instance: wharf::Instance,
}

impl Wharf {
    fn new(wasm: Vec<u8>, config: &wharf::Config) -> wharf::Result<Wharf> {
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

struct Wasmi {
    store: wasmi::Store<()>,
    instance: wasmi::Instance,
}

impl Wasmi {
    fn new(wasm: &[u8]) -> Result<Wasmi, wasmi::Error> {
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

struct Wasmtime {
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
}

impl Wasmtime {
    fn new(wasm: &[u8], cache: Option<&Path>) -> wasmtime::Result<Wasmtime> {
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
