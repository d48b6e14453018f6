//! The modes in which every script is run.

use wharf::{Config, Engine, Tier};

/// Which tiers a script runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The interpreter alone.
    Interpreter,
    /// Machine code alone: all functions are compiled when their module is made.
    Eager,
    /// Both in turns: every function is compiled at its first call, which goes on in the interpreter up to its first loop.
    Mixed,
}

impl Mode {
    /// All modes that this machine has.
    pub fn all() -> Vec<Mode> {
        [Mode::Interpreter, Mode::Eager, Mode::Mixed]
            .into_iter()
            .filter(|mode| Engine::new(&mode.config()).is_ok())
            .collect()
    }

    /// Its name, in front of the names of tests.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Interpreter => "interpreter",
            Mode::Eager => "eager",
            Mode::Mixed => "mixed",
        }
    }

    /// Its name, in tables.
    pub fn title(self) -> &'static str {
        match self {
            Mode::Interpreter => "Interpreter",
            Mode::Eager => "Machine code",
            Mode::Mixed => "Mixed",
        }
    }

    fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Mode::Interpreter => config.tier(Tier::Off),
            Mode::Eager => config.tier(Tier::Eager),
            Mode::Mixed => config.tier(Tier::Sync).sample_interval(1).hot_samples(1),
        };
        config
    }

    /// An engine for the mode.
    ///
    /// # Panics
    /// If this machine does not have it.
    pub fn engine(self) -> wharf::core::Engine {
        match Engine::new(&self.config()) {
            Ok(engine) => engine.into(),
            Err(e) => panic!("no engine for the mode {}: {e}", self.name()),
        }
    }
}
