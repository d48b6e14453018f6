//! The types of components: what imports, exports and values look like.

mod arena;
mod public;

pub(crate) use arena::FLAT_SLOTS;
pub use arena::{
    FuncTypeDef, FuncTypeIndex, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, ResourceIndex, TypeArena, TypeDef,
    TypeIndex, TypeNode,
};
pub use public::*;
