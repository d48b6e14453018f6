//! Which pages of a private mapping were written to, as the system knows it (Linux 6.7 or later).
//!
//! A page of a private mapping that was never written to is the file's, or the system's page of zeros, or not there at all. The first
//! write makes it a page of its own: anonymous, in memory or swapped out, until the mapping drops it. `PAGEMAP_SCAN` reads that from the page
//! tables. It is no record of writes that had to be armed before, so it does not matter who wrote (guest, host, or a debugger), nor how.
//!
//! What else may be the matter with a page:
//! - Swapped out, or being moved: the scan says so. It counts as written, but for a page of the file that is being moved.
//! - Part of a huge page: all of that is reported. The huge page of zeros may count as written, which costs and does no harm.
//! - Merged with an equal one (KSM): still anonymous. Merged with the page of zeros, it looks like one that was only read, so in a mapping
//!   of a file that page counts as written; without a file it is as good as new.
//! - Shared with a child process (fork): still anonymous, in both.
//! - Poisoned by faulty hardware: counts as written. Touching it kills the process, as the guest's next access would have.

use std::ops::Range;

/// What the pages of a range are until they are written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pages {
    /// Anonymous: zero.
    Zero,
    /// A file's.
    File,
}

/// Calls `each` with the ranges of addresses whose pages were written to, or may have been, in order, and gives their length. `None` if the
/// system can't tell, or as soon as they are longer than `most`.
///
/// All of `range` are whole pages of one private mapping, of the kind that `pages` says. Nothing accesses them meanwhile.
pub(super) fn written(
    range: Range<usize>,
    pages: Pages,
    most: usize,
    mut each: impl FnMut(Range<usize>),
) -> Option<usize> {
    let mut total = 0;
    let mut at = range.start;
    while at < range.end {
        let mut found = sys::Found::new();
        let next = sys::scan(at..range.end, pages, most - total, &mut found)?;
        for found in found.ranges() {
            total += found.len();
            if total > most {
                return None;
            }
            each(found);
        }
        // It ends early when there is no room for more.
        if next <= at {
            return None;
        }
        at = next;
    }
    Some(total)
}

#[cfg(target_os = "linux")]
mod sys {
    use std::{
        ops::Range,
        os::fd::OwnedFd,
        sync::{
            OnceLock,
            atomic::{AtomicU8, Ordering},
        },
    };

    use rustix::{
        fs::{Mode, OFlags, open},
        ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode},
        mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous},
    };

    use super::Pages;

    /// `struct page_region`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Region {
        start: u64,
        end: u64,
        categories: u64,
    }

    /// `struct pm_scan_arg`.
    #[repr(C)]
    #[derive(Default)]
    struct ScanArg {
        size: u64,
        flags: u64,
        start: u64,
        end: u64,
        walk_end: u64,
        vec: u64,
        vec_len: u64,
        max_pages: u64,
        category_inverted: u64,
        category_mask: u64,
        category_anyof_mask: u64,
        return_mask: u64,
    }

    const PAGE_IS_FILE: u64 = 1 << 2;
    const PAGE_IS_PRESENT: u64 = 1 << 3;
    const PAGE_IS_SWAPPED: u64 = 1 << 4;
    const PAGE_IS_PFNZERO: u64 = 1 << 5;

    /// Ranges that a scan found.
    pub(super) struct Found {
        regions: [Region; 64],
        count: usize,
    }

    impl Found {
        pub(super) fn new() -> Found {
            Found {
                regions: [Region::default(); 64],
                count: 0,
            }
        }

        pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
            self.regions
                .iter()
                .take(self.count)
                .map(|region| region.start as usize..region.end as usize)
        }
    }

    /// `PAGEMAP_SCAN`.
    struct Scan<'a> {
        arg: ScanArg,
        regions: &'a mut [Region],
    }

    // SAFETY: the opcode stands for a call that gets `ScanArg`, writes to it and to as many regions as that says, which are exclusively
    // borrowed, and reads page tables.
    unsafe impl Ioctl for Scan<'_> {
        /// How many regions it found, and where it ended.
        type Output = (usize, usize);
        const IS_MUTATING: bool = true;

        fn opcode(&self) -> Opcode {
            opcode::read_write::<ScanArg>(b'f', 16)
        }

        fn as_ptr(&mut self) -> *mut rustix::ffi::c_void {
            self.arg.vec = self.regions.as_mut_ptr() as u64;
            self.arg.vec_len = self.regions.len() as u64;
            (&raw mut self.arg).cast()
        }

        unsafe fn output_from_ptr(
            out: IoctlOutput,
            arg: *mut rustix::ffi::c_void,
        ) -> rustix::io::Result<Self::Output> {
            // SAFETY: by the trait's contract this is what `as_ptr` gave.
            let end = unsafe { (*arg.cast::<ScanArg>()).walk_end };
            Ok((out as usize, end as usize))
        }
    }

    /// The page tables of this process.
    struct Pagemap {
        file: OwnedFd,
        /// Not zero in the process whose page tables these are; in a child made by fork, which has others, the system makes it zero.
        here: &'static AtomicU8,
    }

    impl Pagemap {
        fn open() -> Option<Pagemap> {
            let access = ProtFlags::READ | ProtFlags::WRITE;
            let len = rustix::param::page_size();
            // SAFETY: a new anonymous mapping, at an address of the system's choice, affects no other memory.
            let page =
                unsafe { mmap_anonymous(std::ptr::null_mut(), len, access, MapFlags::PRIVATE) }.ok()?;
            // SAFETY: the range is the mapping just made.
            unsafe { madvise(page, len, Advice::LinuxWipeOnFork) }.ok()?;
            // SAFETY: the mapping is large enough, zeroed, and stays for good.
            let here: &AtomicU8 = unsafe { &*page.cast() };
            here.store(1, Ordering::Relaxed);
            let file = open(
                "/proc/self/pagemap",
                OFlags::RDONLY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .ok()?;
            Some(Pagemap { file, here })
        }
    }

    /// One scan from the range's start on, which ends at the latest when it has found more than `most` bytes. Gives where it ended.
    pub(super) fn scan(range: Range<usize>, pages: Pages, most: usize, found: &mut Found) -> Option<usize> {
        static PAGEMAP: OnceLock<Option<Pagemap>> = OnceLock::new();
        let pagemap = PAGEMAP.get_or_init(Pagemap::open).as_ref()?;
        if pagemap.here.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let unwritten = match pages {
            Pages::Zero => PAGE_IS_PFNZERO,
            Pages::File => PAGE_IS_FILE,
        };
        let arg = ScanArg {
            size: size_of::<ScanArg>() as u64,
            start: range.start as u64,
            end: range.end as u64,
            max_pages: (most / rustix::param::page_size()) as u64 + 1,
            // Those that are there, and not what they were.
            category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
            category_inverted: unwritten,
            category_mask: unwritten,
            ..ScanArg::default()
        };
        let scan = Scan {
            arg,
            regions: &mut found.regions,
        };
        // SAFETY: as said where it is implemented; the file is the one that has this call.
        let (count, end) = unsafe { ioctl(&pagemap.file, scan) }.ok()?;
        found.count = count;
        Some(end)
    }
}

#[cfg(not(target_os = "linux"))]
mod sys {
    use std::ops::Range;

    pub(super) struct Found;

    impl Found {
        pub(super) fn new() -> Found {
            Found
        }

        pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
            std::iter::empty()
        }
    }

    pub(super) fn scan(
        _range: Range<usize>,
        _pages: super::Pages,
        _most: usize,
        _found: &mut Found,
    ) -> Option<usize> {
        None
    }
}
