//! No bytes make the decoder panic, and no component that decodes makes instantiation panic.

use wharf_component::{Component, Definitions, Val};
use wharf_core::{Engine, Store};

const TEXT: &str = r#"(component
    (import "host" (instance $h
        (export "r" (type $r (sub resource)))
        (type $rec' (record (field "a" u8) (field "b" (list string))))
        (export "rec" (type $rec (eq $rec')))
        (export "f" (func (param "x" (own $r)) (param "y" $rec) (result (option char))))))
    (component $inner
        (type $own' (resource (rep i32)))
        (export $own "own" (type $own'))
        (core func $new (canon resource.new $own'))
        (core func $drop (canon resource.drop $own'))
        (core module $m
            (import "" "new" (func (param i32) (result i32)))
            (import "" "drop" (func (param i32)))
            (memory (export "m") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
            (func (export "g") (param i32 i32) (result i32) (i32.const 0)))
        (core instance $i (instantiate $m (with "" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "g") (param "s" string) (result (tuple u8 string))
            (canon lift (core func $i "g") (memory (core memory $i "m")) (realloc (core func $i "realloc"))
                string-encoding=latin1+utf16)))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $inner))
    (export "g" (func $a "g"))
    (export "b" (instance $b)))"#;

/// Decodes and, with every import replaced by a trap, instantiates and calls what is there.
fn exercise(engine: &Engine, bytes: &[u8]) -> bool {
    let Ok(component) = Component::new(engine, bytes) else {
        return false;
    };
    let _ = format!("{:?}", component.component_type());
    let mut definitions = Definitions::default();
    if definitions.define_unknown_as_traps(&component).is_err() {
        return true;
    }
    let Ok(resolved) = definitions.resolve(&component) else {
        return true;
    };
    let mut store = Store::new(engine, Box::new(()));
    if let Ok(instance) = resolved.instantiate(&mut store)
        && let Some(g) = instance.get_func(&mut store, "g")
    {
        let mut results = [Val::Bool(false)];
        let _ = g.call(&mut store, &[Val::String("grüße".into())], &mut results);
    }
    true
}

#[test]
fn truncated_and_flipped_bytes_are_errors() {
    let engine = Engine::default();
    let bytes = wat::parse_str(TEXT).unwrap();
    assert!(exercise(&engine, &bytes));
    for end in 0..bytes.len() {
        exercise(&engine, &bytes[..end]);
    }
    let mut valid = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x02, 0x10, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            valid += u32::from(exercise(&engine, &changed));
        }
    }
    // Some changes only touch names and numbers: the test would be blind if none was let through.
    assert!(valid > 100, "{valid}");
}

#[test]
fn instances_of_instances_of_instances_meet_a_limit() {
    // Each component instantiates the one before it twice: 2^40 instances.
    let mut text = String::from("(component (component $c0)");
    for i in 1..40 {
        let before = i - 1;
        text += &format!(
            "(component $c{i} (alias outer 1 $c{before} (component $x)) (instance (instantiate $x)) (instance (instantiate $x)))"
        );
    }
    text += "(instance (instantiate $c39)))";
    let error = Component::new(&Engine::default(), wat::parse_str(&text).unwrap()).unwrap_err();
    assert!(matches!(error.kind(), wharf_core::ErrorKind::Limit(_)), "{error}");
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    // Components nested in each other, each instantiated where it is defined.
    let mut text = String::from("(component");
    for _ in 0..300 {
        text += " (component $c";
    }
    for _ in 0..300 {
        text += ") (instance (instantiate $c))";
    }
    text += ")";
    let Ok(bytes) = wat::parse_str(&text) else { return };
    assert!(Component::new(&Engine::default(), bytes).is_err());
}
