//! Directories of the host.

use super::budget::HostDirBudget;
use super::host_file::HostFile;
use super::node::{DirNode, FileNode, Opened, PathTarget};
use super::types::{DescriptorFlags, Metadata, NewTimestamp, OpenFlags};
use super::{ErrorCode, FsResult, os};
use cap_fs_ext::{
    DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsMaybeDirExt as _,
    OpenOptionsSyncExt as _,
};
#[cfg(unix)]
use cap_std::fs::OpenOptionsExt as _;
use cap_std::fs::{Dir, File, OpenOptions, ReadDir};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A directory of the host. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct HostDir {
    dir: Arc<Dir>,
    budget: Option<HostDirBudget>,
}

impl HostDir {
    pub(super) fn new(dir: Dir, budget: Option<HostDirBudget>) -> HostDir {
        HostDir {
            dir: Arc::new(dir),
            budget,
        }
    }

    pub(super) fn metadata(&self) -> FsResult<Metadata> {
        Ok(self.dir.dir_metadata()?.into())
    }

    pub(super) fn sync(&self) -> FsResult<()> {
        Ok(os::sync_dir(&self.dir)?)
    }

    pub(super) fn entries(&self) -> FsResult<ReadDir> {
        Ok(self.dir.entries()?)
    }

    pub(super) fn metadata_at(&self, target: PathTarget<'_>) -> FsResult<Metadata> {
        Ok(match target.follow {
            true => self.dir.metadata(target.path)?.into(),
            false => self.dir.symlink_metadata(target.path)?.into(),
        })
    }

    /// The metadata of what a path names, itself a link perhaps.
    fn named(&self, path: &str) -> FsResult<Metadata> {
        self.metadata_at(PathTarget { path, follow: false })
    }

    /// Does what gives something the name `path`, if there may be another name.
    fn add(&self, path: &str, make: impl FnOnce() -> io::Result<()>) -> FsResult<()> {
        let Some(budget) = &self.budget else {
            return Ok(make()?);
        };
        let mut left = budget.lock();
        // What is there already has the operation fail in its own way.
        if !left.has_entry() && self.named(path).is_err() {
            return Err(ErrorCode::Quota);
        }
        make()?;
        left.take_entry();
        Ok(())
    }

    /// Does what takes the name `path` away.
    fn remove(&self, path: &str, remove: impl FnOnce() -> io::Result<()>) -> FsResult<()> {
        let Some(budget) = &self.budget else {
            return Ok(remove()?);
        };
        let mut left = budget.lock();
        let named = self.named(path);
        remove()?;
        if let Ok(meta) = named {
            left.removed(&meta);
        }
        Ok(())
    }

    pub(super) fn create_directory_at(&self, path: &str) -> FsResult<()> {
        self.add(path, || self.dir.create_dir(path))
    }

