//! Mappings of memories that are gone, for the next ones. Reserving and giving back 4 GiB of address space for each costs more than making
//! its pages new, and pages that are there already cost no page faults.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    mapping::{Image, Mapping},
    memory_guard::RESERVE,
};
use crate::error::Result;

/// Mappings without traces of those who used them.
struct Pool {
    /// Those put last are the last ones, and taken first.
    mappings: Vec<Mapping>,
    /// Bytes of pages of their own that they all have.
    kept: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    mappings: Vec::new(),
    kept: 0,
});

/// More than these are given back to the system, the oldest first.
const POOLED: usize = 64;

/// Bytes of pages that one may keep. Putting back more than that is not much faster than having the system drop them.
const KEPT_EACH: usize = 4 << 20;

/// Bytes of pages that all may keep; the oldest ones lose theirs first.
const KEPT: usize = 64 << 20;

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn remove(&mut self, at: usize) -> Mapping {
        let mapping = self.mappings.remove(at);
        self.kept -= mapping.kept();
        mapping
    }

    fn take(&mut self, image: Option<&Image>) -> Option<Mapping> {
        let at = self.mappings.iter().rposition(|mapping| mapping.has_image(image));
        let at = at.or(self.mappings.len().checked_sub(1))?;
        Some(self.remove(at))
    }

    /// Adds one, and gives the one that is to go for it.
    fn put(&mut self, mapping: Mapping) -> Option<Mapping> {
        let oldest = (self.mappings.len() >= POOLED).then(|| self.remove(0));
        self.kept += mapping.kept();
        self.mappings.push(mapping);
        oldest
    }

    /// Removes the oldest one that keeps pages, if all keep too many.
    fn excess(&mut self) -> Option<Mapping> {
        if self.kept <= KEPT {
            return None;
        }
        let at = self.mappings.iter().position(|mapping| mapping.kept() > 0)?;
        Some(self.remove(at))
    }
}

/// A mapping of [`RESERVE`] bytes of which the first `len` are accessible: zero, or what the image makes of them.
pub(crate) fn take(len: usize, image: Option<&Image>) -> Result<Mapping> {
    let pooled = pool().take(image);
    if let Some(mut mapping) = pooled
        && mapping.set_image(image)
        && mapping.resize(len)
    {
        return Ok(mapping);
    }
    let mut mapping = Mapping::reserve_all(len, RESERVE)?;
    mapping.share(image)?;
    Ok(mapping)
}

/// Keeps a mapping that nothing uses any more, if it is of the kind that [`take`] gives.
pub(crate) fn put(mut mapping: Mapping) {
    if !mapping.is_reserved(RESERVE) || !mapping.reset(KEPT_EACH) {
        return;
    }
    let oldest = pool().put(mapping);
    drop(oldest);
    while let Some(mut mapping) = { pool().excess() } {
        if !mapping.drop_pages() {
            continue;
        }
        let mut pool = pool();
        if pool.mappings.len() < POOLED {
            pool.mappings.insert(0, mapping);
        }
    }
}
