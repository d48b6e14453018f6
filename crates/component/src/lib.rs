//! WebAssembly components for Wharf: decoding, the link plan, the canonical ABI and instances.
//!
//! This crate works on [`wharf_core::Store`], whose type does not say what data the embedder keeps in it. Embedders use
//! the crate `wharf`, which adds that type.

#![forbid(unsafe_code)]

mod abi;
mod component;
mod decode;
mod definitions;
mod func;
mod host;
mod link;
mod plan;
mod resolve;
mod resource;
mod resource_table;
mod runtime;
mod store;
mod typed;
pub mod types;
mod val;
mod versions;

pub use abi::{
    CanonOptions, CanonicalAbi, FlatReader, FlatWriter, LiftContext, LowerContext, StringEncoding,
};
pub use component::{Component, ComponentExportIndex};
pub use definitions::Definitions;
pub use func::{Func, TypedFunc};
pub use host::HostFunc;
pub use resolve::ResolvedImports;
pub use resource::{HostDestructor, Resource, ResourceAny, ResourceType};
pub use resource_table::{ResourceTable, ResourceTableError};
pub use runtime::instance::{ExportLookup, Instance};
pub use store::AsStore;
pub use typed::{ComponentNamedList, ComponentType, Lift, Lower, TypeCheck};
pub use types::TypeIndex;
pub use val::Val;
pub use wharf_core::{Error, Result};

#[doc(hidden)]
pub mod __private {
    pub use crate::typed::{
        discriminant_size, field_bytes, invalid_discriminant, read_discriminant, write_discriminant,
    };
}
