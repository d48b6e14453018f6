//! Tells whether machine code can run, and chooses how the interpreter dispatches: handlers that jump to the next handler need LLVM's sibling-call optimisation, which
//! is there at these optimisation levels, without debug assertions and without the instrumentation of sanitizers and
//! fuzzers; elsewhere a loop calls one handler after the other.
//!
//! Also tells the crate a number that changes with its sources: machine code that was saved is used by the same sources only.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

fn main() {
    let var = |name| std::env::var(name).unwrap_or_default();
    let optimised = matches!(var("OPT_LEVEL").as_str(), "2" | "3" | "s");
    let assertions = std::env::var_os("CARGO_CFG_DEBUG_ASSERTIONS").is_some();
    let arch = matches!(var("CARGO_CFG_TARGET_ARCH").as_str(), "x86_64" | "aarch64");
    let instrumented = ["CARGO_CFG_SANITIZE", "CARGO_CFG_FUZZING"]
        .iter()
        .any(|cfg| std::env::var_os(cfg).is_some());
    println!("cargo::rustc-check-cfg=cfg(wharf_threaded)");
    if optimised && !assertions && !instrumented && arch {
        println!("cargo::rustc-cfg=wharf_threaded");
    }
    // Machine code needs the signals and registers of a known system.
    println!("cargo::rustc-check-cfg=cfg(wharf_native)");
    if arch && var("CARGO_CFG_TARGET_OS") == "linux" {
        println!("cargo::rustc-cfg=wharf_native");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let mut sources = DefaultHasher::new();
    hash_folder(Path::new("src"), &mut sources);
    println!("cargo::rustc-env=WHARF_CORE_SOURCES={:016x}", sources.finish());
    println!("cargo::rerun-if-changed=src");
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_folder(&path, hasher);
        } else if let Ok(text) = std::fs::read(&path) {
            path.hash(hasher);
            text.hash(hasher);
        }
    }
}
