//! Calls between interpreted functions and machine code: direct, indirect, of imports, with all types.

use wharf::core::{Extern, Instance, Store};
use wharf::{FuncType, Val, ValType};

use crate::support::{Guest, Mode, call, in_every_mode, module, pattern};

/// Functions that call one another in turns: `is_even` and `is_odd` directly, `ping` and `pong` through a table.
const RECURSION: &str = r#"(module
    (type $t (func (param i32 i64) (result i64)))
    (table 2 funcref)
    (elem (i32.const 0) $ping $pong)
    (func $is_even (export "is_even") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 1))
            (else (call $is_odd (i32.sub (local.get 0) (i32.const 1))))))
    (func $is_odd (export "is_odd") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 0))
            (else (call $is_even (i32.sub (local.get 0) (i32.const 1))))))
    (func $ping (export "ping") (param i32 i64) (result i64)
        (if (result i64) (i32.eqz (local.get 0))
            (then (local.get 1))
            (else (i64.add (i64.const 1) (call_indirect (type $t)
                (i32.sub (local.get 0) (i32.const 1)) (i64.mul (local.get 1) (i64.const 3)) (i32.const 1))))))
    (func $pong (export "pong") (param i32 i64) (result i64)
        (if (result i64) (i32.eqz (local.get 0))
            (then (local.get 1))
            (else (i64.sub (call_indirect (type $t)
                (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 7)) (i32.const 0))
                (i64.const 5)))))
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fob (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $fob (param i32) (result i32)
        (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fob (i32.sub (local.get 0) (i32.const 2))))))))"#;

fn ping(n: i32, x: i64) -> i64 {
    if n == 0 {
        x
    } else {
        pong(n - 1, x.wrapping_mul(3)).wrapping_add(1)
    }
}

fn pong(n: i32, x: i64) -> i64 {
    if n == 0 {
        x
    } else {
        ping(n - 1, x.wrapping_add(7)).wrapping_sub(5)
    }
}

#[test]
fn functions_call_one_another_across_tiers() {
    in_every_mode(|mode| {
        let mut guest = Guest::new(mode, RECURSION);
        for n in [0, 1, 2, 7, 200] {
            assert_eq!(guest.i32("is_even", &[n]).unwrap(), i32::from(n % 2 == 0));
            assert_eq!(guest.i32("is_odd", &[n]).unwrap(), i32::from(n % 2 == 1));
            let result = guest.call("ping", &[Val::I32(n), Val::I64(11)]).unwrap();
            assert!(matches!(result[..], [Val::I64(r)] if r == ping(n, 11)));
            let result = guest.call("pong", &[Val::I32(n), Val::I64(11)]).unwrap();
            assert!(matches!(result[..], [Val::I64(r)] if r == pong(n, 11)));
        }
        assert_eq!(guest.i32("fib", &[18]).unwrap(), 2584);
    });
}

#[test]
fn recursion_across_tiers_may_be_thousands_deep() {
    for mode in [Mode::Interpreter, Mode::Eager, Mode::Odd, Mode::Even, Mode::Sync] {
        let mut config = mode.config();
        config.max_host_stack(6 << 20);
        std::thread::Builder::new()
            .stack_size(8 << 20)
            .spawn(move || {
                let engine = crate::support::engine(&config);
                let mut guest = Guest::with_imports(&engine, RECURSION, |_| Vec::new());
                assert_eq!(guest.i32("is_even", &[5000]).unwrap(), 1);
                let result = guest.call("ping", &[Val::I32(5001), Val::I64(1)]).unwrap();
                assert!(matches!(result[..], [Val::I64(r)] if r == ping(5001, 1)));
            })
            .unwrap()
            .join()
            .unwrap();
    }
}

