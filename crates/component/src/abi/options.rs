//! What `canon lift` and `canon lower` say about a function.

use wharf_core::{Memory, RawFunc};

/// How a guest wants its strings.
#[derive(Copy, Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum StringEncoding {
    /// UTF-8
    #[default]
    Utf8,
    /// UTF-16, little endian
    Utf16,
    /// Latin-1 or UTF-16, told apart by the highest bit of the length
    Latin1OrUtf16,
}

/// The canonical options of a lifted or lowered function, as run-time values.
#[derive(Copy, Clone, Debug, Default)]
pub struct CanonOptions {
    pub(crate) encoding: StringEncoding,
    pub(crate) memory: Option<Memory>,
    pub(crate) realloc: Option<RawFunc>,
}
