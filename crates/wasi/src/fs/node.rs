//! What descriptors refer to: directories and files of the host or in memory. No permissions are checked here.

use super::budget::HostDirBudget;
use super::host::{self, HostDir};
use super::host_file::HostFile;
use super::memory::{MemDir, MemEntries, MemFile};
use super::types::{Advice, DescriptorFlags, DescriptorType, Metadata, NewTimestamp, OpenFlags};
use super::{ErrorCode, FsResult};

/// A path below a directory, and whether a symbolic link at its end is followed.
#[derive(Copy, Clone, Debug)]
pub(crate) struct PathTarget<'a> {
    pub(crate) path: &'a str,
    pub(crate) follow: bool,
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub(crate) struct DirEntry {
    pub(crate) name: String,
    pub(crate) kind: DescriptorType,
    /// Identity of the entry, as [`metadata_hash`](super::metadata_hash) gives it; computed only where it is asked for.
    pub(crate) inode: u64,
}

/// A directory. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum DirNode {
    Host(HostDir),
    Memory(MemDir),
}

/// An open file. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) enum FileNode {
    Host(HostFile),
    Memory(MemFile),
}

/// What was opened.
pub(crate) enum Opened {
    Dir(DirNode),
    File(FileNode),
}

/// The entries of a directory.
pub(crate) enum Entries {
    Host(cap_std::fs::ReadDir),
    Memory(MemEntries),
}

impl From<cap_std::fs::Dir> for DirNode {
    fn from(dir: cap_std::fs::Dir) -> DirNode {
        DirNode::Host(HostDir::new(dir, None))
    }
}

impl From<cap_std::fs::File> for FileNode {
    fn from(file: cap_std::fs::File) -> FileNode {
        FileNode::Host(HostFile::from(file))
    }
}

impl DirNode {
    /// A directory of the host that guests add to as much as the budget allows.
    pub(crate) fn limited(dir: cap_std::fs::Dir, budget: HostDirBudget) -> DirNode {
        DirNode::Host(HostDir::new(dir, Some(budget)))
    }

    pub(super) fn metadata(&self) -> FsResult<Metadata> {
        match self {
            DirNode::Host(dir) => dir.metadata(),
            DirNode::Memory(dir) => dir.metadata(),
        }
    }

    pub(super) fn sync(&self) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.sync(),
            DirNode::Memory(_) => Ok(()),
        }
    }

    pub(super) fn entries(&self) -> FsResult<Entries> {
        Ok(match self {
            DirNode::Host(dir) => Entries::Host(dir.entries()?),
            DirNode::Memory(dir) => Entries::Memory(dir.entries()),
        })
    }

    pub(super) fn create_directory_at(&self, path: &str) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.create_directory_at(path),
            DirNode::Memory(dir) => dir.create_directory_at(path),
        }
    }

    pub(super) fn metadata_at(&self, target: PathTarget<'_>) -> FsResult<Metadata> {
        match self {
            DirNode::Host(dir) => dir.metadata_at(target),
            DirNode::Memory(dir) => dir.metadata_at(target),
        }
    }

    pub(super) fn set_times_at(
        &self,
        target: PathTarget<'_>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.set_times_at(target, accessed, modified),
            DirNode::Memory(dir) => dir.set_times_at(target, accessed, modified),
        }
    }

    /// Links what a path leads to, without following a symbolic link at its end.
    pub(super) fn link_at(&self, old: &str, new_dir: &DirNode, new: &str) -> FsResult<()> {
        match (self, new_dir) {
            (DirNode::Host(dir), DirNode::Host(new_dir)) => dir.link_at(old, new_dir, new),
            (DirNode::Memory(dir), DirNode::Memory(new_dir)) => dir.link_at(old, new_dir, new),
            _ => Err(ErrorCode::CrossDevice),
        }
    }

    pub(super) fn readlink_at(&self, path: &str) -> FsResult<String> {
        match self {
            DirNode::Host(dir) => dir.readlink_at(path),
            DirNode::Memory(dir) => dir.readlink_at(path),
        }
    }

    pub(super) fn remove_directory_at(&self, path: &str) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.remove_directory_at(path),
            DirNode::Memory(dir) => dir.remove_directory_at(path),
        }
    }

    pub(super) fn rename_at(&self, old: &str, new_dir: &DirNode, new: &str) -> FsResult<()> {
        match (self, new_dir) {
            (DirNode::Host(dir), DirNode::Host(new_dir)) => dir.rename_at(old, new_dir, new),
            (DirNode::Memory(dir), DirNode::Memory(new_dir)) => dir.rename_at(old, new_dir, new),
            _ => Err(ErrorCode::CrossDevice),
        }
    }

    pub(super) fn symlink_at(&self, target: &str, path: &str) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.symlink_at(target, path),
            DirNode::Memory(dir) => dir.symlink_at(target, path),
        }
    }

    pub(super) fn unlink_file_at(&self, path: &str) -> FsResult<()> {
        match self {
            DirNode::Host(dir) => dir.unlink_file_at(path),
            DirNode::Memory(dir) => dir.unlink_file_at(path),
        }
    }

    pub(super) fn open_at(
        &self,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Opened> {
        match self {
            DirNode::Host(dir) => dir.open_at(target, open, flags),
            DirNode::Memory(dir) => dir.open_at(target, open, flags),
        }
    }
}

