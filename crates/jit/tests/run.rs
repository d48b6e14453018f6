//! Programs that must do the same in the interpreter, in machine code, and where both take turns at every loop and call.

use std::sync::Arc;

use wharf_core::{Config, Engine, Instance, Module, Store, Tier, Val, ValType};
use wharf_jit::Cranelift;

fn engines() -> Vec<Engine> {
    let with = |tier: Tier, threads: usize| {
        let mut config = Config::new();
        config.tier(tier).compile_threads(threads);
        if tier == Tier::Sync {
            config.sample_interval(1).hot_samples(1);
        }
        Engine::with_compiler(&config, Arc::new(Cranelift::new().unwrap())).unwrap()
    };
    vec![with(Tier::Off, 1), with(Tier::Eager, 1), with(Tier::Sync, 1)]
}

/// Calls each exported function with small numbers, twice, in each mode, and compares what comes of it with the interpreter's.
fn same(wat: &str) {
    let wasm = wat::parse_str(wat).unwrap();
    let mut expected: Option<Vec<String>> = None;
    for engine in engines() {
        let module = Module::new(&engine, wasm.clone()).unwrap();
        let mut store = Store::new(&engine, Box::new(()));
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let mut seen = Vec::new();
        let names: Vec<String> = module.exports().map(|e| e.name.to_string()).collect();
        for number in [3, 0, 7, 3] {
            for name in &names {
                let Some(func) = instance.get_func(&store, name) else {
                    continue;
                };
                let ty = func.ty(&store);
                let args: Vec<Val> = ty
                    .params()
                    .iter()
                    .enumerate()
                    .map(|(i, ty)| argument(*ty, number + i as i32))
                    .collect();
                let mut results = vec![Val::I32(0); ty.results().len()];
                match func.call(&mut store, &args, &mut results) {
                    Ok(()) => seen.push(format!("{name}({number}): {results:?}")),
                    Err(e) => seen.push(format!("{name}({number}): {:?}", e.trap_code().unwrap())),
                }
            }
        }
        assert_eq!(engine.tier_stats().failed, 0);
        match &expected {
            None => expected = Some(seen),
            Some(expected) => assert_eq!(&seen, expected),
        }
    }
    assert!(expected.is_some_and(|e| !e.is_empty()));
}

fn argument(ty: ValType, number: i32) -> Val {
    match ty {
        ValType::I32 => Val::I32(number),
        ValType::I64 => Val::I64(number.into()),
        ValType::F32 => Val::F32((number as f32).to_bits()),
        ValType::F64 => Val::F64(f64::from(number).to_bits()),
        ValType::V128 => Val::V128(number as u128 * 0x1_0000_0001_0000_0001),
        ValType::Ref(_) => Val::FuncRef(None),
    }
}

