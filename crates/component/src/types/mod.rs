//! The types of components: what imports, exports and values look like.

mod arena;
mod def;
mod item;
mod scope;
mod value;

pub use crate::abi::{MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};
pub use arena::TypeArena;
pub use def::{FuncTypeDef, FuncTypeIndex, ResourceIndex, TypeDef, TypeIndex, TypeNode};
pub use item::*;
pub(crate) use scope::{Scope, equal_funcs};
pub use value::*;
