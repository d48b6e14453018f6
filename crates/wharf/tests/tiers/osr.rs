//! Calls that go on in machine code at a loop.

use wharf::core::{Extern, Func};
use wharf::{FuncType, Val, ValType};

use crate::support::{Guest, Mode, in_every_mode, outcome};

/// Functions of an `i32` that count to it in a loop, in many ways. What they give is the interpreter's to say.
const LOOPS: &str = r#"(module
    (import "" "host" (func $host (param i32) (result i32)))
    (memory 1)
    (table 2 funcref)
    (elem (i32.const 0) $plus $tail)
    (type $t (func (param i32) (result i32)))
    (type $tail (func (param i32 i64) (result i64)))
    (global $g (mut i64) (i64.const 1))
    (func $plus (type $t) (i32.add (local.get 0) (i32.const 3)))
    (func (export "simple") (param i32) (result i64) (local i64)
        (loop
            (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func (export "first") (param i32) (result i64)
        (loop
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.extend_i32_s (local.get 0)))
    (func (export "in_then") (param i32) (result i64) (local i64 f32)
        (if (result i64) (i32.gt_s (local.get 0) (i32.const 0))
            (then
                (loop
                    (local.set 1 (i64.add (i64.mul (local.get 1) (i64.const 3)) (i64.extend_i32_u (local.get 0))))
                    (local.set 2 (f32.add (local.get 2) (f32.const 0.5)))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i64.add (local.get 1) (i64.trunc_f32_s (local.get 2))))
            (else (i64.const 5))))
    (func (export "in_else") (param i32) (result i64) (local i64 f64)
        (i64.const 1000)
        (if (param i64) (result i64) (i32.lt_s (local.get 0) (i32.const 0))
            (then (i64.add (i64.const 5)))
            (else
                (local.set 1)
                (loop
                    (local.set 2 (f64.add (local.get 2) (f64.convert_i32_s (local.get 0))))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i64.add (local.get 1) (i64.trunc_f64_s (local.get 2))))))
    (func (export "operands") (param i32) (result i64) (local i64)
        (i64.const 7) (f32.const 2.5) (v128.const i32x4 1 2 3 4) (i32.const 9) (f64.const 0.25)
        (loop
            (local.set 1 (i64.add (local.get 1) (i64.const 2)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.trunc_f64_s (f64.mul (f64.const 8))) (local.set 1 (i64.add (local.get 1)))
        (i64.extend_i32_s) (local.set 1 (i64.add (local.get 1)))
        (i64.extend_i32_s (i32x4.extract_lane 3)) (local.set 1 (i64.add (local.get 1)))
        (i64.trunc_f32_s) (i64.add) (i64.add (local.get 1)))
    (func (export "params") (param i32) (result i64) (local i64)
        (i64.const 1)
        (i64.const 1) (v128.const i64x2 2 3) (f32.const 1)
        (loop (param i64 v128 f32) (result i64)
            (f32.add (f32.const 1)) (local.set 1 (i64.trunc_f32_s))
            (i64x2.extract_lane 1) (local.set 1 (i64.add (local.get 1)))
            (local.set 1 (i64.add (local.get 1)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (if (param) (result) (i32.eqz (local.get 0)) (then (return (local.get 1))))
            (local.get 1) (i64x2.splat (local.get 1)) (f32.convert_i64_s (i64.and (local.get 1) (i64.const 1023)))
            (br 0))
        (i64.add))
    (func (export "nested") (param i32) (result i64) (local i32 i32 i64)
        (local.set 1 (local.get 0))
        (loop
            (local.set 2 (i32.const 20))
            (i64.extend_i32_u (local.get 1))
            (loop
                (local.set 3 (i64.add (local.get 3) (i64.extend_i32_u (i32.mul (local.get 2) (local.get 1)))))
                (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
            (local.set 3 (i64.add (local.get 3)))
            (br_if 0 (i32.gt_s (local.tee 1 (i32.sub (local.get 1) (i32.const 1))) (i32.const 0))))
        (local.get 3))
    (func (export "outer_again") (param i32) (result i64) (local i32 i64)
        (i64.const 11)
        (block (result i64)
            (i64.const 13)
            (loop (param i64) (result i64)
                (local.set 2 (i64.add (local.get 2)))
                (local.set 1 (i32.const 5))
                (i64.const 17)
                (loop
                    (local.set 2 (i64.add (local.get 2) (i64.const 1)))
                    (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
                (i64.add (local.get 2))))
        (i64.add))
    (func (export "vectors") (param i32) (result i64) (local v128 v128 i64)
        (local.set 2 (v128.const i32x4 1 -1 2 5))
        (loop
            (local.set 1 (i32x4.add (local.get 1) (i32x4.mul (local.get 2) (i32x4.splat (local.get 0)))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.xor (i64x2.extract_lane 0 (local.get 1)) (i64x2.extract_lane 1 (local.get 1))))
    (func (export "many_vectors") (param i32) (result i64) (local i32 v128 i64 v128 f32 v128)
        (v128.const i64x2 77 78)
        (loop
            (local.set 2 (i64x2.add (local.get 2) (i64x2.splat (i64.extend_i32_s (local.get 0)))))
            (local.set 4 (i64x2.add (local.get 4) (local.get 2)))
            (local.set 6 (f32x4.convert_i32x4_s (local.get 4)))
            (local.set 5 (f32.add (local.get 5) (f32.const 1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64x2.extract_lane 1 (v128.xor (local.get 6)))
        (i64.add (i64.add (i64.trunc_f32_s (local.get 5)) (i64x2.extract_lane 1 (local.get 4)))))
    (func (export "table") (param i32) (result i64) (local i64 i32)
        (block $end
            (loop $next
                (block $three (block $two (block $one (block $zero
                    (br_table $zero $one $two $three $next (i32.and (local.get 2) (i32.const 7))))
                    (local.set 1 (i64.add (local.get 1) (i64.const 1))) (br $three))
                    (local.set 1 (i64.mul (local.get 1) (i64.const 3))) (br $three))
                    (local.set 1 (i64.sub (local.get 1) (i64.const 7))))
                (local.set 2 (i32.add (local.get 2) (i32.const 1)))
                (if (i32.ge_u (i32.and (local.get 2) (i32.const 7)) (i32.const 4))
                    (then (local.set 2 (i32.const 0))))
                (br_if $end (i32.eqz (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (br $next)))
        (local.get 1))
    (func (export "calls") (param i32) (result i64) (local i64)
        (i64.const 3)
        (loop
            (local.set 1 (i64.add (local.get 1) (i64.extend_i32_s (call $plus (call $host
                (call_indirect (type $t) (local.get 0) (i32.const 0)))))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.add (local.get 1)))
    (func $tail (export "tail") (param i32 i64) (result i64) (local i32)
        (local.set 2 (i32.const 10))
        (loop
            (local.set 1 (i64.add (local.get 1) (i64.const 1)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (if (i32.le_s (local.get 0) (i32.const 0)) (then (return (local.get 1))))
            (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))
        (if (i32.and (local.get 0) (i32.const 1))
            (then (return_call $tail (local.get 0) (i64.mul (local.get 1) (i64.const 3)))))
        (return_call_indirect (type $tail) (local.get 0) (i64.sub (local.get 1) (i64.const 3)) (i32.const 1)))
    (func (export "tail_in_loop") (param i32) (result i64) (local i64)
        (loop
            (if (i32.eqz (local.get 0)) (then (return_call $tail (i32.const 50) (local.get 1))))
            (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br 0))
        (unreachable))
    (func (export "memory") (param i32) (result i64) (local i32)
        (loop
            (i32.store (i32.mul (local.get 1) (i32.const 4)) (local.get 0))
            (global.set $g (i64.mul (global.get $g) (i64.const 5)))
            (local.set 1 (i32.and (i32.add (local.get 1) (i32.const 1)) (i32.const 0x3fff)))
            (if (i32.eqz (i32.and (local.get 0) (i32.const 511))) (then (drop (memory.grow (i32.const 1)))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.add (global.get $g) (i64.add (i64.load (i32.const 1000)) (i64.extend_i32_s (memory.size)))))
    (func (export "traps") (param i32) (result i64)
        (loop
            (drop (i32.div_s (i32.const 1000) (i32.sub (local.get 0) (i32.const 1))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i64.const 0))
    (func (export "many") (param i32) (result i32 i64 f32 f64 v128 i32 i32) (local i32 i64 f32 f64 v128)
        (loop (result i32 i64 f32 f64 v128 i32 i32)
            (local.set 1 (i32.add (local.get 1) (i32.const 1)))
            (local.set 2 (i64.add (local.get 2) (i64.const 2)))
            (local.set 3 (f32.add (local.get 3) (f32.const 3)))
            (local.set 4 (f64.add (local.get 4) (f64.const 4)))
            (local.set 5 (i32x4.add (local.get 5) (v128.const i32x4 1 2 3 4)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
            (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (i32.const 6) (i32.const 7)))
    (func (export "after_unreachable") (param i32) (result i64) (local i64)
        (block $a
            (br $a)
            (loop (br 0)))
        (loop
            (local.set 1 (i64.add (local.get 1) (i64.const 1)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func (export "references") (param i32) (result i64) (local funcref i64)
        (local.set 1 (ref.func $plus))
        (loop
            (if (i32.and (local.get 0) (i32.const 1))
                (then (table.set (i32.const 0) (local.get 1))))
            (local.set 2 (i64.add (local.get 2)
                (i64.extend_i32_s (call_indirect (type $t) (local.get 0) (i32.const 0)))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 2)))"#;

const NAMES: [&str; 20] = [
    "simple",
    "first",
    "in_then",
    "in_else",
    "operands",
    "params",
    "nested",
    "outer_again",
    "vectors",
    "many_vectors",
    "table",
    "calls",
    "tail",
    "tail_in_loop",
    "memory",
    "traps",
    "many",
    "after_unreachable",
    "references",
    "simple",
];

fn guest(mode: Mode) -> Guest {
    Guest::with_imports(&mode.engine(), LOOPS, |store| {
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        let host = Func::new(store, ty, |_, slots| {
            slots[0] = u64::from((slots[0] as u32).wrapping_mul(2));
            Ok(())
        });
        vec![Extern::Func(host)]
    })
}

fn params(name: &str, count: i32) -> Vec<Val> {
    match name {
        "tail" => vec![Val::I32(count), Val::I64(2)],
        _ => vec![Val::I32(count)],
    }
}

#[test]
fn a_single_call_enters_machine_code_at_its_loop() {
    for name in NAMES {
        let mut guest = guest(Mode::Sync);
        let mut interpreter = self::guest(Mode::Interpreter);
        let result = guest.call(name, &params(name, 1000));
        let expected = interpreter.call(name, &params(name, 1000));
        assert_eq!(outcome(&result), outcome(&expected), "{name}");
        let stats = guest.stats();
        assert!(stats.osr_entries > 0, "{name}: {stats:?}");
        assert_eq!(stats.failed, 0, "{name}: {stats:?}");
    }
}

#[test]
fn loops_give_the_same_in_every_mode() {
    let mut interpreter = guest(Mode::Interpreter);
    let counts = [1, 2, 3, 17, 18, 34, 35, 100, 1000];
    let mut expected = Vec::new();
    for name in NAMES {
        for count in counts {
            expected.push((
                name,
                count,
                outcome(&interpreter.call(name, &params(name, count))),
            ));
        }
    }
    in_every_mode(|mode| {
        let mut guest = guest(mode);
        for (name, count, expected) in &expected {
            let result = guest.call(name, &params(name, *count));
            assert_eq!(outcome(&result), *expected, "{name}({count})");
        }
    });
}

#[test]
fn every_loop_alone_gives_the_same_when_it_is_entered_late() {
    for name in NAMES {
        for (interval, hot) in [(1, 1), (2, 1), (3, 2), (7, 1), (10, 3), (100, 1)] {
            let mut config = Mode::Sync.config();
            config.sample_interval(interval).hot_samples(hot);
            let engine = crate::support::engine(&config);
            let host = |store: &mut wharf::core::Store| {
                let ty = FuncType::new([ValType::I32], [ValType::I32]);
                let host = Func::new(store, ty, |_, slots| {
                    slots[0] = u64::from((slots[0] as u32).wrapping_mul(2));
                    Ok(())
                });
                vec![Extern::Func(host)]
            };
            let mut guest = Guest::with_imports(&engine, LOOPS, host);
            let mut interpreter = self::guest(Mode::Interpreter);
            let result = guest.call(name, &params(name, 2000));
            let expected = interpreter.call(name, &params(name, 2000));
            assert_eq!(outcome(&result), outcome(&expected), "{name} {interval} {hot}");
        }
    }
}

#[test]
fn a_background_compile_reaches_a_loop_that_is_running() {
    let mut config = wharf::Config::new();
    config
        .tier(wharf::Tier::Tiered)
        .sample_interval(1000)
        .hot_samples(1);
    let engine = crate::support::engine(&config);
    let wat = r#"(module
        (import "" "done" (func $done (result i32)))
        (func (export "spin") (result i64) (local i64)
            (loop
                (local.set 0 (i64.add (local.get 0) (i64.const 1)))
                (br_if 0 (i32.or
                    (i64.ne (i64.and (local.get 0) (i64.const 0xffff)) (i64.const 0))
                    (i32.eqz (call $done)))))
            (local.get 0)))"#;
    let entered = engine.clone();
    let mut guest = Guest::with_imports(&engine, wat, |store| {
        let ty = FuncType::new([], [ValType::I32]);
        let done = Func::new(store, ty, move |_, slots| {
            slots[0] = u64::from(entered.tier_stats().osr_entries > 0);
            Ok(())
        });
        vec![Extern::Func(done)]
    });
    // Ends only once the loop runs in machine code.
    let result = guest.call("spin", &[]).unwrap();
    assert!(matches!(result[..], [Val::I64(n)] if n > 0 && n & 0xffff == 0));
}
