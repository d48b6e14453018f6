//! Operations on an open directory and on paths below it.

use super::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirPerms, FilePerms, NewTimestamp, OpenFlags,
};
use super::{Descriptor, ErrorCode, File, FsResult, metadata_hash, os};
use cap_fs_ext::{
    DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsMaybeDirExt as _,
    OpenOptionsSyncExt as _,
};
use cap_std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open directory with the permissions of the grant it was reached through. Clones refer to the same directory.
#[derive(Clone, Debug)]
pub struct Dir {
    dir: Arc<cap_std::fs::Dir>,
    flags: DescriptorFlags,
    perms: DirPerms,
    file_perms: FilePerms,
}

/// A path below a directory, and whether a symbolic link at its end is followed.
#[derive(Copy, Clone, Debug)]
pub(crate) struct PathTarget<'a> {
    pub(crate) path: &'a str,
    pub(crate) follow: bool,
}

/// How many links are followed one after the other.
const MAX_LINKS: usize = 40;

/// The path without slashes at its end, which say only that it names a directory.
fn without_slashes(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => path,
        rest => rest,
    }
}

/// An entry of a directory.
#[derive(Clone, Debug)]
pub(crate) struct DirEntry {
    pub(crate) name: String,
    pub(crate) kind: DescriptorType,
    /// Identity of the entry, as [`metadata_hash`] gives it; computed only where it is asked for.
    pub(crate) inode: u64,
}

impl Dir {
    /// A directory that the embedder grants.
    pub(crate) fn preopened(dir: cap_std::fs::Dir, perms: DirPerms, file_perms: FilePerms) -> Dir {
        let mut flags = DescriptorFlags::empty();
        flags.set(DescriptorFlags::READ, perms.contains(DirPerms::READ));
        flags.set(
            DescriptorFlags::MUTATE_DIRECTORY,
            perms.contains(DirPerms::MUTATE),
        );
        Dir {
            dir: Arc::new(dir),
            flags,
            perms,
            file_perms,
        }
    }

    pub(crate) fn flags(&self) -> DescriptorFlags {
        self.flags
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        Ok(self.dir.dir_metadata()?)
    }

    fn check_read(&self) -> FsResult<()> {
        if self.perms.contains(DirPerms::READ) {
            Ok(())
        } else {
            Err(ErrorCode::NotPermitted)
        }
    }

    /// What would change a directory that may not be changed fails with `read-only`, as the WIT documentation of
    /// `mutate-directory` asks.
    fn check_mutate(&self) -> FsResult<()> {
        if self.perms.contains(DirPerms::MUTATE) {
            Ok(())
        } else {
            Err(ErrorCode::ReadOnly)
        }
    }

    /// Moving or linking an object into `to` must not give it permissions that it didn't have here.
    fn check_no_gain(&self, to: &Dir) -> FsResult<()> {
        if self.perms.contains(to.perms) && self.file_perms.contains(to.file_perms) {
            Ok(())
        } else {
            Err(ErrorCode::NotPermitted)
        }
    }

