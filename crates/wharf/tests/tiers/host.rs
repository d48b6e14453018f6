//! Host functions that machine code calls.

use wharf::core::{Extern, ExternRef, Func, Global, Memory, Store, Table};
use wharf::{Error, FuncType, GlobalType, Limits, TableType, TrapCode, Val, ValType};

use crate::support::{Guest, assert_trap, call, in_every_mode, pattern};

#[test]
fn raw_slots_hold_parameters_and_results_zero_extended() {
    let types = "i32 f32 i64 f64 v128 i32 v128 f32";
    let gets: String = (0..8).map(|i| format!("(local.get {i})")).collect();
    let wat = format!(
        r#"(module
        (type $t (func (param {types}) (result {types})))
        (import "" "host" (func $host (type $t)))
        (table funcref (elem $host))
        (func (export "direct") (type $t) (call $host {gets}))
        (func (export "indirect") (type $t) (call_indirect (type $t) {gets} (i32.const 0)))
        (func (export "tail") (type $t) (return_call $host {gets}))
        (func $inner (type $t) (call $host {gets}))
        (func (export "nested") (type $t) (call $inner {gets})))"#
    );
    let value = |i: u64, ty: &str| match ty {
        "i32" => Val::I32(pattern(i) as i32 | i32::MIN),
        "f32" => Val::F32(pattern(i) as u32 | 1 << 31),
        "i64" => Val::I64(pattern(i) as i64),
        "f64" => Val::F64(pattern(i) as u64),
        _ => Val::V128(pattern(i)),
    };
    let params: Vec<Val> = (0..).zip(types.split(' ')).map(|(i, ty)| value(i, ty)).collect();
    let expected: Vec<String> = (100..)
        .zip(types.split(' '))
        .map(|(i, ty)| format!("{:?}", value(i, ty)))
        .collect();
    let slots_of = |values: &[Val]| {
        let mut slots = Vec::new();
        for value in values {
            match value {
                Val::I32(v) => slots.push(u64::from(*v as u32)),
                Val::I64(v) => slots.push(*v as u64),
                Val::F32(v) => slots.push(u64::from(*v)),
                Val::F64(v) => slots.push(*v),
                Val::V128(v) => slots.extend([*v as u64, (v >> 64) as u64]),
                _ => unreachable!(),
            }
        }
        slots
    };
    let results: Vec<Val> = (100..)
        .zip(types.split(' '))
        .map(|(i, ty)| value(i, ty))
        .collect();
    in_every_mode(|mode| {
        let (given, taken) = (slots_of(&params), slots_of(&results));
        let mut guest = Guest::with_imports(&mode.engine(), &wat, |store| {
            let all: Vec<ValType> = params.iter().map(Val::ty).collect();
            let host = Func::new(store, FuncType::new(all.clone(), all), move |_, slots| {
                assert_eq!(slots, given);
                slots.copy_from_slice(&taken);
                Ok(())
            });
            vec![Extern::Func(host)]
        });
        for name in ["direct", "indirect", "tail", "nested"] {
            for _ in 0..3 {
                let results = guest.call(name, &params).unwrap();
                let results: Vec<String> = results.iter().map(|v| format!("{v:?}")).collect();
                assert_eq!(results, expected, "{name}");
            }
        }
    });
}

