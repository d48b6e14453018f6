//! Open files in memory.

use super::Open;
use crate::fs::os::MAX_READ;
use crate::fs::types::{Metadata, NewTimestamp};
use crate::fs::{ErrorCode, FsResult};

/// An open file in memory.
#[derive(Clone, Debug)]
pub(crate) struct MemFile(pub(super) Open);

impl MemFile {
    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        self.0.fs.metadata(self.0.id)
    }

    /// The part of the contents that begins at `offset`, at most `len` bytes of it.
    fn part(data: &[u8], offset: u64, len: usize) -> FsResult<&[u8]> {
        if i64::try_from(offset).is_err() {
            return Err(ErrorCode::Invalid);
        }
        let rest = usize::try_from(offset).ok().and_then(|start| data.get(start..));
        let rest = rest.unwrap_or_default();
        Ok(rest.get(..len).unwrap_or(rest))
    }

    pub(crate) fn read_vec(&self, len: u64, offset: u64) -> FsResult<Vec<u8>> {
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(MAX_READ);
        let tree = self.0.fs.lock();
        Ok(MemFile::part(tree.data(self.0.id)?, offset, len)?.to_vec())
    }

    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> FsResult<usize> {
        let tree = self.0.fs.lock();
        let part = MemFile::part(tree.data(self.0.id)?, offset, buf.len())?;
        if let Some(to) = buf.get_mut(..part.len()) {
            to.copy_from_slice(part);
        }
        Ok(part.len())
    }

    pub(crate) fn write_at(&self, data: &[u8], offset: u64) -> FsResult<usize> {
        self.0.fs.lock().write(self.0.id, data, offset)
    }

    pub(crate) fn append(&self, data: &[u8]) -> FsResult<usize> {
        let mut tree = self.0.fs.lock();
        let end = tree.data(self.0.id)?.len() as u64;
        tree.write(self.0.id, data, end)
    }

    pub(crate) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        if len == 0 {
            return Err(ErrorCode::Invalid);
        }
        let end = offset.checked_add(len).ok_or(ErrorCode::FileTooLarge)?;
        let mut tree = self.0.fs.lock();
        match tree.data(self.0.id)?.len() as u64 >= end {
            true => Ok(()),
            false => tree.set_size(self.0.id, end),
        }
    }

    pub(crate) fn set_size(&self, size: u64) -> FsResult<()> {
        self.0.fs.lock().set_size(self.0.id, size)
    }

    pub(crate) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        self.0.fs.lock().set_times(self.0.id, accessed, modified)
    }
}
