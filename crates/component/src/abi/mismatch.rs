//! The error for values that do not fit.

use wharf_core::Error;

use crate::types::{TypeArena, TypeIndex};

/// The error for a Rust type or a `Val` that does not fit the component's type.
pub(crate) fn type_mismatch(types: &TypeArena, ty: TypeIndex, found: &str) -> Error {
    Error::usage(format!(
        "type mismatch: expected `{}`, found `{found}`",
        types.display(ty)
    ))
}
