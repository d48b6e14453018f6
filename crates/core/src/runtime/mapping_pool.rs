//! Address space of memories that are gone, for the next ones: reserving and giving back 4 GiB for each costs more than making its pages new.

use std::sync::{Mutex, PoisonError};

use super::{
    mapping::{Image, Mapping},
    memory_guard::RESERVE,
};
use crate::error::Result;

static POOL: Mutex<Vec<Mapping>> = Mutex::new(Vec::new());

/// More than these are given back to the system, the oldest first.
const POOLED: usize = 64;

/// A new mapping of [`RESERVE`] bytes of which the first `len` are accessible: zero, or what the image makes of them.
pub(crate) fn take(len: usize, image: Option<&Image>) -> Result<Mapping> {
    let pooled = {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        match pool.iter().rposition(|mapping| mapping.has_image(image)) {
            Some(at) => Some(pool.remove(at)),
            None => pool.pop(),
        }
    };
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
    if !mapping.is_reserved(RESERVE) || !mapping.reset() {
        return;
    }
    let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let oldest = (pool.len() >= POOLED).then(|| pool.remove(0));
    pool.push(mapping);
    drop(pool);
    drop(oldest);
}
