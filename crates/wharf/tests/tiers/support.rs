//! Engines in every mode, guests in them, and outcomes that can be compared.

use std::fmt::Write;

use wharf::core::{Engine, Extern, Func, Instance, Module, Store};
use wharf::{Config, Error, Result, Tier, TierStats, TrapCode, Val};

/// Which functions are machine code, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// None.
    Interpreter,
    /// All.
    Eager,
    /// Those with odd indices.
    Odd,
    /// Those with even indices.
    Even,
    /// Each from its second call on, and from the next loop header of its first one.
    Sync,
    /// As `Sync`, of those with odd indices.
    SyncOdd,
    /// As `Sync`, but seldom.
    SyncLate,
}

/// All modes, the one that the others are compared with first.
pub const MODES: [Mode; 7] = [
    Mode::Interpreter,
    Mode::Eager,
    Mode::Odd,
    Mode::Even,
    Mode::Sync,
    Mode::SyncOdd,
    Mode::SyncLate,
];

fn odd(func: u32) -> bool {
    func % 2 == 1
}

fn even(func: u32) -> bool {
    func.is_multiple_of(2)
}

impl Mode {
    pub fn config(self) -> Config {
        let mut config = Config::new();
        match self {
            Mode::Interpreter => config.tier(Tier::Off),
            Mode::Eager => config.tier(Tier::Eager),
            Mode::Odd => config.tier(Tier::Eager).compile_filter(odd),
            Mode::Even => config.tier(Tier::Eager).compile_filter(even),
            Mode::Sync => config.tier(Tier::Sync).sample_interval(1).hot_samples(1),
            Mode::SyncOdd => config
                .tier(Tier::Sync)
                .sample_interval(1)
                .hot_samples(1)
                .compile_filter(odd),
            Mode::SyncLate => config.tier(Tier::Sync).sample_interval(17).hot_samples(2),
        };
        config
    }

    pub fn engine(self) -> Engine {
        engine(&self.config())
    }
}

pub fn engine(config: &Config) -> Engine {
    wharf::Engine::new(config)
        .expect("this machine has machine code")
        .into()
}

/// Runs something in every mode, and says in which one it failed.
pub fn in_every_mode(mut test: impl FnMut(Mode)) {
    for mode in MODES {
        eprintln!("mode {mode:?}");
        test(mode);
    }
}

/// An instance with its store.
pub struct Guest {
    pub store: Store,
    pub instance: Instance,
}

impl Guest {
    pub fn new(mode: Mode, wat: &str) -> Guest {
        Guest::with_imports(&mode.engine(), wat, |_| Vec::new())
    }

    pub fn with_imports(
        engine: &Engine,
        wat: &str,
        imports: impl FnOnce(&mut Store) -> Vec<Extern>,
    ) -> Guest {
        let module = module(engine, wat);
        let mut store = Store::new(engine, Box::new(()));
        let imports = imports(&mut store);
        let instance = Instance::new(&mut store, &module, &imports).expect("it instantiates");
        Guest { store, instance }
    }

    pub fn func(&self, name: &str) -> Func {
        let func = self.instance.get_func(&self.store, name);
        func.unwrap_or_else(|| panic!("no export {name}"))
    }

    pub fn call(&mut self, name: &str, params: &[Val]) -> Result<Vec<Val>> {
        let func = self.func(name);
        call(&mut self.store, func, params)
    }

    /// Calls a function from integers to one `i32`.
    pub fn i32(&mut self, name: &str, params: &[i32]) -> Result<i32> {
        let params: Vec<Val> = params.iter().map(|p| Val::I32(*p)).collect();
        match self.call(name, &params)?[..] {
            [Val::I32(result)] => Ok(result),
            ref other => panic!("results of {name}: {other:?}"),
        }
    }

    /// Calls a function from integers to one `i64`.
    pub fn i64(&mut self, name: &str, params: &[i64]) -> Result<i64> {
        let params: Vec<Val> = params.iter().map(|p| Val::I64(*p)).collect();
        match self.call(name, &params)?[..] {
            [Val::I64(result)] => Ok(result),
            ref other => panic!("results of {name}: {other:?}"),
        }
    }

    pub fn stats(&self) -> TierStats {
        self.store.engine().tier_stats()
    }
}

pub fn module(engine: &Engine, wat: &str) -> Module {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    Module::new(engine, wasm).expect("the module is valid")
}

pub fn call(store: &mut Store, func: Func, params: &[Val]) -> Result<Vec<Val>> {
    let mut results: Vec<Val> = func
        .ty(store)
        .results()
        .iter()
        .map(|t| Val::default_for(*t))
        .collect();
    func.call(store, params, &mut results)?;
    Ok(results)
}

/// What a call came to, in words: values (references by being null), or the error with its backtrace.
pub fn outcome(result: &Result<Vec<Val>>) -> String {
    match result {
        Ok(values) => values.iter().fold(String::new(), |mut text, value| {
            let _ = match value {
                Val::FuncRef(f) => write!(text, "func:{} ", f.is_some()),
                Val::ExternRef(e) => write!(text, "extern:{} ", e.is_some()),
                number => write!(text, "{number:?} "),
            };
            text
        }),
        Err(error) => failure(error),
    }
}

/// An error in words, with where it happened.
pub fn failure(error: &Error) -> String {
    let mut text = format!("{error}");
    if let Some(trace) = error.backtrace() {
        for frame in trace.frames() {
            let _ = write!(
                text,
                "\n  {} {:?} {:?} at {:x?}",
                frame.func_index, frame.func_name, frame.instance, frame.offset
            );
        }
        let _ = write!(text, "\n  omitted: {}", trace.omitted());
    }
    text
}

#[track_caller]
pub fn assert_trap<T: std::fmt::Debug>(result: Result<T>, code: TrapCode) {
    match result {
        Err(e) if e.trap_code() == Some(code) => {}
        other => panic!("not the trap {code:?}: {other:?}"),
    }
}

/// Bits that show where they are from.
pub fn pattern(seed: u64) -> u128 {
    let low = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x0123_4567_89ab_cdef;
    let high = low.rotate_left(23).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    u128::from(high) << 64 | u128::from(low)
}
