//! A table in which a host keeps what its resources stand for.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};

use wharf_core::Error;

use crate::resource::Resource;

/// Why a [`ResourceTable`] could not do what was asked.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceTableError {
    /// The table has as many entries as it may have.
    #[error("resource table has no free keys")]
    Full,
    /// There is no entry with this key.
    #[error("resource not present")]
    NotPresent,
    /// The entry is of another type.
    #[error("resource is of another type")]
    WrongType,
    /// The entry has children and can't be deleted before them.
    #[error("resource has children")]
    HasChildren,
}

impl From<ResourceTableError> for Error {
    fn from(error: ResourceTableError) -> Error {
        Error::host(error)
    }
}

struct Entry {
    value: Box<dyn Any + Send>,
    parent: Option<u32>,
    children: BTreeSet<u32>,
}

enum Slot {
    Free { next: Option<u32> },
    Used(Entry),
}

/// Values behind the numbers that a guest's handles of host resources stand for.
///
/// An entry can be the child of another (a stream of a request, say); a parent can't be deleted before its children.
///
/// ```
/// use wharf_component::ResourceTable;
/// let mut table = ResourceTable::new();
/// let file = table.push(String::from("notes.txt")).unwrap();
/// let reader = table.push_child(0usize, &file).unwrap();
/// assert_eq!(table.get(&file).unwrap(), "notes.txt");
/// table.delete(reader).unwrap();
/// assert_eq!(table.delete(file).unwrap(), "notes.txt");
/// ```
pub struct ResourceTable {
    slots: Vec<Slot>,
    free: Option<u32>,
    used: usize,
    max: usize,
}

impl Default for ResourceTable {
    fn default() -> Self {
        Self::new()
    }
}

impl ResourceTable {
    /// An empty table that may have a million entries.
    pub fn new() -> Self {
        ResourceTable {
            slots: Vec::new(),
            free: None,
            used: 0,
            max: 1_000_000,
        }
    }

