//! Cases of `wasi:filesystem`. Those that change files use the granted directory `work`, which is empty at their start if the
//! manifest says nothing else; `fixed` is a directory that may only be read.

mod bounds;
mod directories;
mod escapes;
mod files;
mod links;
mod metadata;
mod open;
mod readonly;
mod special;
mod streams;
mod support;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cases = [
        open::CASES,
        escapes::CASES,
        files::CASES,
        streams::CASES,
        directories::CASES,
        links::CASES,
        metadata::CASES,
        readonly::CASES,
        bounds::CASES,
        special::CASES,
    ];
    wasi_conformance::run(&cases.concat())
}
