use wharf_core::tier::Effort;

use super::{TARGETS, compile, outcomes};

#[test]
fn loops_with_operands_below() {
    compile(
        r#"(module
        (func $f (param i32 f32) (result i32) (local v128 i64)
            (i32.const 1)
            (loop $outer (param i32) (result i32)
                (local.get 0)
                (i64.const 3)
                (loop $inner (param i64)
                    (local.set 3)
                    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                    (local.get 3)
                    (br_if $inner (local.get 0))
                    (drop))
                (i32.add)
                (br_if $outer (local.get 0))))
        (func (param i32) (result i32) (local i32)
            (i32.const 5) (i32.const 6)
            (block $b (param i32) (result i32)
                (i32.const 7)
                (if (param i32 i32) (result i32) (local.get 0)
                    (then
                        (i32.const 8)
                        (loop $l (local.set 1 (i32.const 2)) (br_if $l (local.get 0)))
                        (drop) (i32.add))
                    (else
                        (br_if $b (local.get 0))
                        (i32.const 9)
                        (loop $l (br_if $l (local.get 0)))
                        (drop) (i32.sub))))
            (i32.add))
        (func (param i32 v128) (result v128)
            (local.get 1)
            (loop $l (result i32) (local.get 0) (br_if $l (local.get 0)))
            (drop)
            (loop $l (br_if $l (local.get 0))))
        (func (param i32) (result i32)
            (i32.const 1)
            (block (loop $l (br_if 1 (local.get 0)) (loop (br_if $l (local.get 0)) (br_if 0 (local.get 0))) (br $l)))
            (i32.const 2) (i32.add)))"#,
    );
}

#[test]
fn loops_that_cant_be_reached_are_refused() {
    let text = "(module (func (return) (loop (br 0))))";
    for triple in TARGETS {
        let all = outcomes(text, triple, true, false, Effort::Full);
        assert!(all[0].result.is_ok());
        assert!(all[1].osr.is_some() && all[1].result.is_err());
    }
}
