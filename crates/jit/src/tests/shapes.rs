//! Calls, signatures and control flow.

use wharf_core::{
    TrapCode,
    tier::{Effort, NO_LOCATION},
};

use super::{Outcome, TARGETS, compile, outcomes};

#[test]
fn many_params_and_results() {
    let types = ["i32", "f64", "v128", "i64", "f32", "funcref"];
    let list = |count: usize| {
        (0..count)
            .map(|i| types[i % types.len()])
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut text = String::from("(module (table 2 funcref) ");
    for count in [0, 1, 2, 3, 5, 8, 9, 17, 24, 40] {
        let types = list(count);
        let gets: String = (0..count).map(|i| format!("(local.get {i})")).collect();
        text += &format!(
            "(type $t{count} (func (param {types}) (result {types})))
            (func $f{count} (type $t{count}) {gets})
            (func (type $t{count}) {gets} (call $f{count}))
            (func (type $t{count}) {gets} (return_call $f{count}))
            (func (type $t{count}) {gets} (i32.const 1) (call_indirect (type $t{count})))
            (func (type $t{count}) {gets} (i32.const 1) (return_call_indirect (type $t{count})))
            (func (type $t{count}) (loop (type $t0) (br_if 0 (i32.const 0))) {gets} (br 0))
            (func (type $t{count}) {gets} (loop (type $t{count}) (br_if 0 (i32.const 0))))"
        );
    }
    text.push(')');
    compile(&text);
}

#[test]
fn imported_functions() {
    compile(
        r#"(module (import "m" "f" (func $f (param i32 i64) (result f32)))
        (func (result f32) (call $f (i32.const 1) (i64.const 2)))
        (func (result f32) (return_call $f (i32.const 1) (i64.const 2))))"#,
    );
}

#[test]
fn control_flow() {
    compile(
        r#"(module
        (func (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 2))))
        (func (param i32) (if (local.get 0) (then nop)))
        (func (param i32) (result i32) (i32.const 7)
            (if (param i32) (result i32) (local.get 0) (then (i32.const 1) (i32.add)) (else (i32.eqz))))
        (func (param i32) (result i32) (i32.const 7) (if (param i32) (result i32) (local.get 0) (then i32.eqz)))
        (func (param i32) (result i32) (if (local.get 0) (then (return (i32.const 1))) (else unreachable)) (i32.const 3))
        (func (param i32) (result i32) (block (result i32) (br 0 (i32.const 1)) (drop) (block (br 0)) (i32.const 3)))
        (func (param i32) (result i32)
            (block $a (block $b (block $c (br_table $a $b $c $a (local.get 0))) (return (i32.const 1))) (return (i32.const 2)))
            (i32.const 3))
        (func (param i32) (result i32)
            (block $a (result i32) (block $b (result i32) (br_table $a $b 2 (i32.const 9) (local.get 0))) (i32.eqz)))
        (func (param i32) (br_table 0 (local.get 0)))
        (func (param i32) (block (br_table 0 0 0 (local.get 0))))
        (func (param i32) (result i64) (i64.const 1)
            (loop $l (param i64) (result i64) (i64.const 2) (i64.add)
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (result i32) (loop $l (result i32) (br $l)))
        (func (result i32) (unreachable) (i32.add) (if (result i32) (then (i32.const 1)) (else (i32.const 2))))
        (func (param i32) (result i32)
            (block (result i32) (br_if 0 (i32.const 1) (local.get 0)) (br_if 1 (local.get 0))))
        (func (block (loop (br_if 1 (i32.const 1)) (br 0)))))"#,
    );
}

