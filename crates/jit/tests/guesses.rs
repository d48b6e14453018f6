//! Indirect calls that are guessed right, then wrong, with machine code and the interpreter agreeing.

use std::sync::Arc;

use wharf_core::{Config, Engine, Instance, Module, Store, Tier, TrapCode, Val};
use wharf_jit::Cranelift;

/// Calls function `f` of the table from a hot loop; the table has `add`, `sub`, a function of another type, and nothing.
const WAT: &str = r#"(module
    (type $op (func (param i64 i64) (result i64 i64)))
    (table 4 funcref)
    (elem (i32.const 0) $add $sub $other)
    (func $add (type $op) (i64.add (local.get 0) (local.get 1)) (local.get 1))
    (func $sub (type $op) (if (result i64) (i64.eqz (local.get 0))
            (then (unreachable)) (else (i64.sub (local.get 0) (local.get 1))))
        (i64.const 1))
    (func $other)
    (func $step (param $f i32) (param $x i64) (result i64)
        ;; An operand beneath the call stays what it was.
        (local.get $x)
        (call_indirect (type $op) (local.get $x) (i64.const 3) (local.get $f))
        i64.add
        i64.xor)
    (func (export "run") (param $f i32) (param $n i32) (result i64)
        (local $x i64)
        (local.set $x (i64.const 7))
        (loop
            (local.set $x (call $step (local.get $f) (local.get $x)))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

fn run(store: &mut Store, instance: Instance, f: i32, n: i32) -> Result<i64, Option<TrapCode>> {
    let run = instance.get_func(store, "run").unwrap();
    let mut results = [Val::I64(0)];
    match run.call(store, &[Val::I32(f), Val::I32(n)], &mut results) {
        Ok(()) => match results[0] {
            Val::I64(x) => Ok(x),
            _ => panic!("not an i64"),
        },
        Err(e) => Err(e.trap_code()),
    }
}

#[test]
fn a_wrong_guess_is_only_slower() {
    let wasm = wat::parse_str(WAT).unwrap();
    let mut outcomes = Vec::new();
    for tier in [Tier::Off, Tier::Sync] {
        let mut config = Config::new();
        config.tier(tier).sample_interval(7).hot_samples(8);
        let engine = Engine::with_compiler(&config, Arc::new(Cranelift::new().unwrap())).unwrap();
        let module = Module::new(&engine, wasm.clone()).unwrap();
        let mut store = Store::new(&engine, Box::new(()));
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let mut calls = Vec::new();
        for (f, n) in [
            (0, 1000),
            (1, 500),
            (0, 10),
            (2, 1),
            (3, 1),
            (4, 1),
            (1, 3),
            (0, 2),
        ] {
            calls.push(run(&mut store, instance, f, n));
        }
        outcomes.push(calls);
        if tier == Tier::Sync {
            assert!(engine.tier_stats().compiled > 0);
        }
    }
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[1][3], Err(Some(TrapCode::BadSignature)));
    assert_eq!(outcomes[1][4], Err(Some(TrapCode::IndirectCallToNull)));
    assert_eq!(outcomes[1][5], Err(Some(TrapCode::UndefinedElement)));
}
