//! Pages that mappings share until they write to them.

use std::sync::Arc;

#[cfg(target_os = "linux")]
use super::sys;

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
    pub(super) file: std::os::fd::OwnedFd,
    /// The pages, to read.
    base: *const u8,
    pub(super) len: usize,
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
        // What is written to in a mapping is put back from here.
        let base = sys::map_to_read(&file, len)?;
        Some(SharedPages { file, base, len })
    }

    pub(super) fn base(&self) -> *const u8 {
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
    pub(super) fn base(&self) -> *const u8 {
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