/// A module whose `f0` passes parameters of these types on to `f1`, and so on through imports and a table; the last one returns them in
/// reverse.
fn relay(types: &[&str]) -> String {
    let params = types.join(" ");
    let results: Vec<&str> = types.iter().rev().copied().collect();
    let results = results.join(" ");
    let gets: String = (0..types.len()).map(|i| format!("(local.get {i})")).collect();
    let reversed: String = (0..types.len())
        .rev()
        .map(|i| format!("(local.get {i})"))
        .collect();
    let own: String = (0..6)
        .map(|i| {
            let call = match i % 3 {
                0 => format!("(call $f{} {gets})", i + 1),
                1 => format!("(call_indirect (type $t) {gets} (i32.const {}))", i + 1),
                _ => format!(
                    "(i32.store (i32.const 0) (i32.const {i})) (call $f{} {gets})",
                    i + 1
                ),
            };
            format!("(func $f{i} (export \"f{i}\") (type $t) (local v128 i32 f32) {call})\n")
        })
        .collect();
    format!(
        "(module
            (type $t (func (param {params}) (result {results})))
            (import \"\" \"end\" (func $end (type $t)))
            (memory 1)
            (table 8 funcref)
            (elem (i32.const 0) $f0 $f1 $f2 $f3 $f4 $f5 $f6 $end)
            {own}
            (func $f6 (export \"f6\") (type $t) (call $end {gets}))
            (func $other (export \"other\") (type $t) (call_indirect (type $t) {gets} (i32.const 7)))
            (func $last (export \"last\") (type $t) {reversed}))"
    )
}

const SIGNATURES: &[&[&str]] = &[
    &[],
    &["i32"],
    &["v128"],
    &["f32", "f64"],
    &["i64", "v128", "i32"],
    &["externref", "funcref", "i32"],
    &["i32", "i64", "f32", "f64", "v128", "externref", "funcref"],
    &["i32"; 16],
    &["f32"; 16],
    &["f64"; 12],
    &["v128"; 13],
    &[
        "i32",
        "i64",
        "f32",
        "f64",
        "v128",
        "externref",
        "funcref",
        "v128",
        "f32",
        "i32",
        "i64",
        "f64",
        "v128",
        "i32",
        "f32",
        "f64",
        "i64",
        "v128",
        "i32",
        "i32",
        "f32",
        "f32",
        "f32",
        "i64",
    ],
    &["i64"; 100],
];

fn type_of(name: &str) -> ValType {
    match name {
        "i32" => ValType::I32,
        "i64" => ValType::I64,
        "f32" => ValType::F32,
        "f64" => ValType::F64,
        "v128" => ValType::V128,
        "externref" => ValType::EXTERNREF,
        _ => ValType::FUNCREF,
    }
}

fn values(store: &mut Store, types: &[&str], func: wharf::core::Func) -> Vec<Val> {
    let value = |(i, name): (usize, &&str)| {
        let bits = pattern(i as u64 + 1);
        match *name {
            "i32" => Val::I32(bits as i32),
            "i64" => Val::I64(bits as i64),
            "f32" => Val::F32(bits as u32),
            "f64" => Val::F64(bits as u64),
            "v128" => Val::V128(bits),
            "externref" => Val::ExternRef(Some(wharf::core::ExternRef::new(store, i).unwrap())),
            _ => Val::FuncRef(Some(func)),
        }
    };
    types.iter().enumerate().map(value).collect()
}

/// All bits of a value.
fn bits(value: &Val) -> String {
    format!("{value:?}")
}

#[test]
fn values_of_all_types_cross_tiers_and_instances() {
    for types in SIGNATURES {
        let wat = relay(types);
        for ends_in_host in [false, true] {
            in_every_mode(|mode| {
                let engine = mode.engine();
                let module = module(&engine, &wat);
                let mut store = Store::new(&engine, Box::new(()));
                let forward: Vec<ValType> = types.iter().map(|t| type_of(t)).collect();
                let backward: Vec<ValType> = forward.iter().rev().copied().collect();
                let host = wharf::core::Func::wrap(
                    &mut store,
                    FuncType::new(forward, backward),
                    |_, params, results| {
                        for (result, param) in results.iter_mut().zip(params.iter().rev()) {
                            *result = *param;
                        }
                        Ok(())
                    },
                );
                let first = Instance::new(&mut store, &module, &[Extern::Func(host)]).unwrap();
                let end = if ends_in_host {
                    host
                } else {
                    first.get_func(&store, "last").unwrap()
                };
                let second = Instance::new(&mut store, &module, &[Extern::Func(end)]).unwrap();
                let third_import = second.get_func(&store, "f0").unwrap();
                let params = values(&mut store, types, third_import);
                for name in ["f0", "f1", "f2", "f5", "f6", "other"] {
                    for _ in 0..3 {
                        let func = second.get_func(&store, name).unwrap();
                        let results = call(&mut store, func, &params).unwrap();
                        let expected: Vec<String> = params.iter().rev().map(bits).collect();
                        assert_eq!(
                            results.iter().map(bits).collect::<Vec<_>>(),
                            expected,
                            "{name} {types:?}"
                        );
                    }
                }
            });
        }
    }
}

#[test]
fn state_is_that_of_the_right_instance_across_tiers() {
    // Each instance counts its own calls, and they call each other through imports in both directions.
    const WAT: &str = r#"(module
        (import "" "next" (func $next (param i32) (result i64)))
        (memory 1)
        (global $count (mut i64) (i64.const 0))
        (func $skip)
        (func $step (export "step") (param i32) (result i64)
            (global.set $count (i64.add (global.get $count) (i64.const 1)))
            (i64.store (i32.const 8) (i64.add (i64.load (i32.const 8)) (i64.const 2)))
            (if (i32.eqz (local.get 0)) (then (return (i64.const 0))))
            (i64.add (i64.mul (i64.const 3) (call $next (i32.sub (local.get 0) (i32.const 1)))) (i64.load (i32.const 8))))
        (func (export "again") (param i32) (result i64) (call $step (local.get 0)))
        (func (export "seen") (result i64)
            (i64.add (global.get $count) (i64.mul (i64.const 1000) (i64.load (i32.const 8))))))"#;
    let run = |mode: Mode| {
        let engine = mode.engine();
        let module = module(&engine, WAT);
        let mut store = Store::new(&engine, Box::new(()));
        let ty = FuncType::new([ValType::I32], [ValType::I64]);
        let stop = wharf::core::Func::new(&mut store, ty, |_, slots| {
            slots[0] += 100;
            Ok(())
        });
        let mut instances = Vec::new();
        let mut next = stop;
        for _ in 0..5 {
            let instance = Instance::new(&mut store, &module, &[Extern::Func(next)]).unwrap();
            next = instance.get_func(&store, "again").unwrap();
            instances.push(instance);
        }
        let mut seen = Vec::new();
        for n in [3, 4, 5, 6, 9] {
            seen.push(format!("{:?}", call(&mut store, next, &[Val::I32(n)]).unwrap()));
        }
        for instance in instances {
            let func = instance.get_func(&store, "seen").unwrap();
            seen.push(format!("{:?}", call(&mut store, func, &[]).unwrap()));
        }
        seen
    };
    let expected = run(Mode::Interpreter);
    in_every_mode(|mode| assert_eq!(run(mode), expected));
}
