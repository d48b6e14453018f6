//! Tests of the host, by itself and for a component.

use super::*;
use std::collections::BTreeMap;
use std::future::Future;
use std::task::{Context, Poll, Waker};
use wharf::component::Component;
use wharf::{Engine, Store};

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}

fn pairs(variables: &WasiConfigVariables) -> Vec<(String, String)> {
    now(variables.get_all()).unwrap()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn values_are_found_by_name() {
    let mut variables = WasiConfigVariables::from_iter([("a", "1"), ("b", "2")]);
    variables.insert("b", "3").insert("", "empty");
    assert_eq!(now(variables.get("b")), Ok(Some("3".to_owned())));
    assert_eq!(now(variables.get("")), Ok(Some("empty".to_owned())));
    assert_eq!(now(variables.get("A")), Ok(None));
    assert_eq!(pairs(&variables), owned(&[("", "empty"), ("a", "1"), ("b", "3")]));
    assert!(pairs(&WasiConfigVariables::new()).is_empty());
}

#[test]
fn a_view_has_no_more_than_its_names() {
    let source: BTreeMap<_, _> = owned(&[("a", "1"), ("b", "2"), ("c", "3")]).into_iter().collect();
    let mut all = WasiConfigVariables::from_source(source);
    all.insert("own", "4").insert("b", "over");
    let view = all.only(["a", "own", "none"]);
    assert_eq!(pairs(&view), owned(&[("a", "1"), ("own", "4")]));
    assert_eq!(now(view.get("b")), Ok(None));
    assert_eq!(now(view.get("a")), Ok(Some("1".to_owned())));
    // A view of a view does not widen it.
    assert!(pairs(&view.only(["b", "c"])).is_empty());
    assert_eq!(
        pairs(&all),
        owned(&[("a", "1"), ("b", "over"), ("c", "3"), ("own", "4")])
    );
    assert!(!format!("{all:?}").contains("over"));
}

struct Broken;

#[async_trait]
impl ConfigSource for Broken {
    async fn get(&self, _: &str) -> std::result::Result<Option<String>, ConfigError> {
        Err(ConfigError::Upstream("no vault".to_owned()))
    }

    async fn get_all(&self) -> std::result::Result<Vec<(String, String)>, ConfigError> {
        Err(ConfigError::Io("cut off".to_owned()))
    }
}

/// Asks for a setting, and gives the discriminants of the result and what is in it, and the first byte of the text.
fn component(version: &str) -> String {
    format!(
        r#"(component
            (type $store (instance
                (type $error (variant (case "upstream" string) (case "io" string)))
                (export "error" (type $e (eq $error)))
                (type $found (option string))
                (type $result (result $found (error $e)))
                (export "get" (func (param "key" string) (result $result)))))
            (import "wasi:config/store@{version}" (instance $config (type $store)))
            (core module $libc
                (memory (export "memory") 1)
                (global $at (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $old i32)
                    (local.set $old (global.get $at))
                    (global.set $at (i32.add (global.get $at) (local.get 3)))
                    (local.get $old)))
            (core instance $libc (instantiate $libc))
            (core func $get (canon lower (func $config "get") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
            (core module $main
                (import "libc" "memory" (memory 1))
                (import "config" "get" (func $get (param i32 i32 i32)))
                (data (i32.const 0) "key")
                (func (export "run") (result i32)
                    (call $get (i32.const 0) (i32.const 3) (i32.const 16))
                    (i32.add (i32.mul (i32.const 10000) (i32.load8_u (i32.const 16)))
                        (i32.add (i32.mul (i32.const 1000) (i32.load8_u (i32.const 20)))
                            (i32.load8_u (i32.load (i32.const 24)))))))
            (core instance $main (instantiate $main
                (with "libc" (instance $libc))
                (with "config" (instance (export "get" (func $get))))))
            (func (export "run") (result u32) (canon lift (core func $main "run"))))"#
    )
}

fn run(variables: WasiConfigVariables, version: &str) -> u32 {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(component(version)).unwrap()).unwrap();
    let mut linker = Linker::<WasiConfigVariables>::new(&engine);
    add_to_linker(&mut linker, |variables| WasiConfig::new(variables)).unwrap();
    let mut store = Store::new(&engine, variables);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap().0
}

#[test]
fn components_get_values_and_errors() {
    for version in ["0.2.0-rc.1", "0.2.0-draft"] {
        assert_eq!(
            run(WasiConfigVariables::from_iter([("key", "A")]), version),
            1000 + 65
        );
        assert_eq!(
            run(WasiConfigVariables::from_iter([("other", "A")]), version) / 1000,
            0
        );
        // An error, the first case of it, with its text at the same place.
        assert_eq!(
            run(WasiConfigVariables::from_source(Broken), version),
            10000 + u32::from(b'n')
        );
    }
}
