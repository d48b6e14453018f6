//! Runs one module in the interpreter and in other modes, and compares what can be seen.
//!
//! The fuzz target and the tests of `crates/wharf` share this.

use std::hash::{DefaultHasher, Hasher};

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wharf::core::{Engine, Extern, Instance, Store};
use wharf::{ErrorKind, Limits, Tier, TrapCode, Val, ValType};

/// Steps of the guest (calls and taken branches, in effect) after which it stops by itself.
const FUEL: u32 = 5_000;

/// A module that both tiers can run to an end, out of random bytes.
pub fn random_module(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut u = Unstructured::new(bytes);
    let mut config: Config = u.arbitrary().ok()?;
    config.allow_start_export = false;
    config.canonicalize_nans = true;
    config.disallow_traps = u.arbitrary().ok()?;
    config.export_everything = true;
    config.gc_enabled = false;
    config.exceptions_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_page_sizes_enabled = false;
    config.wide_arithmetic_enabled = false;
    config.tail_call_enabled = true;
    config.simd_enabled = true;
    // Its results depend on the machine.
    config.relaxed_simd_enabled = false;
    config.max_imports = 0;
    config.min_funcs = 4;
    config.min_types = 3;
    config.max_types = config.max_types.max(4);
    config.max_funcs = 12;
    config.max_memories = config.max_memories.min(2);
    config.max_tables = config.max_tables.min(2);
    config.max_memory32_bytes = 4 << 16;
    config.max_memory64_bytes = 4 << 16;
    config.max_table_elements = 1000;
    config.max_instructions = 400;
    let mut module = Module::new(config, &mut u).ok()?;
    // The module counts its own steps, so that all modes stop at the same place.
    module.ensure_termination(FUEL).ok()?;
    Some(module.to_bytes())
}

fn odd(func: u32) -> bool {
    func % 2 == 1
}

fn even(func: u32) -> bool {
    func.is_multiple_of(2)
}

/// The modes, the interpreter first.
fn configs() -> Vec<(&'static str, wharf::Config)> {
    let config = |set: &dyn Fn(&mut wharf::Config)| {
        let mut config = wharf::Config::new();
        set(&mut config);
        config
    };
    vec![
        (
            "interpreter",
            config(&|c| {
                c.tier(Tier::Off);
            }),
        ),
        (
            "eager",
            config(&|c| {
                c.tier(Tier::Eager);
            }),
        ),
        (
            "odd",
            config(&|c| {
                c.tier(Tier::Eager).compile_filter(odd);
            }),
        ),
        (
            "even",
            config(&|c| {
                c.tier(Tier::Eager).compile_filter(even);
            }),
        ),
        (
            "sync",
            config(&|c| {
                c.tier(Tier::Sync).sample_interval(1).hot_samples(1);
            }),
        ),
        (
            "late",
            config(&|c| {
                c.tier(Tier::Sync)
                    .sample_interval(7)
                    .hot_samples(2)
                    .compile_filter(odd);
            }),
        ),
    ]
}

/// Calls every exported function in every mode, and compares.
///
/// # Panics
/// If the modes differ, or a function can't be compiled: that is what the fuzzer looks for.
pub fn compare(wasm: &[u8]) {
    let mut expected: Option<Vec<Seen>> = None;
    for (name, config) in configs() {
        let engine: Engine = wharf::Engine::new(&config)
            .expect("the machine has machine code")
            .into();
        let seen = run(&engine, wasm);
        let stats = engine.tier_stats();
        assert_eq!(stats.failed, 0, "{name} can't compile everything: {stats:?}");
        match &expected {
            None => expected = Some(seen),
            Some(expected) => same(name, expected, &seen),
        }
    }
}

/// Something that can be seen.
struct Seen {
    /// In words.
    text: String,
    /// For a trap, its backtrace: functions and offsets.
    frames: Vec<(u32, Option<usize>)>,
}

impl Seen {
    fn new(text: String) -> Seen {
        Seen {
            text,
            frames: Vec::new(),
        }
    }

    /// How deep recursion can be is each tier's own business; nothing after it can be compared.
    fn is_limit(&self) -> bool {
        self.text.ends_with(LIMIT)
    }
}

