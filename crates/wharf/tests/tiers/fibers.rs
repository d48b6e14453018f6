//! Host functions that wait on fibers, with frames of all tiers on the stack.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wharf::{Caller, Linker, Module, Store, TrapCode};

use crate::support::{MODES, Mode};

/// Pending the given number of times.
fn pending(mut times: u32) -> impl Future<Output = ()> + Send {
    poll_fn(move |context| match times.checked_sub(1) {
        Some(left) => {
            times = left;
            context.waker().wake_by_ref();
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Values in all kinds of registers live over the waits; functions call one another and the host in turns.
const WAT: &str = r#"(module
    (type $t (func (param i32) (result i64)))
    (import "" "wait" (func $wait (param i32) (result i32)))
    (import "" "again" (func $again (param i32) (result i64)))
    (table funcref (elem $a $b))
    (memory (export "memory") 1)
    (func $a (export "a") (type $t) (local i64 f64 v128 f32)
        (local.set 1 (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 3)))
        (local.set 2 (f64.convert_i32_u (local.get 0)))
        (local.set 3 (i64x2.splat (local.get 1)))
        (local.set 4 (f32.convert_i32_u (local.get 0)))
        (if (i32.eqz (local.get 0)) (then (return (i64.extend_i32_s (call $wait (i32.const 3))))))
        (i64.add
            (i64.add (call $b (i32.sub (local.get 0) (i32.const 1))) (i64.extend_i32_s (call $wait (local.get 0))))
            (i64.add (local.get 1) (i64.add (i64.trunc_f64_s (local.get 2))
                (i64.add (i64.trunc_f32_s (local.get 4)) (i64x2.extract_lane 1 (local.get 3)))))))
    (func $b (export "b") (type $t) (local i32 i64)
        (if (i32.eqz (local.get 0)) (then (return (i64.extend_i32_s (call $wait (i32.const 1))))))
        (local.set 1 (i32.const 5))
        (loop
            (local.set 2 (i64.add (local.get 2) (i64.extend_i32_s (call $wait (i32.and (local.get 1) (i32.const 1))))))
            (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
        (i64.add (local.get 2) (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))
    (func (export "tail") (type $t)
        (return_call $a (i32.add (i32.const 1) (call $wait (local.get 0)))))
    (func (export "trap") (type $t)
        (drop (call $wait (i32.const 2)))
        (i64.load (i32.sub (local.get 0) (call $wait (i32.const 1)))))
    (func (export "nested") (type $t) (i64.add (call $again (local.get 0)) (i64.extend_i32_s (call $wait (i32.const 1)))))
    (func $deep (export "deep") (type $t)
        (drop (call $wait (i32.const 0)))
        (i64.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i64.const 1))))"#;

fn start(mode: Mode, stack: usize) -> (Store<u32>, wharf::Instance) {
    let mut config = mode.config();
    config.fiber_stack(stack);
    let engine = wharf::Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat::parse_str(WAT).unwrap()).unwrap();
    let mut linker = Linker::<u32>::new(&engine);
    linker
        .func_wrap_async("", "wait", |mut caller: Caller<'_, u32>, (times,): (i32,)| {
            Box::new(async move {
                pending(times as u32).await;
                *caller.data_mut() += 1;
                Ok(times + 1)
            })
        })
        .unwrap();
    linker
        .func_wrap("", "again", |mut caller: Caller<'_, u32>, n: i32| {
            let func = caller.get_export("a").and_then(wharf::Extern::into_func).unwrap();
            func.typed::<i32, i64>(&caller)?.call(&mut caller, n)
        })
        .unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn a(n: i64) -> i64 {
    if n == 0 { 4 } else { b(n - 1) + (n + 1) + n * 8 }
}

fn b(n: i64) -> i64 {
    if n == 0 { 2 } else { 8 + a(n - 1) }
}

const CALLS: [(&str, i32); 6] = [
    ("a", 0),
    ("a", 7),
    ("b", 8),
    ("tail", 3),
    ("nested", 4),
    ("a", 20),
];

fn expected(name: &str, n: i32) -> i64 {
    let n = i64::from(n);
    match name {
        "a" => a(n),
        "b" => b(n),
        "tail" => a(n + 2),
        "nested" => a(n) + 2,
        _ => unreachable!(),
    }
}

type Call<'a> = Pin<Box<dyn Future<Output = wharf::Result<i64>> + Send + 'a>>;

fn call<'a>(store: &'a mut Store<u32>, instance: wharf::Instance, name: &str, n: i32) -> Call<'a> {
    let func = instance.get_typed_func::<i32, i64>(&*store, name).unwrap();
    Box::pin(async move { func.call_async(store, n).await })
}

