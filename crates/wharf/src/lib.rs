//! Wharf: a standalone engine for WebAssembly components.
//!
//! A [`Store`] holds instances and the embedder's data. Core modules are linked with [`Linker`], components with
//! [`component::Linker`]; host functions get the store's data through the context that they are called with.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wharf::component::{Component, Linker};
//! use wharf::{Engine, Store};
//!
//! let engine = Engine::default();
//! let component = Component::new(&engine, wat::parse_str(r#"(component
//!     (import "twice" (func $twice (param "n" u32) (result u32)))
//!     (core func $twice' (canon lower (func $twice)))
//!     (core module $m
//!         (import "host" "twice" (func $twice (param i32) (result i32)))
//!         (func (export "run") (result i32) (call $twice (i32.const 21))))
//!     (core instance $i (instantiate $m (with "host" (instance (export "twice" (func $twice'))))))
//!     (func (export "run") (result u32) (canon lift (core func $i "run"))))"#)?)?;
//!
//! let mut linker = Linker::<u32>::new(&engine);
//! linker.root().func_wrap("twice", |mut store, (n,): (u32,)| {
//!     *store.data_mut() += 1;
//!     Ok((2 * n,))
//! })?;
//! let mut store = Store::new(&engine, 0);
//! let instance = linker.instantiate(&mut store, &component)?;
//! let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run")?;
//! assert_eq!(run.call(&mut store, ())?, (42,));
//! assert_eq!(*store.data(), 1);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod component;
mod engine;
mod externals;
mod func;
mod linker;
mod store;

pub use engine::Engine;
pub use externals::{Extern, Func, Instance, Memory};
pub use func::{Caller, IntoFunc, TypedFunc, WasmParams, WasmResults, WasmTy};
pub use linker::Linker;
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut};
pub use wharf_component::AsStore;
pub use wharf_core::{
    Artifact, Backtrace, Bytes, Config, Error, ErrorKind, ExternType, FuncType, Global, GlobalType, Limits,
    MemoryType, Module, Profiling, RefType, Result, Table, TableType, Tag, Tier, TierStats, TrapCode,
    UpdateDeadline, Val, ValType,
};

#[doc(hidden)]
pub use wharf_core as core;
