//! Proper tail calls: as many as one likes in the same stack, whatever tiers they lead through.

use wharf::core::{Extern, Func, Instance, Store};
use wharf::{FuncType, Val, ValType};

use crate::support::{Guest, MODES, Mode, call, engine, in_every_mode, module};

const MILLION: i64 = 1_000_000;

/// Functions of different types that call one another in tail position, each counting in `n` and adding to `sum`. `walk` goes
/// through all of them; the table has them too.
const ROUND: &str = r#"(module
    (type $a (func (param i64 i64) (result i64)))
    (type $b (func (param i64 f64 v128 i32 i64) (result i64)))
    (type $c (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i64) (result i64)))
    (table 8 funcref)
    (elem (i32.const 0) $a $b $c $a2 $self)
    (func $a (export "a") (type $a)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
        (return_call $b (i64.sub (local.get 0) (i64.const 1)) (f64.const 1.5) (v128.const i64x2 3 4) (i32.const 5)
            (i64.add (local.get 1) (i64.const 1))))
    (func $b (export "b") (type $b)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 4))))
        (return_call $c (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)
            (i32.const 8) (i32.const 9) (i32.const 10) (i32.trunc_f64_s (f64.add (local.get 1) (f64.const 9.5)))
            (i64.sub (local.get 0) (i64.const 1))
            (i64.add (local.get 4) (i64x2.extract_lane 1 (local.get 2)))))
    (func $c (export "c") (type $c)
        (if (i64.le_s (local.get 11) (i64.const 0)) (then (return (local.get 12))))
        (return_call $a2 (i64.sub (local.get 11) (i64.const 1))
            (i64.add (local.get 12) (i64.extend_i32_s (local.get 10)))))
    (func $a2 (export "a2") (type $a)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
        (return_call $a (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 100))))
    (func $self (export "self") (type $a)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
        (return_call $self (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 2))))
    (func $ai (export "ai") (type $a)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
        (return_call_indirect (type $b) (i64.sub (local.get 0) (i64.const 1)) (f64.const 1.5) (v128.const i64x2 3 4)
            (i32.const 5) (i64.add (local.get 1) (i64.const 1)) (i32.const 6)))
    (func $bi (export "bi") (type $b)
        (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 4))))
        (return_call_indirect (type $a) (i64.sub (local.get 0) (i64.const 1))
            (i64.add (local.get 4) (i64x2.extract_lane 0 (local.get 2))) (i32.const 5)))
    (elem (i32.const 5) $ai $bi)
    (func (export "inside") (param i64 i64) (result i64)
        (i64.add (i64.const 7) (call $a (local.get 0) (local.get 1))))
    (func (export "inside_deep") (param i64 i64) (result i64)
        (i64.add (i64.const 9) (call $in2 (local.get 0) (local.get 1))))
    (func $in2 (param i64 i64) (result i64)
        (i64.add (i64.const 7) (call $ai (local.get 0) (local.get 1))))
    (func (export "in_loop") (param i64 i64) (result i64)
        (loop
            (local.set 1 (call $a2 (i64.const 99) (local.get 1)))
            (br_if 0 (i64.gt_s (local.tee 0 (i64.sub (local.get 0) (i64.const 100))) (i64.const 0))))
        (local.get 1)))"#;

#[test]
fn a_million_tail_calls_use_no_stack() {
    // What the million steps add up to is the interpreter's business; the numbers are the same in every mode.
    let expected = [
        ("a", 250_000 * (1 + 4 + 11 + 100)),
        ("a2", 250_000 * (1 + 4 + 11 + 100)),
        ("self", 2 * MILLION),
        ("ai", MILLION / 2 * 4),
        ("inside", 7 + 250_000 * (1 + 4 + 11 + 100)),
        ("inside_deep", 16 + MILLION / 2 * 4),
    ];
    in_every_mode(|mode| {
        let mut guest = Guest::new(mode, ROUND);
        for (name, sum) in expected {
            assert_eq!(guest.i64(name, &[MILLION, 0]).unwrap(), sum, "{name}");
        }
        let sum = guest.i64("in_loop", &[MILLION, 0]).unwrap();
        assert_eq!(sum, 10_000 * (25 * (100 + 1 + 4) + 24 * 11), "in_loop");
    });
}

