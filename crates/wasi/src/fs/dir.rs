//! Operations on an open directory and on paths below it.

use super::node::{DirEntry, DirNode, Entries, Opened, PathTarget};
use super::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirPerms, FilePerms, Metadata, NewTimestamp, OpenFlags,
};
use super::{Descriptor, ErrorCode, File, FsResult, metadata_hash};
use std::path::Path;

/// An open directory with the permissions of the grant it was reached through. Clones refer to the same directory.
#[derive(Clone, Debug)]
pub struct Dir {
    node: DirNode,
    flags: DescriptorFlags,
    perms: DirPerms,
    file_perms: FilePerms,
    /// What is opened below may be changed only if it was opened with `mutate-directory`.
    strict: bool,
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

impl Dir {
    /// A directory that the embedder grants.
    pub(crate) fn preopened(dir: impl Into<DirNode>, perms: DirPerms, file_perms: FilePerms) -> Dir {
        let mut flags = DescriptorFlags::empty();
        flags.set(DescriptorFlags::READ, perms.contains(DirPerms::READ));
        flags.set(
            DescriptorFlags::MUTATE_DIRECTORY,
            perms.contains(DirPerms::MUTATE),
        );
        Dir {
            node: dir.into(),
            flags,
            perms,
            file_perms,
            strict: false,
        }
    }

    /// The same directory; if `strict`, those opened below it are views that change nothing unless `mutate-directory` was asked for.
    pub(crate) fn strict(self, strict: bool) -> Dir {
        Dir { strict, ..self }
    }

    pub(crate) fn flags(&self) -> DescriptorFlags {
        self.flags
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        self.node.metadata()
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
        self.node.sync()
    }

    pub(crate) fn entries(&self) -> FsResult<DirEntries> {
        self.check_read()?;
        Ok(DirEntries {
            entries: self.node.entries()?,
        })
    }

    pub(crate) fn create_directory_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        self.node.create_directory_at(path)
    }

    pub(crate) fn metadata_at(&self, target: PathTarget<'_>) -> FsResult<Metadata> {
        self.check_read()?;
        // A slash, or a slash and a dot, at the end name what a link leads to, which has to be a directory.
        let directory = target.path.ends_with('/') || target.path.ends_with("/.");
        self.node.metadata_at(PathTarget {
            follow: target.follow || directory,
            ..target
        })
    }

    pub(crate) fn stat_at(&self, target: PathTarget<'_>) -> FsResult<DescriptorStat> {
        Ok(self.metadata_at(target)?.stat)
    }

    pub(crate) fn set_times_at(
        &self,
        target: PathTarget<'_>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        self.check_mutate()?;
        self.node.set_times_at(target, accessed, modified)
    }

    /// Creates a hard link; directories are `NotPermitted`.
    pub(crate) fn link_at(&self, old: PathTarget<'_>, new_dir: &Dir, new_path: &str) -> FsResult<()> {
        self.check_mutate()?;
        new_dir.check_mutate()?;
        self.check_no_gain(new_dir)?;
        let old_path = match old.follow {
            true => self.follow_last(old.path)?,
            false => old.path.to_string(),
        };
        self.node.link_at(&old_path, &new_dir.node, new_path)
    }

    /// The path of what the links at the end of `path` lead to. Each step is resolved inside the sandbox like any other
    /// path, so that nothing depends on what others do to the links meanwhile.
    fn follow_last(&self, path: &str) -> FsResult<String> {
        let mut path = path.to_string();
        for _ in 0..MAX_LINKS {
            let target = PathTarget {
                path: &path,
                follow: false,
            };
            // What has a slash at its end is no link.
            if path.ends_with('/') || self.node.metadata_at(target)?.stat.kind != DescriptorType::SymbolicLink
            {
                return Ok(path);
            }
            let target = self.node.readlink_at(&path)?;
            if Path::new(&target).has_root() {
                return Err(ErrorCode::NotPermitted);
            }
            path = match path.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{target}"),
                None => target,
            };
        }
        Err(ErrorCode::Loop)
    }

    pub(crate) fn readlink_at(&self, path: &str) -> FsResult<String> {
        self.check_read()?;
        self.node.readlink_at(path)
    }

    pub(crate) fn remove_directory_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        self.node.remove_directory_at(without_slashes(path))
    }

    pub(crate) fn rename_at(&self, old_path: &str, new_dir: &Dir, new_path: &str) -> FsResult<()> {
        self.check_mutate()?;
        new_dir.check_mutate()?;
        self.check_no_gain(new_dir)?;
        let (old, new) = (without_slashes(old_path), without_slashes(new_path));
        // A slash at the end of either name says that it is a directory's.
        let target = PathTarget {
            path: old,
            follow: false,
        };
        if (old.len() < old_path.len() || new.len() < new_path.len())
            && self.node.metadata_at(target)?.stat.kind != DescriptorType::Directory
        {
            return Err(ErrorCode::NotDirectory);
        }
        self.node.rename_at(old, &new_dir.node, new)
    }

    pub(crate) fn symlink_at(&self, target: &str, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        if target.starts_with('/') {
            return Err(ErrorCode::NotPermitted);
        }
        self.node.symlink_at(target, path)
    }

    pub(crate) fn unlink_file_at(&self, path: &str) -> FsResult<()> {
        self.check_mutate()?;
        self.node.unlink_file_at(path)
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
            if meta.stat.kind != DescriptorType::Directory {
                return Err(ErrorCode::NotPermitted);
            }
        }
        match self.node.open_at(target, open, flags)? {
            Opened::Dir(node) => {
                let mut opened = Dir { node, ..self.clone() };
                if self.strict && !flags.contains(DescriptorFlags::MUTATE_DIRECTORY) {
                    opened.perms.remove(DirPerms::MUTATE);
                    opened.file_perms.remove(FilePerms::WRITE);
                }
                opened.flags = flags & DescriptorFlags::READ;
                opened.flags.set(
                    DescriptorFlags::MUTATE_DIRECTORY,
                    opened.perms.contains(DirPerms::MUTATE),
                );
                Ok(Descriptor::Dir(opened))
            }
            Opened::File(_) if open.contains(OpenFlags::DIRECTORY) => Err(ErrorCode::NotDirectory),
            Opened::File(node) => Ok(Descriptor::File(File::new(
                node,
                flags - DescriptorFlags::MUTATE_DIRECTORY,
                self.file_perms,
            ))),
        }
    }
}

/// The entries of a directory, without `.` and `..`, in the order of the host.
pub struct DirEntries {
    entries: Entries,
}

impl DirEntries {
    /// The next entry; `IllegalByteSequence` for a name that is not Unicode.
    pub(crate) fn next_entry(&mut self, with_inode: bool) -> FsResult<Option<DirEntry>> {
        self.entries.next(with_inode)
    }
}