    pub(super) fn set_times_at(
        &self,
        target: PathTarget<'_>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let spec = |time: NewTimestamp| -> FsResult<Option<cap_fs_ext::SystemTimeSpec>> {
            Ok(time.to_spec()?.map(|spec| match spec {
                fs_set_times::SystemTimeSpec::SymbolicNow => cap_fs_ext::SystemTimeSpec::SymbolicNow,
                fs_set_times::SystemTimeSpec::Absolute(at) => {
                    cap_fs_ext::SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(at))
                }
            }))
        };
        let (accessed, modified) = (spec(accessed)?, spec(modified)?);
        if target.follow {
            cap_fs_ext::DirExt::set_times(&*self.dir, target.path, accessed, modified)?;
        } else {
            self.dir.set_symlink_times(target.path, accessed, modified)?;
        }
        Ok(())
    }

    /// `CrossDevice` unless what is counted for one directory is counted for the other.
    fn check_same_budget(&self, other: &HostDir) -> FsResult<()> {
        match self.budget == other.budget {
            true => Ok(()),
            false => Err(ErrorCode::CrossDevice),
        }
    }

    pub(super) fn link_at(&self, old: &str, new_dir: &HostDir, new: &str) -> FsResult<()> {
        self.check_same_budget(new_dir)?;
        new_dir.add(new, || self.dir.hard_link(old, &new_dir.dir, new))
    }

    pub(super) fn readlink_at(&self, path: &str) -> FsResult<String> {
        let target = self.dir.read_link(path)?;
        target
            .into_os_string()
            .into_string()
            .map_err(|_| ErrorCode::IllegalByteSequence)
    }

    pub(super) fn symlink_at(&self, target: &str, path: &str) -> FsResult<()> {
        if Path::new(target).has_root() {
            return Err(ErrorCode::NotPermitted);
        }
        self.add(path, || cap_fs_ext::DirExt::symlink(&*self.dir, target, path))
    }

    pub(super) fn remove_directory_at(&self, path: &str) -> FsResult<()> {
        self.remove(path, || self.dir.remove_dir(path))
    }

    pub(super) fn unlink_file_at(&self, path: &str) -> FsResult<()> {
        self.remove(path, || {
            cap_fs_ext::DirExt::remove_file_or_symlink(&*self.dir, path)
        })
    }

    pub(super) fn rename_at(&self, old: &str, new_dir: &HostDir, new: &str) -> FsResult<()> {
        self.check_same_budget(new_dir)?;
        let rename = || self.dir.rename(old, &new_dir.dir, new);
        let Some(budget) = &self.budget else {
            return Ok(rename()?);
        };
        let mut left = budget.lock();
        let (moved, replaced) = (self.named(old), new_dir.named(new));
        rename()?;
        // Two names of one file stay as they are.
        if let (Ok(moved), Ok(replaced)) = (moved, replaced)
            && moved.id != replaced.id
        {
            left.removed(&replaced);
        }
        Ok(())
    }

    pub(super) fn open_at(
        &self,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Opened> {
        let file = match &self.budget {
            None => open_file(&self.dir, target, open, flags, open.contains(OpenFlags::TRUNCATE))?,
            Some(budget) => self.open_limited(budget, target, open, flags)?,
        };
        let meta = file.metadata()?;
        if meta.is_dir() {
            let dir = Dir::from_std_file(file.into_std());
            return Ok(Opened::Dir(DirNode::Host(HostDir::new(dir, self.budget.clone()))));
        }
        let limited = self.budget.clone().filter(|_| meta.is_file());
        let file = match limited {
            None => HostFile::from(file),
            Some(budget) => HostFile::limited(file, budget)?,
        };
        if self.budget.is_some() && open.contains(OpenFlags::TRUNCATE) && meta.is_file() {
            file.set_size(0)?;
        }
        Ok(Opened::File(FileNode::Host(file)))
    }

    /// Opens a file, which is not truncated. A file that is made counts.
    fn open_limited(
        &self,
        budget: &HostDirBudget,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<File> {
        let open_file = |open| open_file(&self.dir, target, open, flags, false);
        if !open.contains(OpenFlags::CREATE) {
            return open_file(open);
        }
        // Others may make and remove the file meanwhile.
        for _ in 0..TRIES {
            let mut left = budget.lock();
            if matches!(self.metadata_at(target), Err(ErrorCode::NoEntry)) {
                if !left.has_entry() {
                    return Err(ErrorCode::Quota);
                }
                let file = open_file(open)?;
                left.take_entry();
                return Ok(file);
            }
            drop(left);
            if open.contains(OpenFlags::EXCLUSIVE) {
                return Err(ErrorCode::Exist);
            }
            match open_file(open - OpenFlags::CREATE) {
                Err(ErrorCode::NoEntry) => {}
                other => return other,
            }
        }
        Err(ErrorCode::Busy)
    }
}

/// How often a file is opened again that is there and then is not.
const TRIES: usize = 10;

fn open_file(
    dir: &Dir,
    target: PathTarget<'_>,
    open: OpenFlags,
    flags: DescriptorFlags,
    truncate: bool,
) -> FsResult<File> {
    let mut options = OpenOptions::new();
    options
        .read(flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE))
        .write(flags.contains(DescriptorFlags::WRITE) || open.contains(OpenFlags::TRUNCATE))
        .truncate(truncate)
        .maybe_dir(true)
        .follow(if target.follow {
            FollowSymlinks::Yes
        } else {
            FollowSymlinks::No
        })
        .sync(flags.contains(DescriptorFlags::FILE_INTEGRITY_SYNC))
        .dsync(flags.contains(DescriptorFlags::DATA_INTEGRITY_SYNC));
    if flags.contains(DescriptorFlags::REQUESTED_WRITE_SYNC) && cfg!(unix) {
        options.rsync(true);
    }
    // Where other guests wait for the thread, a pipe must not hold it up until somebody opens or uses its other end.
    #[cfg(unix)]
    if wharf_core::suspend::can_suspend() {
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    if open.contains(OpenFlags::DIRECTORY) {
        os::only_directories(&mut options);
    }
    if !open.contains(OpenFlags::CREATE) {
        return Ok(dir.open_with(target.path, &options)?);
    }
    if flags.contains(DescriptorFlags::WRITE) || open.intersects(OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE) {
        options.write(true);
        if open.contains(OpenFlags::EXCLUSIVE) {
            options.create_new(true);
        } else {
            options.create(true);
        }
        return Ok(dir.open_with(target.path, &options)?);
    }
    // Creating needs an open for writing; what exists and shall only be read may not be writable on the host.
    match dir.open_with(target.path, &options) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Ok(dir.open_with(target.path, options.write(true).create(true))?)
        }
        other => Ok(other?),
    }
}

/// The next entry of a directory; `None` for one that was removed since the directory was read.
pub(super) fn entry(
    entry: &cap_std::fs::DirEntry,
    with_inode: bool,
) -> FsResult<Option<super::node::DirEntry>> {
    let there = |result: io::Result<_>| match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ErrorCode::from(e)),
        Ok(value) => Ok(Some(value)),
    };
    let Some(kind) = there(entry.file_type().map(Into::into))? else {
        return Ok(None);
    };
    let inode = match with_inode.then(|| cap_fs_ext::DirEntryExt::full_metadata(entry)) {
        None => 0,
        Some(Ok(meta)) => super::metadata_hash(&meta.into()).0,
        Some(Err(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Some(Err(e)) => return Err(e.into()),
    };
    let name = entry
        .file_name()
        .into_string()
        .map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(Some(super::node::DirEntry { name, kind, inode }))
}