#[test]
fn tail_calls_lead_through_instances() {
    const WAT: &str = r#"(module
        (type $t (func (param i64 i64) (result i64)))
        (import "" "other" (func $other (param i64 i64 i32) (result i64)))
        (import "" "table" (table 4 funcref))
        (global $mine (mut i64) (i64.const 0))
        (memory 1)
        (func $pad)
        (func $here (export "here") (param i64 i64 i32) (result i64)
            (global.set $mine (i64.add (global.get $mine) (i64.const 1)))
            (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))
            (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
            (if (i32.and (local.get 2) (i32.const 1)) (then
                (return_call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 3))
                    (i32.const 0))))
            (return_call $other (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1))
                (i32.add (local.get 2) (i32.const 1))))
        (func $short (export "short") (param i64 i64) (result i64)
            (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 1))))
            (return_call $other (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 2)) (i32.const 2)))
        (func (export "mine") (result i64) (i64.mul (global.get $mine) (i64.load (i32.const 0)))))"#;
    let run = |mode: Mode| {
        let engine = mode.engine();
        let module = module(&engine, WAT);
        let mut store = Store::new(&engine, Box::new(()));
        let table = wharf::Table::new(
            &mut store,
            wharf::TableType {
                element: match ValType::FUNCREF {
                    ValType::Ref(r) => r,
                    _ => unreachable!(),
                },
                minimum: 4,
                maximum: None,
                table64: false,
            },
            Val::FuncRef(None),
        )
        .unwrap();
        let ty = FuncType::new([ValType::I64, ValType::I64, ValType::I32], [ValType::I64]);
        let end = Func::new(&mut store, ty, |_, slots| {
            slots[0] = slots[1] + 1_000_000_000;
            Ok(())
        });
        let first = Instance::new(&mut store, &module, &[Extern::Func(end), Extern::Table(table)]).unwrap();
        let here = first.get_func(&store, "here").unwrap();
        // The chain goes from the last instance to the first and on into the host.
        let second = Instance::new(&mut store, &module, &[Extern::Func(here), Extern::Table(table)]).unwrap();
        let again = second.get_func(&store, "short").unwrap();
        table.set(&mut store, 0, Val::FuncRef(Some(again))).unwrap();
        let mut seen = Vec::new();
        for n in [0, 1, 2, 3, 4, 10, MILLION] {
            for (instance, name) in [(first, "short"), (second, "short")] {
                let func = instance.get_func(&store, name).unwrap();
                seen.push(format!(
                    "{n} {:?}",
                    call(&mut store, func, &[Val::I64(n), Val::I64(0)]).unwrap()
                ));
            }
            for instance in [first, second] {
                let func = instance.get_func(&store, "here").unwrap();
                for kind in [0, 1] {
                    let params = [Val::I64(n), Val::I64(0), Val::I32(kind)];
                    seen.push(format!("{n} {:?}", call(&mut store, func, &params).unwrap()));
                }
            }
        }
        for instance in [first, second] {
            let func = instance.get_func(&store, "mine").unwrap();
            seen.push(format!("{:?}", call(&mut store, func, &[]).unwrap()));
        }
        seen
    };
    let expected = run(Mode::Interpreter);
    in_every_mode(|mode| assert_eq!(run(mode), expected));
}

#[test]
fn a_tail_call_may_lead_to_the_host() {
    const WAT: &str = r#"(module
        (type $h (func (param i32 i64) (result i64)))
        (import "" "host" (func $host (type $h)))
        (table funcref (elem $host))
        (func $direct (export "direct") (param i64) (result i64)
            (return_call $host (i32.const 3) (local.get 0)))
        (func $indirect (export "indirect") (param i64) (result i64)
            (return_call_indirect (type $h) (i32.const 4) (local.get 0) (i32.const 0)))
        (func $odd (export "odd") (param i64) (result i64) (i64.add (i64.const 1) (call $direct (local.get 0))))
        (func $even (export "even") (param i64) (result i64) (i64.add (i64.const 1) (call $indirect (local.get 0))))
        (func (export "loop") (param i64) (result i64) (local i64)
            (loop
                (local.set 1 (i64.add (local.get 1) (i64.add (call $odd (local.get 0)) (call $even (local.get 0)))))
                (br_if 0 (i64.gt_s (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))
            (local.get 1)))"#;
    in_every_mode(|mode| {
        let mut guest = Guest::with_imports(&mode.engine(), WAT, |store| {
            let ty = FuncType::new([ValType::I32, ValType::I64], [ValType::I64]);
            let host = Func::new(store, ty, |_, slots| {
                slots[0] += slots[1] * 10;
                Ok(())
            });
            vec![Extern::Func(host)]
        });
        for _ in 0..3 {
            assert_eq!(guest.i64("direct", &[5]).unwrap(), 53);
            assert_eq!(guest.i64("indirect", &[5]).unwrap(), 54);
            assert_eq!(guest.i64("odd", &[5]).unwrap(), 54);
            assert_eq!(guest.i64("even", &[5]).unwrap(), 55);
        }
        let n = 50_000;
        assert_eq!(guest.i64("loop", &[n]).unwrap(), 20 * (n * (n + 1) / 2) + n * 9);
    });
}

#[test]
fn tail_calls_fit_small_stacks() {
    for mode in MODES {
        let mut config = mode.config();
        config.max_wasm_stack(64 << 10).max_host_stack(64 << 10);
        let mut guest = Guest::with_imports(&engine(&config), ROUND, |_| Vec::new());
        for name in ["a", "self", "ai", "inside_deep"] {
            guest.i64(name, &[100_000, 0]).unwrap();
        }
    }
}

#[test]
fn a_tail_call_frees_a_larger_frame_than_it_needs() {
    // Ever other function has a large frame; the callee of each takes fewer and more parameters than its caller in turns.
    let many = "i64 ".repeat(60);
    let sixty: String = (0..60)
        .map(|i| format!("(i64.add (local.get 0) (i64.const {i}))"))
        .collect();
    let sum = (0..60).fold("(i64.const 0)".to_string(), |sum, i| {
        format!("(i64.add {sum} (local.get {i}))")
    });
    let wat = format!(
        r#"(module
            (func $few (export "few") (param i64) (result i64)
                (if (i64.le_s (local.get 0) (i64.const 0)) (then (return (local.get 0))))
                (return_call $many {sixty}))
            (func $many (param {many}) (result i64) (local v128 v128 v128 v128)
                (if (i64.eq {sum} (i64.const -1)) (then (unreachable)))
                (return_call $few (i64.sub (local.get 0) (i64.const 1)))))"#
    );
    in_every_mode(|mode| {
        let mut guest = Guest::new(mode, &wat);
        assert_eq!(guest.i64("few", &[100_000]).unwrap(), 0);
    });
}
