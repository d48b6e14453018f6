//! The canonical ABI: layouts, and the contexts in which values are lifted and lowered.

mod context;
mod layout;
pub(crate) mod strings;
pub(crate) mod transfer;

pub(crate) use context::type_mismatch;
pub use context::{CanonOptions, FlatReader, FlatWriter, LiftContext, LowerContext, StringEncoding};
pub use layout::{CanonicalAbi, flags_size};

/// The most bytes that a string may have, in any encoding.
pub const MAX_STRING_BYTES: u64 = (1 << 28) - 1;
/// The most bytes that the host allocates for the values of one call. Lists in a guest's memory may overlap, so that few
/// bytes there can stand for any number of values.
pub(crate) const MAX_HOST_BYTES: u64 = 1 << 29;
/// The most bytes of lists and strings that one call between guests copies, for the same reason.
pub(crate) const MAX_COPIED_BYTES: u64 = 1 << 32;
/// The most bytes that the elements of a list may have together.
pub const MAX_LIST_BYTES: u64 = (1 << 28) - 1;
