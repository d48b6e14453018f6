//! Guests that let others run at their deadline, in every tier.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use wharf::core::suspend::{Cancelled, on_fiber};
use wharf::core::{Extern, Func, Store};
use wharf::{Config, Error, ErrorKind, FuncType, Result, Tier, TrapCode, UpdateDeadline, Val, ValType};

use crate::endless::{ENDLESS, WAT, configs, guest};
use crate::support::{Guest, Mode, assert_trap, engine, in_every_mode};

const STACK: usize = 256 << 10;

/// Polls once, and tells whether the waker was woken meanwhile.
fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> (Poll<F::Output>, bool) {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let polled = future.poll(&mut Context::from_waker(&Waker::from(flag.clone())));
    (polled, flag.0.load(Ordering::SeqCst))
}

/// Polls until it is ready; gives how often it was pending. It must have woken its waker each time.
fn drive<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut pending = 0;
    loop {
        match poll(future.as_mut()) {
            (Poll::Ready(output), _) => return (output, pending),
            (Poll::Pending, woken) => assert!(woken),
        }
        pending += 1;
    }
}

/// Calls a function of a guest on a fiber.
fn call<'a>(
    guest: &'a mut Guest,
    name: &'static str,
    params: &'static [i32],
) -> impl Future<Output = Result<Vec<Val>>> + Send + use<'a> {
    let fiber = on_fiber(STACK, move || {
        let params: Vec<Val> = params.iter().map(|p| Val::I32(*p)).collect();
        guest.call(name, &params)
    });
    async move { fiber.await? }
}

/// A guest yields whenever it looks at the deadline.
fn always_yield(guest: &mut Guest) {
    guest.store.set_epoch_deadline(0);
    guest.store.epoch_deadline_async_yield_and_update(0);
}

/// A loop with more values of each kind than there are registers, all of which change in each round and are returned. Floats stay
/// between 0 and 1, and depend on all their bits.
fn live_values() -> String {
    const EACH: usize = 20;
    let kinds = [
        ("i64", "i64.const 3", "i64.mul", "i64.add"),
        ("i32", "i32.const 5", "i32.mul", "i32.xor"),
        ("f64", "f64.const 3.7", "f64.mul", "f64.add"),
        ("f32", "f32.const 2.3", "f32.mul", "f32.add"),
        (
            "v128",
            "v128.const i16x8 3 5 7 9 11 13 15 17",
            "i16x8.mul",
            "i32x4.add",
        ),
    ];
    let [mut types, mut start, mut step, mut get] = [const { String::new() }; 4];
    let mut local = 1;
    for (ty, factor, times, plus) in kinds {
        let first = local;
        for i in 0..EACH {
            let other = first + (i + 1) % EACH;
            let next = format!("({plus} ({times} (local.get {local}) ({factor})) (local.get {other}))");
            let (initial, next) = match ty {
                "v128" => (format!("(i64x2.splat (i64.const {}))", i * 77 + 1), next),
                "f32" | "f64" => (
                    format!("({ty}.const 0.{})", i * 3 + 1),
                    format!("(local.tee ${ty} {next}) ({ty}.floor (local.get ${ty})) {ty}.sub"),
                ),
                _ => (format!("({ty}.const {})", i * 3 + 1), next),
            };
            types += &format!(" {ty}");
            start += &format!("(local.set {local} {initial})");
            step += &format!("{next} (local.set {local})");
            get += &format!("(local.get {local})");
            local += 1;
        }
    }
    format!(
        r#"(module
        (func (export "run") (param i32) (result {types}) (local {types}) (local $f32 f32) (local $f64 f64)
            {start}
            (loop
                {step}
                (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            {get}))"#
    )
}

#[test]
fn values_stay_what_they_are_over_thousands_of_yields() {
    const ROUNDS: i32 = 2500;
    let wat = live_values();
    let expected = Guest::new(Mode::Interpreter, &wat)
        .call("run", &[Val::I32(ROUNDS)])
        .unwrap();
    let expected = format!("{expected:?}");
    in_every_mode(|mode| {
        let mut config = mode.config();
        if matches!(mode, Mode::Interpreter | Mode::Odd) {
            config.sample_interval(1);
        }
        let mut guests: Vec<Guest> = (0..2)
            .map(|_| Guest::with_imports(&engine(&config), &wat, |_| Vec::new()))
            .collect();
        for guest in &mut guests {
            always_yield(guest);
        }
        // One is behind the other, so that registers differ from what they were, and polls move between threads.
        let mut calls: Vec<_> = guests
            .iter_mut()
            .map(|guest| Box::pin(call(guest, "run", &[ROUNDS])))
            .collect();
        assert!(poll(calls[1].as_mut()).0.is_pending());
        let mut pending = 0;
        let mut done = [false; 2];
        while done != [true; 2] {
            for (call, done) in calls.iter_mut().zip(&mut done) {
                if *done {
                    continue;
                }
                let (polled, woken) = match pending % 64 {
                    0 => std::thread::scope(|scope| scope.spawn(|| poll(call.as_mut())).join().unwrap()),
                    _ => poll(call.as_mut()),
                };
                match polled {
                    Poll::Pending => assert!(woken),
                    Poll::Ready(result) => {
                        assert_eq!(format!("{:?}", result.unwrap()), expected);
                        *done = true;
                    }
                }
                pending += 1;
            }
        }
        let least = match mode {
            Mode::SyncLate => ROUNDS as u32 / 20,
            _ => 2 * ROUNDS as u32 - 10,
        };
        assert!(pending >= least, "{pending} yields in {mode:?}");
    });
}

#[test]
fn endless_guests_yield_and_can_be_dropped() {
    for config in configs() {
        let mut guest = guest(&config);
        for round in 1..4 {
            for name in ENDLESS {
                always_yield(&mut guest);
                {
                    let mut call = pin!(call(&mut guest, name, &[0]));
                    for _ in 0..round * 5 {
                        let (polled, woken) = poll(call.as_mut());
                        assert!(polled.is_pending() && woken);
                    }
                }
                guest.store.set_epoch_deadline(1000);
                assert_eq!(guest.i32("fine", &[1]).unwrap(), 4);
                let (sum, pending) = drive(call(&mut guest, "sum", &[100]));
                assert!(matches!(sum.unwrap()[..], [Val::I32(5151)]));
                assert_eq!(pending, 0);
            }
        }
    }
}

#[test]
fn guests_take_turns_while_a_clock_runs() {
    for config in configs() {
        let engine = engine(&config);
        let mut guests: Vec<Guest> = (0..3)
            .map(|_| {
                Guest::with_imports(&engine, WAT, |store| {
                    let ty = FuncType::new([ValType::I32], [ValType::I32]);
                    vec![Extern::Func(Func::new(store, ty, |_, _| Ok(())))]
                })
            })
            .collect();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ticks = scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    engine.increment_epoch();
                    std::thread::yield_now();
                }
            });
            for guest in &mut guests {
                guest.store.set_epoch_deadline(1);
                guest.store.epoch_deadline_async_yield_and_update(1);
            }
            let mut calls: Vec<_> = guests
                .iter_mut()
                .zip(ENDLESS)
                .map(|(guest, name)| Box::pin(call(guest, name, &[0])))
                .collect();
            let all = (0..5).all(|_| calls.iter_mut().all(|call| poll(call.as_mut()).0.is_pending()));
            drop(calls);
            done.store(true, Ordering::Relaxed);
            ticks.join().unwrap();
            assert!(all);
        });
    }
}

