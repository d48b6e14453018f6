//! Components for the tests.
#![allow(dead_code)]

use wharf::component::{Component, Instance, Linker};
use wharf::{Engine, Store};

/// Guest code with a memory and an allocator that never frees.
pub const LIBC: &str = r#"
    (core module $libc
        (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 4096))
        (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
            (local $at i32)
            (global.set $next (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (local.set $at (global.get $next))
            (global.set $next (i32.add (global.get $next) (local.get $new)))
            (memory.copy (local.get $at) (local.get $old)
                (select (local.get $size) (local.get $new) (i32.lt_u (local.get $size) (local.get $new))))
            (local.get $at)))
    (core instance $libc (instantiate $libc))
"#;

/// A component that exports `run`, which calls the import `f` with its parameter and returns what `f` returns.
///
/// `types`: definitions that `ty` may use. `flat`: the core types that `ty` flattens to. `encoding`: of both functions.
pub fn relay(types: &str, ty: &str, flat: &[&str], encoding: &str) -> String {
    let pointer = flat.len() > 1;
    let params = flat.join(" ");
    let gets: String = (0..flat.len()).map(|i| format!("(local.get {i})")).collect();
    let (result, import, call) = if pointer {
        (
            "i32",
            format!("(param {params} i32)"),
            format!("(call $f {gets} (i32.const 1024)) (i32.const 1024)"),
        )
    } else {
        (
            flat[0],
            format!("(param {params}) (result {})", flat[0]),
            format!("(call $f {gets})"),
        )
    };
    format!(
        r#"(component
    {types}
    (import "f" (func $f (param "x" {ty}) (result {ty})))
    {LIBC}
    (core func $f' (canon lower (func $f) (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) {encoding}))
    (core module $m
        (import "" "f" (func $f {import}))
        (func (export "run") (param {params}) (result {result}) {call}))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $f'))))))
    (func (export "run") (param "x" {ty}) (result {ty})
        (canon lift (core func $i "run") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")) {encoding})))"#
    )
}

pub fn component(engine: &Engine, text: &str) -> Component {
    let bytes = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Component::new(engine, bytes).unwrap()
}

/// An instance without imports.
pub fn instance(text: &str) -> (Store<()>, Instance) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine)
        .instantiate(&mut store, &component(&engine, text))
        .unwrap();
    (store, instance)
}