#[test]
fn the_host_may_change_everything_during_a_call() {
    // Memory, tables and globals change while machine code waits in a call; nothing of it may be remembered from before.
    const WAT: &str = r#"(module
        (import "" "host" (func $host))
        (memory (export "m0") 1)
        (memory (export "m1") i64 1)
        (table (export "t") 1 funcref)
        (global (export "g") (mut i64) (i64.const 1))
        (global (export "v") (mut v128) (v128.const i64x2 0 0))
        (func $seven (export "seven") (result i32) (i32.const 7))
        (func (export "run") (param i32) (result i64) (local i64)
            (loop
                (i32.store (i32.const 16) (i32.const 1))
                (i64.store 1 (i64.const 16) (i64.const 2))
                (global.set 0 (i64.const 3))
                (local.set 1 (i64.add (i64.load 1 (i64.const 16)) (i64.add (local.get 1)
                    (i64.extend_i32_u (i32.load (i32.const 16))))))
                (call $host)
                (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (i32.load (i32.const 16)))))
                (local.set 1 (i64.add (local.get 1) (i64.load 1 (i64.const 16))))
                (local.set 1 (i64.add (local.get 1) (global.get 0)))
                (local.set 1 (i64.add (local.get 1) (i64x2.extract_lane 1 (global.get 1))))
                ;; At the end of what the host has added.
                (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
                (i32.store8 1 (i64.sub (i64.mul (memory.size 1) (i64.const 65536)) (i64.const 1)) (i32.const 1))
                (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u
                    (call_indirect (result i32) (i32.sub (table.size) (i32.const 1))))))
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1)))"#;
    in_every_mode(|mode| {
        let mut guest = Guest::with_imports(&mode.engine(), WAT, |store| {
            let host = Func::new(store, FuncType::new([], []), |store: &mut Store, _| {
                let guest = store.caller().expect("a guest calls");
                let m0 = guest.get_memory(store, "m0").unwrap();
                let m1 = guest.get_memory(store, "m1").unwrap();
                m0.grow(store, 1)?;
                m1.grow(store, 3)?;
                m0.data_mut(store)[16] = 10;
                m1.data_mut(store)[16] = 20;
                let Some(Extern::Global(g)) = guest.get_export(store, "g") else {
                    panic!()
                };
                g.set(store, Val::I64(30))?;
                let Some(Extern::Global(v)) = guest.get_export(store, "v") else {
                    panic!()
                };
                v.set(store, Val::V128(40 << 64))?;
                let Some(Extern::Table(t)) = guest.get_export(store, "t") else {
                    panic!()
                };
                let seven = guest.get_func(store, "seven").unwrap();
                t.grow(store, 5, Val::FuncRef(Some(seven)))?;
                Ok(())
            });
            vec![Extern::Func(host)]
        });
        let n = 50;
        let result = guest.call("run", &[Val::I32(n)]).unwrap();
        let each = 1 + 2 + 10 + 20 + 30 + 40 + 7;
        assert!(
            matches!(result[..], [Val::I64(r)] if r == i64::from(n) * each),
            "{result:?}"
        );
    });
}

#[test]
fn imported_state_is_shared_with_the_host() {
    const WAT: &str = r#"(module
        (import "" "host" (func $host (param i32) (result i32)))
        (import "" "g" (global $g (mut i32)))
        (import "" "c" (global $c i64))
        (import "" "t" (table $t 2 externref))
        (import "" "m" (memory 1))
        (func (export "run") (param i32) (result i32)
            (global.set $g (i32.add (global.get $g) (i32.const 1)))
            (table.set $t (i32.const 1) (table.get $t (i32.const 0)))
            (i32.store (i32.const 0) (i32.wrap_i64 (global.get $c)))
            (i32.add (call $host (global.get $g)) (i32.add (global.get $g) (i32.load (i32.const 0))))))"#;
    in_every_mode(|mode| {
        let engine = mode.engine();
        let mut globals = None;
        let mut guest = Guest::with_imports(&engine, WAT, |store| {
            let global = |content, mutable| GlobalType { content, mutable };
            let g = Global::new(store, global(ValType::I32, true), Val::I32(5)).unwrap();
            let c = Global::new(store, global(ValType::I64, false), Val::I64(1 << 40 | 9)).unwrap();
            let ValType::Ref(element) = ValType::EXTERNREF else {
                unreachable!()
            };
            let ty = TableType {
                element,
                minimum: 2,
                maximum: None,
                table64: false,
            };
            let t = Table::new(store, ty, Val::ExternRef(None)).unwrap();
            let m = Memory::new(store, wharf::MemoryType::new(1, None)).unwrap();
            let ty = FuncType::new([ValType::I32], [ValType::I32]);
            let host = Func::new(store, ty, move |store, slots| {
                g.set(store, Val::I32(slots[0] as i32 * 2))?;
                assert_eq!(m.data(store)[0], 9);
                m.data_mut(store)[0] = 100;
                slots[0] = 1000;
                Ok(())
            });
            globals = Some((g, t));
            [
                Extern::Func(host),
                Extern::Global(g),
                Extern::Global(c),
                Extern::Table(t),
                Extern::Memory(m),
            ]
            .to_vec()
        });
        let (g, t) = globals.unwrap();
        for round in 0..4 {
            let value = ExternRef::new(&mut guest.store, round).unwrap();
            t.set(&mut guest.store, 0, Val::ExternRef(Some(value))).unwrap();
            g.set(&mut guest.store, Val::I32(round)).unwrap();
            assert_eq!(guest.i32("run", &[0]).unwrap(), 1000 + 2 * (round + 1) + 100);
            let Some(Val::ExternRef(Some(seen))) = t.get(&guest.store, 1) else {
                panic!()
            };
            assert_eq!(seen.data(&guest.store).downcast_ref(), Some(&round));
        }
    });
}