#[test]
fn interpreted_guests_look_after_each_call_of_the_host() {
    let mut config = Config::new();
    config.tier(Tier::Off).sample_interval(u32::MAX);
    let mut guest = guest(&config);
    always_yield(&mut guest);
    let mut call = pin!(call(&mut guest, "out", &[0]));
    for _ in 0..10 {
        assert!(poll(call.as_mut()).0.is_pending());
    }
}

#[test]
fn deep_recursion_yields() {
    for mut config in configs() {
        config.sample_interval(10);
        let mut guest = guest(&config);
        always_yield(&mut guest);
        for _ in 0..3 {
            let (depth, pending) = drive(call(&mut guest, "down", &[500]));
            assert!(matches!(depth.unwrap()[..], [Val::I32(500)]));
            assert!(pending > 20, "{pending}");
        }
    }
}

#[test]
fn where_nobody_is_yielded_to_guests_go_on() {
    in_every_mode(|mode| {
        let mut guest = guest(&mode.config());
        always_yield(&mut guest);
        assert_eq!(guest.i32("sum", &[3000]).unwrap(), 4_504_501);
        let fiber = on_fiber(STACK, || {
            wharf::core::suspend::synchronously(|| guest.i32("sum", &[3000]).unwrap())
        });
        let (sum, pending) = drive(fiber);
        assert_eq!((sum.unwrap(), pending), (4_504_501, 0));
        // What the trap was set to again is what happens.
        guest.store.epoch_deadline_trap();
        guest.store.set_epoch_deadline(0);
        assert_trap(guest.i32("loop", &[0]), TrapCode::Interrupt);
    });
}

