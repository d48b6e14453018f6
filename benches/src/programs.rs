//! The programs: real libraries and interpreters, built as modules without imports or as components that import WASI.

use std::path::{Path, PathBuf};

/// A function of a module or component, and what to pass to it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The program's name, in tables.
    pub name: &'static str,
    /// The module or component, as a path below `benches/`.
    pub file: &'static str,
    /// The exported function.
    pub export: &'static str,
    /// Its arguments for one run, with which compiled code takes a few tens of milliseconds; all are `i32`, and the
    /// result is an `i64`. A component's function takes one `u32` and gives an `s64`.
    pub args: &'static [i32],
    /// The arguments for a short run: one unit of work, a few to a few tens of milliseconds of compiled code.
    pub short: &'static [i32],
}

impl Program {
    /// Where the file is.
    pub fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.file)
    }

    /// The file's bytes; nothing for one that is not committed for its size and has not been built.
    pub fn wasm(&self) -> Option<Vec<u8>> {
        std::fs::read(self.path()).ok()
    }

    /// The program of this name.
    pub fn named(name: &str) -> Option<&'static Program> {
        PROGRAMS.iter().find(|p| p.name == name)
    }
}

const fn program(
    name: &'static str,
    file: &'static str,
    export: &'static str,
    args: &'static [i32],
    short: &'static [i32],
) -> Program {
    Program {
        name,
        file,
        export,
        args,
        short,
    }
}

/// All programs; `docs/benchmarks.md` says what each does.
pub const PROGRAMS: &[Program] = &[
    program("coremark", "kernels/kernels.wasm", "coremark", &[1000], &[100]),
    program("fannkuch", "programs/classics.wasm", "fannkuch", &[2], &[1]),
    program("richards", "programs/classics.wasm", "richards", &[50], &[5]),
    program("deltablue", "programs/classics.wasm", "deltablue", &[20], &[2]),
    program("sqlite", "programs/sqlite.wasm", "run", &[3], &[1]),
    program("regex", "programs/regex.wasm", "run", &[6], &[1]),
    program("json", "programs/json.wasm", "run", &[3], &[1]),
    program("deflate", "programs/deflate.wasm", "run", &[3], &[1]),
    program("blake3", "programs/blake3.wasm", "run", &[4], &[1]),
    program("markdown", "programs/markdown.wasm", "run", &[2], &[1]),
    program("images", "programs/images.wasm", "run", &[2], &[1]),
    program("raster", "programs/raster.wasm", "run", &[1], &[1]),
    program("bignum", "programs/bignum.wasm", "run", &[3], &[1]),
    program("ecdsa", "programs/ecdsa.wasm", "run", &[1], &[1]),
    program("sqlparser", "programs/sqlparser.wasm", "run", &[3], &[1]),
    program("wast", "kernels/large.wasm", "large", &[300, 4], &[300, 1]),
    program("quickjs", "programs/quickjs.wasm", "run", &[8], &[1]),
    program("lua", "programs/lua.wasm", "run", &[8], &[1]),
    program("rhai", "programs/rhai.wasm", "run", &[2], &[1]),
    program("boa", "programs/large/boa.wasm", "run", &[1], &[1]),
    program("python", "programs/large/python-work.wasm", "repeat", &[3], &[1]),
    program(
        "spidermonkey",
        "programs/large/js-work.wasm",
        "repeat",
        &[3],
        &[1],
    ),
];
