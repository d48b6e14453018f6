//! The engine: configuration, and what all modules and stores of a process share.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use wasmparser::WasmFeatures;

use crate::{
    error::Result,
    tier::{ArtifactKey, Compiler, EngineTier, Profiling, Tier, TierStats},
    types::{FuncType, ValType},
};

/// How an [`Engine`] works.
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) lazy_validation: bool,
    pub(crate) max_wasm_stack: usize,
    pub(crate) max_host_stack: usize,
    pub(crate) fiber_stack: usize,
    pub(crate) tier: Tier,
    pub(crate) sample_interval: u32,
    pub(crate) hot_samples: u32,
    pub(crate) compile_threads: Option<usize>,
    pub(crate) compile_filter: Option<fn(u32) -> bool>,
    pub(crate) epoch_interruption: bool,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) artifact_key: Option<ArtifactKey>,
    pub(crate) profiling: Profiling,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            lazy_validation: false,
            max_wasm_stack: 1 << 20,
            max_host_stack: 512 << 10,
            fiber_stack: 1 << 20,
            tier: Tier::Tiered,
            sample_interval: 1_000,
            hot_samples: 2,
            compile_threads: None,
            compile_filter: None,
            epoch_interruption: false,
            cache_dir: None,
            artifact_key: None,
            profiling: Profiling::None,
        }
    }
}

impl Config {
    /// The default configuration.
    pub fn new() -> Config {
        Config::default()
    }

    /// Whether function bodies are validated at their first call instead of in `Module::new` (default: no).
    ///
    /// A call of an invalid body then traps with [`TrapCode::InvalidBody`](crate::TrapCode::InvalidBody).
    pub fn lazy_validation(&mut self, lazy: bool) -> &mut Config {
        self.lazy_validation = lazy;
        self
    }

    /// Bytes of stack for the frames of guest functions, per store (default: 1 MiB; at least 64 KiB).
    pub fn max_wasm_stack(&mut self, bytes: usize) -> &mut Config {
        self.max_wasm_stack = bytes.max(64 << 10);
        self
    }

    /// Bytes of native stack that host functions and guests calling one another may use (default: 512 KiB).
    ///
    /// The thread that calls a guest needs that much left, or the process may overflow its stack.
    pub fn max_host_stack(&mut self, bytes: usize) -> &mut Config {
        self.max_host_stack = bytes;
        self
    }

    /// Bytes of native stack of the fibers on which asynchronous calls run (default: 1 MiB).
    pub fn fiber_stack(&mut self, bytes: usize) -> &mut Config {
        self.fiber_stack = bytes.max(64 << 10);
        self
    }

    /// When functions are compiled (default: hot ones in the background). An engine without a compiler interprets everything.
    pub fn tier(&mut self, tier: Tier) -> &mut Config {
        self.tier = tier;
        self
    }

    /// When functions are compiled, as set with [`Config::tier`].
    pub fn get_tier(&self) -> Tier {
        self.tier
    }

    /// How many calls and taken back-edges an instance interprets between two looks at where it is and at its deadline
    /// (default: 1,000; at least 1). Calls of long functions count for more than one.
    pub fn sample_interval(&mut self, events: u32) -> &mut Config {
        self.sample_interval = events.max(1);
        self
    }

    /// In how many samples a function must be seen before it is compiled (default: 2; at least 1). Where functions are compiled in the
    /// background, a sample counts for more if it comes late, and functions of more than a few kilobytes need more of them.
    pub fn hot_samples(&mut self, samples: u32) -> &mut Config {
        self.hot_samples = samples.max(1);
        self
    }

    /// How many threads may compile in the background (default: one less than the machine's cores, at least 1).
    pub fn compile_threads(&mut self, threads: usize) -> &mut Config {
        self.compile_threads = Some(threads.max(1));
        self
    }

    /// Compiles only functions for whose index this is true; for tests of calls between the tiers, and to find miscompiled functions.
    #[doc(hidden)]
    pub fn compile_filter(&mut self, filter: fn(u32) -> bool) -> &mut Config {
        self.compile_filter = Some(filter);
        self
    }

    /// Whether stores will have deadlines (default: no). They may have them anyway; but code that was compiled before there was the first
    /// deadline is not used any more then, and neither are artifacts made by an engine without this.
    pub fn epoch_interruption(&mut self, interruption: bool) -> &mut Config {
        self.epoch_interruption = interruption;
        self
    }

    /// Keeps machine code in this folder (default: none) and takes it from there when the same module is made again, by any process of this
    /// user. The folder is made when something is saved: when a module is dropped, and by [`Engine::save_cache`].
    ///
    /// Files that do not fit the module, the machine or this version of Wharf, and damaged ones, are ignored; so are those that do not belong
    /// to the user of the process, or that others may write. *Whoever can write files of this user there can run any code in
    /// the process*: the checksums find damage, not malice. Nothing is ever deleted from the folder; it is safe to delete all of it at any time.
    pub fn cache_dir(&mut self, folder: impl Into<PathBuf>) -> &mut Config {
        self.cache_dir = Some(folder.into());
        self
    }

