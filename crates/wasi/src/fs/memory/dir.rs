//! Directories in memory.

use super::path::{Found, check, resolve};
use super::tree::{Content, Id, Tree};
use super::{MemFile, Open};
use crate::fs::node::{DirEntry, DirNode, FileNode, Opened, PathTarget};
use crate::fs::types::{DescriptorFlags, Metadata, NewTimestamp, OpenFlags};
use crate::fs::{ErrorCode, FsResult, metadata_hash};
use std::ops::Bound;
use std::sync::Arc;

/// A directory in memory.
#[derive(Clone, Debug)]
pub(crate) struct MemDir(pub(super) Open);

/// The entries of a directory in memory, those that are there at each step.
pub(crate) struct MemEntries {
    dir: MemDir,
    last: Option<String>,
}

impl Found {
    fn there(&self) -> FsResult<Id> {
        self.node.ok_or(ErrorCode::NoEntry)
    }
}

impl MemDir {
    fn resolve(&self, tree: &Tree, path: &str, follow: bool) -> FsResult<Found> {
        resolve(tree, self.0.id, path, follow)
    }

    pub(crate) fn metadata(&self) -> FsResult<Metadata> {
        self.0.fs.metadata(self.0.id)
    }

    pub(crate) fn metadata_at(&self, target: PathTarget<'_>) -> FsResult<Metadata> {
        let id = self
            .resolve(&self.0.fs.lock(), target.path, target.follow)?
            .there()?;
        self.0.fs.metadata(id)
    }

    pub(crate) fn entries(&self) -> MemEntries {
        MemEntries {
            dir: self.clone(),
            last: None,
        }
    }

    pub(crate) fn set_times_at(
        &self,
        target: PathTarget<'_>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let mut tree = self.0.fs.lock();
        let id = self.resolve(&tree, target.path, target.follow)?.there()?;
        tree.set_times(id, accessed, modified)
    }

    /// Makes a node where there is none.
    fn make(&self, path: &str, dir: bool, content: impl FnOnce(Id) -> Content) -> FsResult<()> {
        let mut tree = self.0.fs.lock();
        let found = self.resolve(&tree, path, false)?;
        match found.name {
            Some(name) if found.node.is_none() => {
                if found.dir_only && !dir {
                    return Err(ErrorCode::NoEntry);
                }
                tree.add(found.parent, name, content(found.parent)).map(drop)
            }
            _ => Err(ErrorCode::Exist),
        }
    }

    pub(crate) fn create_directory_at(&self, path: &str) -> FsResult<()> {
        self.make(path, true, Content::empty_dir)
    }

    pub(crate) fn symlink_at(&self, target: &str, path: &str) -> FsResult<()> {
        check(target)?;
        self.make(path, false, |_| Content::Link(target.to_owned()))
    }

    pub(crate) fn readlink_at(&self, path: &str) -> FsResult<String> {
        let tree = self.0.fs.lock();
        let id = self.resolve(&tree, path, false)?.there()?;
        match &tree.node(id)?.content {
            Content::Link(target) => Ok(target.clone()),
            _ => Err(ErrorCode::Invalid),
        }
    }

    pub(crate) fn link_at(&self, old: &str, new_dir: &MemDir, new: &str) -> FsResult<()> {
        if !Arc::ptr_eq(&self.0.fs, &new_dir.0.fs) {
            return Err(ErrorCode::CrossDevice);
        }
        let mut tree = self.0.fs.lock();
        let id = self.resolve(&tree, old, false)?.there()?;
        let to = new_dir.resolve(&tree, new, false)?;
        match to.name {
            Some(_) if matches!(tree.node(id)?.content, Content::Dir { .. }) && to.node.is_none() => {
                Err(ErrorCode::NotPermitted)
            }
            Some(_) if to.dir_only && to.node.is_none() => Err(ErrorCode::NoEntry),
            Some(name) if to.node.is_none() => tree.link(to.parent, name, id),
            _ => Err(ErrorCode::Exist),
        }
    }

    pub(crate) fn remove_directory_at(&self, path: &str) -> FsResult<()> {
        let mut tree = self.0.fs.lock();
        let found = self.resolve(&tree, path, false)?;
        let id = found.there()?;
        let name = found.name.ok_or(ErrorCode::Invalid)?;
        match tree.entries(id)?.is_empty() {
            true => tree.unlink(found.parent, &name),
            false => Err(ErrorCode::NotEmpty),
        }
    }

