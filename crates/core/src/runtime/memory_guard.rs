//! Address space around 32-bit linear memories, so that machine code needs no bounds checks.

use super::mapping::Mapping;

/// Bytes behind the 4 GiB of a 32-bit memory that are never accessible.
pub const GUARD: u64 = 64 << 20;

/// What to reserve for a memory.
pub(crate) const RESERVE: usize = (4 << 30) + GUARD as usize;

/// Whether this process can reserve that much.
pub(crate) fn available() -> bool {
    Mapping::reserve_all(0, RESERVE).is_ok()
}
