//! Engines, modules and stores that come and go, on many threads, while functions are compiled.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use wharf::core::{Engine, Instance, Module, Store};
use wharf::{Config, Tier, TrapCode, Val};

use crate::support::{assert_trap, call, engine, module};

/// A module with many functions that all get hot, and that calls through a table, traps, and grows memory.
fn wat(functions: usize, seed: usize) -> String {
    let own: String = (0..functions)
        .map(|i| {
            let next = (i + 1) % functions;
            format!(
                r#"(func $f{i} (param $n i32) (param $x i64) (result i64) (local i32)
                    (local.set 2 (i32.const 3))
                    (loop
                        (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 31)) (i64.const {k})))
                        (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
                    (if (i32.eqz (local.get $n)) (then (return (local.get $x))))
                    (if (i32.and (local.get $n) (i32.const 1)) (then
                        (return_call $f{next} (i32.sub (local.get $n) (i32.const 1)) (local.get $x))))
                    (i64.add (i64.const 1) (call_indirect (type $t)
                        (i32.sub (local.get $n) (i32.const 1)) (local.get $x) (i32.const {next}))))"#,
                k = i * 7 + seed
            )
        })
        .collect();
    let elements: String = (0..functions).map(|i| format!(" $f{i}")).collect();
    format!(
        r#"(module
        (type $t (func (param i32 i64) (result i64)))
        (memory 1)
        (table {functions} funcref)
        (elem (i32.const 0) func {elements})
        {own}
        (func (export "run") (param i32) (result i64)
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
            (i64.add (i64.extend_i32_u (i32.load (i32.const 0))) (call $f0 (local.get 0) (i64.const {seed}))))
        (func (export "trap") (param i32) (result i64)
            (drop (i32.load (i32.mul (i32.const 65536) (memory.size)))) (i64.const 0)))"#
    )
}

fn tiered(threads: usize) -> Config {
    let mut config = Config::new();
    config
        .tier(Tier::Tiered)
        .sample_interval(10)
        .hot_samples(1)
        .compile_threads(threads);
    config
}

fn run(store: &mut Store, instance: Instance, n: i32) -> i64 {
    let func = instance.get_func(store, "run").unwrap();
    match call(store, func, &[Val::I32(n)]).unwrap()[..] {
        [Val::I64(result)] => result,
        ref other => panic!("{other:?}"),
    }
}

/// What `rounds` calls give in the interpreter.
fn expected(wat: &str, rounds: i32) -> Vec<i64> {
    let mut config = Config::new();
    config.tier(Tier::Off);
    let engine = engine(&config);
    results(&engine, &module(&engine, wat), rounds)
}

fn results(engine: &Engine, module: &Module, rounds: i32) -> Vec<i64> {
    let mut store = Store::new(engine, Box::new(()));
    let instance = Instance::new(&mut store, module, &[]).unwrap();
    let trap = instance.get_func(&store, "trap").unwrap();
    (0..rounds)
        .map(|n| {
            if n % 5 == 0 {
                assert_trap(
                    call(&mut store, trap, &[Val::I32(0)]),
                    TrapCode::MemoryOutOfBounds,
                );
            }
            run(&mut store, instance, n)
        })
        .collect()
}

#[test]
fn threads_run_one_module_while_it_is_compiled() {
    let wat = wat(20, 5);
    let expected = expected(&wat, 120);
    for round in 0..6 {
        let engine = engine(&tiered(1 + round % 3));
        let module = module(&engine, &wat);
        let start = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    start.wait();
                    // On and on, until the compiler has come to all of it.
                    let mut done = false;
                    while !done {
                        let stats = engine.tier_stats();
                        done = stats.compiled > 0 && stats.waiting == 0;
                        assert_eq!(results(&engine, &module, 120), expected);
                    }
                });
            }
        });
        let stats = engine.tier_stats();
        assert_eq!(stats.failed, 0, "{stats:?}");
        assert!(stats.compiled <= 22, "{stats:?}");
    }
}

#[test]
fn modules_come_and_go_on_one_engine() {
    let texts: Vec<String> = (0..4).map(|seed| wat(5, seed)).collect();
    let wasm: Vec<Vec<u8>> = texts.iter().map(|t| wat::parse_str(t).unwrap()).collect();
    let expected: Vec<Vec<i64>> = texts.iter().map(|t| self::expected(t, 12)).collect();
    let mut sync = Config::new();
    sync.tier(Tier::Sync).sample_interval(3).hot_samples(1);
    let mut eager = Config::new();
    eager.tier(Tier::Eager);
    for config in [tiered(2), sync, eager] {
        let engine = engine(&config);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= 120 {
                            break;
                        }
                        let module = Module::new(&engine, wasm[i % 4].clone()).unwrap();
                        assert_eq!(results(&engine, &module, 12), expected[i % 4]);
                    }
                });
            }
        });
        assert_eq!(engine.tier_stats().failed, 0);
    }
}

#[test]
fn engines_are_dropped_while_functions_wait_for_the_compiler() {
    let wasm = wat::parse_str(wat(20, 1)).unwrap();
    for round in 0..150 {
        let engine = engine(&tiered(1 + round % 3));
        let modules: Vec<Module> = (0..3)
            .map(|_| Module::new(&engine, wasm.clone()).unwrap())
            .collect();
        let mut stores = Vec::new();
        for module in &modules {
            let mut store = Store::new(&engine, Box::new(()));
            let instance = Instance::new(&mut store, module, &[]).unwrap();
            for n in 0..(round as i32 % 7) {
                run(&mut store, instance, 5 * n);
            }
            stores.push(store);
        }
        // In every order.
        match round % 3 {
            0 => {
                drop(engine);
                drop(modules);
                drop(stores);
            }
            1 => {
                drop(stores);
                drop(modules);
                drop(engine);
            }
            _ => {
                drop(modules);
                drop(stores);
                drop(engine);
            }
        }
    }
}

#[test]
fn deadlines_come_while_functions_are_compiled() {
    let wat = wat(10, 9);
    let expected = expected(&wat, 40);
    for round in 0..20 {
        let engine = engine(&tiered(1 + round % 2));
        let module = module(&engine, &wat);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (engine, module, expected) = (&engine, &module, &expected);
                scope.spawn(move || {
                    if thread == 3 {
                        for _ in 0..round {
                            std::thread::yield_now();
                        }
                        Store::new(engine, Box::new(())).set_epoch_deadline(10);
                    }
                    assert_eq!(results(engine, module, 40), *expected);
                });
            }
        });
        // From here on all code looks at the deadline.
        let mut store = Store::new(&engine, Box::new(()));
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        for n in 0..20 {
            run(&mut store, instance, n);
        }
        store.set_epoch_deadline(0);
        let func = instance.get_func(&store, "run").unwrap();
        assert_trap(
            call(&mut store, func, &[Val::I32(100_000_000)]),
            TrapCode::Interrupt,
        );
    }
}
