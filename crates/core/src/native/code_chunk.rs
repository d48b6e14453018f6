//! Address space for machine code. What can be executed can't be written: code is written through a second mapping of the same pages, which
//! exists only meanwhile. So functions lie side by side however late they come, as they would in a file; one that has pages to itself shares
//! the sets of the instruction cache, which are chosen by the place in the page, with all others.

use std::{fs::File, ops::Range, ptr::NonNull};

use rustix::mm::{
    MapFlags, MprotectFlags, MremapFlags, ProtFlags, mmap, mmap_anonymous, mprotect, mremap, munmap,
};

use super::registry;

/// A range of address space that is filled with code from its start on.
#[derive(Debug)]
pub(super) struct Chunk {
    base: NonNull<u8>,
    len: usize,
    used: usize,
    /// The process that writes to it. One that was forked shares its pages.
    writer: Option<rustix::process::Pid>,
}

// SAFETY: a chunk is memory that it alone owns; what was published in it does not change any more.
unsafe impl Send for Chunk {}

/// Between what is written at different times, so that no line of a cache that may be executed is written to.
const LINE: usize = 64;

impl Chunk {
    /// Room for at least `len` bytes.
    pub(super) fn reserve(len: usize) -> Option<Chunk> {
        let len = len.checked_next_multiple_of(rustix::param::page_size())?;
        // Shared, so that it can be mapped twice. Executable at once, also what is not filled yet: profilers take a later change for
        // a new mapping that replaces what they know of this one.
        let (flags, access) = (
            MapFlags::SHARED | MapFlags::NORESERVE,
            ProtFlags::READ | ProtFlags::EXEC,
        );
        // SAFETY: a new anonymous mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, flags) }.ok()?;
        Some(Chunk {
            base: NonNull::new(base.cast::<u8>())?,
            len,
            used: 0,
            writer: Some(rustix::process::getpid()),
        })
    }