#[test]
fn traps_and_locations_are_told() {
    let text = r#"(module (func $f (param i32) (result i32)
        (if (local.get 0) (then unreachable))
        (call $f (i32.div_s (i32.const 1) (local.get 0)))))"#;
    for triple in TARGETS {
        let mut all = outcomes(text, triple, true, false, Effort::Full);
        assert_eq!(all.len(), 1);
        let outcome = all.remove(0);
        assert!(outcome.exits.is_empty());
        let code = outcome.result.unwrap();
        for trap in [
            TrapCode::Unreachable,
            TrapCode::IntegerDivisionByZero,
            TrapCode::StackOverflow,
        ] {
            assert!(code.traps.iter().any(|t| t.1 == trap), "{triple}: {trap}");
        }
        // Before the division are 11 bytes.
        let mut divisions = code
            .traps
            .iter()
            .filter(|t| t.1 == TrapCode::IntegerDivisionByZero);
        assert!(divisions.any(|(at, _)| {
            let place = code.locations.partition_point(|l| l.0 <= *at) - 1;
            code.locations[place].1 == 11
        }));
        assert_eq!(code.scopes[0].call, NO_LOCATION);
    }
}

#[test]
fn guarded_accesses_are_not_checked() {
    let text = r#"(module (memory 1) (func (param i32) (result i32) (i32.load (local.get 0))))"#;
    for triple in TARGETS {
        let size = |guarded| {
            let all = outcomes(text, triple, guarded, false, Effort::Full);
            all[0].result.as_ref().unwrap().bytes.len()
        };
        assert!(size(true) < size(false));
    }
}

#[test]
fn deadlines_are_looked_at() {
    let text = r#"(module (import "" "" (func $import))
        (func (loop (br 0)))
        (func (loop (loop (br 0))))
        (func (call $import))
        (func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))"#;
    for triple in TARGETS {
        for effort in [Effort::Quick, Effort::Full] {
            let with = outcomes(text, triple, true, true, effort);
            let without = outcomes(text, triple, true, false, effort);
            let more = |func: u32| {
                let size = |all: &[Outcome]| {
                    let outcome = all.iter().find(|o| o.func == func && o.osr.is_none());
                    outcome.unwrap().result.as_ref().unwrap().bytes.len()
                };
                size(&with) as isize - size(&without) as isize
            };
            // Each loop looks, and so does what makes calls.
            assert!(more(1) > 0 && more(2) > more(1) && more(3) > 0);
            assert_eq!(more(4), 0);
        }
    }
}

#[test]
fn small_functions_are_inlined() {
    let text = r#"(module (memory 1)
        (func $get (param i32) (result i32) (i32.load offset=8 (local.get 0)))
        (func $early (param i32) (result i32 f64) (local v128 i32)
            (if (local.get 0) (then (return (i32.const 1) (f64.const 2))))
            (local.set 2 (call $get (local.get 0)))
            (local.get 2) (f64.const 3))
        (func $never (result i64) unreachable)
        (func $self (param i32) (result i32) (call $self (local.get 0)))
        (func $tail (param i32) (result i32) (return_call $get (local.get 0)))
        (func (param i32) (result i32) (local i32)
            (local.set 1 (i32.const 9))
            (loop $l
                (call $early (local.get 0))
                (drop) (local.set 0)
                (br_if $l (call $get (local.get 0))))
            (i32.add (local.get 1) (i32.add (call $self (local.get 0)) (call $tail (local.get 0)))))
        (func (result i64) (block (result i64) (call $never) (drop) (i64.const 1))))"#;
    compile(text);
    for triple in TARGETS {
        let all = outcomes(text, triple, true, false, Effort::Full);
        let scopes = |func: u32| {
            let outcome = all.iter().find(|o| o.func == func && o.osr.is_none()).unwrap();
            let code = outcome.result.as_ref().unwrap();
            for pair in code.scopes.windows(2) {
                assert!(pair[0].base < pair[1].base && pair[1].call < pair[1].base);
            }
            code.scopes.iter().map(|s| s.func).collect::<Vec<_>>()
        };
        assert_eq!(scopes(1), [1, 0]);
        assert_eq!(scopes(3), [3, 3]);
        assert_eq!(scopes(5), [5, 1, 0, 0, 3, 3]);
        assert_eq!(scopes(6), [6, 2]);
    }
}
