//! The engine: the core's, with the compiler that this build has.

use std::ops::Deref;

use wharf_component::Component;
use wharf_core::{Artifact, Bytes, Config, Module, Result, Tier};

/// What modules and stores share: configuration, function types, the compiler and the epoch. Clones are the same engine.
///
/// Built with the feature `jit` (the default), an engine compiles hot functions with Cranelift; see [`Config::tier`] and
/// [`Tier`](crate::Tier). Without it, or where the compiler does not support the machine, everything is interpreted.
///
/// ```
/// # fn main() -> wharf::Result<()> {
/// let mut config = wharf::Config::new();
/// config.tier(wharf::Tier::Off);
/// let engine = wharf::Engine::new(&config)?;
/// assert_eq!(engine.tier_stats().compiled, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine(wharf_core::Engine);

impl Engine {
    /// An engine with this configuration.
    ///
    /// # Errors
    /// `Unsupported` for [`Tier::Eager`](crate::Tier::Eager) and [`Tier::Sync`](crate::Tier::Sync) where nothing can be compiled: in builds
    /// without the feature `jit`, and on machines that the compiler does not support.
    pub fn new(config: &Config) -> Result<Engine> {
        compiled::engine(config).map(Engine)
    }

    /// Compiles all functions of a core module, on all cores, and gives the module with its machine code, to be stored and loaded with
    /// [`Artifact::open`]. Functions that the compiler can't compile will be interpreted.
    ///
    /// The artifact is for engines with the configuration of this one, and bears its [mark](Config::artifact_key).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if !cfg!(feature = "jit") { return Ok(()) }
    /// use wharf::{Artifact, Config, Engine, Module};
    ///
    /// let engine = Engine::new(Config::new().artifact_key([7; 32]))?;
    /// let wasm = wat::parse_str("(module (func (export \"f\") (result i32) i32.const 42))")?;
    /// let path = std::env::temp_dir().join(format!("wharf-example-{}", std::process::id()));
    /// std::fs::write(&path, engine.precompile_module(wasm)?)?;
    ///
    /// let artifact = Artifact::open(&engine, &path)?;
    /// let module = Module::new(&engine, artifact.bytes())?;
    /// assert_eq!(engine.tier_stats().loaded, 1);
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the module is not valid; `Unsupported` where nothing can be compiled.
    pub fn precompile_module(&self, bytes: impl Into<Bytes>) -> Result<Vec<u8>> {
        let (engine, bytes) = (self.eager()?, bytes.into());
        let _module = Module::new(&engine, bytes.clone())?;
        Artifact::write(&engine, &bytes)
    }

    /// As [`Engine::precompile_module`], for the core modules of a component.
    ///
    /// # Errors
    /// If the component is not valid; `Unsupported` where nothing can be compiled.
    pub fn precompile_component(&self, bytes: impl Into<Bytes>) -> Result<Vec<u8>> {
        let (engine, bytes) = (self.eager()?, bytes.into());
        let _component = Component::new(&engine, bytes.clone())?;
        Artifact::write(&engine, &bytes)
    }

    /// An engine whose code this engine can use, that compiles everything.
    fn eager(&self) -> Result<Engine> {
        let mut config = self.config().clone();
        config.tier(Tier::Eager).lazy_validation(false);
        Engine::new(&config)
    }
}

impl Default for Engine {
    fn default() -> Engine {
        match Engine::new(&Config::default()) {
            Ok(engine) => engine,
            Err(e) => unreachable!("the default configuration works: {e}"),
        }
    }
}

impl Deref for Engine {
    type Target = wharf_core::Engine;

    fn deref(&self) -> &wharf_core::Engine {
        &self.0
    }
}

impl From<Engine> for wharf_core::Engine {
    fn from(engine: Engine) -> wharf_core::Engine {
        engine.0
    }
}

#[cfg(feature = "jit")]
mod compiled {
    use std::sync::Arc;

    use wharf_core::{Config, Engine, ErrorKind, Result, Tier};

    pub(super) fn engine(config: &Config) -> Result<Engine> {
        if config.get_tier() == Tier::Off {
            return Engine::new(config);
        }
        let made = wharf_jit::Cranelift::new().and_then(|c| Engine::with_compiler(config, Arc::new(c)));
        match made {
            Err(e) if config.get_tier() == Tier::Tiered && matches!(e.kind(), ErrorKind::Unsupported(_)) => {
                Engine::new(config)
            }
            made => made,
        }
    }
}

#[cfg(not(feature = "jit"))]
mod compiled {
    use wharf_core::{Config, Engine, Error, Result, Tier};

    pub(super) fn engine(config: &Config) -> Result<Engine> {
        match config.get_tier() {
            Tier::Off | Tier::Tiered => Engine::new(config),
            _ => Err(Error::unsupported(
                "compiling: this build of Wharf is without the feature `jit`",
            )),
        }
    }
}
