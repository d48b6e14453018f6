//! Traps, errors and panics in every tier: what they are, where they were, and that the store works afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wharf::core::{Extern, Func, Store};
use wharf::{Error, FuncType, TrapCode, Val, ValType};

use crate::support::{Guest, MODES, Mode, engine, failure, in_every_mode};

/// Functions that trap, each with its trap; they take an `i32` that is 0.
const TRAPS: &[(&str, TrapCode, &str)] = &[
    ("unreachable", TrapCode::Unreachable, "unreachable"),
    (
        "load",
        TrapCode::MemoryOutOfBounds,
        "(drop (i32.load offset=65533 (local.get 0)))",
    ),
    (
        "load_far",
        TrapCode::MemoryOutOfBounds,
        "(drop (i64.load offset=0xffffffff (i32.const -1)))",
    ),
    (
        "store",
        TrapCode::MemoryOutOfBounds,
        "(i32.store8 (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))",
    ),
    (
        "fill",
        TrapCode::MemoryOutOfBounds,
        "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 7))",
    ),
    (
        "copy",
        TrapCode::MemoryOutOfBounds,
        "(memory.copy (i32.const 0) (i32.const 65530) (i32.const 7))",
    ),
    (
        "init",
        TrapCode::MemoryOutOfBounds,
        "(memory.init $data (i32.const 0) (i32.const 2) (i32.const 3))",
    ),
    (
        "vector",
        TrapCode::MemoryOutOfBounds,
        "(drop (v128.load (i32.const 65521)))",
    ),
    (
        "lane",
        TrapCode::MemoryOutOfBounds,
        "(drop (v128.load64_lane 1 (i32.const 65529) (v128.const i64x2 0 0)))",
    ),
    (
        "table_get",
        TrapCode::TableOutOfBounds,
        "(drop (table.get $t (i32.const 10)))",
    ),
    (
        "table_set",
        TrapCode::TableOutOfBounds,
        "(table.set $t (i32.const -1) (ref.null func))",
    ),
    (
        "table_fill",
        TrapCode::TableOutOfBounds,
        "(table.fill $t (i32.const 5) (ref.null func) (i32.const 6))",
    ),
    (
        "table_copy",
        TrapCode::TableOutOfBounds,
        "(table.copy $t $t (i32.const 5) (i32.const 0) (i32.const 6))",
    ),
    (
        "table_init",
        TrapCode::TableOutOfBounds,
        "(table.init $t $elem (i32.const 0) (i32.const 1) (i32.const 2))",
    ),
    (
        "undefined",
        TrapCode::UndefinedElement,
        "(call_indirect (type $v) (i32.const 10))",
    ),
    (
        "undefined_tail",
        TrapCode::UndefinedElement,
        "(return_call_indirect (type $v) (i32.const 1000))",
    ),
    (
        "null",
        TrapCode::IndirectCallToNull,
        "(call_indirect (type $v) (i32.add (local.get 0) (i32.const 3)))",
    ),
    (
        "null_tail",
        TrapCode::IndirectCallToNull,
        "(return_call_indirect (type $v) (i32.const 3))",
    ),
    (
        "signature",
        TrapCode::BadSignature,
        "(call_indirect (type $v) (i32.const 0))",
    ),
    (
        "signature_tail",
        TrapCode::BadSignature,
        "(return_call_indirect (type $v) (i32.const 0))",
    ),
    (
        "overflow",
        TrapCode::IntegerOverflow,
        "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get 0) (i32.const 1))))",
    ),
    (
        "overflow64",
        TrapCode::IntegerOverflow,
        "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.sub (i64.extend_i32_s (local.get 0)) (i64.const 1))))",
    ),
    (
        "trunc",
        TrapCode::IntegerOverflow,
        "(drop (i32.trunc_f64_s (f64.const 1e20)))",
    ),
    (
        "trunc_u",
        TrapCode::IntegerOverflow,
        "(drop (i64.trunc_f32_u (f32.const -1)))",
    ),
    (
        "trunc_nan",
        TrapCode::BadConversionToInteger,
        "(drop (i32.trunc_f32_s (f32.div (f32.const 0) (f32.convert_i32_s (local.get 0)))))",
    ),
    (
        "trunc_nan64",
        TrapCode::BadConversionToInteger,
        "(drop (i64.trunc_f64_u (f64.const nan)))",
    ),
    (
        "div",
        TrapCode::IntegerDivisionByZero,
        "(drop (i32.div_s (i32.const 1) (local.get 0)))",
    ),
    (
        "div_u",
        TrapCode::IntegerDivisionByZero,
        "(drop (i64.div_u (i64.const 1) (i64.extend_i32_u (local.get 0))))",
    ),
    (
        "rem",
        TrapCode::IntegerDivisionByZero,
        "(drop (i32.rem_s (i32.const 1) (local.get 0)))",
    ),
    (
        "rem_u",
        TrapCode::IntegerDivisionByZero,
        "(drop (i64.rem_u (i64.const 1) (i64.extend_i32_u (local.get 0))))",
    ),
    (
        "endless",
        TrapCode::StackOverflow,
        "(call $endless (local.get 0))",
    ),
];

