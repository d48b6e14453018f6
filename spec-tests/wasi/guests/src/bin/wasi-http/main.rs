//! Cases of `wasi:http`: the types, requests that are denied, and requests to a server that is in the guest itself.

mod bodies;
mod edges;
mod exchange;
mod fields;
mod peer;
mod requests;

use std::process::ExitCode;

fn main() -> ExitCode {
    wasi_conformance::run(&[fields::CASES, requests::CASES, bodies::CASES, exchange::CASES, edges::CASES].concat())
}
