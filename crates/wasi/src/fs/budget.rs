//! How much guests may add to a folder of the host.

use super::types::{DescriptorType, Identity, Metadata};
use super::{ErrorCode, FsResult};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much may be added to a folder of the host; see [`HostDirBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostDirLimits {
    /// The most bytes. More is `insufficient-space`.
    pub bytes: u64,
    /// The most files, directories and links. More is `quota`.
    pub entries: u64,
}

impl Default for HostDirLimits {
    /// 64 MiB, 10 000 entries.
    fn default() -> HostDirLimits {
        HostDirLimits {
            bytes: 64 << 20,
            entries: 10_000,
        }
    }
}

/// What is left of the [`HostDirLimits`] of a folder of the host. Clones are the same budget: guests that get the folder
/// with clones share it.
///
/// What is counted is by how much guests make files longer, and the names they make. What they make shorter or remove
/// gives back, whoever made it, so that the folder never holds more than at first and the limits together. In detail:
///
/// - The length of a file counts, not the blocks that it takes: a hole that a guest makes counts in full, and filling a
///   hole that was there counts nothing.
/// - A file counts once, however many names it has. It gives back its length when its last name is removed; one that
///   guests still have open, when they close it.
/// - What others do to the folder counts nothing. A guest that removes what they made is given it back.
/// - Nothing can be moved or linked between folders of different budgets (`cross-device`), as between file systems.
/// - Devices, pipes and sockets in the folder do not count.
#[derive(Clone, Debug)]
pub struct HostDirBudget(Arc<Mutex<Left>>);

/// Equal if they are the same one.
impl PartialEq for HostDirBudget {
    fn eq(&self, other: &HostDirBudget) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HostDirBudget {}

impl HostDirBudget {
    /// A budget that nothing has been taken from.
    pub fn new(limits: HostDirLimits) -> HostDirBudget {
        HostDirBudget(Arc::new(Mutex::new(Left {
            bytes: limits.bytes,
            entries: limits.entries,
            open: HashMap::new(),
        })))
    }

    /// What is left of it.
    pub fn left(&self) -> HostDirLimits {
        let left = self.lock();
        HostDirLimits {
            bytes: left.bytes,
            entries: left.entries,
        }
    }

    /// Held for as long as an operation takes that changes what is left.
    pub(super) fn lock(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left, and what has to be known to give back.
#[derive(Debug)]
pub(super) struct Left {
    bytes: u64,
    entries: u64,
    /// The files that are open through this budget.
    open: HashMap<Identity, OpenFile>,
}

#[derive(Debug, Default)]
struct OpenFile {
    handles: usize,
    /// Its last name was removed by a guest.
    removed: bool,
}

impl Left {
    /// Whether there can be another name.
    pub(super) fn has_entry(&self) -> bool {
        self.entries > 0
    }

    /// There is another name.
    pub(super) fn take_entry(&mut self) {
        self.entries = self.entries.saturating_sub(1);
    }

    /// The length that a file of `size` bytes may grow to.
    pub(super) fn longest(&self, size: u64) -> u64 {
        size.saturating_add(self.bytes)
    }

    /// The length of a file has changed.
    pub(super) fn resized(&mut self, from: u64, to: u64) {
        self.bytes = match to.checked_sub(from) {
            Some(grown) => self.bytes.saturating_sub(grown),
            None => self.bytes.saturating_add(from.saturating_sub(to)),
        };
    }

    /// Whether a file of `from` bytes can have `to` bytes.
    pub(super) fn check_resize(&self, from: u64, to: u64) -> FsResult<()> {
        match to <= self.longest(from) {
            true => Ok(()),
            false => Err(ErrorCode::InsufficientSpace),
        }
    }

    /// A name was removed. `meta` is what it named.
    pub(super) fn removed(&mut self, meta: &Metadata) {
        self.entries = self.entries.saturating_add(1);
        if meta.stat.kind != DescriptorType::RegularFile || meta.stat.link_count > 1 {
            return;
        }
        match self.open.get_mut(&meta.id) {
            Some(open) => open.removed = true,
            None => self.resized(meta.stat.size, 0),
        }
    }

    /// A file was opened.
    pub(super) fn opened(&mut self, id: Identity) {
        self.open.entry(id).or_default().handles += 1;
    }

    /// A file is about to be closed that has `size` bytes.
    pub(super) fn closed(&mut self, id: Identity, size: u64) {
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.handles = open.handles.saturating_sub(1);
        if open.handles == 0
            && let Some(OpenFile { removed: true, .. }) = self.open.remove(&id)
        {
            self.resized(size, 0);
        }
    }
}
