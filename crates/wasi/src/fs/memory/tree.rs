//! The nodes of a file system in memory, and what they take of its limits.
//!
//! A node exists as long as it has a name or is open. Names refer to nodes by number, so that nothing here recurses.

use super::MemoryDirLimits;
use crate::fs::types::{Datetime, DescriptorStat, DescriptorType, NewTimestamp};
use crate::fs::{ErrorCode, FsResult};
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

/// Number of a node.
pub(super) type Id = u64;

/// The directory that everything is below.
pub(super) const ROOT: Id = 0;

pub(super) enum Content {
    Dir {
        entries: BTreeMap<String, Id>,
        parent: Id,
    },
    File(Vec<u8>),
    Link(String),
}

pub(super) struct Node {
    pub(super) content: Content,
    /// How many names the node has. The root has one that nobody can remove.
    links: u64,
    /// How many descriptors it has.
    opens: u64,
    accessed: Datetime,
    modified: Datetime,
    changed: Datetime,
}

pub(super) struct Tree {
    nodes: HashMap<Id, Node>,
    next: Id,
    limits: MemoryDirLimits,
    /// Bytes of files and of targets of links.
    bytes: u64,
    /// Names below the root.
    entries: u64,
}

fn now() -> Datetime {
    Datetime::from_system(SystemTime::now()).unwrap_or_default()
}

impl Content {
    pub(super) fn empty_dir(parent: Id) -> Content {
        Content::Dir {
            entries: BTreeMap::new(),
            parent,
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Content::Dir { .. } => 0,
            Content::File(data) => data.len() as u64,
            Content::Link(target) => target.len() as u64,
        }
    }

    pub(super) fn kind(&self) -> DescriptorType {
        match self {
            Content::Dir { .. } => DescriptorType::Directory,
            Content::File(_) => DescriptorType::RegularFile,
            Content::Link(_) => DescriptorType::SymbolicLink,
        }
    }
}

impl Node {
    fn new(content: Content) -> Node {
        let now = now();
        Node {
            content,
            links: 1,
            opens: 0,
            accessed: now,
            modified: now,
            changed: now,
        }
    }

    pub(super) fn stat(&self) -> DescriptorStat {
        DescriptorStat {
            kind: self.content.kind(),
            link_count: self.links,
            size: self.content.bytes(),
            accessed: Some(self.accessed),
            modified: Some(self.modified),
            changed: Some(self.changed),
        }
    }

    fn touch(&mut self) {
        self.modified = now();
        self.changed = self.modified;
    }
}

impl Tree {
    pub(super) fn new(limits: MemoryDirLimits) -> Tree {
        let root = Node::new(Content::empty_dir(ROOT));
        Tree {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            limits,
            bytes: 0,
            entries: 0,
        }
    }

    pub(super) fn node(&self, id: Id) -> FsResult<&Node> {
        self.nodes.get(&id).ok_or(ErrorCode::NoEntry)
    }

    fn node_mut(&mut self, id: Id) -> FsResult<&mut Node> {
        self.nodes.get_mut(&id).ok_or(ErrorCode::NoEntry)
    }

    /// The names in a directory.
    pub(super) fn entries(&self, dir: Id) -> FsResult<&BTreeMap<String, Id>> {
        match &self.node(dir)?.content {
            Content::Dir { entries, .. } => Ok(entries),
            _ => Err(ErrorCode::NotDirectory),
        }
    }

    fn entries_mut(&mut self, dir: Id) -> FsResult<&mut BTreeMap<String, Id>> {
        match &mut self.node_mut(dir)?.content {
            Content::Dir { entries, .. } => Ok(entries),
            _ => Err(ErrorCode::NotDirectory),
        }
    }

    /// The contents of a file.
    pub(super) fn data(&self, file: Id) -> FsResult<&[u8]> {
        match &self.node(file)?.content {
            Content::File(data) => Ok(data),
            _ => Err(ErrorCode::BadDescriptor),
        }
    }

    /// Fails unless a name can be put into the directory, which may have been removed since it was opened.
    fn check_room(&self, dir: Id) -> FsResult<()> {
        if self.node(dir)?.links == 0 {
            return Err(ErrorCode::NoEntry);
        }
        match self.entries >= self.limits.entries {
            true => Err(ErrorCode::Quota),
            false => Ok(()),
        }
    }

