//! Pages for linear memories and stacks.

use std::sync::Arc;

use crate::error::{Error, Result};

mod shared;
#[cfg_attr(unix, path = "sys_unix.rs")]
#[cfg_attr(not(unix), path = "sys_other.rs")]
mod sys;
#[cfg(test)]
mod tests;
mod written;

pub(crate) use shared::{Image, SharedPages};
use written::{Pages, written};

/// Zeroed bytes that can grow; as long as they fit what was reserved, they do not move.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: *mut u8,
    reserved: usize,
    committed: usize,
    /// Bytes from `base` on outside of which there is no page that was ever accessible since the last time that all were dropped.
    touched: usize,
    /// Bytes of pages of its own that it has after a `reset`.
    kept: usize,
    image: Option<Image>,
}

// SAFETY: a mapping is plain memory that it alone owns.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared references only give out the address.
unsafe impl Sync for Mapping {}

/// The system's pages are at most this large.
pub(crate) const PAGE: usize = 64 << 10;

fn round_up(bytes: usize) -> Option<usize> {
    bytes.checked_next_multiple_of(PAGE)
}

impl Mapping {
    /// No bytes.
    pub(crate) fn empty() -> Mapping {
        Mapping {
            base: std::ptr::dangling_mut::<u128>().cast(),
            reserved: 0,
            committed: 0,
            touched: 0,
            kept: 0,
            image: None,
        }
    }

    /// `len` bytes, with room reserved to grow to `reserve`; reserves less when the system gives less.
    pub(crate) fn new(len: usize, reserve: usize) -> Result<Mapping> {
        let too_big = || Error::limit(format!("the system has no room for {len} bytes of memory"));
        let committed = round_up(len).ok_or_else(too_big)?;
        let reserved = round_up(reserve).unwrap_or(committed).max(committed);
        if reserved == 0 {
            return Ok(Mapping::empty());
        }
        for reserved in [reserved, committed] {
            if reserved == 0 {
                break;
            }
            if let Some(base) = sys::reserve(reserved) {
                let mut mapping = Mapping {
                    base,
                    reserved,
                    committed: 0,
                    touched: 0,
                    kept: 0,
                    image: None,
                };
                if !mapping.commit(committed) {
                    return Err(too_big());
                }
                return Ok(mapping);
            }
        }
        if committed == 0 {
            return Ok(Mapping::empty());
        }
        Err(too_big())
    }

    /// As `new`, but fails when not all of `reserve` can be reserved.
    pub(crate) fn reserve_all(len: usize, reserve: usize) -> Result<Mapping> {
        let mapping = Mapping::new(len, reserve)?;
        if mapping.reserved < reserve {
            return Err(Error::limit("the system has no address space left for a memory"));
        }
        Ok(mapping)
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base
    }

    /// Puts an image in the place of its pages, which must not have been written to yet. Writing copies a page.
    pub(crate) fn share(&mut self, image: Option<&Image>) -> Result<()> {
        let Some(image) = image else { return Ok(()) };
        let end = image.at.checked_add(image.pages.len);
        if end.is_none_or(|end| end > self.committed) || !image.at.is_multiple_of(PAGE) {
            return Err(Error::limit("the image of a memory does not lie in its pages"));
        }
        // SAFETY: the range lies in the committed pages of `base`, to which nothing refers.
        if !unsafe { sys::share(self.base.add(image.at), &image.pages) } {
            return Err(Error::limit("the system has no room for the image of a memory"));
        }
        self.image = Some(image.clone());
        Ok(())
    }

    /// Whether its pages are those of this image, or of none.
    pub(crate) fn has_image(&self, image: Option<&Image>) -> bool {
        match (&self.image, image) {
            (None, None) => true,
            (Some(a), Some(b)) => a.at == b.at && Arc::ptr_eq(&a.pages, &b.pages),
            _ => false,
        }
    }

    pub(crate) fn is_reserved(&self, reserved: usize) -> bool {
        self.reserved == reserved
    }

    /// Makes all bytes what they were before they were written to. `false` if the system can't, which leaves them undefined.
    ///
    /// Pages that were written to are kept, up to `most` bytes of them, with their bytes put back: the next user finds them there, and
    /// also those that were only read. Beyond that, and where the system can't tell which they are, all pages are dropped.
    pub(crate) fn reset(&mut self, most: usize) -> bool {
        match self.put_back(most) {
            Some(kept) => {
                self.kept = kept;
                true
            }
            None => self.drop_pages(),
        }
    }