#[test]
fn many_params_and_results() {
    let types = ["i32", "f64", "v128", "i64", "f32"];
    let list = |count: usize| {
        (0..count)
            .map(|i| types[i % types.len()])
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut text = String::from("(module (table 64 funcref) ");
    for count in [0, 1, 2, 3, 5, 8, 9, 17, 24, 40] {
        let types = list(count);
        let gets: String = (0..count).map(|i| format!("(local.get {i})")).collect();
        // Large enough to be called, not inlined.
        let padding = "(local.set $p (i32.add (local.get $p) (i32.const 1)))".repeat(10);
        text += &format!(
            "(type $t{count} (func (param {types}) (result {types})))
            (func $f{count} (type $t{count}) (local $p i32) {padding} {gets})
            (elem (i32.const {count}) func $f{count})
            (func (export \"call{count}\") (type $t{count}) {gets} (call $f{count}))
            (func (export \"tail{count}\") (type $t{count}) (local $p i32) {padding} {gets} (return_call $f{count}))
            (func (export \"indirect{count}\") (type $t{count}) {gets} (i32.const {count}) (call_indirect (type $t{count})))
            (func (export \"tail-indirect{count}\") (type $t{count}) {gets} (i32.const {count}) (return_call_indirect (type $t{count})))
            (func (export \"block{count}\") (type $t{count}) {gets} (loop (type $t{count}) (br_if 1 (i32.const 1))))"
        );
        if count > 0 {
            text += &format!(
                "(func $self{count} (export \"self{count}\") (type $t{count})
                    (if (local.get 0) (then
                        (i32.sub (local.get 0) (i32.const 1)) {} (call $self{count})
                        {}(return_call $f{count})))
                    {gets})",
                &gets["(local.get 0)".len()..],
                gets
            );
        }
    }
    text.push(')');
    same(&text);
}

#[test]
fn loops_with_operands_below() {
    same(
        r#"(module
        (func (export "nested") (param i32 i64) (result i64) (local i32 i64 v128)
            (i64.const 1000)
            (i64.const 11)
            (i32.const 5)
            (loop $outer (param i64 i32) (result i64)
                (local.set 2)
                (local.set 4 (v128.xor (local.get 4) (i64x2.splat (local.get 1))))
                (local.get 1)
                (loop $inner (param i64 i64) (result i64)
                    (i64.add) (local.set 3)
                    (local.set 1 (i64.add (local.get 1) (i64.const 3)))
                    (local.get 3) (i64.const 2)
                    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                    (br_if $inner (i32.rem_u (local.get 0) (i32.const 7)))
                    (drop))
                (local.set 3)
                (local.get 3)
                (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))
                (br_if $outer (local.get 2))
                (drop))
            (i64.add)
            (i64.add (i64x2.extract_lane 1 (local.get 4))))
        (func (export "arms") (param i32) (result i32) (local i32)
            (i32.const 50) (i32.const 60)
            (block $b (param i32) (result i32)
                (i32.const 7)
                (if (param i32 i32) (result i32) (i32.and (local.get 0) (i32.const 1))
                    (then
                        (i32.const 8)
                        (loop $l
                            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                            (br_if $l (i32.lt_u (local.get 1) (local.get 0))))
                        (drop) (i32.add))
                    (else
                        (drop)
                        (br_if $b (i32.eqz (local.get 0)))
                        (i32.const 9)
                        (loop $l
                            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                            (i32.const 77) (br_if $b (i32.eq (local.get 0) (i32.const 2))) (drop)
                            (br_if $l (local.get 0)))
                        (i32.sub))))
            (i32.add) (i32.add (local.get 1)))
        (func (export "vectors") (param i32 v128) (result v128 i32)
            (local.get 1) (f32.const 1.5) (local.get 0)
            (loop $l (result i32)
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $l (i32.gt_s (local.get 0) (i32.const -2)))
                (local.get 0))
            (i32.mul) (local.set 0) (drop) (local.get 0)))"#,
    );
}

#[test]
fn calls_into_each_other_and_themselves() {
    same(
        r#"(module
        (func $fib (export "fib") (param i32) (result i64)
            (if (result i64) (i32.lt_u (local.get 0) (i32.const 2))
                (then (i64.extend_i32_u (local.get 0)))
                (else (i64.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func $even (export "even") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
        (func $odd (export "odd") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (return_call $even (i32.sub (local.get 0) (i32.const 1))))
        (func $down (param i32 i64) (result i64)
            (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
            (return_call $down (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 2))))
        (func (export "deep") (param i32) (result i64 i32)
            (call $down (i32.mul (local.get 0) (i32.const 100000)) (i64.const 1))
            (call $even (i32.mul (local.get 0) (i32.const 100001))))
        (func $forever (export "forever") (param i32) (result i32) (i32.add (i32.const 1) (call $forever (local.get 0))))
        (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 12) (local.get 0))))"#,
    );
}

#[test]
fn small_functions_in_the_middle_of_others() {
    same(
        r#"(module (memory 1) (global $g (mut i32) (i32.const 0))
        (func $next (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))
        (func $early (param i32) (result i32 i32) (local i32)
            (if (i32.and (local.get 0) (i32.const 1)) (then (return (i32.const 1) (local.get 1))))
            (local.set 1 (call $next)) (local.get 0) (local.get 1))
        (func $check (param i32) (if (i32.gt_u (local.get 0) (i32.const 9)) (then unreachable)))
        (func (export "run") (param i32) (result i32 i32) (local i32 i32)
            (loop $l
                (call $early (local.get 0))
                (local.set 2 (i32.add (local.get 2)))
                (local.set 1 (i32.add (local.get 1)))
                (call $check (local.get 0))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br_if $l (i32.gt_s (local.get 0) (i32.const 0))))
            (local.get 1) (local.get 2)))"#,
    );
}

#[test]
fn copies_and_fills_of_all_short_lengths() {
    // Addresses near the ends of 64 KiB, overlapping ones, and ones far outside.
    let mut text = String::from(
        r#"(module (memory $a 1) (memory $b 1 1) (memory $c i64 1)
        (func $sum (param $from i32) (result i64) (local $h i64)
            (loop $l
                (local.set $h (i64.add (i64.mul (local.get $h) (i64.const 31)) (i64.load (local.get $from))))
                (local.set $from (i32.add (local.get $from) (i32.const 8)))
                (br_if $l (i32.lt_u (local.get $from) (i32.const 65536))))
            (local.get $h))
        (func (export "start") (local i32)
            (loop $l
                (i32.store8 (local.get 0) (i32.mul (local.get 0) (i32.const 7)))
                (i32.store8 $b (local.get 0) (i32.mul (local.get 0) (i32.const 13)))
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get 0) (i32.const 65536)))))
        (func (export "sum") (result i64 i64) (call $sum (i32.const 0)) (i64.load $c (i64.const 65528)))"#,
    );
    for len in [
        0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 127, 128, 129, 200,
    ] {
        for (name, at) in [
            ("low", 1000),
            ("end", 65536 - len),
            ("over", 65537 - len),
            ("far", -1),
        ] {
            text += &format!(
                r#"(func (export "fill-{name}{len}") (param i32) (memory.fill $a (i32.const {at}) (local.get 0) (i32.const {len})))
                (func (export "up-{name}{len}") (memory.copy $a $a (i32.const {at}) (i32.const 1005) (i32.const {len})))
                (func (export "down-{name}{len}") (memory.copy $a $a (i32.const 997) (i32.const {at}) (i32.const {len})))
                (func (export "other-{name}{len}") (memory.copy $a $b (i32.const {at}) (i32.const 50000) (i32.const {len})))
                (func (export "wide-{name}{len}") (memory.copy $c $a (i64.const {at}) (i32.const 900) (i32.const {len})))"#
            );
        }
    }
    text += r#"(export "sum-again" (func $sum)))"#;
    same(&text);
}
