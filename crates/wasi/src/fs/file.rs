//! Operations on an open file.

use super::node::FileNode;
use super::types::{Advice, DescriptorFlags, FilePerms, Metadata, NewTimestamp};
use super::{ErrorCode, FsResult};

/// An open file with the rights it was opened with. Clones refer to the same open file.
#[derive(Clone, Debug)]
pub struct File {
    node: FileNode,
    flags: DescriptorFlags,
    perms: FilePerms,
}

impl File {
    /// `flags` is how the file was opened, `perms` what the grant that it comes from allows.
    pub(crate) fn new(node: FileNode, flags: DescriptorFlags, perms: FilePerms) -> File {
        File { node, flags, perms }
    }

    /// The file itself, for streams, whose maker checks the rights.
    pub(crate) fn handle(&self) -> &FileNode {
        &self.node
    }

    pub(crate) fn flags(&self) -> DescriptorFlags {
        self.flags
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        self.node.metadata()
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
        let data = self.node.read_vec(len, offset)?;
        let end = data.is_empty() && len > 0;
        Ok((data, end))
    }

    /// Reads into `buf` and says how much; 0 means the end of the file.
    pub(crate) fn read_into(&self, buf: &mut [u8], offset: u64) -> FsResult<usize> {
        self.check_read()?;
        self.node.read_at(buf, offset)
    }

    /// Writes some of `data` and says how much.
    pub(crate) fn write(&self, data: &[u8], offset: u64) -> FsResult<usize> {
        self.check_write()?;
        self.node.write_at(data, offset)
    }

    /// Writes some of `data` at the end of the file and says how much.
    pub(crate) fn append(&self, data: &[u8]) -> FsResult<usize> {
        self.check_write()?;
        self.node.append(data)
    }

    pub(crate) fn advise(&self, offset: u64, len: u64, advice: Advice) -> FsResult<()> {
        self.node.advise(offset, len, advice)
    }

    pub(crate) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        self.check_write()?;
        self.node.allocate(offset, len)
    }

    pub(crate) fn set_size(&self, size: u64) -> FsResult<()> {
        self.check_write()?;
        self.node.set_size(size)
    }

    pub(crate) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        if !self.perms.contains(FilePerms::WRITE) {
            return Err(ErrorCode::NotPermitted);
        }
        self.node.set_times(accessed, modified)
    }

    pub(crate) fn sync(&self) -> FsResult<()> {
        if self.check_write().is_ok() {
            self.node.sync()?;
        }
        Ok(())
    }

    pub(crate) fn sync_data(&self) -> FsResult<()> {
        if self.check_write().is_ok() {
            self.node.sync_data()?;
        }
        Ok(())
    }
}
