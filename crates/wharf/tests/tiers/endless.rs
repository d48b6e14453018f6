//! Guests without an end, for what deadlines do to them.

use wharf::core::{Extern, Func};
use wharf::{Config, FuncType, Tier, ValType};

use crate::support::{Guest, MODES, engine};

/// Endless guests; `fine` comes to an end, and calls all kinds of functions.
pub const WAT: &str = r#"(module
    (type $t (func (param i32) (result i32)))
    (import "" "host" (func $host (type $t)))
    (memory (export "memory") 1 10)
    (table 4 funcref)
    (elem (i32.const 0) $tail_indirect $tail_other $leaf)
    (func $loop (export "loop") (type $t) (loop (br 0)) (unreachable))
    (func $calls (export "calls") (type $t) (loop (drop (call $leaf (local.get 0))) (br 0)) (unreachable))
    (func $leaf (type $t) (i32.add (local.get 0) (i32.const 1)))
    (func $tail (export "tail") (type $t) (return_call $tail (i32.add (local.get 0) (i32.const 1))))
    (func $tail_indirect (export "tail_indirect") (type $t)
        (return_call_indirect (type $t) (local.get 0) (i32.const 1)))
    (func $tail_other (type $t) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
    (func $nested (export "nested") (type $t) (i32.add (call $nested_1 (local.get 0)) (i32.const 1)))
    (func $nested_1 (type $t) (i32.add (call_indirect (type $t) (local.get 0) (i32.const 2)) (call $nested_2 (local.get 0))))
    (func $nested_2 (type $t) (call $loop (local.get 0)))
    (func $out (export "out") (type $t) (loop (drop (call $host (local.get 0))) (br 0)) (unreachable))
    (func $fill (export "fill") (type $t)
        (loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536)) (br 0)) (unreachable))
    (func $work (export "work") (type $t) (local i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (call $leaf (i32.load (i32.const 0)))))
            (br_if 0 (i32.ge_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
        (local.get 1))
    (func $sum (export "sum") (type $t) (local i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (call $leaf (local.get 0))))
            (br_if 0 (i32.ge_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0))))
        (local.get 1))
    (func $down (export "down") (type $t)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func $grown (export "grown") (type $t)
        (loop (br_if 0 (i32.eq (memory.size) (i32.const 1))))
        (i32.load (i32.add (local.get 0) (i32.const 65536))))
    (func $fine (export "fine") (type $t)
        (i32.add (call $leaf (local.get 0)) (call_indirect (type $t) (local.get 0) (i32.const 2)))))"#;

/// Those of its functions that have no end.
pub const ENDLESS: [&str; 7] = ["loop", "calls", "tail", "tail_indirect", "nested", "out", "fill"];

/// An instance of [`WAT`], whose host function does nothing.
pub fn guest(config: &Config) -> Guest {
    Guest::with_imports(&engine(config), WAT, |store| {
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        vec![Extern::Func(Func::new(store, ty, |_, _| Ok(())))]
    })
}

/// The configurations of all modes, and one that compiles in the background.
pub fn configs() -> Vec<Config> {
    let mut configs: Vec<Config> = MODES.iter().map(|mode| mode.config()).collect();
    let mut tiered = Config::new();
    tiered.tier(Tier::Tiered).sample_interval(100).hot_samples(1);
    configs.push(tiered);
    configs
}
