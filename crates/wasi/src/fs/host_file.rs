//! Files of the host.

use super::budget::{HostDirBudget, Left};
use super::types::{Advice, Identity, Metadata, NewTimestamp};
use super::{ErrorCode, FsResult, os};
use cap_std::fs::File;
use std::sync::Arc;

/// An open file of the host. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct HostFile(Arc<OpenFile>);

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// What the file counts for, and what it is there; for regular files only.
    counted: Option<(HostDirBudget, Identity)>,
}

impl From<File> for HostFile {
    fn from(file: File) -> HostFile {
        HostFile(Arc::new(OpenFile { file, counted: None }))
    }
}

impl HostFile {
    /// A regular file that counts.
    pub(super) fn limited(file: File, budget: HostDirBudget) -> FsResult<HostFile> {
        let mut left = budget.lock();
        let meta = Metadata::from(file.metadata()?);
        // It was removed while it was opened, and has given back what it counted.
        if meta.stat.link_count == 0 {
            return Err(ErrorCode::NoEntry);
        }
        left.opened(meta.id);
        drop(left);
        Ok(HostFile(Arc::new(OpenFile {
            file,
            counted: Some((budget, meta.id)),
        })))
    }

    fn file(&self) -> &File {
        &self.0.file
    }

    fn budget(&self) -> Option<&HostDirBudget> {
        self.0.counted.as_ref().map(|(budget, _)| budget)
    }

    fn size(&self) -> FsResult<u64> {
        Ok(self.file().metadata()?.len())
    }

    pub(super) fn metadata(&self) -> FsResult<Metadata> {
        Ok(self.file().metadata()?.into())
    }

    pub(super) fn read_vec(&self, len: u64, offset: u64) -> FsResult<Vec<u8>> {
        Ok(os::read_vec(self.file(), len, offset)?)
    }

    pub(super) fn read_at(&self, buf: &mut [u8], offset: u64) -> FsResult<usize> {
        Ok(os::read_at(self.file(), buf, offset)?)
    }

    pub(super) fn write_at(&self, data: &[u8], offset: u64) -> FsResult<usize> {
        let Some(budget) = self.budget() else {
            return Ok(os::write_at(self.file(), data, offset)?);
        };
        let mut left = budget.lock();
        let size = self.size()?;
        let data = fitting(&left, size, data, offset)?;
        let n = os::write_at(self.file(), data, offset)?;
        left.resized(size, size.max(offset.saturating_add(n as u64)));
        Ok(n)
    }

    pub(super) fn append(&self, data: &[u8]) -> FsResult<usize> {
        let Some(budget) = self.budget() else {
            return Ok(os::append(self.file(), data)?);
        };
        let mut left = budget.lock();
        let size = self.size()?;
        let n = os::append(self.file(), fitting(&left, size, data, size)?)?;
        left.resized(size, size.saturating_add(n as u64));
        Ok(n)
    }

    pub(super) fn advise(&self, offset: u64, len: u64, advice: Advice) -> FsResult<()> {
        Ok(os::advise(self.file(), offset, len, advice)?)
    }

    pub(super) fn allocate(&self, offset: u64, len: u64) -> FsResult<()> {
        let Some(budget) = self.budget() else {
            return Ok(os::allocate(self.file(), offset, len)?);
        };
        let mut left = budget.lock();
        let size = self.size()?;
        let end = size.max(offset.saturating_add(len));
        left.check_resize(size, end)?;
        os::allocate(self.file(), offset, len)?;
        left.resized(size, end);
        Ok(())
    }

    pub(super) fn set_size(&self, size: u64) -> FsResult<()> {
        let Some(budget) = self.budget() else {
            return Ok(self.file().set_len(size)?);
        };
        let mut left = budget.lock();
        let before = self.size()?;
        left.check_resize(before, size)?;
        self.file().set_len(size)?;
        left.resized(before, size);
        Ok(())
    }

    pub(super) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        use fs_set_times::SetTimes as _;
        Ok(self.file().set_times(accessed.to_spec()?, modified.to_spec()?)?)
    }

    pub(super) fn sync(&self) -> FsResult<()> {
        Ok(self.file().sync_all()?)
    }

    pub(super) fn sync_data(&self) -> FsResult<()> {
        Ok(self.file().sync_data()?)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some((budget, id)) = &self.counted {
            let mut left = budget.lock();
            left.closed(*id, self.file.metadata().map_or(0, |meta| meta.len()));
        }
    }
}

/// What of `data` may be written to a file of `size` bytes.
fn fitting<'a>(left: &Left, size: u64, data: &'a [u8], offset: u64) -> FsResult<&'a [u8]> {
    let room = left.longest(size).saturating_sub(offset);
    let fits = data
        .get(..usize::try_from(room).unwrap_or(usize::MAX))
        .unwrap_or(data);
    match fits.is_empty() && !data.is_empty() {
        true => Err(ErrorCode::InsufficientSpace),
        false => Ok(fits),
    }
}
