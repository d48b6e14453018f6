//! Deadlines stop guests in every tier.

use std::sync::atomic::{AtomicBool, Ordering};

use wharf::core::{Extern, Func, Store};
use wharf::{FuncType, TrapCode, Val};

use crate::endless::{ENDLESS, configs, guest};
use crate::support::{Guest, assert_trap, engine};

#[test]
fn a_deadline_that_has_passed_stops_everything_endless() {
    for config in configs() {
        let mut guest = guest(&config);
        for _ in 0..2 {
            for name in ENDLESS {
                guest.store.set_epoch_deadline(0);
                assert_trap(guest.i32(name, &[0]), TrapCode::Interrupt);
                guest.store.set_epoch_deadline(1000);
                assert_eq!(guest.i32("fine", &[1]).unwrap(), 4);
                assert_eq!(guest.i32("work", &[1000]).unwrap(), 1001);
            }
        }
    }
}

#[test]
fn another_thread_stops_what_runs() {
    for config in configs() {
        let mut guest = guest(&config);
        let engine = guest.store.engine().clone();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ticks = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    engine.increment_epoch();
                    std::thread::yield_now();
                }
            });
            for name in ENDLESS {
                guest.store.set_epoch_deadline(50);
                assert_trap(guest.i32(name, &[0]), TrapCode::Interrupt);
            }
            done.store(true, Ordering::Relaxed);
            ticks.join().unwrap();
        });
    }
}

#[test]
fn code_from_before_the_first_deadline_is_not_used_any_more() {
    for config in configs() {
        let mut guest = guest(&config);
        // Everything is compiled now that can be, without looks at a deadline.
        for _ in 0..20 {
            assert_eq!(guest.i32("work", &[1000]).unwrap(), 1001);
            assert_eq!(guest.i32("fine", &[1]).unwrap(), 4);
        }
        let mut other = Store::new(guest.store.engine(), Box::new(()));
        // Whichever store it is.
        other.set_epoch_deadline(5);
        assert_eq!(guest.i32("work", &[1000]).unwrap(), 1001);
        guest.store.set_epoch_deadline(0);
        assert_trap(guest.i32("loop", &[0]), TrapCode::Interrupt);
        assert_trap(guest.i32("work", &[i32::MAX]), TrapCode::Interrupt);
        guest.store.set_epoch_deadline(1 << 40);
        for _ in 0..20 {
            assert_eq!(guest.i32("work", &[1000]).unwrap(), 1001);
            assert_eq!(guest.i32("fine", &[1]).unwrap(), 4);
        }
        guest.store.set_epoch_deadline(0);
        assert_trap(guest.i32("work", &[i32::MAX]), TrapCode::Interrupt);
    }
}

#[test]
fn the_first_deadline_may_be_set_while_machine_code_runs() {
    // The host function that sets it is called by code without looks; what that code calls from then on looks.
    const WAT: &str = r#"(module
        (import "" "host" (func $host))
        (func $spin (export "spin") (loop (br 0)))
        (func $prepare (export "prepare") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (call $prepare (i32.const 1000)) (call $host) (call $prepare (i32.const 10)) (call $spin))
        (func (export "tail") (call $host) (return_call $spin))
        ;; Nothing that this calls goes on for long.
        (func (export "loop") (loop (call $host) (br 0)))
        (func $pass (call $host))
        (func (export "loop_around") (loop (call $pass) (br 0)))
        (func $tail (call $host) (return_call $tail))
        (func (export "tail_loop") (call $tail)))"#;
    for name in ["run", "tail", "loop", "loop_around", "tail_loop"] {
        for config in configs() {
            let mut guest = Guest::with_imports(&engine(&config), WAT, |store| {
                let host = Func::new(store, FuncType::new([], []), |store: &mut Store, _| {
                    store.set_epoch_deadline(0);
                    Ok(())
                });
                vec![Extern::Func(host)]
            });
            guest.call("prepare", &[Val::I32(1000)]).unwrap();
            let error = guest.call(name, &[]).unwrap_err();
            assert_eq!(error.trap_code(), Some(TrapCode::Interrupt));
            let frames = error.backtrace().unwrap().frames();
            assert!(!frames.is_empty());
        }
    }
}
