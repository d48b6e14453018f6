//! Directories in memory, with limits.

mod dir;
mod file;
mod path;
mod tree;

pub(crate) use dir::{MemDir, MemEntries};
pub(crate) use file::MemFile;

use super::node::{Opened, PathTarget};
use super::types::{DescriptorFlags, Identity, Metadata, OpenFlags};
use super::{ErrorCode, FsResult, os};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tree::{Id, ROOT, Tree};

/// How much a directory in memory may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryDirLimits {
    /// The most bytes of all files together. More is `insufficient-space`.
    pub bytes: u64,
    /// The most files, directories and links. More is `quota`.
    pub entries: u64,
}

impl Default for MemoryDirLimits {
    /// 64 MiB, 10 000 entries.
    fn default() -> MemoryDirLimits {
        MemoryDirLimits {
            bytes: 64 << 20,
            entries: 10_000,
        }
    }
}

/// A directory in memory with everything below it. Clones are the same directory, so that several guests can share it
/// and the embedder can look into it.
///
/// ```
/// use wharf_wasi::{DirPerms, FilePerms, MemoryDir, MemoryDirLimits, WasiCtx};
///
/// let data = MemoryDir::new(MemoryDirLimits { bytes: 1 << 20, ..MemoryDirLimits::default() });
/// data.write_file("templates/hello.txt", b"Hello, {}!")?;
/// let ctx = WasiCtx::builder()
///     .preopened_memory(&data, "/data", DirPerms::READ, FilePerms::READ)
///     .build();
/// assert_eq!(data.read_file("templates/hello.txt")?, b"Hello, {}!");
/// # let _ = ctx;
/// # Ok::<(), wharf_wasi::ErrorCode>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryDir(MemDir);

impl MemoryDir {
    /// An empty directory.
    pub fn new(limits: MemoryDirLimits) -> MemoryDir {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let fs = Arc::new(MemFs {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            tree: Mutex::new(Tree::new(limits)),
        });
        // The root has a name, so it stays, open or not.
        let _ = fs.lock().open(ROOT);
        MemoryDir(MemDir(Open::new(&fs, ROOT)))
    }

    /// Writes a file, in place of one that is there, and makes the directories that it is in.
    ///
    /// # Errors
    /// As a guest would get them: when the limits are reached, or the path leads out or through a file.
    pub fn write_file(&self, path: impl AsRef<str>, contents: impl AsRef<[u8]>) -> Result<(), ErrorCode> {
        let path = path.as_ref();
        for (end, _) in path.match_indices('/').filter(|(end, _)| *end > 0) {
            match path.get(..end).map(|parent| self.0.create_directory_at(parent)) {
                None | Some(Ok(()) | Err(ErrorCode::Exist)) => {}
                Some(Err(e)) => return Err(e),
            }
        }
        let file = self.open(
            path,
            OpenFlags::CREATE | OpenFlags::TRUNCATE,
            DescriptorFlags::WRITE,
        )?;
        let contents = contents.as_ref();
        match file.write_at(contents, 0)? == contents.len() {
            true => Ok(()),
            false => Err(ErrorCode::InsufficientSpace),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As a guest would get them: when there is no such file, or the path leads out.
    pub fn read_file(&self, path: impl AsRef<str>) -> Result<Vec<u8>, ErrorCode> {
        let file = self.open(path.as_ref(), OpenFlags::empty(), DescriptorFlags::READ)?;
        let mut contents = Vec::new();
        loop {
            let chunk = file.read_vec(os::MAX_READ as u64, contents.len() as u64)?;
            if chunk.is_empty() {
                return Ok(contents);
            }
            contents.extend(chunk);
        }
    }

    fn open(&self, path: &str, open: OpenFlags, flags: DescriptorFlags) -> FsResult<super::node::FileNode> {
        let target = PathTarget { path, follow: true };
        match self.0.open_at(target, open, flags)? {
            Opened::File(file) => Ok(file),
            Opened::Dir(_) => Err(ErrorCode::IsDirectory),
        }
    }

    /// Fails unless what is counted is what is there.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        self.0.0.fs.lock().check();
    }

    pub(crate) fn root(&self) -> super::node::DirNode {
        super::node::DirNode::Memory(self.0.clone())
    }
}

/// A file system in memory.
struct MemFs {
    /// Tells it from others.
    id: u64,
    tree: Mutex<Tree>,
}

impl MemFs {
    fn lock(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn metadata(&self, id: Id) -> FsResult<Metadata> {
        Ok(Metadata {
            stat: self.lock().node(id)?.stat(),
            id: Identity::Memory(self.id, id),
        })
    }
}

/// A node that stays while this is there. It must not be dropped while the tree is locked.
#[derive(Clone)]
struct Open {
    fs: Arc<MemFs>,
    id: Id,
    _close: Arc<Close>,
}

/// Closes a node with the last clone of what opened it.
struct Close {
    fs: Arc<MemFs>,
    id: Id,
}

impl Drop for Close {
    fn drop(&mut self) {
        self.fs.lock().close(self.id);
    }
}

impl Open {
    /// For a node that was opened in the tree.
    fn new(fs: &Arc<MemFs>, id: Id) -> Open {
        Open {
            fs: fs.clone(),
            id,
            _close: Arc::new(Close { fs: fs.clone(), id }),
        }
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("fs", &self.fs.id)
            .field("id", &self.id)
            .finish()
    }
}
