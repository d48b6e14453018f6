//! One face for the engines that are compared.

use std::path::Path;

use crate::components::{self, is_component};
use crate::instance::Instance;
use crate::modules;
use crate::wasm3::Wasm3;

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
                    false => Box::new(modules::Wharf::new(wasm, &config).map_err(|e| e.to_string())?),
                }
            }
            EngineKind::Wasmtime => match component {
                true => Box::new(components::Wasmtime::new(&wasm, cache).map_err(|e| format!("{e:#}"))?),
                false => Box::new(modules::Wasmtime::new(&wasm, cache).map_err(|e| format!("{e:#}"))?),
            },
            EngineKind::Wasmi | EngineKind::Wasm3 if component => return Err("runs no components".to_owned()),
            EngineKind::Wasmi | EngineKind::Wasm3 if cache.is_some() => return Err("has no cache".to_owned()),
            EngineKind::Wasmi => Box::new(modules::Wasmi::new(&wasm).map_err(|e| e.to_string())?),
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