    /// Executable pages of a file.
    pub(super) fn map(file: &File, offset: u64, len: usize) -> Option<Chunk> {
        let flags = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: a new mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap(std::ptr::null_mut(), len, flags, MapFlags::PRIVATE, file, offset) }.ok()?;
        let base = NonNull::new(base.cast::<u8>())?;
        // SAFETY: the pages were just mapped, readable.
        unsafe { synchronise(base.as_ptr(), len) };
        Some(Chunk {
            base,
            len,
            used: len,
            writer: None,
        })
    }

    /// Its addresses.
    pub(super) fn range(&self) -> Range<usize> {
        let start = self.base.as_ptr() as usize;
        start..start + self.len
    }

    /// Lets `write` fill the next `len` bytes and makes them executable. `None` if there is no room for them, this process may not write here,
    /// or the system does not let it.
    pub(super) fn take(&mut self, len: usize, write: impl FnOnce(&mut [u8])) -> Option<*const u8> {
        if self.writer != Some(rustix::process::getpid()) {
            return None;
        }
        let page = rustix::param::page_size();
        let start = self.used.checked_next_multiple_of(LINE)?;
        let end = start.checked_add(len).filter(|end| *end <= self.len)?;
        let (first, last) = (start / page * page, end.next_multiple_of(page));
        let at = |offset: usize| self.base.as_ptr().wrapping_add(offset);
        // SAFETY: the pages are in the chunk. With an old size of 0, shared pages are mapped a second time, at an address of the system's choice; the
        // bytes from `start` on were not handed out yet, so that nothing else refers to them.
        unsafe {
            let alias = mremap(at(first).cast(), 0, last - first, MremapFlags::MAYMOVE).ok()?;
            let access = MprotectFlags::READ | MprotectFlags::WRITE;
            let writable = mprotect(alias, last - first, access).is_ok();
            if writable {
                let bytes = alias.cast::<u8>().add(start - first);
                write(std::slice::from_raw_parts_mut(bytes, len));
            }
            if munmap(alias, last - first).is_err() || !writable {
                return None;
            }
            synchronise(at(start), len);
        }
        self.used = end;
        Some(at(start))
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        registry::remove_region(self.base.as_ptr() as usize);
        // SAFETY: the chunk's own pages; their owner is gone, and with it all frames that execute them.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// Makes what was written visible to instruction fetches of all cores.
///
/// # Safety
/// The range is readable.
#[cfg(target_arch = "aarch64")]
unsafe fn synchronise(start: *mut u8, len: usize) {
    // SAFETY: cache maintenance of readable memory changes nothing that a program can see.
    unsafe {
        let types: usize;
        std::arch::asm!("mrs {}, ctr_el0", out(reg) types, options(nomem, nostack, preserves_flags));
        let data_line = 4usize << (types >> 16 & 15);
        let instruction_line = 4usize << (types & 15);
        let end = start as usize + len;
        let mut at = start as usize & !(data_line - 1);
        while at < end {
            std::arch::asm!("dc cvau, {}", in(reg) at, options(nostack, preserves_flags));
            at += data_line;
        }
        std::arch::asm!("dsb ish", options(nostack, preserves_flags));
        let mut at = start as usize & !(instruction_line - 1);
        while at < end {
            std::arch::asm!("ic ivau, {}", in(reg) at, options(nostack, preserves_flags));
            at += instruction_line;
        }
        std::arch::asm!("dsb ish", "isb", options(nostack, preserves_flags));
        // Other cores must drop what they have fetched ahead. The first call registers the process; where the system does not have this,
        // nothing was executed here before, so that there is hardly anything to drop.
        libc::syscall(libc::SYS_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0, 0);
        libc::syscall(libc::SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0);
    }
}

#[cfg(target_arch = "aarch64")]
const MEMBARRIER_SYNC_CORE: libc::c_int = 1 << 5;
#[cfg(target_arch = "aarch64")]
const MEMBARRIER_REGISTER_SYNC_CORE: libc::c_int = 1 << 6;

/// On x86-64 instruction fetches see what was written.
///
/// # Safety
/// None.
#[cfg(not(target_arch = "aarch64"))]
unsafe fn synchronise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(chunk: &mut Chunk, byte: u8, len: usize) -> Option<usize> {
        chunk.take(len, |bytes| bytes.fill(byte)).map(|at| at as usize)
    }

    #[test]
    fn code_lies_side_by_side_until_there_is_no_room() {
        let page = rustix::param::page_size();
        let mut chunk = Chunk::reserve(2 * page).unwrap();
        let start = chunk.range().start;
        assert_eq!(fill(&mut chunk, 1, 100), Some(start));
        assert_eq!(fill(&mut chunk, 2, page), Some(start + 128));
        assert_eq!(fill(&mut chunk, 3, page), None);
        assert_eq!(
            fill(&mut chunk, 4, 10),
            Some((start + 128 + page).next_multiple_of(LINE))
        );
        // SAFETY: published code can be read.
        let read = |at: usize| unsafe { *((start + at) as *const u8) };
        assert_eq!([99, 100, 128, 127 + page].map(read), [1, 0, 2, 2]);
    }

    #[test]
    fn no_page_can_be_written_and_executed() {
        let mut chunk = Chunk::reserve(1).unwrap();
        let start = fill(&mut chunk, 1, 1).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = maps
            .lines()
            .find(|l| l.starts_with(&format!("{start:x}-")))
            .unwrap();
        assert_eq!(line.split(' ').nth(1), Some("r-xs"), "{line}");
        assert!(
            maps.lines()
                .all(|l| l.split(' ').nth(1).is_none_or(|access| !access.contains("wx")))
        );
    }

    #[test]
    fn a_process_does_not_write_to_the_chunks_of_another() {
        let mut chunk = Chunk::reserve(1).unwrap();
        chunk.writer = rustix::process::Pid::from_raw(1);
        assert_eq!(fill(&mut chunk, 1, 1), None);
    }
}
