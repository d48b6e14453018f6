//! Small programs through the public interface.

use wharf_core::{
    Config, Engine, Error, Extern, Func, FuncType, Instance, Limits, Module, Result, Store, TrapCode, Val,
    ValType,
};

fn instance(wat: &str) -> (Store, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(wat).unwrap()).unwrap();
    let mut store = Store::new(&engine, Box::new(()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn call(store: &mut Store, instance: Instance, name: &str, params: &[Val]) -> Result<i64> {
    let func = instance.get_func(store, name).unwrap();
    let mut results = [Val::I32(0)];
    func.call(store, params, &mut results)?;
    Ok(match results[0] {
        Val::I32(x) => x.into(),
        Val::I64(x) => x,
        ref other => panic!("{other:?}"),
    })
}

#[test]
fn recursion() {
    let (mut store, i) = instance(
        r#"(module (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2))
                (then (local.get 0))
                (else (i32.add
                    (call $fib (i32.sub (local.get 0) (i32.const 1)))
                    (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
    );
    assert_eq!(call(&mut store, i, "fib", &[Val::I32(20)]).unwrap(), 6765);
}

#[test]
fn loops_do_not_use_the_native_stack() {
    let (mut store, i) = instance(
        r#"(module (func (export "sum") (param i64) (result i64) (local i64)
            (loop
                (local.set 1 (i64.add (local.get 1) (local.get 0)))
                (br_if 0 (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))
            (local.get 1)))"#,
    );
    assert_eq!(
        call(&mut store, i, "sum", &[Val::I64(10_000_000)]).unwrap(),
        50_000_005_000_000
    );
}

#[test]
fn tail_calls_use_constant_stack() {
    let (mut store, i) = instance(
        r#"(module
            (table funcref (elem $odd))
            (type $t (func (param i32) (result i32)))
            (func $even (export "even") (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
                    (else (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
            (func $odd (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
                    (else (return_call $even (i32.sub (local.get 0) (i32.const 1)))))))"#,
    );
    assert_eq!(call(&mut store, i, "even", &[Val::I32(1_000_000)]).unwrap(), 1);
}

#[test]
fn endless_recursion_is_a_trap_with_a_bounded_backtrace() {
    let (mut store, i) = instance(r#"(module $m (func $f (export "f") (result i32) (call $f)))"#);
    let e = call(&mut store, i, "f", &[]).unwrap_err();
    assert_eq!(e.trap_code(), Some(TrapCode::StackOverflow));
    let backtrace = e.backtrace().unwrap();
    assert_eq!(backtrace.frames()[0].func_name.as_deref(), Some("f"));
    assert_eq!(backtrace.frames()[0].module.as_deref(), Some("m"));
    assert!(backtrace.omitted() > 1000);
    // The store goes on working.
    assert_eq!(
        call(&mut store, i, "f", &[]).unwrap_err().trap_code(),
        Some(TrapCode::StackOverflow)
    );
}

#[test]
fn recursion_through_the_host_is_a_trap() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        wat::parse_str(r#"(module (import "" "f" (func $f)) (func (export "g") (call $f)))"#).unwrap(),
    )
    .unwrap();
    let mut store = Store::new(&engine, Box::new(()));
    let f = Func::new(&mut store, FuncType::new([], []), |store, _| {
        let g = store.caller().unwrap().get_func(store, "g").unwrap();
        g.call(store, &[], &mut [])
    });
    let instance = Instance::new(&mut store, &module, &[Extern::Func(f)]).unwrap();
    let g = instance.get_func(&store, "g").unwrap();
    let e = g.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(e.trap_code(), Some(TrapCode::StackOverflow));
}

#[test]
fn backtraces_name_functions_and_offsets() {
    let wat = r#"(module $m
        (func $inner (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
        (func $outer (export "outer") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))"#;
    let (mut store, i) = instance(wat);
    let e = call(&mut store, i, "outer", &[Val::I32(0)]).unwrap_err();
    assert_eq!(e.trap_code(), Some(TrapCode::IntegerDivisionByZero));
    let frames = e.backtrace().unwrap().frames();
    let names: Vec<_> = frames.iter().map(|f| f.func_name.as_deref().unwrap()).collect();
    assert_eq!(names, ["inner", "outer"]);
    let wasm = wat::parse_str(wat).unwrap();
    assert_eq!(wasm[frames[0].offset.unwrap()], 0x6d); // i32.div_s
    assert_eq!(wasm[frames[1].offset.unwrap()], 0x10); // call
}

#[test]
fn errors_and_panics_of_host_functions_come_out() {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        wat::parse_str(r#"(module $m (import "" "f" (func $f (param i32))) (func $g (export "g") (param i32) (call $f (local.get 0))))"#)
            .unwrap(),
    )
    .unwrap();
    let mut store = Store::new(&engine, Box::new(()));
    let f = Func::new(
        &mut store,
        FuncType::new([ValType::I32], []),
        |_, slots| match slots[0] {
            0 => Ok(()),
            1 => Err(Error::host(std::fmt::Error)),
            _ => panic!("by request"),
        },
    );
    let instance = Instance::new(&mut store, &module, &[Extern::Func(f)]).unwrap();
    let g = instance.get_func(&store, "g").unwrap();
    g.call(&mut store, &[Val::I32(0)], &mut []).unwrap();
    let e = g.call(&mut store, &[Val::I32(1)], &mut []).unwrap_err();
    assert!(e.downcast_ref::<std::fmt::Error>().is_some());
    assert_eq!(e.backtrace().unwrap().frames()[0].func_name.as_deref(), Some("g"));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = g.call(&mut store, &[Val::I32(2)], &mut []);
    }));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"by request"));
    g.call(&mut store, &[Val::I32(0)], &mut []).unwrap();
}

#[test]
fn the_epoch_ends_an_endless_loop() {
    let (mut store, i) = instance(r#"(module (func (export "f") (result i32) (loop (br 0)) (i32.const 1)))"#);
    store.set_epoch_deadline(1);
    let engine = store.engine().clone();
    let ticker = std::thread::spawn(move || engine.increment_epoch());
    let e = call(&mut store, i, "f", &[]).unwrap_err();
    ticker.join().unwrap();
    assert_eq!(e.trap_code(), Some(TrapCode::Interrupt));
}

#[test]
fn memory_growth_meets_the_quota() {
    let (mut store, i) = instance(
        r#"(module (memory 1) (func (export "grow") (result i32) (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)))"#,
    );
    let mut limits = Limits::default();
    limits.memory_bytes = 10 << 16;
    store.set_limits(limits);
    assert_eq!(call(&mut store, i, "grow", &[]).unwrap(), 10);
}

#[test]
fn an_invalid_body_traps_at_its_call_when_validation_is_lazy() {
    let wat = r#"(module (func (export "bad") (result i32) (i64.const 1)) (func (export "good") (result i32) (i32.const 1)))"#;
    let wasm = wat::parse_str(wat).unwrap();
    assert!(Module::new(&Engine::default(), &wasm).is_err());
    let engine = Engine::new(Config::new().lazy_validation(true)).unwrap();
    let module = Module::new(&engine, &wasm).unwrap();
    let mut store = Store::new(&engine, Box::new(()));
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(call(&mut store, instance, "good", &[]).unwrap(), 1);
    let e = call(&mut store, instance, "bad", &[]).unwrap_err();
    assert_eq!(e.trap_code(), Some(TrapCode::InvalidBody));
    assert!(e.to_string().contains("type mismatch"), "{e}");
}

#[test]
fn handles_of_another_store_are_refused() {
    let (mut store, i) = instance(r#"(module (func (export "f") (param funcref)))"#);
    let (other, j) = instance(r#"(module (func (export "g")))"#);
    let f = i.get_func(&store, "f").unwrap();
    let g = j.get_func(&other, "g").unwrap();
    assert!(f.call(&mut store, &[Val::FuncRef(Some(g))], &mut []).is_err());
    assert!(f.call(&mut store, &[Val::FuncRef(Some(f))], &mut []).is_ok());
}

#[test]
fn modules_of_another_engine_are_refused() {
    // The types of both have the number 0 in their engine.
    let module = |wat: &str| Module::new(&Engine::default(), wat::parse_str(wat).unwrap()).unwrap();
    let taker = module(r#"(module (import "" "f" (func (param i64))))"#);
    let giver = module(r#"(module (func (export "f") (param externref)))"#);
    let mut store = Store::new(giver.engine(), Box::new(()));
    let giver = Instance::new(&mut store, &giver, &[]).unwrap();
    let f = giver.get_export(&store, "f").unwrap();
    let error = Instance::new(&mut store, &taker, &[f]).unwrap_err();
    assert!(error.to_string().contains("another engine"), "{error}");
}

#[test]
fn features_that_are_not_there_are_told_from_invalid_modules() {
    let kind = |wat: &str| {
        let error = Module::new(&Engine::default(), wat::parse_str(wat).unwrap()).unwrap_err();
        matches!(error.kind(), wharf_core::ErrorKind::Unsupported(_))
    };
    assert!(kind("(module (type (struct)))"));
    assert!(kind("(module (tag (param i32)))"));
    assert!(!kind("(module (func (result i32)))"));
}