fn same(mode: &str, expected: &[Seen], seen: &[Seen]) {
    for (expected, seen) in expected.iter().zip(seen) {
        if expected.is_limit() || seen.is_limit() {
            return;
        }
        assert_eq!(
            seen.text, expected.text,
            "{mode} (left) and the interpreter (right)"
        );
        // Where the trap is may be off by an instruction that machine code does together with another one, even beyond an inlined call;
        // which calls led there may not.
        let callers = seen.frames.get(1..).unwrap_or_default();
        assert!(
            expected.frames.ends_with(callers) && expected.frames.is_empty() == seen.frames.is_empty(),
            "{}: frames in {mode}: {:x?}, in the interpreter: {:x?}",
            seen.text,
            seen.frames,
            expected.frames
        );
    }
}

const LIMIT: &str = "limit";

/// Everything that can be seen, in words.
fn run(engine: &Engine, wasm: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let module = match wharf::Module::new(engine, wasm.to_vec()) {
        Ok(module) => module,
        Err(e) => return vec![Seen::new(format!("module: {e}"))],
    };
    let mut store = Store::new(engine, Box::new(()));
    // What is large takes long to fill and to look at.
    let mut limits = Limits::default();
    limits.memory_bytes = 2 << 20;
    limits.table_elements = 10_000;
    store.set_limits(limits);
    let instance = match Instance::new(&mut store, &module, &[]) {
        Ok(instance) => instance,
        Err(e) => return vec![Seen::new(format!("instance: {}", error(&e)))],
    };
    let exports: Vec<(String, Extern)> = instance
        .exports(&store)
        .map(|(name, item)| (name.to_string(), item))
        .collect();
    for round in 0..3 {
        for (name, item) in &exports {
            let Extern::Func(func) = item else { continue };
            let ty = func.ty(&store);
            let params: Vec<Val> = (round..).zip(ty.params()).map(|(i, ty)| param(i, *ty)).collect();
            let mut results: Vec<Val> = ty.results().iter().map(|t| Val::default_for(*t)).collect();
            let mut frames = Vec::new();
            let outcome = match func.call(&mut store, &params, &mut results) {
                Ok(()) => results.iter().map(value).collect(),
                Err(e) => {
                    let trace = e.backtrace().map_or(&[][..], |trace| trace.frames());
                    frames.extend(trace.iter().map(|f| (f.func_index, f.offset)));
                    error(&e)
                }
            };
            let text = format!("{name} {round}: {outcome}");
            seen.push(Seen { text, frames });
            if seen.last().is_some_and(Seen::is_limit) {
                return seen;
            }
        }
        for (name, item) in &exports {
            match item {
                Extern::Memory(memory) => {
                    let mut hasher = DefaultHasher::new();
                    hasher.write(memory.data(&store));
                    seen.push(Seen::new(format!("{name}: {:x}", hasher.finish())));
                }
                Extern::Global(global) => {
                    seen.push(Seen::new(format!("{name}: {}", value(&global.get(&store)))));
                }
                Extern::Table(table) => {
                    let nulls = (0..table.size(&store))
                        .filter_map(|i| table.get(&store, i))
                        .filter(|v| matches!(v, Val::FuncRef(None) | Val::ExternRef(None)));
                    seen.push(Seen::new(format!(
                        "{name}: {} of {}",
                        nulls.count(),
                        table.size(&store)
                    )));
                }
                _ => {}
            }
        }
    }
    seen
}

/// Some value of a type, 0 the first time.
fn param(seed: u64, ty: ValType) -> Val {
    let bits = u128::from(seed) * 0x0123_4567_89ab_cdef_fedc_ba98_7654_3217;
    match ty {
        ValType::I32 => Val::I32(bits as i32),
        ValType::I64 => Val::I64(bits as i64),
        ValType::F32 => Val::F32((seed as f32 * 1.5).to_bits()),
        ValType::F64 => Val::F64((seed as f64 * -2.5e10).to_bits()),
        ValType::V128 => Val::V128(bits),
        other => Val::default_for(other),
    }
}

fn value(value: &Val) -> String {
    match value {
        Val::FuncRef(f) => format!("func {} ", f.is_some()),
        Val::ExternRef(e) => format!("extern {} ", e.is_some()),
        number => format!("{number:x?} "),
    }
}

/// An error in words, or `LIMIT`.
fn error(error: &wharf::Error) -> String {
    match error.kind() {
        ErrorKind::Trap(TrapCode::StackOverflow) | ErrorKind::Limit(_) => LIMIT.to_string(),
        _ => error.to_string(),
    }
}
