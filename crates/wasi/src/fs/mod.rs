//! Files and directories: every operation of `wasi:filesystem`, independent of the version of WASI that asks for it.
//!
//! Paths are resolved relative to a directory that was granted, by `cap-std` or in memory; no `..`, absolute path or
//! symbolic link leads out of it. The permissions of the grant are checked in `dir` and `file`, above the operating
//! system's own; what they are checked for is in `node`.

mod budget;
#[cfg(test)]
mod budget_tests;
mod dir;
#[cfg(test)]
mod escape_tests;
mod file;
mod host;
mod host_file;
mod memory;
#[cfg(test)]
mod memory_tests;
mod node;
pub(crate) mod os;
mod streams;
#[cfg(test)]
mod tests;
mod types;

pub use budget::{HostDirBudget, HostDirLimits};
pub(crate) use dir::Dir;
pub use dir::DirEntries;
pub(crate) use file::File;
pub use memory::{MemoryDir, MemoryDirLimits};
pub(crate) use node::{DirEntry, DirNode, PathTarget};
pub(crate) use streams::{FileInputStream, FileOutputStream, PAUSE, WriteMode};
pub(crate) use types::{
    Advice, Datetime, DescriptorFlags, DescriptorStat, DescriptorType, Metadata, NewTimestamp, OpenFlags,
};
pub use types::{DirPerms, ErrorCode, FilePerms};

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

/// Result of an operation on files.
pub(crate) type FsResult<T> = std::result::Result<T, ErrorCode>;

/// An open file or directory: the `descriptor` resource.
#[derive(Clone, Debug)]
pub enum Descriptor {
    /// Anything that is not a directory.
    File(File),
    /// A directory.
    Dir(Dir),
}

impl Descriptor {
    /// The file, or `BadDescriptor` (`IsDirectory` would be as right; this is what other hosts answer).
    pub(crate) fn file(&self) -> FsResult<&File> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor),
        }
    }

    /// The directory, or `NotDirectory`.
    pub(crate) fn dir(&self) -> FsResult<&Dir> {
        match self {
            Descriptor::Dir(dir) => Ok(dir),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory),
        }
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        match self {
            Descriptor::File(file) => file.metadata(),
            Descriptor::Dir(dir) => dir.metadata(),
        }
    }

    pub(crate) fn flags(&self) -> DescriptorFlags {
        match self {
            Descriptor::File(file) => file.flags(),
            Descriptor::Dir(dir) => dir.flags(),
        }
    }

    pub(crate) fn kind(&self) -> FsResult<DescriptorType> {
        match self {
            Descriptor::File(file) => Ok(file.metadata()?.stat.kind),
            Descriptor::Dir(_) => Ok(DescriptorType::Directory),
        }
    }

    pub(crate) fn stat(&self) -> FsResult<DescriptorStat> {
        Ok(self.metadata()?.stat)
    }

    pub(crate) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        match self {
            Descriptor::File(file) => file.set_times(accessed, modified),
            Descriptor::Dir(dir) => dir.set_times(accessed, modified),
        }
    }

    /// Makes data and metadata durable.
    pub(crate) fn sync(&self) -> FsResult<()> {
        match self {
            Descriptor::File(file) => file.sync(),
            Descriptor::Dir(dir) => dir.sync(),
        }
    }

    /// Makes data durable.
    pub(crate) fn sync_data(&self) -> FsResult<()> {
        match self {
            Descriptor::File(file) => file.sync_data(),
            Descriptor::Dir(dir) => dir.sync(),
        }
    }

    pub(crate) fn is_same_object(&self, other: &Descriptor) -> FsResult<bool> {
        Ok(self.metadata()?.id == other.metadata()?.id)
    }
}

/// A hash of the identity of a file. It does not change when the file does: C libraries present it as the inode
/// number. Keyed with a secret of this process, so that inode numbers of the host don't show.
pub(crate) fn metadata_hash(meta: &Metadata) -> (u64, u64) {
    static KEYS: OnceLock<(RandomState, RandomState)> = OnceLock::new();
    let (lower, upper) = KEYS.get_or_init(|| (RandomState::new(), RandomState::new()));
    (lower.hash_one(meta.id), upper.hash_one(meta.id))
}

/// The `error-code` in the error of a stream, if it has to do with files.
pub(crate) fn stream_error_code(error: &crate::Error) -> Option<ErrorCode> {
    if let Some(code) = error.downcast_ref::<ErrorCode>() {
        return Some(*code);
    }
    error.downcast_ref::<std::io::Error>().map(ErrorCode::from)
}