/// The module: each trap, alone and below frames of other functions, some of which call through the table or the host.
fn wat() -> String {
    let traps: String = TRAPS
        .iter()
        .map(|(name, _, body)| {
            format!(
                r#"(func ${name} (export "{name}") (param i32) {body})
                (func ${name}_1 (export "{name}_1") (param i32) (i32.store (i32.const 0) (i32.const 1)) (call ${name} (local.get 0)))
                (func ${name}_2 (export "{name}_2") (param i32) (local i64) (call ${name}_1 (local.get 0)) (nop))
                (func ${name}_3 (export "{name}_3") (param i32)
                    (loop (call ${name}_2 (local.get 0)) (br 0)))
                "#
            )
        })
        .collect();
    format!(
        r#"(module $trapping
        (type $v (func))
        (type $p (func (param i32)))
        (import "" "host" (func $host (type $p)))
        (memory 1 1)
        (data $data "abcd")
        (table $t 10 10 funcref)
        (elem (table $t) (i32.const 0) func $host $good)
        (elem $elem func $good $good)
        (func $good (export "good") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        {traps}
        (func $deep (export "deep") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (call $div (i32.const 0))))
            (i32.add (call $deeper (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
        (func $deeper (param i32) (result i32) (local f64 v128)
            (if (i32.eqz (local.get 0)) (then (call $load (i32.const 0))))
            (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
        (func $out (export "out") (param i32) (call $host (local.get 0)))
        (func $out_1 (export "out_1") (param i32) (nop) (call $out (local.get 0)))
        (func $out_indirect (export "out_indirect") (param i32) (call_indirect (type $p) (local.get 0) (i32.const 0)) (nop))
        (func $out_tail (export "out_tail") (param i32) (return_call $host (local.get 0)))
        (func $out_tail_1 (export "out_tail_1") (param i32) (call $out_tail (local.get 0)) (nop))
        (func $out_tail_2 (export "out_tail_2") (param i32) (nop) (call $out_tail_1 (local.get 0)) (nop)))"#
    )
}

#[derive(Debug)]
struct HostError(u32);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "host error {}", self.0)
    }
}

impl std::error::Error for HostError {}

/// What the host's function does.
const FAIL: u64 = 1;
const PANIC: u64 = 2;
const CALL_AGAIN: u64 = 3;

fn guest(mode: Mode) -> Guest {
    Guest::with_imports(&mode.engine(), &wat(), |store| {
        let ty = FuncType::new([ValType::I32], []);
        let host = Func::new(store, ty, |store: &mut Store, slots| match slots[0] {
            FAIL => Err(Error::host(HostError(77))),
            PANIC => panic!("by the host"),
            CALL_AGAIN => {
                let guest = store.caller().expect("a guest calls");
                let func = guest.get_func(store, "div_2").expect("it exports it");
                func.call_raw(store, &mut [0])
            }
            _ => Ok(()),
        });
        vec![Extern::Func(host)]
    })
}

#[test]
fn every_trap_is_the_same_in_every_tier() {
    let mut interpreter = guest(Mode::Interpreter);
    for mode in MODES {
        eprintln!("mode {mode:?}");
        let mut guest = guest(mode);
        for (name, code, _) in TRAPS {
            for frames in ["", "_1", "_2", "_3"] {
                let name = format!("{name}{frames}");
                let expected = interpreter.call(&name, &[Val::I32(0)]).unwrap_err();
                assert_eq!(expected.trap_code(), Some(*code), "{name}");
                for round in 0..3 {
                    let error = guest.call(&name, &[Val::I32(0)]).unwrap_err();
                    assert_eq!(error.trap_code(), Some(*code), "{name}, round {round}");
                    // How deep the stack is depends on the frames.
                    if *code != TrapCode::StackOverflow {
                        assert_eq!(failure(&error), failure(&expected), "{name}, round {round}");
                    }
                }
                assert_eq!(guest.i32("good", &[1]).unwrap(), 2);
            }
        }
    }
}

#[test]
fn backtraces_of_deep_recursion_are_the_interpreters() {
    let mut interpreter = guest(Mode::Interpreter);
    in_every_mode(|mode| {
        let mut guest = guest(mode);
        for depth in [0, 1, 2, 3, 30, 60, 61, 62, 63, 64, 65, 66, 67, 200] {
            for _ in 0..2 {
                let expected = failure(&interpreter.call("deep", &[Val::I32(depth)]).unwrap_err());
                let error = failure(&guest.call("deep", &[Val::I32(depth)]).unwrap_err());
                assert_eq!(error, expected, "depth {depth}");
            }
        }
    });
}

#[test]
fn stores_work_after_a_thousand_traps() {
    in_every_mode(|mode| {
        let mut guest = guest(mode);
        for i in 0..1000 {
            let (name, code, _) = TRAPS[i % (TRAPS.len() - 1)];
            let error = guest.call(&format!("{name}_2"), &[Val::I32(0)]).unwrap_err();
            assert_eq!(error.trap_code(), Some(code));
        }
        for _ in 0..20 {
            let error = guest.call("endless_3", &[Val::I32(0)]).unwrap_err();
            assert_eq!(error.trap_code(), Some(TrapCode::StackOverflow));
        }
        for i in 0..100 {
            assert_eq!(guest.i32("good", &[i]).unwrap(), i + 1);
        }
    });
}

const OUT: [&str; 6] = [
    "out",
    "out_1",
    "out_indirect",
    "out_tail",
    "out_tail_1",
    "out_tail_2",
];

#[test]
fn errors_of_the_host_go_through_all_tiers() {
    let mut interpreter = guest(Mode::Interpreter);
    in_every_mode(|mode| {
        let mut guest = guest(mode);
        for name in OUT {
            for _ in 0..3 {
                let expected = interpreter.call(name, &[Val::I32(FAIL as i32)]).unwrap_err();
                let error = guest.call(name, &[Val::I32(FAIL as i32)]).unwrap_err();
                assert_eq!(error.downcast_ref::<HostError>().unwrap().0, 77);
                assert_eq!(failure(&error), failure(&expected), "{name}");
                let expected = interpreter
                    .call(name, &[Val::I32(CALL_AGAIN as i32)])
                    .unwrap_err();
                let error = guest.call(name, &[Val::I32(CALL_AGAIN as i32)]).unwrap_err();
                assert_eq!(error.trap_code(), Some(TrapCode::IntegerDivisionByZero));
                assert_eq!(failure(&error), failure(&expected), "{name}");
                guest.call(name, &[Val::I32(0)]).unwrap();
            }
        }
    });
}

#[test]
fn panics_of_the_host_go_through_all_tiers() {
    in_every_mode(|mode| {
        let mut guest = guest(mode);
        for name in OUT {
            for _ in 0..3 {
                let panic = catch_unwind(AssertUnwindSafe(|| guest.call(name, &[Val::I32(PANIC as i32)])));
                assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"by the host"));
                guest.call(name, &[Val::I32(0)]).unwrap();
                // No frame of the panic is left over for the next error.
                let error = guest.call("div_1", &[Val::I32(0)]).unwrap_err();
                assert_eq!(error.backtrace().unwrap().frames().len(), 2);
            }
        }
    });
}

