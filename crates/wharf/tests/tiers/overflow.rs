//! Recursion without end is a trap, in either tier and in the host, on every kind of stack.

use wharf::core::{Extern, Func, Store};
use wharf::{FuncType, TrapCode, Val, ValType};

use crate::support::{Guest, MODES, Mode, assert_trap, call, engine};

fn wat() -> String {
    // `huge` keeps many vectors alive over its call, so that its native frame is large.
    let locals = 600;
    let fill: String = (0..locals)
        .map(|i| {
            format!(
                "(local.set {} (i32x4.splat (i32.add (local.get 0) (i32.const {i}))))",
                i + 1
            )
        })
        .collect();
    let sum: String = (0..locals)
        .map(|i| format!("(local.set 1 (i32x4.add (local.get 1) (local.get {})))", i + 1))
        .collect();
    let v128s = "v128 ".repeat(locals);
    format!(
        r#"(module
        (type $t (func (param i32) (result i32)))
        (import "" "host" (func $host (type $t)))
        (table 8 funcref)
        (elem (i32.const 0) $odd $even $host)
        (func $even (export "even") (type $t)
            (i32.add (i32.const 1) (call $odd (i32.add (local.get 0) (i32.const 1)))))
        (func $odd (export "odd") (type $t)
            (i32.add (i32.const 1) (call $even (i32.add (local.get 0) (i32.const 1)))))
        (func $self (export "self") (type $t)
            (i32.add (i32.const 1) (call $self (i32.add (local.get 0) (i32.const 1)))))
        (func $indirect (export "indirect") (type $t)
            (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0)
                (i32.and (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))))
        (func $vectors (export "vectors") (type $t) (local v128 v128)
            (local.set 1 (i32x4.splat (local.get 0)))
            (local.set 2 (i32x4.add (local.get 1) (local.get 1)))
            (i32.add (call $even2 (i32.add (local.get 0) (i32.const 1)))
                (i32x4.extract_lane 2 (i32x4.add (local.get 1) (local.get 2)))))
        (func $even2 (type $t) (local v128)
            (local.set 1 (f64x2.convert_low_i32x4_s (i32x4.splat (local.get 0))))
            (i32.add (call $vectors (local.get 0)) (i32x4.extract_lane 1 (local.get 1))))
        (func $huge (export "huge") (type $t) (local {v128s})
            {fill}
            (local.set 0 (call $huge2 (local.get 0)))
            {sum}
            (i32x4.extract_lane 0 (local.get 1)))
        (func $huge2 (type $t) (call $huge (i32.add (local.get 0) (i32.const 1))))
        (func $many (export "many") (type $t)
            (call $many2 (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)
                (v128.const i64x2 0 0) (v128.const i64x2 0 0) (i64.const 3) (i64.const 3) (i64.const 3) (i64.const 4)))
        (func $many2 (param i32 i32 i32 i32 i32 i32 i32 v128 v128 i64 i64 i64 i64) (result i32)
            (i32.add (local.get 3) (call $many (local.get 0))))
        (func $out (export "out") (type $t) (i32.add (i32.const 1) (call $host (local.get 0))))
        (func $out2 (export "out2") (type $t)
            (i32.add (i32.const 1) (call_indirect (type $t) (local.get 0) (i32.const 2))))
        (func (export "fine") (type $t) (i32.add (local.get 0) (i32.const 1))))"#
    )
}

const ENDLESS: [&str; 9] = [
    "even", "odd", "self", "indirect", "vectors", "huge", "many", "out", "out2",
];

/// A guest whose import calls it again, `out` and `out2` in turns.
fn guest(mode: Mode, fiber_stack: usize) -> Guest {
    let mut config = mode.config();
    config.fiber_stack(fiber_stack);
    Guest::with_imports(&engine(&config), &wat(), |store| {
        let ty = FuncType::new([ValType::I32], [ValType::I32]);
        let host = Func::new(store, ty, |store: &mut Store, slots| {
            let name = if slots[0].is_multiple_of(2) { "out" } else { "out2" };
            let guest = store.caller().expect("a guest calls");
            let func = guest.get_func(store, name).expect("it exports it");
            let mut next = [(slots[0] + 1) & 0xffff_ffff];
            func.call_raw(store, &mut next)?;
            slots[0] = next[0];
            Ok(())
        });
        vec![Extern::Func(host)]
    })
}

fn check(guest: &mut Guest) {
    for round in 0..3 {
        for name in ENDLESS {
            let result = guest.i32(name, &[round]);
            if let Err(e) = &result {
                assert!(
                    e.backtrace().is_some_and(|b| !b.frames().is_empty()),
                    "{name}: {e}"
                );
            }
            assert_trap(result, TrapCode::StackOverflow);
            assert_eq!(guest.i32("fine", &[round]).unwrap(), round + 1);
        }
    }
}

#[test]
fn recursion_without_end_traps() {
    for mode in MODES {
        check(&mut guest(mode, 1 << 20));
    }
}

