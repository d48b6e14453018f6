//! Code that was made quickly, and what takes its place.

use std::time::{Duration, Instant};

use wharf::{Config, Tier, TrapCode};

use crate::support::{Guest, Mode, assert_trap, engine, in_every_mode};

/// A loop in which two functions of one type and one of another are called, directly and through a table.
const CALLS: &str = r#"(module
    (type $t (func (param i32) (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $add $trap)
    (func $add (type $t) (i32.add (local.get 0) (i32.const 1)))
    (func $trap (type $t) (if (i32.gt_u (local.get 0) (i32.const 3)) (then (unreachable))) (local.get 0))
    (func $other (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
    (func (export "run") (param $n i32) (param $f i32) (result i32) (local $x i32)
        (loop
            (local.set $x (call $other (call $add (local.get $x)) (i32.const 0)))
            (local.set $x (call_indirect (type $t) (local.get $x) (local.get $f)))
            (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $x)))"#;

#[test]
fn better_code_takes_the_place_of_quick_code() {
    let mut config = Config::new();
    config.tier(Tier::Tiered).sample_interval(10).hot_samples(1);
    let mut guest = Guest::with_imports(&engine(&config), CALLS, |_| Vec::new());
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        assert_eq!(guest.i32("run", &[1000, 0]).unwrap(), 2000);
        let stats = guest.stats();
        assert_eq!(stats.failed, 0);
        // All that have code get better code.
        if stats.improved > 0 && stats.improved == stats.compiled && stats.waiting == 0 {
            break;
        }
        assert!(Instant::now() < end, "{stats:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(guest.i32("run", &[3, 1]).unwrap(), 3);
    assert_trap(guest.i32("run", &[4, 1]), TrapCode::Unreachable);
    assert_eq!(guest.i32("run", &[10, 0]).unwrap(), 20);
}

#[test]
fn code_with_a_loop_entry_is_that_of_the_function() {
    let mut config = Config::new();
    // The first sample is at the loop: the interval leaves out that of the call.
    config.tier(Tier::Sync).sample_interval(2).hot_samples(1);
    let text = r#"(module (func (export "count") (param i32) (result i32) (local i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const -1))))
        (loop
            (local.set 1 (i32.add (local.get 1) (i32.const 2)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1)))"#;
    let mut guest = Guest::with_imports(&engine(&config), text, |_| Vec::new());
    assert_eq!(guest.i32("count", &[10]).unwrap(), 20);
    let stats = guest.stats();
    assert_eq!((stats.compiled, stats.osr_compiled, stats.osr_entries), (1, 1, 1));
    // Calls begin at its start.
    assert_eq!(guest.i32("count", &[0]).unwrap(), -1);
    assert_eq!(guest.i32("count", &[7]).unwrap(), 14);
    let stats = guest.stats();
    assert_eq!((stats.compiled, stats.osr_compiled, stats.osr_entries), (1, 1, 1));
}

#[test]
fn recursion_from_code_with_a_loop_entry_begins_at_the_start() {
    let text = r#"(module (func $f (export "f") (param i64) (result i64) (local i64)
        (if (i64.le_s (local.get 0) (i64.const 1)) (then (return (i64.const 1))))
        (loop
            (local.set 1 (i64.add (local.get 1) (call $f (i64.div_s (local.get 0) (i64.const 2)))))
            (local.set 0 (i64.sub (local.get 0) (i64.const 7)))
            (br_if 0 (i64.gt_s (local.get 0) (i64.const 0))))
        (i64.add (local.get 1) (local.get 0))))"#;
    let expected = Guest::new(Mode::Interpreter, text).i64("f", &[300]).unwrap();
    in_every_mode(|mode| {
        let mut guest = Guest::new(mode, text);
        assert_eq!(guest.i64("f", &[300]).unwrap(), expected);
        assert_eq!(guest.i64("f", &[1]).unwrap(), 1);
    });
}