#[test]
fn the_caller_is_the_instance_that_calls() {
    const WAT: &str = r#"(module
        (import "" "who" (func $who (result i32)))
        (import "" "next" (func $next (param i32) (result i32)))
        (global (export "id") (mut i32) (i32.const 0))
        (table funcref (elem $who))
        (type $w (func (result i32)))
        (func $ask (export "ask") (param i32) (result i32)
            (i32.add (i32.mul (call $who) (i32.const 10)) (call_indirect (type $w) (i32.const 0))))
        (func $tail (export "tail") (param i32) (result i32) (return_call $who))
        (func $tail2 (export "tail2") (param i32) (result i32) (return_call_indirect (type $w) (i32.const 0)))
        (func (export "chain") (param i32) (result i32)
            (i32.add (call $ask (i32.const 0)) (i32.mul (i32.const 100) (call $next (i32.const 0)))))
        (func (export "tail_chain") (param i32) (result i32) (return_call $next (i32.const 0)))
        (func (export "own_tail") (param i32) (result i32)
            (i32.add (call $tail (i32.const 0)) (i32.mul (i32.const 100) (call $tail2 (i32.const 0))))))"#;
    in_every_mode(|mode| {
        let engine = mode.engine();
        let module = crate::support::module(&engine, WAT);
        let mut store = Store::new(&engine, Box::new(()));
        let who = Func::new(
            &mut store,
            FuncType::new([], [ValType::I32]),
            |store: &mut Store, slots| {
                let guest = store.caller().ok_or_else(|| Error::usage("no caller"))?;
                let Some(Extern::Global(id)) = guest.get_export(store, "id") else {
                    panic!()
                };
                let Val::I32(id) = id.get(store) else { panic!() };
                slots[0] = id as u64;
                Ok(())
            },
        );
        let make = |store: &mut Store, next: Func, number: i32| {
            let instance =
                wharf::core::Instance::new(store, &module, &[Extern::Func(who), Extern::Func(next)]).unwrap();
            let Some(Extern::Global(id)) = instance.get_export(store, "id") else {
                panic!()
            };
            id.set(store, Val::I32(number)).unwrap();
            instance
        };
        let stop = FuncType::new([ValType::I32], [ValType::I32]);
        let stop = Func::new(&mut store, stop, |_, _| Ok(()));
        let first = make(&mut store, stop, 1);
        for (end, from_second) in [("ask", 11), ("tail", 1), ("tail2", 1), ("own_tail", 101)] {
            let next = first.get_func(&store, end).unwrap();
            let second = make(&mut store, next, 2);
            for _ in 0..3 {
                let mut ask = |instance: wharf::core::Instance, name| {
                    let func = instance.get_func(&store, name).unwrap();
                    match call(&mut store, func, &[Val::I32(0)]).unwrap()[..] {
                        [Val::I32(answer)] => answer,
                        _ => panic!(),
                    }
                };
                assert_eq!(ask(second, "ask"), 22);
                assert_eq!(ask(second, "tail"), 2);
                assert_eq!(ask(second, "tail2"), 2);
                assert_eq!(ask(second, "own_tail"), 202);
                assert_eq!(ask(second, "chain"), 22 + 100 * from_second);
                assert_eq!(ask(second, "tail_chain"), from_second);
            }
        }
    });
}