    /// A secret that artifacts are marked with (default: none). Machine code in artifacts that bear the mark of the engine's own secret is
    /// trusted; see [`Artifact`](crate::Artifact).
    pub fn artifact_key(&mut self, secret: [u8; 32]) -> &mut Config {
        self.artifact_key = Some(ArtifactKey::new(secret));
        self
    }

    /// What is written for profilers (default: nothing). The files are made with the first engine of a process that wants them, and name
    /// functions as the name sections of their modules do. On platforms without machine code there are none.
    pub fn profiling(&mut self, profiling: Profiling) -> &mut Config {
        self.profiling = profiling;
        self
    }

    /// What is left in the budget of a new instance.
    pub(crate) fn budget(&self) -> i64 {
        // With an interval of 1 each event is a sample.
        i64::from(self.sample_interval) - 1
    }

    /// The stack of a fiber in bytes, as set with [`Config::fiber_stack`].
    pub fn fiber_stack_bytes(&self) -> usize {
        self.fiber_stack
    }
}

/// The features of core WebAssembly that Wharf has.
pub(crate) fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::MEMORY64
        | WasmFeatures::RELAXED_SIMD
}

/// What modules and stores share: configuration, function types and the epoch. Clones are the same engine.
#[derive(Clone, Debug)]
pub struct Engine(pub(crate) Arc<EngineInner>);

#[derive(Debug)]
pub(crate) struct EngineInner {
    pub(crate) config: Config,
    pub(crate) signatures: Signatures,
    pub(crate) epoch: AtomicU64,
    pub(crate) tier: EngineTier,
}

impl Engine {
    /// An engine with this configuration that interprets everything.
    ///
    /// # Errors
    /// If the configuration can't work on this machine.
    pub fn new(config: &Config) -> Result<Engine> {
        Engine::build(config, None)
    }

    /// An engine that compiles functions as the configuration says.
    ///
    /// # Errors
    /// If the configuration can't work on this machine.
    #[doc(hidden)]
    pub fn with_compiler(config: &Config, compiler: Arc<dyn Compiler>) -> Result<Engine> {
        Engine::build(config, Some(compiler))
    }

    fn build(config: &Config, compiler: Option<Arc<dyn Compiler>>) -> Result<Engine> {
        Ok(Engine(Arc::new(EngineInner {
            config: config.clone(),
            signatures: Signatures::default(),
            epoch: AtomicU64::new(0),
            tier: EngineTier::new(config, compiler)?,
        })))
    }

    /// What the tiers have done so far.
    pub fn tier_stats(&self) -> TierStats {
        self.0.tier.stats()
    }

    /// Writes what was compiled since it was written last to the folder of [`Config::cache_dir`]; gives how many functions that are.
    /// What is dropped later is written then; this is for processes that are about to end.
    ///
    /// # Errors
    /// If not everything could be written. Nothing else depends on that.
    pub fn save_cache(&self) -> Result<usize> {
        self.0.tier.save()
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Moves the engine's clock by one tick; guests in stores whose deadline it reaches trap soon after, or do what their store says
    /// ([`Store::epoch_deadline_callback`](crate::Store::epoch_deadline_callback)).
    pub fn increment_epoch(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// The type as the engine knows it, for many functions of it ([`Func::of_type`](crate::Func::of_type)).
    pub fn intern(&self, ty: &FuncType) -> InternedFuncType {
        InternedFuncType {
            engine: self.clone(),
            sig: self.0.signatures.intern(ty),
            param_slots: ty.param_slots(),
            raw_slots: ty.raw_slots(),
            returns_references: ty.results().iter().any(|t| matches!(t, ValType::Ref(_))),
        }
    }

    /// Whether both are the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
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

/// A function type of an engine; equal types have equal ids, so that an indirect call compares one number.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub(crate) struct SigId(pub u32);

/// A function type that an engine knows, made by [`Engine::intern`].
#[derive(Clone, Debug)]
pub struct InternedFuncType {
    pub(crate) engine: Engine,
    pub(crate) sig: SigId,
    pub(crate) param_slots: usize,
    pub(crate) raw_slots: usize,
    pub(crate) returns_references: bool,
}

/// The function types of an engine.
#[derive(Debug, Default)]
pub(crate) struct Signatures(RwLock<SignatureTable>);

#[derive(Debug, Default)]
struct SignatureTable {
    ids: HashMap<Arc<FuncType>, SigId>,
    types: Vec<Arc<FuncType>>,
}

impl Signatures {
    pub(crate) fn intern(&self, ty: &FuncType) -> SigId {
        // Each new instance asks for types that are known.
        let known = self
            .0
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .ids
            .get(ty)
            .copied();
        if let Some(id) = known {
            return id;
        }
        let mut table = self.0.write().unwrap_or_else(|e| e.into_inner());
        if let Some(id) = table.ids.get(ty) {
            return *id;
        }
        let ty = Arc::new(ty.clone());
        let id = SigId(table.types.len() as u32);
        table.types.push(ty.clone());
        table.ids.insert(ty, id);
        id
    }

    pub(crate) fn get(&self, id: SigId) -> Arc<FuncType> {
        self.0.read().unwrap_or_else(|e| e.into_inner()).types[id.0 as usize].clone()
    }
}
