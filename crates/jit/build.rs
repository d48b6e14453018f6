//! Tells the crate a number that changes with its sources: machine code that was saved is used by the same sources only.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

fn main() {
    let mut sources = DefaultHasher::new();
    hash_folder(Path::new("src"), &mut sources);
    println!("cargo::rustc-env=WHARF_JIT_SOURCES={:016x}", sources.finish());
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
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