#[test]
fn guests_are_entered_again_from_the_host() {
    // Each level keeps values alive over the host's call, in all kinds of registers.
    const WAT: &str = r#"(module
        (import "" "host" (func $host (param i32) (result i64)))
        (func $level (export "level") (param i32) (result i64) (local i64 f64 v128 f32)
            (local.set 1 (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 7)))
            (local.set 2 (f64.convert_i32_u (local.get 0)))
            (local.set 3 (i64x2.splat (local.get 1)))
            (local.set 4 (f32.convert_i32_u (local.get 0)))
            (if (i32.eqz (local.get 0)) (then (return (i64.const 1))))
            (i64.add (call $host (i32.sub (local.get 0) (i32.const 1)))
                (i64.add (local.get 1) (i64.add (i64.trunc_f64_s (local.get 2))
                    (i64.add (i64.trunc_f32_s (local.get 4)) (i64x2.extract_lane 1 (local.get 3)))))))
        (func (export "level2") (param i32) (result i64) (i64.add (i64.const 1) (call $level (local.get 0)))))"#;
    in_every_mode(|mode| {
        let mut guest = Guest::with_imports(&mode.engine(), WAT, |store| {
            let ty = FuncType::new([ValType::I32], [ValType::I64]);
            let host = Func::new(store, ty, |store: &mut Store, slots| {
                let guest = store.caller().expect("a guest calls");
                let name = if slots[0].is_multiple_of(2) {
                    "level"
                } else {
                    "level2"
                };
                let func = guest.get_func(store, name).unwrap();
                let mut inner = [slots[0]];
                func.call_raw(store, &mut inner)?;
                // The caller is the same again after the inner call.
                assert_eq!(
                    store.caller().unwrap().get_func(store, name),
                    guest.get_func(store, name)
                );
                slots[0] = inner[0];
                Ok(())
            });
            vec![Extern::Func(host)]
        });
        for n in [0, 1, 2, 50] {
            let expected: i64 = 1 + (1..=n).map(|i| i * 16).sum::<i64>() + n / 2;
            let result = guest.call("level", &[Val::I32(n as i32)]).unwrap();
            assert!(
                matches!(result[..], [Val::I64(r)] if r == expected),
                "{n}: {result:?} {expected}"
            );
        }
    });
}

