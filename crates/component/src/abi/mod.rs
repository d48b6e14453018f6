//! The canonical ABI: layouts, and the contexts in which values are lifted and lowered.

mod flat;
mod layout;
mod lift;
mod lower;
mod mismatch;
mod options;
pub(crate) mod strings;
pub(crate) mod transfer;

pub use flat::{FlatReader, FlatWriter};
pub(crate) use layout::FLAT_SLOTS;
pub use layout::{CanonicalAbi, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, flags_size};
pub use lift::LiftContext;
pub use lower::LowerContext;
pub(crate) use mismatch::type_mismatch;
pub use options::{CanonOptions, StringEncoding};

/// The most bytes that a string may have, in any encoding.
pub const MAX_STRING_BYTES: u64 = (1 << 28) - 1;
/// The most bytes that the host allocates for the values of one call. Lists in a guest's memory may overlap, so that few
/// bytes there can stand for any number of values.
pub(crate) const MAX_HOST_BYTES: u64 = 1 << 29;
/// The most bytes of lists and strings that one call between guests copies, for the same reason.
pub(crate) const MAX_COPIED_BYTES: u64 = 1 << 32;
/// The most bytes that the elements of a list may have together.
pub const MAX_LIST_BYTES: u64 = (1 << 28) - 1;