#[test]
fn recursion_without_end_traps_on_threads() {
    let threads = MODES.map(|mode| {
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || check(&mut guest(mode, 1 << 20)))
            .unwrap()
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn recursion_without_end_traps_on_fibers() {
    for mode in MODES {
        for stack in [64 << 10, 100 << 10, 256 << 10, 1 << 20] {
            let mut guest = guest(mode, stack);
            for round in 0..2 {
                for name in ENDLESS {
                    let func = guest.func(name);
                    let store = &mut guest.store;
                    let fiber = wharf::core::suspend::on_fiber(stack, move || {
                        let result = call(store, func, &[Val::I32(round)]);
                        assert_trap(result, TrapCode::StackOverflow);
                    });
                    wharf::core::suspend::wait(fiber).unwrap().unwrap();
                }
            }
            assert_eq!(guest.i32("fine", &[1]).unwrap(), 2);
        }
    }
}

#[test]
fn recursion_through_fibers_traps() {
    // Each call of the host goes on with the guest on another fiber.
    for mode in [Mode::Interpreter, Mode::Eager, Mode::Odd, Mode::Sync] {
        for outermost_on_fiber in [false, true] {
            let engine = mode.engine();
            let mut guest = Guest::with_imports(&engine, &wat(), |store| {
                let ty = FuncType::new([ValType::I32], [ValType::I32]);
                let host = Func::new(store, ty, |store: &mut Store, slots| {
                    let depth = slots[0];
                    let guest = store.caller().expect("a guest calls");
                    let name = if depth < 20 { "out" } else { "self" };
                    let func = guest.get_func(store, name).expect("it exports it");
                    let fiber = wharf::core::suspend::on_fiber(256 << 10, || {
                        let mut next = [depth + 1];
                        func.call_raw(store, &mut next).map(|()| next[0])
                    });
                    slots[0] = wharf::core::suspend::wait(fiber)???;
                    Ok(())
                });
                vec![Extern::Func(host)]
            });
            for _ in 0..3 {
                let result = if outermost_on_fiber {
                    let guest = &mut guest;
                    let fiber = wharf::core::suspend::on_fiber(256 << 10, move || guest.i32("out", &[0]));
                    wharf::core::suspend::wait(fiber).unwrap().unwrap()
                } else {
                    guest.i32("out", &[0])
                };
                assert_trap(result, TrapCode::StackOverflow);
                assert_eq!(guest.i32("fine", &[1]).unwrap(), 2);
            }
        }
    }
}

#[test]
fn calls_on_a_nested_fiber_have_its_stack() {
    // A guest that needs some stack, called from a host function on another fiber than the outermost call: it must get what that fiber has.
    const WAT: &str = r#"(module
        (import "" "host" (func $host (param i32) (result i32)))
        (func $down (export "down") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
        (func (export "run") (param i32) (result i32) (call $host (local.get 0))))"#;
    for mode in MODES {
        let engine = mode.engine();
        let mut guest = Guest::with_imports(&engine, WAT, |store| {
            let ty = FuncType::new([ValType::I32], [ValType::I32]);
            let host = Func::new(store, ty, |store: &mut Store, slots| {
                let guest = store.caller().expect("a guest calls");
                let func = guest.get_func(store, "down").expect("it exports it");
                let mut inner = [slots[0]];
                let fiber = wharf::core::suspend::on_fiber(1 << 20, || {
                    func.call_raw(store, &mut inner).map(|()| inner[0])
                });
                slots[0] = wharf::core::suspend::wait(fiber)???;
                Ok(())
            });
            vec![Extern::Func(host)]
        });
        for _ in 0..2 {
            assert_eq!(guest.i32("run", &[500]).unwrap(), 500);
            assert_eq!(guest.i32("down", &[500]).unwrap(), 500);
        }
    }
}

/// Functions with as many parameters and results as there may be, called with hardly any stack left.
#[test]
fn calls_with_a_thousand_values_overflow_cleanly() {
    let vectors = "v128 ".repeat(1000);
    let zeros = "(v128.const i64x2 0 0) ".repeat(1000);
    let drops = "drop ".repeat(1000);
    let wat = format!(
        r#"(module
        (type $big (func (param {vectors}) (result {vectors})))
        (import "" "end" (func $end (type $big)))
        (func $f1 (export "f1") (param i32) {zeros} call $big2 {drops})
        (func $f2 (export "f2") (param i32) {zeros} call $big3 {drops})
        (func $big2 (type $big) i32.const 0 call $f1 {zeros})
        (func $big3 (type $big) i32.const 0 call $f2 {zeros})
        (func (export "f3") (param i32) (loop {zeros} call $end {drops} br 0))
        (func $f4 (export "f4") (param i32) (call $f5 (local.get 0)) {zeros} call $end {drops})
        (func $f5 (param i32) (call $f4 (local.get 0)) {zeros} call $end {drops}))"#
    );
    for mode in MODES {
        for stack in [64 << 10, 65 << 10, 72 << 10, 100 << 10, 1 << 20] {
            let mut config = mode.config();
            config.max_wasm_stack(stack);
            let mut guest = Guest::with_imports(&engine(&config), &wat, |store| {
                let types = vec![ValType::V128; 1000];
                let end = Func::new(
                    store,
                    FuncType::new(types.clone(), types),
                    |store: &mut Store, _| {
                        let guest = store.caller().expect("a guest calls");
                        let func = guest.get_func(store, "f3").expect("it exports it");
                        func.call_raw(store, &mut [0])
                    },
                );
                vec![Extern::Func(end)]
            });
            for name in ["f1", "f2", "f3", "f4"] {
                eprintln!("{mode:?} {stack} {name}");
                assert_trap(guest.call(name, &[Val::I32(0)]), TrapCode::StackOverflow);
            }
        }
    }
}
