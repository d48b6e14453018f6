//! Core WebAssembly for Wharf: modules, their translation to bytecode, the interpreter, and the stores in which they run.
//!
//! This crate knows nothing of components or WASI and has no type parameters for host data; most embedders want the crate `wharf`,
//! which is built on it.
//!
//! ```
//! use wharf_core::{Engine, Instance, Module, Store, Val};
//!
//! # fn main() -> wharf_core::Result<()> {
//! let engine = Engine::default();
//! let wasm = wat::parse_str(r#"(module (func (export "add") (param i32 i32) (result i32)
//!     (i32.add (local.get 0) (local.get 1))))"#).unwrap();
//! let module = Module::new(&engine, wasm)?;
//! let mut store = Store::new(&engine, Box::new(()));
//! let instance = Instance::new(&mut store, &module, &[])?;
//! let add = instance.get_func(&store, "add").unwrap();
//! let mut results = [Val::I32(0)];
//! add.call(&mut store, &[Val::I32(2), Val::I32(3)], &mut results)?;
//! assert!(matches!(results, [Val::I32(5)]));
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]
#![cfg_attr(
    not(wharf_native),
    allow(dead_code, reason = "without machine code some of the runtime has no use")
)]

mod bytecode;
mod bytes;
mod engine;
mod error;
mod interp;
mod module;
mod native;
pub(crate) mod numeric;
mod runtime;
pub mod suspend;
#[doc(hidden)]
pub mod tier;
mod translate;
mod trap;
mod types;

pub use bytes::Bytes;
pub use engine::{Config, Engine, InternedFuncType};
pub use error::{Error, ErrorKind, Result};
pub use module::{ExportType, ImportType, Module};
pub use runtime::{
    Extern, ExternRef, Func, Global, Instance, Limits, Memory, RawFunc, Store, StoreId, Table, Tag,
    UpdateDeadline, Val,
};
pub use tier::{Artifact, Profiling, Tier, TierStats};
pub use trap::{Backtrace, Frame, TrapCode};
pub use types::{
    ExternType, FuncType, GlobalType, HeapType, MemoryType, RefType, TableType, TagType, ValType,
};
