//! Pages for linear memories and stacks.

use crate::error::{Error, Result};

/// Zeroed bytes that can grow; as long as they fit what was reserved, they do not move.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: *mut u8,
    reserved: usize,
    committed: usize,
}

// SAFETY: a mapping is plain memory that it alone owns.
unsafe impl Send for Mapping {}
// SAFETY: as above; shared references only give out the address.
unsafe impl Sync for Mapping {}

/// The system's pages are at most this large.
const PAGE: usize = 64 << 10;

fn round_up(bytes: usize) -> Option<usize> {
    bytes.checked_next_multiple_of(PAGE)
}

impl Mapping {
    /// `len` bytes, with room reserved to grow to `reserve`; reserves less when the system gives less.
    pub(crate) fn new(len: usize, reserve: usize) -> Result<Mapping> {
        let too_big = || Error::limit(format!("the system has no room for {len} bytes of memory"));
        let committed = round_up(len).ok_or_else(too_big)?;
        let reserved = round_up(reserve).unwrap_or(committed).max(committed);
        if reserved == 0 {
            return Ok(Mapping {
                base: std::ptr::dangling_mut::<u128>().cast(),
                reserved: 0,
                committed: 0,
            });
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
                };
                if !mapping.commit(committed) {
                    return Err(too_big());
                }
                return Ok(mapping);
            }
        }
        if committed == 0 {
            return Ok(Mapping {
                base: std::ptr::dangling_mut::<u128>().cast(),
                reserved: 0,
                committed: 0,
            });
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

    fn commit(&mut self, to: usize) -> bool {
        if to <= self.committed {
            return true;
        }
        // SAFETY: the range lies in the pages reserved at `base`.
        let done = unsafe { sys::commit(self.base.add(self.committed), to - self.committed) };
        if done {
            self.committed = to;
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

#[cfg(unix)]
mod sys {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

    pub(super) fn reserve(len: usize) -> Option<*mut u8> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new anonymous mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), flags) };
        base.ok().map(|p| p.cast())
    }

    /// # Safety
    /// The range lies inside one reservation.
    pub(super) unsafe fn commit(base: *mut u8, len: usize) -> bool {
        // SAFETY: by the contract above.
        unsafe { mprotect(base.cast(), len, MprotectFlags::READ | MprotectFlags::WRITE) }.is_ok()
    }

    /// # Safety
    /// The range is a whole reservation that nothing uses any more.
    pub(super) unsafe fn release(base: *mut u8, len: usize) {
        // SAFETY: by the contract above. It can only fail for arguments that are not a mapping.
        let _ = unsafe { munmap(base.cast(), len) };
    }
}

#[cfg(not(unix))]
mod sys {
    use std::alloc::{Layout, alloc_zeroed, dealloc};

    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len, 4096).ok()
    }

    /// Without reservations everything is allocated at once, so large reservations are refused.
    pub(super) fn reserve(len: usize) -> Option<*mut u8> {
        const LARGEST: usize = 64 << 20;
        let layout = layout(len).filter(|l| l.size() <= LARGEST)?;
        // SAFETY: the layout is not empty.
        let base = unsafe { alloc_zeroed(layout) };
        (!base.is_null()).then_some(base)
    }

    pub(super) unsafe fn commit(_base: *mut u8, _len: usize) -> bool {
        true
    }

    pub(super) unsafe fn release(base: *mut u8, len: usize) {
        if let Some(layout) = layout(len) {
            // SAFETY: allocated in `reserve` with the same layout.
            unsafe { dealloc(base, layout) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_inside_the_reservation_does_not_move() {
        let mut m = Mapping::new(PAGE, 4 * PAGE).unwrap();
        let base = m.base();
        assert!(m.grow(PAGE, 3 * PAGE));
        assert_eq!(m.base(), base);
        // SAFETY: three pages are committed.
        assert_eq!(unsafe { *base.add(3 * PAGE - 1) }, 0);
    }

    #[test]
    fn growth_beyond_the_reservation_keeps_the_bytes() {
        let mut m = Mapping::new(PAGE, PAGE).unwrap();
        // SAFETY: inside the first page.
        unsafe { *m.base().add(7) = 42 };
        assert!(m.grow(PAGE, 3 * PAGE));
        // SAFETY: inside the committed pages.
        assert_eq!(unsafe { (*m.base().add(7), *m.base().add(PAGE)) }, (42, 0));
    }

    #[test]
    fn what_no_system_has_is_an_error() {
        assert!(Mapping::new(usize::MAX, usize::MAX).is_err());
        assert!(Mapping::new(1 << 60, 0).is_err());
    }
}