    pub(crate) fn unlink_file_at(&self, path: &str) -> FsResult<()> {
        let mut tree = self.0.fs.lock();
        let found = self.resolve(&tree, path, false)?;
        let id = found.there()?;
        match (found.name, &tree.node(id)?.content) {
            (None, _) | (_, Content::Dir { .. }) => Err(ErrorCode::IsDirectory),
            (Some(name), _) => tree.unlink(found.parent, &name),
        }
    }

    pub(crate) fn rename_at(&self, old: &str, new_dir: &MemDir, new: &str) -> FsResult<()> {
        if !Arc::ptr_eq(&self.0.fs, &new_dir.0.fs) {
            return Err(ErrorCode::CrossDevice);
        }
        let mut tree = self.0.fs.lock();
        let from = self.resolve(&tree, old, false)?;
        let to = new_dir.resolve(&tree, new, false)?;
        let (Some(old_name), Some(new_name)) = (&from.name, to.name) else {
            return Err(ErrorCode::Busy);
        };
        let id = from.there()?;
        let is_dir = |id: Id| -> FsResult<bool> { Ok(matches!(tree.node(id)?.content, Content::Dir { .. })) };
        let moves_dir = is_dir(id)?;
        if !moves_dir && to.dir_only {
            return Err(ErrorCode::NotDirectory);
        }
        if moves_dir && tree.is_within(to.parent, id) {
            return Err(ErrorCode::Invalid);
        }
        match to.node {
            // Two names of one file stay as they are.
            Some(there) if there == id => return Ok(()),
            Some(there) => match (moves_dir, is_dir(there)?) {
                (true, false) => return Err(ErrorCode::NotDirectory),
                (false, true) => return Err(ErrorCode::IsDirectory),
                (true, true) if !tree.entries(there)?.is_empty() => return Err(ErrorCode::NotEmpty),
                _ => {}
            },
            None => {}
        }
        tree.rename((from.parent, old_name), (to.parent, new_name))
    }

    pub(crate) fn open_at(
        &self,
        target: PathTarget<'_>,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Opened> {
        let (creates, exclusive) = (
            open.contains(OpenFlags::CREATE),
            open.contains(OpenFlags::EXCLUSIVE),
        );
        let writes = flags.contains(DescriptorFlags::WRITE) || open.contains(OpenFlags::TRUNCATE);
        let mut tree = self.0.fs.lock();
        let found = self.resolve(&tree, target.path, target.follow && !(creates && exclusive))?;
        let (id, is_dir) = match (found.node, found.name) {
            (Some(_), _) if creates && exclusive => return Err(ErrorCode::Exist),
            (Some(id), _) => match &tree.node(id)?.content {
                // As on Linux.
                Content::Link(_) if open.contains(OpenFlags::DIRECTORY) => {
                    return Err(ErrorCode::NotDirectory);
                }
                Content::Link(_) => return Err(ErrorCode::Loop),
                Content::Dir { .. } if writes => return Err(ErrorCode::IsDirectory),
                Content::Dir { .. } => (id, true),
                Content::File(_) => (id, false),
            },
            (None, Some(name)) if creates => match found.dir_only {
                true => return Err(ErrorCode::IsDirectory),
                false => (tree.add(found.parent, name, Content::File(Vec::new()))?, false),
            },
            (None, _) => return Err(ErrorCode::NoEntry),
        };
        if open.contains(OpenFlags::TRUNCATE) {
            tree.set_size(id, 0)?;
        }
        tree.open(id)?;
        drop(tree);
        let opened = Open::new(&self.0.fs, id);
        Ok(match is_dir {
            true => Opened::Dir(DirNode::Memory(MemDir(opened))),
            false => Opened::File(FileNode::Memory(MemFile(opened))),
        })
    }
}

impl MemEntries {
    pub(crate) fn next(&mut self, with_inode: bool) -> Option<DirEntry> {
        let fs = &self.dir.0.fs;
        let start = match &self.last {
            Some(last) => Bound::Excluded(last.as_str()),
            None => Bound::Unbounded,
        };
        let (name, id, kind) = {
            let tree = fs.lock();
            let entries = tree.entries(self.dir.0.id).ok()?;
            let (name, id) = entries.range::<str, _>((start, Bound::Unbounded)).next()?;
            (name.clone(), *id, tree.node(*id).ok()?.content.kind())
        };
        let inode = match with_inode {
            true => fs.metadata(id).map_or(0, |meta| metadata_hash(&meta).0),
            false => 0,
        };
        self.last = Some(name.clone());
        Some(DirEntry { name, kind, inode })
    }
}
