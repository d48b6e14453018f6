//! Pages of the system: Unix.

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
        rustix::mm::mmap(
            std::ptr::null_mut(),
            len,
            ProtFlags::READ,
            MapFlags::SHARED,
            file,
            0,
        )
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