#[test]
fn invalid_bodies_trap_when_machine_code_calls_them() {
    // `(func (result i32) (i64.const 0))` as the second function: only its call fails.
    let wasm = [
        &b"\0asm\x01\0\0\0"[..],
        b"\x01\x05\x01\x60\0\x01\x7f",
        b"\x03\x04\x03\0\0\0",
        b"\x07\x0d\x03\x01a\0\0\x01b\0\x01\x01c\0\x02",
        b"\x0a\x10\x03\x04\0\x10\x01\x0b\x04\0\x42\0\x0b\x04\0\x41\x05\x0b",
    ]
    .concat();
    for mode in MODES {
        let mut config = mode.config();
        config.lazy_validation(true);
        let engine = engine(&config);
        let module = wharf::Module::new(&engine, wasm.clone()).unwrap();
        let mut store = Store::new(&engine, Box::new(()));
        let instance = wharf::core::Instance::new(&mut store, &module, &[]).unwrap();
        for _ in 0..3 {
            for name in ["a", "b"] {
                let func = instance.get_func(&store, name).unwrap();
                let error = crate::support::call(&mut store, func, &[]).unwrap_err();
                assert_eq!(
                    error.trap_code(),
                    Some(TrapCode::InvalidBody),
                    "{mode:?} {name} {error}"
                );
            }
            let func = instance.get_func(&store, "c").unwrap();
            assert!(matches!(
                crate::support::call(&mut store, func, &[]).unwrap()[..],
                [Val::I32(5)]
            ));
        }
    }
}