#[test]
fn references_keep_their_meaning() {
    const WAT: &str = r#"(module
        (import "" "extern" (func $extern (param externref) (result externref)))
        (import "" "func" (func $func (param funcref i32) (result funcref)))
        (table $e 4 externref)
        (table $f 4 funcref)
        (elem declare func $three $extern)
        (type $i (func (result i32)))
        (global $kept (mut externref) (ref.null extern))
        (func $three (export "three") (result i32) (i32.const 3))
        (func $pass (export "pass") (param externref) (result externref)
            (table.set $e (i32.const 2) (local.get 0))
            (global.set $kept (call $extern (table.get $e (i32.const 2))))
            (global.get $kept))
        (func (export "twice") (param externref) (result externref externref i32)
            (call $pass (local.get 0)) (call $pass (ref.null extern)) (ref.is_null (global.get $kept)))
        (func (export "call") (param funcref) (result i32)
            (table.set $f (i32.const 0) (call $func (local.get 0) (i32.const 1)))
            (table.set $f (i32.const 1) (call $func (ref.func $three) (i32.const 0)))
            (i32.add (call_indirect $f (type $i) (i32.const 0)) (call_indirect $f (type $i) (i32.const 1))))
        (func (export "null") (result funcref) (call $func (ref.null func) (i32.const 0)))
        (func (export "import") (result funcref) (ref.func $extern)))"#;
    in_every_mode(|mode| {
        let mut guest = Guest::with_imports(&mode.engine(), WAT, |store| {
            let ty = FuncType::new([ValType::EXTERNREF], [ValType::EXTERNREF]);
            let same = Func::wrap(store, ty, |_, params, results| {
                results[0] = params[0];
                Ok(())
            });
            let ty = FuncType::new([ValType::FUNCREF, ValType::I32], [ValType::FUNCREF]);
            let calls = Func::wrap(store, ty, |store, params, results| {
                results[0] = params[0];
                if let (Val::FuncRef(Some(func)), Val::I32(1)) = (params[0], params[1]) {
                    assert!(matches!(call(store, func, &[])?[..], [Val::I32(9 | 3)]));
                }
                Ok(())
            });
            vec![Extern::Func(same), Extern::Func(calls)]
        });
        let nine = Func::new(&mut guest.store, FuncType::new([], [ValType::I32]), |_, slots| {
            slots[0] = 9;
            Ok(())
        });
        let three = guest.func("three");
        for round in 0..4 {
            let value = ExternRef::new(&mut guest.store, round).unwrap();
            let param = Val::ExternRef(Some(value));
            assert!(
                matches!(guest.call("pass", &[param]).unwrap()[..], [Val::ExternRef(Some(v))] if v == value)
            );
            let twice = guest.call("twice", &[param]).unwrap();
            assert!(matches!(
                twice[..],
                [Val::ExternRef(Some(v)), Val::ExternRef(None), Val::I32(1)] if v == value
            ));
            for (func, sum) in [(nine, 12), (three, 6)] {
                let result = guest.call("call", &[Val::FuncRef(Some(func))]).unwrap();
                assert!(matches!(result[..], [Val::I32(s)] if s == sum));
            }
            assert!(matches!(
                guest.call("null", &[]).unwrap()[..],
                [Val::FuncRef(None)]
            ));
            assert!(matches!(
                guest.call("import", &[]).unwrap()[..],
                [Val::FuncRef(Some(_))]
            ));
            assert_trap(
                guest.call("call", &[Val::FuncRef(None)]),
                TrapCode::IndirectCallToNull,
            );
        }
    });
}

#[test]
fn limits_of_the_store_hold() {
    const WAT: &str = r#"(module
        (memory 1)
        (table 1 funcref)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;
    in_every_mode(|mode| {
        let mut guest = Guest::new(mode, WAT);
        let mut limits = Limits::default();
        limits.memory_bytes = 5 << 16;
        limits.table_elements = 100;
        guest.store.set_limits(limits);
        for _ in 0..3 {
            assert_eq!(guest.i32("grow", &[5]).unwrap(), -1);
            assert_eq!(guest.i32("table", &[100]).unwrap(), -1);
            assert_eq!(guest.i32("grow", &[-1]).unwrap(), -1);
            assert_eq!(guest.i32("table", &[-1]).unwrap(), -1);
        }
        assert_eq!(guest.i32("grow", &[4]).unwrap(), 1);
        assert_eq!(guest.i32("table", &[99]).unwrap(), 1);
        assert_eq!(guest.i32("grow", &[1]).unwrap(), -1);
        assert_eq!(guest.i32("grow", &[0]).unwrap(), 5);
        assert_eq!(guest.i32("table", &[0]).unwrap(), 100);
    });
}
