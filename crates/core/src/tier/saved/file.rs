//! Files of saved code.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
    ptr::NonNull,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use crate::Bytes;

/// A file mapped into memory, read-only.
///
/// Who can write the file can change what is mapped; see the module on who may.
#[derive(Debug)]
struct Mapped {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the memory is read-only and belongs to this mapping alone.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the pages are mapped as long as `self` lives. Nobody is supposed to change the file meanwhile: files of saved code are
        // replaced, never written a second time.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the mapping is its own, and nothing borrows from it any more.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// A file that is open and mapped.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) file: Arc<File>,
    pub(super) bytes: Bytes,
}

/// Who a file must come from.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// Of this user, and writable by nobody else.
    User,
    Anyone,
}

/// Opens and maps a file.
pub(super) fn open(path: &Path, from: From) -> io::Result<OpenFile> {
    // A pipe of this name must not make the process wait.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if from == From::User
        && (metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o022 != 0)
    {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others may write the file",
        ));
    }
    let len = usize::try_from(metadata.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let bytes = match len {
        0 => Bytes::from(Vec::new()),
        _ => Bytes::from_owner(map(&file, len)?),
    };
    Ok(OpenFile {
        file: Arc::new(file),
        bytes,
    })
}

fn map(file: &File, len: usize) -> io::Result<Mapped> {
    use rustix::mm::{MapFlags, ProtFlags, mmap};
    // SAFETY: a new mapping, at an address of the system's choice, affects no other memory.
    let base = unsafe {
        mmap(
            std::ptr::null_mut(),
            len,
            ProtFlags::READ,
            MapFlags::PRIVATE,
            file,
            0,
        )
    }?;
    match NonNull::new(base.cast()) {
        Some(base) => Ok(Mapped { base, len }),
        None => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

/// Makes a folder for files that only this user may see, unless it is there.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file as a whole: others see the old one or the new one, however many write it at once.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(
        ".{}-{}.tmp",
        std::process::id(),
        NUMBER.fetch_add(1, Relaxed)
    ));
    let temporary = path.with_file_name(name);
    // What a process of the same number left when it was killed.
    let _ = fs::remove_file(&temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}
