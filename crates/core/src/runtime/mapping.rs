//! Pages for linear memories and stacks.

use std::sync::Arc;

use super::written::{Pages, written};
use crate::error::{Error, Result};

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
            unreachable!("an image lies in the pages of its memory");
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
                let Some(len) = end.checked_sub(found.start - base) else { return };
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

/// Shared pages, and where they lie in a mapping.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) at: usize,
    pub(crate) pages: Arc<SharedPages>,
}

/// Pages whose content never changes, to be shared among mappings.
#[derive(Debug)]
pub(crate) struct SharedPages {
    #[cfg(target_os = "linux")]
    file: std::os::fd::OwnedFd,
    /// The pages, to read.
    base: *const u8,
    len: usize,
}

// SAFETY: the pages are only read.
unsafe impl Send for SharedPages {}
// SAFETY: as above.
unsafe impl Sync for SharedPages {}

#[cfg(target_os = "linux")]
impl SharedPages {
    /// `len` bytes (whole pages), zero but for the parts, of which later ones overwrite earlier ones. `None` where the system has no such pages.
    pub(crate) fn new<'a>(len: usize, parts: impl Iterator<Item = (usize, &'a [u8])>) -> Option<SharedPages> {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
        use std::os::unix::fs::FileExt;

        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("wharf-memory", flags).ok()?;
        ftruncate(&file, len as u64).ok()?;
        let file = std::fs::File::from(file);
        for (at, bytes) in parts {
            file.write_all_at(bytes, at as u64).ok()?;
        }
        // Mapped pages of a file that shrinks would be gone.
        fcntl_add_seals(
            &file,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
        )
        .ok()?;
        let file = file.into();
        let base = sys::map_to_read(&file, len)?;
        Some(SharedPages { file, base, len })
    }

    fn base(&self) -> *const u8 {
        self.base
    }
}

#[cfg(target_os = "linux")]
impl Drop for SharedPages {
    fn drop(&mut self) {
        // SAFETY: these are the pages that `map_to_read` gave, and nothing uses them any more.
        unsafe { sys::release(self.base.cast_mut(), self.len) };
    }
}

#[cfg(not(target_os = "linux"))]
impl SharedPages {
    fn base(&self) -> *const u8 {
        self.base
    }

    /// None: other systems have no files without a name that can't change.
    pub(crate) fn new<'a>(
        _len: usize,
        _parts: impl Iterator<Item = (usize, &'a [u8])>,
    ) -> Option<SharedPages> {
        None
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
    /// The range from `base` on, as long as `pages`, lies inside the committed part of one reservation, and nothing refers to it.
    #[cfg(target_os = "linux")]
    pub(super) unsafe fn share(base: *mut u8, pages: &super::SharedPages) -> bool {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: by the contract above. The file is sealed: its pages stay, and stay the same.
        unsafe { rustix::mm::mmap(base.cast(), pages.len, access, flags, &pages.file, 0) }.is_ok()
    }

    /// Maps the pages of a file, which has that many and stays as it is.
    #[cfg(target_os = "linux")]
    pub(super) fn map_to_read(file: &std::os::fd::OwnedFd, len: usize) -> Option<*const u8> {
        // SAFETY: a new mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, file, 0)
        };
        base.ok().map(|base| base.cast_const().cast())
    }

    /// # Safety
    /// None is needed: there are no such pages.
    #[cfg(not(target_os = "linux"))]
    pub(super) unsafe fn share(_base: *mut u8, _pages: &super::SharedPages) -> bool {
        false
    }

    /// Gives the bytes back the content that they had when they were mapped.
    ///
    /// # Safety
    /// The range lies inside the committed part of one reservation, and nothing refers to it.
    pub(super) unsafe fn reset(base: *mut u8, len: usize) -> bool {
        // Elsewhere the call may keep the content.
        #[cfg(target_os = "linux")]
        // SAFETY: by the contract above.
        return unsafe { rustix::mm::madvise(base.cast(), len, rustix::mm::Advice::LinuxDontNeed) }.is_ok();
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (base, len);
            false
        }
    }

    /// Maps new zeroed pages.
    ///
    /// # Safety
    /// As for `reset`.
    pub(super) unsafe fn renew(base: *mut u8, len: usize) -> bool {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY: by the contract above.
        unsafe { mmap_anonymous(base.cast(), len, ProtFlags::READ | ProtFlags::WRITE, flags) }.is_ok()
    }

    /// Makes pages inaccessible.
    ///
    /// # Safety
    /// As for `reset`.
    pub(super) unsafe fn hide(base: *mut u8, len: usize) -> bool {
        // SAFETY: by the contract above.
        unsafe { mprotect(base.cast(), len, MprotectFlags::empty()) }.is_ok()
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

    pub(super) unsafe fn share(_base: *mut u8, _pages: &super::SharedPages) -> bool {
        false
    }

    pub(super) unsafe fn reset(_base: *mut u8, _len: usize) -> bool {
        false
    }

    pub(super) unsafe fn renew(_base: *mut u8, _len: usize) -> bool {
        false
    }

    pub(super) unsafe fn hide(_base: *mut u8, _len: usize) -> bool {
        false
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

    #[cfg(target_os = "linux")]
    #[test]
    fn shared_pages_are_copied_by_whoever_writes() {
        let parts = [(5, &b"abc"[..]), (6, b"x"), (PAGE, b"y")];
        let pages = SharedPages::new(2 * PAGE, parts.into_iter()).unwrap();
        let image = Image {
            at: PAGE,
            pages: Arc::new(pages),
        };
        let mapped = || {
            let mut m = Mapping::new(3 * PAGE, 4 * PAGE).unwrap();
            m.share(Some(&image)).unwrap();
            m
        };
        // SAFETY: inside the three pages, to which there are no references.
        let read = |m: &Mapping, at| unsafe { *m.base().add(at) };
        let mut first = mapped();
        // SAFETY: as above.
        unsafe { *first.base().add(PAGE + 5) = b'w' };
        let mut second = mapped();
        let bytes: Vec<u8> = (4..9).map(|at| read(&second, PAGE + at)).collect();
        assert_eq!(bytes, b"\0axc\0");
        assert_eq!((read(&first, PAGE + 5), read(&second, 2 * PAGE)), (b'w', b'y'));
        assert!(second.grow(3 * PAGE, 4 * PAGE));
        assert_eq!((read(&second, PAGE + 5), read(&second, 4 * PAGE - 1)), (b'a', 0));
        // Used again, with the image and without.
        assert!(first.reset(0) && first.has_image(Some(&image)));
        assert_eq!(read(&first, PAGE + 5), b'a');
        assert!(first.set_image(None) && !first.has_image(Some(&image)));
        assert_eq!(read(&first, PAGE + 5), 0);
        assert!(first.resize(PAGE) && first.resize(4 * PAGE));
        assert_eq!((read(&first, 2 * PAGE), read(&first, 4 * PAGE - 1)), (0, 0));
        assert!(first.set_image(Some(&image)));
        assert_eq!(read(&first, 2 * PAGE), b'y');
    }

    #[test]
    fn what_no_system_has_is_an_error() {
        assert!(Mapping::new(usize::MAX, usize::MAX).is_err());
        assert!(Mapping::new(1 << 60, 0).is_err());
    }
}
