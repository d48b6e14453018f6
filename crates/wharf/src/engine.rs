//! The engine: the core's, with the compiler that this build has.

use std::ops::Deref;

use wharf_core::{Config, Result};

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
