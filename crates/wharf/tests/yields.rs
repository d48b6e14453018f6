//! Components that let others run at their deadline: calls from guest to guest, and what a host calls synchronously.

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use common::component;
use wharf::component::{Instance, Linker};
use wharf::{Config, Engine, Store, Tier, TrapCode, UpdateDeadline};

fn engines() -> Vec<Engine> {
    let tiers: &[Tier] = match cfg!(feature = "jit") {
        true => &[Tier::Off, Tier::Eager, Tier::Sync, Tier::Tiered],
        false => &[Tier::Off],
    };
    let engine = |tier: &Tier| {
        let mut config = Config::new();
        config.tier(*tier).sample_interval(1).hot_samples(1);
        Engine::new(&config).unwrap()
    };
    tiers.iter().map(engine).collect()
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn drive<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut pending = 0;
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            return (output, pending);
        }
        pending += 1;
    }
}

/// Guests, three deep, that pass a string on; the innermost takes its time (or all of it). Allocators, the start function and `post-return`
/// do so as well.
const NESTED: &str = r#"(component
    (component $inner
        (core module $m
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func $spin (param i32) (loop (br_if 0 (i32.ge_s (local.tee 0 (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (call $spin (i32.const 10))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3))))
            (func (export "post") (param i32) (call $spin (i32.const 10)))
            (func (export "run") (param i32 i32 i32) (result i32)
                (if (local.get 2) (then (call $spin (i32.const 100))) (else (loop (br 0))))
                (i32.store (i32.const 8) (local.get 0))
                (i32.store (i32.const 12) (local.get 1))
                (i32.const 8))
            (func $start (call $spin (i32.const 50)))
            (start $start))
        (core instance $i (instantiate $m))
        (func (export "run") (param "s" string) (param "finite" bool) (result string)
            (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))
                (post-return (core func $i "post")))))
    (component $outer
        (import "run" (func $run (param "s" string) (param "finite" bool) (result string)))
        (core module $libc
            (memory (export "memory") 1)
            (global $next (mut i32) (i32.const 1024))
            (func $spin (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (call $spin (i32.const 10))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))))
        (core instance $libc (instantiate $libc))
        (core func $run' (canon lower (func $run) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (core module $m
            (import "" "run" (func $run (param i32 i32 i32 i32)))
            (func (export "run") (param i32 i32 i32) (result i32)
                (call $run (local.get 0) (local.get 1) (local.get 2) (i32.const 16))
                (i32.const 16)))
        (core instance $i (instantiate $m (with "" (instance (export "run" (func $run'))))))
        (func (export "run") (param "s" string) (param "finite" bool) (result string)
            (canon lift (core func $i "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $outer (with "run" (func $a "run"))))
    (instance $c (instantiate $outer (with "run" (func $b "run"))))
    (export "run" (func $c "run")))"#;

fn yielding(engine: &Engine) -> Store<()> {
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(0);
    store.epoch_deadline_async_yield_and_update(0);
    store
}

#[test]
fn calls_from_guest_to_guest_yield() {
    for engine in engines() {
        let component = component(&engine, NESTED);
        let mut store = yielding(&engine);
        let pre = Linker::new(&engine).instantiate_pre(&component).unwrap();
        let (instance, pending) = drive(pre.instantiate_async(&mut store));
        assert!(pending >= 30, "the start function yielded {pending} times");
        let instance: Instance = instance.unwrap();
        let run = instance
            .get_typed_func::<(&str, bool), (String,)>(&mut store, "run")
            .unwrap();
        for text in ["", "a", "some more text"] {
            let (result, pending) = drive(run.call_async(&mut store, (text, true)));
            assert_eq!(result.unwrap().0, text);
            assert!(pending >= 100, "{pending} yields");
            // Synchronously the same, with nobody to yield to.
            assert_eq!(run.call(&mut store, (text, true)).unwrap().0, text);
        }
    }
}

#[test]
fn a_call_dropped_deep_inside_frees_everything() {
    for engine in engines() {
        let component = component(&engine, NESTED);
        let linker = Linker::<Arc<()>>::new(&engine);
        let held = Arc::new(());
        for polls in [1, 2, 60, 300] {
            let mut store = Store::new(&engine, held.clone());
            let instance = linker.instantiate(&mut store, &component).unwrap();
            let run = instance
                .get_typed_func::<(&str, bool), (String,)>(&mut store, "run")
                .unwrap();
            store.set_epoch_deadline(0);
            store.epoch_deadline_async_yield_and_update(0);
            let mut call = Box::pin(run.call_async(&mut store, ("text", false)));
            for _ in 0..polls {
                assert!(poll(call.as_mut()).is_pending());
            }
            drop(call);
            // Its instances were left in the middle.
            let error = run.call(&mut store, ("text", true)).unwrap_err();
            assert_eq!(error.trap_code(), Some(TrapCode::CannotEnterComponent));
            drop(store);
            assert_eq!(Arc::strong_count(&held), 1);
        }
    }
}

#[test]
fn a_callback_bounds_what_can_not_yield() {
    // The allocator never comes back; it is called by the host for the argument.
    const WAT: &str = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) (unreachable))
            (func (export "run") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "run") (param "s" string)
            (canon lift (core func $i "run") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;
    for engine in engines() {
        let component = component(&engine, WAT);
        let mut store = Store::new(&engine, 0u32);
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let run = instance.get_typed_func::<(&str,), ()>(&mut store, "run").unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        store.set_epoch_deadline(0);
        store.epoch_deadline_callback(move |mut store| {
            *store.data_mut() += 1;
            Ok(match count.fetch_add(1, Ordering::SeqCst) {
                0..10 => UpdateDeadline::Yield(0),
                _ => UpdateDeadline::Interrupt,
            })
        });
        let (result, pending) = drive(run.call_async(&mut store, ("text",)));
        assert_eq!(result.unwrap_err().trap_code(), Some(TrapCode::Interrupt));
        assert_eq!((pending, *store.data()), (0, 11));
    }
}
