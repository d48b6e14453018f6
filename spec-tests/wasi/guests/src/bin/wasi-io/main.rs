//! Cases of `wasi:io`. Streams come from the directory `work`, standard input and loopback connections.

mod edges;
mod pollables;
mod streams;

use std::process::ExitCode;

fn main() -> ExitCode {
    wasi_conformance::run(&[pollables::CASES, streams::CASES, edges::CASES].concat())
}