    /// Bytes of pages of its own that it has kept over a [`reset`](Mapping::reset).
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// As [`reset`](Mapping::reset), keeping nothing.
    pub(crate) fn drop_pages(&mut self) -> bool {
        // SAFETY: these pages are reserved, and nothing uses them any more.
        if self.touched > 0 && !unsafe { sys::reset(self.base, self.touched) } {
            return false;
        }
        self.touched = self.committed;
        self.kept = 0;
        true
    }

    /// Puts back the bytes of pages that were written to, if they are `most` bytes at most. `None`, and not all of it done, if they are more
    /// or the system can't tell. Else gives the bytes that were: those that are accessible were written to, others are clean since they
    /// were made inaccessible and only count.
    fn put_back(&mut self, most: usize) -> Option<usize> {
        let image = match &self.image {
            Some(image) => image.at..image.at + image.pages.len,
            None => self.touched..self.touched,
        };
        let base = self.base as usize;
        let parts = [
            (0..image.start, Pages::Zero),
            (image.clone(), Pages::File),
            (image.end..self.touched, Pages::Zero),
        ];
        let mut kept = 0;
        for (part, pages) in parts {
            kept += written(base + part.start..base + part.end, pages, most - kept, |found| {
                let end = (found.end - base).min(self.committed);
                let Some(len) = end.checked_sub(found.start - base) else {
                    return;
                };
                let to = self.base.wrapping_add(found.start - base);
                match &self.image {
                    // SAFETY: the pages are committed ones of this mapping, which nothing uses any more, and in its image, which lies there
                    // from `at` on. The image's own mapping is another one.
                    Some(image) if pages == Pages::File => unsafe {
                        let from = image.pages.base().add(found.start - base - image.at);
                        std::ptr::copy_nonoverlapping(from, to, len);
                    },
                    // SAFETY: as above.
                    _ => unsafe { to.write_bytes(0, len) },
                }
            })?;
        }
        Some(kept)
    }

    /// Puts pages of an image, or of none, in the place of those of another one, after a [`reset`](Mapping::reset).
    pub(crate) fn set_image(&mut self, image: Option<&Image>) -> bool {
        if self.has_image(image) {
            return true;
        }
        if let Some(old) = self.image.take() {
            // SAFETY: the image lies in the committed pages, which nothing uses.
            if !unsafe { sys::renew(self.base.add(old.at), old.pages.len) } {
                return false;
            }
        }
        let end = image.map_or(0, |image| image.at + image.pages.len);
        self.commit(end) && self.share(image).is_ok()
    }

    /// Makes `len` bytes accessible, and no byte behind their last page.
    pub(crate) fn resize(&mut self, len: usize) -> bool {
        let Some(committed) = round_up(len).filter(|committed| *committed <= self.reserved) else {
            return false;
        };
        if committed < self.committed {
            // SAFETY: the range is committed, and nothing uses it.
            if !unsafe { sys::hide(self.base.add(committed), self.committed - committed) } {
                return false;
            }
            self.committed = committed;
        }
        self.commit(committed)
    }

    fn commit(&mut self, to: usize) -> bool {
        if to <= self.committed {
            return true;
        }
        // SAFETY: the range lies in the pages reserved at `base`.
        let done = unsafe { sys::commit(self.base.add(self.committed), to - self.committed) };
        if done {
            self.committed = to;
            self.touched = self.touched.max(to);
        }
        done
    }

    /// Makes it at least `len` bytes long, moving it if there is no room; `false`, and nothing changed, if the system has none.
    pub(crate) fn grow(&mut self, used: usize, len: usize) -> bool {
        let Some(committed) = round_up(len) else {
            return false;
        };
        if committed <= self.reserved {
            return self.commit(committed);
        }
        // Half as much again, so that growing page by page does not copy each time.
        let Ok(new) = Mapping::new(len, len.saturating_add(len / 2)) else {
            return false;
        };
        // SAFETY: both mappings hold at least `used` bytes, and a new mapping does not overlap another.
        unsafe { std::ptr::copy_nonoverlapping(self.base, new.base, used) };
        *self = new;
        true
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.reserved > 0 {
            // SAFETY: these are the pages that `reserve` gave, and nothing uses them any more.
            unsafe { sys::release(self.base, self.reserved) };
        }
    }
}
