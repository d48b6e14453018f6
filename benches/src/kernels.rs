//! The kernels: what is called, with which size, in which module.

use std::path::Path;

/// A function of a module, and the arguments that make it run long enough to measure.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The kernel's name, in tables.
    pub name: &'static str,
    /// The file in `benches/kernels/`.
    pub file: &'static str,
    /// The exported function.
    pub export: &'static str,
    /// Its arguments; all are `i32`, and the result is an `i64`.
    pub args: &'static [i32],
}

impl Kernel {
    /// The module's bytes.
    ///
    /// # Panics
    /// If the committed file can't be read or assembled.
    pub fn wasm(&self) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("kernels")
            .join(self.file);
        wat::parse_file(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }
}

/// All kernels. The sizes make each run for a few tenths of a second in an interpreter.
pub const KERNELS: &[Kernel] = &[
    Kernel {
        name: "fib",
        file: "fib.wat",
        export: "fib",
        args: &[32],
    },
    Kernel {
        name: "sieve",
        file: "kernels.wasm",
        export: "sieve",
        args: &[1_000_000, 10],
    },
    Kernel {
        name: "matmul",
        file: "kernels.wasm",
        export: "matmul",
        args: &[200],
    },
    Kernel {
        name: "sha256",
        file: "kernels.wasm",
        export: "sha256",
        args: &[30_000],
    },
    Kernel {
        name: "nbody",
        file: "kernels.wasm",
        export: "nbody",
        args: &[150_000],
    },
    Kernel {
        name: "vm",
        file: "kernels.wasm",
        export: "vm",
        args: &[20_000],
    },
    Kernel {
        name: "coremark",
        file: "kernels.wasm",
        export: "coremark",
        args: &[300],
    },
    Kernel {
        name: "large",
        file: "large.wasm",
        export: "large",
        args: &[300, 2],
    },
];