#[test]
fn many_calls_wait_in_turns() {
    for mode in MODES {
        let mut guests: Vec<_> = (0..CALLS.len()).map(|_| start(mode, 256 << 10)).collect();
        for _ in 0..3 {
            let mut calls: Vec<_> = guests
                .iter_mut()
                .zip(CALLS)
                .map(|((store, instance), (name, n))| (call(store, *instance, name, n), expected(name, n)))
                .collect();
            while !calls.is_empty() {
                calls.retain_mut(|(call, expected)| match poll(call.as_mut()) {
                    Poll::Pending => true,
                    Poll::Ready(result) => {
                        assert_eq!(result.unwrap(), *expected);
                        false
                    }
                });
            }
        }
    }
}

#[test]
fn calls_move_between_threads_while_they_wait() {
    for mode in MODES {
        let (mut store, instance) = start(mode, 256 << 10);
        for (name, n) in CALLS {
            let mut call = call(&mut store, instance, name, n);
            let mut threads = 0;
            let result = loop {
                threads += 1;
                let polled = std::thread::scope(|scope| {
                    let call = &mut call;
                    scope.spawn(move || poll(call.as_mut())).join().unwrap()
                });
                if let Poll::Ready(result) = polled {
                    break result;
                }
            };
            assert_eq!(result.unwrap(), expected(name, n));
            assert!(threads > 1 || name == "nested", "{name}");
        }
    }
}

#[test]
fn traps_after_a_wait_come_out_of_the_call() {
    for mode in MODES {
        let (mut store, instance) = start(mode, 128 << 10);
        for _ in 0..20 {
            for (name, code) in [
                ("trap", TrapCode::MemoryOutOfBounds),
                ("deep", TrapCode::StackOverflow),
            ] {
                let mut call = call(&mut store, instance, name, 0);
                let error = loop {
                    // On a thread of its own, so that the fault is on another one than the call began on.
                    let polled = std::thread::scope(|scope| {
                        let call = &mut call;
                        scope.spawn(move || poll(call.as_mut())).join().unwrap()
                    });
                    if let Poll::Ready(result) = polled {
                        break result.unwrap_err();
                    }
                };
                assert_eq!(error.trap_code(), Some(code), "{mode:?}");
                assert!(!error.backtrace().unwrap().frames().is_empty());
            }
        }
        let mut call = call(&mut store, instance, "a", 4);
        while poll(call.as_mut()).is_pending() {}
    }
}

#[test]
fn dropped_calls_leave_the_store_usable() {
    for mode in MODES {
        let (mut store, instance) = start(mode, 128 << 10);
        for polls in 1..20 {
            for (name, n) in CALLS {
                let mut call = call(&mut store, instance, name, n);
                for _ in 0..polls {
                    if poll(call.as_mut()).is_ready() {
                        break;
                    }
                }
            }
        }
        for (name, n) in CALLS {
            let func = instance.get_typed_func::<i32, i64>(&store, name).unwrap();
            // Synchronously it would wait for a waker; the futures wake theirs at once.
            assert_eq!(func.call(&mut store, n).unwrap(), expected(name, n));
        }
    }
}