    /// An empty table with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Self {
        ResourceTable {
            slots: Vec::with_capacity(capacity),
            ..Self::new()
        }
    }

    /// There is no entry.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The most entries that the table may have.
    pub fn max_capacity(&self) -> usize {
        self.max
    }

    /// Sets the most entries that the table may have.
    pub fn set_max_capacity(&mut self, max: usize) {
        self.max = max;
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `Full`.
    pub fn push<T: Send + 'static>(&mut self, value: T) -> Result<Resource<T>, ResourceTableError> {
        let key = self.insert(Entry {
            value: Box::new(value),
            parent: None,
            children: BTreeSet::new(),
        })?;
        Ok(Resource::new_own(key))
    }

    /// Adds an entry that is a child of another.
    ///
    /// # Errors
    /// `Full`, or `NotPresent` for the parent.
    pub fn push_child<T: Send + 'static, U: 'static>(
        &mut self,
        value: T,
        parent: &Resource<U>,
    ) -> Result<Resource<T>, ResourceTableError> {
        let parent = parent.rep();
        self.entry(parent)?;
        let key = self.insert(Entry {
            value: Box::new(value),
            parent: Some(parent),
            children: BTreeSet::new(),
        })?;
        self.entry_mut(parent)?.children.insert(key);
        Ok(Resource::new_own(key))
    }

    /// Makes an entry the child of another.
    ///
    /// # Errors
    /// `NotPresent` when one of them is missing, `HasChildren` when the child has a parent already.
    pub fn add_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        self.entry(parent.rep())?;
        let entry = self.entry_mut(child.rep())?;
        if entry.parent.is_some() {
            return Err(ResourceTableError::HasChildren);
        }
        entry.parent = Some(parent.rep());
        self.entry_mut(parent.rep())?.children.insert(child.rep());
        Ok(())
    }

    /// Makes an entry no longer the child of another.
    ///
    /// # Errors
    /// `NotPresent` when one of them is missing or they are not parent and child.
    pub fn remove_child<T: 'static, U: 'static>(
        &mut self,
        child: Resource<T>,
        parent: Resource<U>,
    ) -> Result<(), ResourceTableError> {
        if !self.entry_mut(parent.rep())?.children.remove(&child.rep()) {
            return Err(ResourceTableError::NotPresent);
        }
        self.entry_mut(child.rep())?.parent = None;
        Ok(())
    }

    /// An entry.
    ///
    /// # Errors
    /// `NotPresent`, `WrongType`.
    pub fn get<T: Any>(&self, key: &Resource<T>) -> Result<&T, ResourceTableError> {
        self.entry(key.rep())?
            .value
            .downcast_ref()
            .ok_or(ResourceTableError::WrongType)
    }

    /// An entry, to be changed.
    ///
    /// # Errors
    /// `NotPresent`, `WrongType`.
    pub fn get_mut<T: Any>(&mut self, key: &Resource<T>) -> Result<&mut T, ResourceTableError> {
        self.entry_mut(key.rep())?
            .value
            .downcast_mut()
            .ok_or(ResourceTableError::WrongType)
    }

    /// An entry of any type, to be changed.
    ///
    /// # Errors
    /// `NotPresent`.
    pub fn get_any_mut(&mut self, key: u32) -> Result<&mut dyn Any, ResourceTableError> {
        Ok(&mut *self.entry_mut(key)?.value)
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// `NotPresent`, `WrongType`, `HasChildren`.
    pub fn delete<T: Any>(&mut self, resource: Resource<T>) -> Result<T, ResourceTableError> {
        let key = resource.rep();
        let entry = self.entry(key)?;
        if !entry.value.is::<T>() {
            return Err(ResourceTableError::WrongType);
        }
        if !entry.children.is_empty() {
            return Err(ResourceTableError::HasChildren);
        }
        let slot = self
            .slots
            .get_mut(key as usize)
            .ok_or(ResourceTableError::NotPresent)?;
        let Slot::Used(entry) = std::mem::replace(slot, Slot::Free { next: self.free }) else {
            return Err(ResourceTableError::NotPresent);
        };
        self.free = Some(key);
        self.used -= 1;
        if let Some(parent) = entry.parent
            && let Ok(parent) = self.entry_mut(parent)
        {
            parent.children.remove(&key);
        }
        let value: Result<Box<T>, _> = (entry.value as Box<dyn Any>).downcast();
        value
            .map(|value| *value)
            .map_err(|_| ResourceTableError::WrongType)
    }

    /// The children of an entry.
    ///
    /// # Errors
    /// `NotPresent`.
    pub fn iter_children<T: 'static>(
        &self,
        parent: &Resource<T>,
    ) -> Result<impl Iterator<Item = &(dyn Any + Send)>, ResourceTableError> {
        let children = &self.entry(parent.rep())?.children;
        Ok(children
            .iter()
            .filter_map(|key| self.entry(*key).ok())
            .map(|entry| &*entry.value))
    }

    /// All entries, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (dyn Any + Send)> {
        self.slots.iter_mut().filter_map(|slot| match slot {
            Slot::Used(entry) => Some(&mut *entry.value),
            Slot::Free { .. } => None,
        })
    }

    /// Lends out several entries at once, each with what the map has for its key, in the order of the keys. A key
    /// without an entry gives `NotPresent`.
    pub fn iter_entries<T>(
        &mut self,
        keys: HashMap<u32, T>,
    ) -> impl Iterator<Item = (Result<&mut dyn Any, ResourceTableError>, T)> {
        let mut keys: Vec<(u32, T)> = keys.into_iter().collect();
        keys.sort_unstable_by_key(|(key, _)| *key);
        // What is left of the slots, and the key of the first of them.
        let mut rest = self.slots.as_mut_slice();
        let mut base = 0;
        keys.into_iter().map(move |(key, value)| {
            let Some((head, tail)) =
                std::mem::take(&mut rest).split_at_mut_checked((key - base) as usize + 1)
            else {
                return (Err(ResourceTableError::NotPresent), value);
            };
            rest = tail;
            base = key.saturating_add(1);
            match head.last_mut() {
                Some(Slot::Used(entry)) => (Ok(&mut *entry.value as &mut dyn Any), value),
                _ => (Err(ResourceTableError::NotPresent), value),
            }
        })
    }

    fn insert(&mut self, entry: Entry) -> Result<u32, ResourceTableError> {
        if self.used >= self.max {
            return Err(ResourceTableError::Full);
        }
        let key = match self.free {
            Some(key) => key,
            None => u32::try_from(self.slots.len()).map_err(|_| ResourceTableError::Full)?,
        };
        match self.slots.get_mut(key as usize) {
            Some(slot) => {
                if let Slot::Free { next } = *slot {
                    self.free = next;
                }
                *slot = Slot::Used(entry);
            }
            None => self.slots.push(Slot::Used(entry)),
        }
        self.used += 1;
        Ok(key)
    }

    fn entry(&self, key: u32) -> Result<&Entry, ResourceTableError> {
        match self.slots.get(key as usize) {
            Some(Slot::Used(entry)) => Ok(entry),
            _ => Err(ResourceTableError::NotPresent),
        }
    }

    fn entry_mut(&mut self, key: u32) -> Result<&mut Entry, ResourceTableError> {
        match self.slots.get_mut(key as usize) {
            Some(Slot::Used(entry)) => Ok(entry),
            _ => Err(ResourceTableError::NotPresent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_entries_at_once() {
        let mut table = ResourceTable::new();
        let keys: Vec<u32> = (0..5u8).map(|i| table.push(i).unwrap().rep()).collect();
        table.delete(Resource::<u8>::new_own(keys[2])).unwrap();
        let wanted = HashMap::from([(keys[4], 'e'), (keys[0], 'a'), (keys[2], 'c'), (u32::MAX, 'x')]);
        let found: Vec<(Option<u8>, char)> = table
            .iter_entries(wanted)
            .map(|(e, c)| (e.ok().and_then(|e| e.downcast_ref().copied()), c))
            .collect();
        assert_eq!(found, [(Some(0), 'a'), (None, 'c'), (Some(4), 'e'), (None, 'x')]);
    }

    #[test]
    fn parents_outlive_children() {
        let mut table = ResourceTable::new();
        let parent = table.push(1u8).unwrap();
        let child = table.push_child("child", &parent).unwrap();
        let children = table.iter_children(&parent).unwrap();
        assert_eq!(
            children
                .filter_map(|c| c.downcast_ref::<&str>())
                .collect::<Vec<_>>(),
            [&"child"]
        );
        let parent_key = parent.rep();
        assert_eq!(table.delete(parent), Err(ResourceTableError::HasChildren));
        table.delete(child).unwrap();
        assert_eq!(table.delete(Resource::<u8>::new_own(parent_key)), Ok(1));
        assert!(table.is_empty());
    }

    #[test]
    fn keys_are_checked() {
        let mut table = ResourceTable::new();
        table.set_max_capacity(1);
        let key = table.push(1u8).unwrap();
        assert_eq!(table.push(2u8).unwrap_err(), ResourceTableError::Full);
        assert_eq!(
            table.get(&Resource::<u16>::new_borrow(key.rep())),
            Err(ResourceTableError::WrongType)
        );
        table.delete(key).unwrap();
        assert_eq!(
            table.get(&Resource::<u8>::new_borrow(0)),
            Err(ResourceTableError::NotPresent)
        );
        assert_eq!(table.push(3u8).unwrap().rep(), 0);
    }
}