impl Entries {
    /// The next entry; `IllegalByteSequence` for a name that is not Unicode.
    pub(super) fn next(&mut self, with_inode: bool) -> FsResult<Option<DirEntry>> {
        match self {
            Entries::Host(entries) => {
                for entry in entries {
                    if let Some(entry) = host::entry(&entry?, with_inode)? {
                        return Ok(Some(entry));
                    }
                }
                Ok(None)
            }
            Entries::Memory(entries) => Ok(entries.next(with_inode)),
        }
    }
}

impl FileNode {
    pub(super) fn metadata(&self) -> FsResult<Metadata> {
        match self {
            FileNode::Host(file) => file.metadata(),
            FileNode::Memory(file) => file.metadata(),
        }
    }

    /// Reads at most `len` bytes, and at most [`MAX_READ`](super::os::MAX_READ); none at the end of the file.
    pub(super) fn read_vec(&self, len: u64, offset: u64) -> FsResult<Vec<u8>> {
        match self {
            FileNode::Host(file) => file.read_vec(len, offset),
            FileNode::Memory(file) => file.read_vec(len, offset),
        }
    }

    /// Reads into `buf` and says how much; 0 means the end of the file.
    pub(super) fn read_at(&self, buf: &mut [u8], offset: u64) -> FsResult<usize> {
        match self {
            FileNode::Host(file) => file.read_at(buf, offset),
            FileNode::Memory(file) => file.read_at(buf, offset),
        }
    }

    /// Writes some of `data` and says how much.
    pub(super) fn write_at(&self, data: &[u8], offset: u64) -> FsResult<usize> {
        match self {
            FileNode::Host(file) => file.write_at(data, offset),
            FileNode::Memory(file) => file.write_at(data, offset),
        }
    }

    /// Writes some of `data` at the end of the file and says how much.
    pub(super) fn append(&self, data: &[u8]) -> FsResult<usize> {
        match self {
            FileNode::Host(file) => file.append(data),
            FileNode::Memory(file) => file.append(data),
        }
    }

    pub(super) fn advise(&self, offset: u64, len: u64, advice: Advice) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.advise(offset, len, advice),
            FileNode::Memory(_) => Ok(()),
        }
    }

    pub(super) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.allocate(offset, len),
            FileNode::Memory(file) => file.allocate(offset, len),
        }
    }

    pub(super) fn set_size(&self, size: u64) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.set_size(size),
            FileNode::Memory(file) => file.set_size(size),
        }
    }

    pub(super) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.set_times(accessed, modified),
            FileNode::Memory(file) => file.set_times(accessed, modified),
        }
    }

    pub(super) fn sync(&self) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.sync(),
            FileNode::Memory(_) => Ok(()),
        }
    }

    pub(super) fn sync_data(&self) -> FsResult<()> {
        match self {
            FileNode::Host(file) => file.sync_data(),
            FileNode::Memory(_) => Ok(()),
        }
    }
}
