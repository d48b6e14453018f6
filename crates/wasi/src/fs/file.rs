//! Operations on an open file.

use super::types::{Advice, DescriptorFlags, FilePerms, NewTimestamp};
use super::{ErrorCode, FsResult, os};
use cap_std::fs::Metadata;
use std::sync::Arc;

/// An open file with the rights it was opened with. Clones refer to the same open file.
#[derive(Clone, Debug)]
pub struct File {
    file: Arc<cap_std::fs::File>,
    flags: DescriptorFlags,
    perms: FilePerms,
}

impl File {
    /// `flags` is how the file was opened, `perms` what the grant that it comes from allows.
    pub(crate) fn new(file: cap_std::fs::File, flags: DescriptorFlags, perms: FilePerms) -> File {
        File {
            file: Arc::new(file),
            flags,
            perms,
        }
    }

    pub(crate) fn handle(&self) -> &Arc<cap_std::fs::File> {
        &self.file
    }

    pub(crate) fn flags(&self) -> DescriptorFlags {
        self.flags
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        Ok(self.file.metadata()?)
    }

    /// `BadDescriptor` unless open for reading.
    pub(crate) fn check_read(&self) -> FsResult<()> {
        if self.perms.contains(FilePerms::READ) && self.flags.contains(DescriptorFlags::READ) {
            Ok(())
        } else {
            Err(ErrorCode::BadDescriptor)
        }
    }

    /// `BadDescriptor` unless open for writing.
    pub(crate) fn check_write(&self) -> FsResult<()> {
        if self.perms.contains(FilePerms::WRITE) && self.flags.contains(DescriptorFlags::WRITE) {
            Ok(())
        } else {
            Err(ErrorCode::BadDescriptor)
        }
    }

    /// Reads at most `len` bytes; the flag says that the end was reached.
    pub(crate) fn read(&self, len: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        self.check_read()?;
        let data = os::read_vec(&self.file, len, offset)?;
        let end = data.is_empty() && len > 0;
        Ok((data, end))
    }

    /// Reads into `buf` and says how much; 0 means the end of the file.
    pub(crate) fn read_into(&self, buf: &mut [u8], offset: u64) -> FsResult<usize> {
        self.check_read()?;
        Ok(os::read_at(&self.file, buf, offset)?)
    }

    /// Writes some of `data` and says how much.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> FsResult<usize> {
        self.check_write()?;
        Ok(os::write_at(&self.file, data, offset)?)
    }

    /// Writes some of `data` at the end of the file and says how much.
    pub(crate) fn append(&self, data: &[u8]) -> FsResult<usize> {
        self.check_write()?;
        Ok(os::append(&self.file, data)?)
    }

    pub(crate) fn advise(&self, offset: u64, len: u64, advice: Advice) -> FsResult<()> {
        Ok(os::advise(&self.file, offset, len, advice)?)
    }

    pub(crate) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        self.check_write()?;
        Ok(os::allocate(&self.file, offset, len)?)
    }

    pub(crate) fn set_size(&self, size: u64) -> FsResult<()> {
        self.check_write()?;
        Ok(self.file.set_len(size)?)
    }

    pub(crate) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        use fs_set_times::SetTimes as _;
        if !self.perms.contains(FilePerms::WRITE) {
            return Err(ErrorCode::NotPermitted);
        }
        Ok(self.file.set_times(accessed.to_spec()?, modified.to_spec()?)?)
    }

    pub(crate) fn sync(&self) -> FsResult<()> {
        if self.check_write().is_ok() {
            self.file.sync_all()?;
        }
        Ok(())
    }

    pub(crate) fn sync_data(&self) -> FsResult<()> {
        if self.check_write().is_ok() {
            self.file.sync_data()?;
        }
        Ok(())
    }
}
