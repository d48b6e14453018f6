//! Address space for machine code. What can be executed can't be written: code is written through a second mapping of the same pages, which
//! exists only meanwhile. So functions lie side by side however late they come, as they would in a file; one that has pages to itself shares
//! the sets of the instruction cache, which are chosen by the place in the page, with all others. That is how it has to be where the system
//! does not map pages twice.

use std::{fs::File, ops::Range, ptr::NonNull, sync::OnceLock};

use rustix::{
    mm::{MapFlags, MprotectFlags, MremapFlags, ProtFlags, mmap, mmap_anonymous, mprotect, mremap, munmap},
    param::page_size,
    process::{Pid, getpid},
};

use super::registry;

/// A range of address space that is filled with code from its start on.
#[derive(Debug)]
pub(super) struct Chunk {
    base: NonNull<u8>,
    len: usize,
    used: usize,
    writing: Writing,
}

/// How code gets into a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Writing {
    /// Through a second mapping, by the process that made the chunk. One that was forked shares its pages.
    Twice(Pid),
    /// Into whole pages that are made executable then.
    InTurn,
    /// It is full.
    Never,
}

impl Writing {
    /// What works here.
    fn best() -> Writing {
        static TWICE: OnceLock<bool> = OnceLock::new();
        let writing = Writing::Twice(getpid());
        let works =
            || Chunk::reserve_for(writing, 1).is_some_and(|mut chunk| chunk.take(1, |_| ()).is_some());
        match *TWICE.get_or_init(works) {
            true => writing,
            false => Writing::InTurn,
        }
    }
}

// SAFETY: a chunk is memory that it alone owns; what was published in it does not change any more.
unsafe impl Send for Chunk {}

/// Between what is written at different times, so that no line of a cache that may be executed is written to.
const LINE: usize = 64;

impl Chunk {
    /// Room for at least `len` bytes.
    pub(super) fn reserve(len: usize) -> Option<Chunk> {
        Chunk::reserve_for(Writing::best(), len)
    }

    fn reserve_for(writing: Writing, len: usize) -> Option<Chunk> {
        let len = len.checked_next_multiple_of(page_size())?;
        let (flags, access) = match writing {
            // Executable at once, also what is not filled yet: profilers take a later change for a new mapping that replaces what they know of
            // this one.
            Writing::Twice(_) => (MapFlags::SHARED, ProtFlags::READ | ProtFlags::EXEC),
            Writing::InTurn | Writing::Never => (MapFlags::PRIVATE, ProtFlags::empty()),
        };
        // SAFETY: a new anonymous mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, flags | MapFlags::NORESERVE) };
        Some(Chunk {
            base: NonNull::new(base.ok()?.cast::<u8>())?,
            len,
            used: 0,
            writing,
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
            writing: Writing::Never,
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
        let unit = match self.writing {
            Writing::Twice(writer) if writer == getpid() => LINE,
            Writing::InTurn => page_size(),
            Writing::Twice(_) | Writing::Never => return None,
        };
        let start = self.used.checked_next_multiple_of(unit)?;
        let end = start.checked_add(len).filter(|end| *end <= self.len)?;
        let pages = start / page_size() * page_size()..end.next_multiple_of(page_size());
        let at = |offset: usize| self.base.as_ptr().wrapping_add(offset);
        let (first, size) = (at(pages.start).cast(), pages.len());
        let writable = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: the pages are in the chunk, and the bytes from `start` on were not handed out yet, so that nothing else refers to them. With an old
        // size of 0, shared pages are mapped a second time, at an address of the system's choice.
        unsafe {
            if let Writing::InTurn = self.writing {
                mprotect(first, size, writable).ok()?;
                write(std::slice::from_raw_parts_mut(at(start), len));
                mprotect(first, size, MprotectFlags::READ | MprotectFlags::EXEC).ok()?;
            } else {
                let twin = mremap(first, 0, size, MremapFlags::MAYMOVE).ok()?;
                let done = mprotect(twin, size, writable).is_ok();
                if done {
                    let bytes = twin.cast::<u8>().add(start - pages.start);
                    write(std::slice::from_raw_parts_mut(bytes, len));
                }
                if munmap(twin, size).is_err() || !done {
                    return None;
                }
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
        // QEMU does not map pages twice.
        if cfg!(target_arch = "aarch64") && Writing::best() == Writing::InTurn {
            return;
        }
        let page = page_size();
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
    fn without_second_mappings_code_has_pages_to_itself() {
        let page = page_size();
        let mut chunk = Chunk::reserve_for(Writing::InTurn, 3 * page).unwrap();
        let start = chunk.range().start;
        assert_eq!(fill(&mut chunk, 1, 100), Some(start));
        assert_eq!(fill(&mut chunk, 2, page + 1), Some(start + page));
        assert_eq!(fill(&mut chunk, 3, 1), None);
        // SAFETY: published code can be read.
        let read = |at: usize| unsafe { *((start + at) as *const u8) };
        assert_eq!([99, 100, page, 2 * page].map(read), [1, 0, 2, 2]);
    }

    #[test]
    fn no_page_can_be_written_and_executed() {
        for writing in [Writing::best(), Writing::InTurn] {
            let mut chunk = Chunk::reserve_for(writing, 1).unwrap();
            let start = fill(&mut chunk, 1, 1).unwrap();
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            let mut found = false;
            for line in maps.lines() {
                let mut fields = line.split([' ', '-']);
                let mut address = || usize::from_str_radix(fields.next().unwrap(), 16).unwrap();
                let (from, to) = (address(), address());
                let access = line.split(' ').nth(1).unwrap();
                assert!(!access.contains("wx"), "{line}");
                if (from..to).contains(&start) {
                    assert!(access.starts_with("r-x"), "{line}");
                    found = true;
                }
            }
            assert!(found, "{maps}");
        }
    }

    #[test]
    fn a_process_does_not_write_to_the_chunks_of_another() {
        let mut chunk = Chunk::reserve(1).unwrap();
        chunk.writing = Writing::Twice(Pid::INIT);
        assert_eq!(fill(&mut chunk, 1, 1), None);
    }
}