    /// Fails unless what is counted is what is there.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let (mut bytes, mut names) = (0, HashMap::<Id, u64>::from([(ROOT, 1)]));
        for (id, node) in &self.nodes {
            bytes += node.content.bytes();
            assert!(node.links > 0 || node.opens > 0, "node {id} is lost");
            if let Content::Dir { entries, .. } = &node.content {
                for below in entries.values() {
                    *names.entry(*below).or_default() += 1;
                    if let Content::Dir { parent, .. } = &self.nodes[below].content {
                        assert_eq!(parent, id);
                    }
                }
            }
        }
        assert_eq!(self.bytes, bytes);
        assert_eq!(self.entries, names.values().sum::<u64>() - 1);
        assert!(bytes <= self.limits.bytes && self.entries <= self.limits.entries);
        for (id, node) in &self.nodes {
            assert_eq!(node.links, names.get(id).copied().unwrap_or(0));
        }
    }

    /// How many bytes more there is room for.
    fn room(&self) -> u64 {
        self.limits.bytes.saturating_sub(self.bytes)
    }

    /// Makes a node. The caller knows that the name is free.
    pub(super) fn add(&mut self, dir: Id, name: String, content: Content) -> FsResult<Id> {
        self.check_room(dir)?;
        let bytes = content.bytes();
        if bytes > self.room() {
            return Err(ErrorCode::InsufficientSpace);
        }
        let id = self.next;
        self.entries_mut(dir)?.insert(name, id);
        self.next += 1;
        self.nodes.insert(id, Node::new(content));
        self.bytes += bytes;
        self.entries += 1;
        self.node_mut(dir)?.touch();
        Ok(id)
    }

    /// Gives a node another name. The caller knows that it is free.
    pub(super) fn link(&mut self, dir: Id, name: String, id: Id) -> FsResult<()> {
        self.check_room(dir)?;
        self.entries_mut(dir)?.insert(name, id);
        self.entries += 1;
        self.node_mut(dir)?.touch();
        let node = self.node_mut(id)?;
        node.links += 1;
        node.changed = now();
        Ok(())
    }

    /// Takes a name away from its node.
    pub(super) fn unlink(&mut self, dir: Id, name: &str) -> FsResult<()> {
        let id = self.entries_mut(dir)?.remove(name).ok_or(ErrorCode::NoEntry)?;
        self.entries = self.entries.saturating_sub(1);
        self.node_mut(dir)?.touch();
        let node = self.node_mut(id)?;
        node.links = node.links.saturating_sub(1);
        node.changed = now();
        self.collect(id);
        Ok(())
    }

    /// Moves a name, in place of another one if that is there.
    pub(super) fn rename(&mut self, old: (Id, &str), new: (Id, String)) -> FsResult<()> {
        if self.node(new.0)?.links == 0 {
            return Err(ErrorCode::NoEntry);
        }
        if self.entries(new.0)?.contains_key(&new.1) {
            self.unlink(new.0, &new.1)?;
        }
        let id = self.entries_mut(old.0)?.remove(old.1).ok_or(ErrorCode::NoEntry)?;
        self.node_mut(old.0)?.touch();
        self.entries_mut(new.0)?.insert(new.1, id);
        self.node_mut(new.0)?.touch();
        let node = self.node_mut(id)?;
        node.changed = now();
        if let Content::Dir { parent, .. } = &mut node.content {
            *parent = new.0;
        }
        Ok(())
    }

    /// Whether `below` is `dir` or a directory below it.
    pub(super) fn is_within(&self, mut below: Id, dir: Id) -> bool {
        loop {
            if below == dir {
                return true;
            }
            match self.nodes.get(&below).map(|node| &node.content) {
                Some(Content::Dir { parent, .. }) if *parent != below => below = *parent,
                _ => return false,
            }
        }
    }

    pub(super) fn open(&mut self, id: Id) -> FsResult<()> {
        self.node_mut(id)?.opens += 1;
        Ok(())
    }

    pub(super) fn close(&mut self, id: Id) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.opens = node.opens.saturating_sub(1);
        }
        self.collect(id);
    }

    /// Frees a node that nothing leads to.
    fn collect(&mut self, id: Id) {
        if self
            .nodes
            .get(&id)
            .is_some_and(|node| node.links == 0 && node.opens == 0)
            && let Some(node) = self.nodes.remove(&id)
        {
            self.bytes = self.bytes.saturating_sub(node.content.bytes());
        }
    }

    /// Makes a file longer, with zeros, or shorter.
    pub(super) fn set_size(&mut self, file: Id, size: u64) -> FsResult<()> {
        let (old, room) = (self.data(file)?.len() as u64, self.room());
        if size.saturating_sub(old) > room {
            return Err(ErrorCode::InsufficientSpace);
        }
        let len = usize::try_from(size).map_err(|_| ErrorCode::FileTooLarge)?;
        let node = self.node_mut(file)?;
        let Content::File(data) = &mut node.content else {
            return Err(ErrorCode::BadDescriptor);
        };
        data.try_reserve(len.saturating_sub(data.len()))
            .map_err(|_| ErrorCode::InsufficientMemory)?;
        data.resize(len, 0);
        if data.capacity() / 4 > len {
            data.shrink_to_fit();
        }
        node.touch();
        self.bytes = self.bytes.saturating_sub(old).saturating_add(size);
        Ok(())
    }

    /// Writes what there is room for, and says how much.
    pub(super) fn write(&mut self, file: Id, bytes: &[u8], offset: u64) -> FsResult<usize> {
        let old = self.data(file)?.len() as u64;
        let end = offset
            .checked_add(bytes.len() as u64)
            .filter(|end| i64::try_from(*end).is_ok())
            .ok_or(ErrorCode::FileTooLarge)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = end.min(old.saturating_add(self.room()));
        let written = end
            .checked_sub(offset)
            .filter(|n| *n > 0)
            .ok_or(ErrorCode::InsufficientSpace)?;
        let written = usize::try_from(written).map_err(|_| ErrorCode::FileTooLarge)?;
        if end > old {
            self.set_size(file, end)?;
        }
        let node = self.node_mut(file)?;
        let start = usize::try_from(offset).map_err(|_| ErrorCode::FileTooLarge)?;
        if let Content::File(data) = &mut node.content
            && let (Some(to), Some(from)) = (data.get_mut(start..start + written), bytes.get(..written))
        {
            to.copy_from_slice(from);
        }
        node.touch();
        Ok(written)
    }

    pub(super) fn set_times(
        &mut self,
        id: Id,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let now = now();
        let (accessed, modified) = (accessed.resolve(now)?, modified.resolve(now)?);
        let node = self.node_mut(id)?;
        node.accessed = accessed.unwrap_or(node.accessed);
        node.modified = modified.unwrap_or(node.modified);
        node.changed = now;
        Ok(())
    }
}
