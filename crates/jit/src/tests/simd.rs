//! All vector operators, with the functions that the test of what they compute has.

use std::collections::HashSet;

use wasmparser::{Parser, Payload};

#[allow(dead_code, reason = "the other test needs the rest")]
#[path = "../../tests/simd/operators.rs"]
mod operators;

#[test]
fn all_compile_without_references() {
    super::compile(&operators::module());
}

#[test]
fn none_is_missing() {
    let wasm = wat::parse_str(operators::module()).unwrap();
    let mut used = HashSet::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        let Payload::CodeSectionEntry(body) = payload.unwrap() else {
            continue;
        };
        for operator in body.get_operators_reader().unwrap() {
            let text = format!("{:?}", operator.unwrap());
            let name = text.split([' ', '{']).next().unwrap();
            used.insert(name.to_owned());
        }
    }
    macro_rules! look_for {
        ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            $(assert!(used.contains(stringify!($op)), "{} is missing", stringify!($op));)*
        };
    }
    wasmparser::for_each_visit_simd_operator!(look_for);
}