    pub(crate) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        // By path, because a granted directory is opened for looking up paths only.
        self.set_times_at(
            PathTarget {
                path: ".",
                follow: true,
            },
            accessed,
            modified,
        )
    }

    pub(crate) fn sync(&self) -> FsResult<()> {
        Ok(os::sync_dir(&self.dir)?)
    }

    pub(crate) fn entries(&self) -> FsResult<DirEntries> {
        self.check_read()?;
        Ok(DirEntries {
            entries: self.dir.entries()?,
        })
    }

    pub(crate) fn create_directory_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        Ok(self.dir.create_dir(path)?)
    }

    pub(crate) fn metadata_at(&self, target: PathTarget<'_>) -> FsResult<Metadata> {
        self.check_read()?;
        Ok(if target.follow {
            self.dir.metadata(target.path)?
        } else {
            self.dir.symlink_metadata(target.path)?
        })
    }

    pub(crate) fn stat_at(&self, target: PathTarget<'_>) -> FsResult<DescriptorStat> {
        Ok(DescriptorStat::from(&self.metadata_at(target)?))
    }

    pub(crate) fn set_times_at(
        &self,
        target: PathTarget<'_>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.check_mutate()?;
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

    /// Creates a hard link; directories are `NotPermitted`.
    pub(crate) fn link_at(&self, old: PathTarget<'_>, new_dir: &Dir, new_path: &str) -> FsResult<()> {
        self.check_mutate()?;
        new_dir.check_mutate()?;
        self.check_no_gain(new_dir)?;
        let followed;
        let old_path = if old.follow {
            followed = self.follow_last(old.path)?;
            &followed
        } else {
            Path::new(old.path)
        };
        Ok(self.dir.hard_link(old_path, &new_dir.dir, new_path)?)
    }

    /// The path of what the links at the end of `path` lead to. Each step is resolved inside the sandbox like any other
    /// path, so that nothing depends on what others do to the links meanwhile.
    fn follow_last(&self, path: &str) -> FsResult<PathBuf> {
        let mut path = PathBuf::from(path);
        for _ in 0..MAX_LINKS {
            if !self.dir.symlink_metadata(&path)?.is_symlink() {
                return Ok(path);
            }
            // Absolute targets are refused here.
            let target = self.dir.read_link(&path)?;
            path.pop();
            path.push(target);
        }
        Err(ErrorCode::Loop)
    }

    pub(crate) fn readlink_at(&self, path: &str) -> FsResult<String> {
        self.check_read()?;
        let target = self.dir.read_link(path)?;
        target
            .into_os_string()
            .into_string()
            .map_err(|_| ErrorCode::IllegalByteSequence)
    }

    pub(crate) fn remove_directory_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        Ok(self.dir.remove_dir(without_slashes(path))?)
    }

    pub(crate) fn rename_at(&self, old_path: &str, new_dir: &Dir, new_path: &str) -> FsResult<()> {
        self.check_mutate()?;
        new_dir.check_mutate()?;
        self.check_no_gain(new_dir)?;
        // A slash at the end of either name says that it is a directory's.
        if (old_path.ends_with('/') || new_path.ends_with('/'))
            && !self.dir.symlink_metadata(without_slashes(old_path))?.is_dir()
        {
            return Err(ErrorCode::NotDirectory);
        }
        Ok(self
            .dir
            .rename(without_slashes(old_path), &new_dir.dir, without_slashes(new_path))?)
    }

    pub(crate) fn symlink_at(&self, target: &str, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        if target.starts_with('/') || Path::new(target).has_root() {
            return Err(ErrorCode::NotPermitted);
        }
        Ok(cap_fs_ext::DirExt::symlink(&*self.dir, target, path)?)
    }

    pub(crate) fn unlink_file_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        Ok(self.dir.remove_file_or_symlink(path)?)
    }

    pub(crate) fn metadata_hash_at(&self, target: PathTarget<'_>) -> FsResult<(u64, u64)> {
        Ok(metadata_hash(&self.metadata_at(target)?))
    }

    /// Opens a file or directory below this one.
    pub(crate) fn open_at(
        &self,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Descriptor> {
        self.check_read()?;
        if open.contains(OpenFlags::DIRECTORY)
            && open.intersects(OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE)
        {
            return Err(ErrorCode::Invalid);
        }
        if open.contains(OpenFlags::CREATE) || flags.contains(DescriptorFlags::MUTATE_DIRECTORY) {
            self.check_mutate()?;
        }
        let writes = flags.contains(DescriptorFlags::WRITE) || open.contains(OpenFlags::TRUNCATE);
        if writes && !self.file_perms.contains(FilePerms::WRITE) {
            return Err(ErrorCode::ReadOnly);
        }
        if flags.contains(DescriptorFlags::READ)
            && !open.contains(OpenFlags::DIRECTORY)
            && !self.file_perms.contains(FilePerms::READ)
        {
            // Directories may be read though files may not; which of the two this is shows only after opening.
            let meta = self.metadata_at(target)?;
            if !meta.is_dir() {
                return Err(ErrorCode::NotPermitted);
            }
        }
        let file = self.open_file(target, open, flags)?;
        self.adopt(file, open, flags)
    }

    fn open_file(
        &self,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<cap_std::fs::File> {
        let mut options = OpenOptions::new();
        options
            .read(flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE))
            .write(flags.contains(DescriptorFlags::WRITE) || open.contains(OpenFlags::TRUNCATE))
            .truncate(open.contains(OpenFlags::TRUNCATE))
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
        if !open.contains(OpenFlags::CREATE) {
            return Ok(self.dir.open_with(target.path, &options)?);
        }
        if flags.contains(DescriptorFlags::WRITE)
            || open.intersects(OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE)
        {
            options.write(true);
            if open.contains(OpenFlags::EXCLUSIVE) {
                options.create_new(true);
            } else {
                options.create(true);
            }
            return Ok(self.dir.open_with(target.path, &options)?);
        }
        // Creating needs an open for writing; what exists and shall only be read may not be writable on the host.
        match self.dir.open_with(target.path, &options) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(self
                .dir
                .open_with(target.path, options.write(true).create(true))?),
            other => Ok(other?),
        }
    }

    /// Makes a descriptor of what was opened.
    fn adopt(
        &self,
        file: cap_std::fs::File,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Descriptor> {
        if file.metadata()?.is_dir() {
            let mut dir_flags = flags & (DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY);
            dir_flags.set(
                DescriptorFlags::MUTATE_DIRECTORY,
                self.perms.contains(DirPerms::MUTATE),
            );
            return Ok(Descriptor::Dir(Dir {
                dir: Arc::new(cap_std::fs::Dir::from_std_file(file.into_std())),
                flags: dir_flags,
                perms: self.perms,
                file_perms: self.file_perms,
            }));
        }
        if open.contains(OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory);
        }
        Ok(Descriptor::File(File::new(
            file,
            flags - DescriptorFlags::MUTATE_DIRECTORY,
            self.file_perms,
        )))
    }
}

/// The entries of a directory, without `.` and `..`, in the order of the host.
pub struct DirEntries {
    entries: cap_std::fs::ReadDir,
}

impl DirEntries {
    /// The next entry; `IllegalByteSequence` for a name that is not Unicode.
    pub(crate) fn next_entry(&mut self, with_inode: bool) -> FsResult<Option<DirEntry>> {
        loop {
            let Some(entry) = self.entries.next() else {
                return Ok(None);
            };
            let entry = entry?;
            let kind = match entry.file_type() {
                Ok(kind) => kind.into(),
                // Removed by someone since the directory was read.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e.into()),
            };
            let inode = match with_inode.then(|| cap_fs_ext::DirEntryExt::full_metadata(&entry)) {
                None => 0,
                Some(Ok(meta)) => metadata_hash(&meta).0,
                Some(Err(e)) if e.kind() == io::ErrorKind::NotFound => continue,
                Some(Err(e)) => return Err(e.into()),
            };
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| ErrorCode::IllegalByteSequence)?;
            return Ok(Some(DirEntry { name, kind, inode }));
        }
    }
}
