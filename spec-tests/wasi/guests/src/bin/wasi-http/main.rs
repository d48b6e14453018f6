//! Cases of `wasi:http` that need no peer: the types, and requests that are denied.

mod bodies;
mod fields;
mod requests;

use std::process::ExitCode;

fn main() -> ExitCode {
    wasi_conformance::run(&[fields::CASES, requests::CASES, bodies::CASES].concat())
}