#[test]
fn a_dropped_call_frees_what_host_functions_hold() {
    /// Counts up when it is made, and down when it is dropped.
    struct Held(Arc<AtomicU32>);
    impl Held {
        fn new(count: &Arc<AtomicU32>) -> Held {
            count.fetch_add(1, Ordering::SeqCst);
            Held(count.clone())
        }
    }
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    in_every_mode(|mode| {
        let held = Arc::new(AtomicU32::new(0));
        let ended = Arc::new(AtomicU32::new(0));
        let (count, errors) = (held.clone(), ended.clone());
        let mut config = mode.config();
        config.sample_interval(1);
        let mut guest = Guest::with_imports(&engine(&config), WAT, |store| {
            let ty = FuncType::new([ValType::I32], [ValType::I32]);
            // The host function calls its guest again, on the same fiber.
            let host = Func::new(store, ty, move |store: &mut Store, _| {
                let _held = Held::new(&count);
                let func = store.caller().and_then(|guest| guest.get_func(store, "loop"));
                let error = func.unwrap().call_raw(store, &mut [0]).unwrap_err();
                assert!(error.downcast_ref::<Cancelled>().is_some());
                errors.fetch_add(1, Ordering::SeqCst);
                Err(error)
            });
            vec![Extern::Func(host)]
        });
        always_yield(&mut guest);
        for polls in 10..20 {
            let mut call = Box::pin(call(&mut guest, "out", &[0]));
            for _ in 0..polls {
                assert!(poll(call.as_mut()).0.is_pending());
            }
            assert_eq!(held.load(Ordering::SeqCst), 1);
            drop(call);
            assert_eq!(held.load(Ordering::SeqCst), 0);
        }
        assert_eq!(ended.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn callbacks_decide() {
    in_every_mode(|mode| {
        let mut guest = guest(&mode.config());
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        guest.store.set_epoch_deadline(0);
        guest.store.epoch_deadline_callback(move |_| {
            Ok(match count.fetch_add(1, Ordering::SeqCst) {
                0 | 2 => UpdateDeadline::Yield(0),
                1 | 3 => UpdateDeadline::Continue(0),
                _ => UpdateDeadline::Interrupt,
            })
        });
        for name in ENDLESS {
            asked.store(0, Ordering::SeqCst);
            let (result, pending) = drive(call(&mut guest, name, &[0]));
            let error = result.unwrap_err();
            assert_eq!(error.trap_code(), Some(TrapCode::Interrupt));
            assert!(!error.backtrace().unwrap().frames().is_empty());
            assert_eq!((pending, asked.load(Ordering::SeqCst)), (2, 5));
            asked.store(0, Ordering::SeqCst);
            assert_trap(guest.i32(name, &[0]), TrapCode::Interrupt);
            assert_eq!(asked.load(Ordering::SeqCst), 5);
        }
    });
}

#[test]
fn callbacks_may_fail_and_panic() {
    in_every_mode(|mode| {
        let mut guest = guest(&mode.config());
        guest.store.set_epoch_deadline(0);
        for name in ENDLESS {
            guest
                .store
                .epoch_deadline_callback(|_| Err(Error::msg("it is late")));
            let error = guest.i32(name, &[0]).unwrap_err();
            assert_eq!(error.to_string(), "it is late");
            assert!(!error.backtrace().unwrap().frames().is_empty());
            guest.store.epoch_deadline_callback(|_| panic!("much too late"));
            let guest = std::panic::AssertUnwindSafe(&mut guest);
            let caught = std::panic::catch_unwind(move || {
                let mut guest = guest;
                guest.i32(name, &[0])
            });
            assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"much too late"));
        }
        guest
            .store
            .epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(9)));
        assert_eq!(guest.i32("fine", &[1]).unwrap(), 4);
    });
}

#[test]
fn callbacks_use_the_store_but_call_no_guests() {
    in_every_mode(|mode| {
        let mut guest = guest(&mode.config());
        let fine = guest.func("fine");
        let memory = guest.instance.get_memory(&guest.store, "memory").unwrap();
        guest.store.set_epoch_deadline(0);
        guest.store.epoch_deadline_callback(move |store| {
            assert!(store.caller().is_none());
            let error = fine.call_raw(store, &mut [1]).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Usage(_)), "{error}");
            memory.grow(store, 1).unwrap();
            memory.data_mut(store)[65536..65540].copy_from_slice(&77u32.to_le_bytes());
            // From now on something else is done.
            store.epoch_deadline_async_yield_and_update(0);
            Ok(UpdateDeadline::Yield(0))
        });
        let (loaded, pending) = drive(call(&mut guest, "grown", &[0]));
        assert!(matches!(loaded.unwrap()[..], [Val::I32(77)]));
        assert!(pending > 0);
    });
}

#[test]
fn code_from_before_the_first_deadline_yields_when_its_calls_come_back() {
    // The host function that sets it is called by code without looks; what that code calls from then on looks.
    const WAT: &str = r#"(module
        (import "" "host" (func $host))
        (func $spin (export "spin") (loop (br 0)))
        (func $prepare (export "prepare") (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (call $prepare (i32.const 1000)) (call $host) (call $prepare (i32.const 10)) (call $spin))
        (func (export "tail") (call $host) (return_call $spin))
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
            guest.store.epoch_deadline_async_yield_and_update(0);
            guest.call("prepare", &[Val::I32(1000)]).unwrap();
            {
                let mut call = pin!(call(&mut guest, name, &[]));
                for _ in 0..20 {
                    let (polled, woken) = poll(call.as_mut());
                    assert!(polled.is_pending() && woken);
                }
            }
            guest.store.epoch_deadline_trap();
            assert_trap(guest.call(name, &[]), TrapCode::Interrupt);
        }
    }
}
