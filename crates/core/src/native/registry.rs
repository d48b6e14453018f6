//! Which code lies at an address: for the signal handler and for backtraces.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, RwLock},
};

use crate::{
    module::ModuleInner,
    tier::{NO_LOCATION, NativeCode, Scope},
    trap::TrapCode,
};

/// A piece of machine code where it lies in memory.
#[derive(Debug)]
pub(crate) struct CodeObject {
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// The module it was compiled from, only to compare with.
    pub(crate) module: *const ModuleInner,
    traps: Box<[(u32, TrapCode)]>,
    locations: Box<[(u32, u32)]>,
    scopes: Box<[Scope]>,
}

// SAFETY: the pointer is only compared.
unsafe impl Send for CodeObject {}
// SAFETY: as above.
unsafe impl Sync for CodeObject {}

impl CodeObject {
    pub(super) fn new(start: usize, module: *const ModuleInner, code: &NativeCode) -> CodeObject {
        CodeObject {
            start,
            len: code.bytes.len(),
            module,
            traps: code.traps.as_slice().into(),
            locations: code.locations.as_slice().into(),
            scopes: code.scopes.as_slice().into(),
        }
    }

    fn trap_at(&self, address: usize) -> Option<TrapCode> {
        let offset = (address - self.start) as u32;
        let at = self.traps.binary_search_by_key(&offset, |t| t.0).ok()?;
        Some(self.traps[at].1)
    }

    /// The functions, innermost first, whose code a return address is in, each with the offset in its body.
    pub(crate) fn frames(&self, return_address: usize) -> Vec<(u32, Option<u32>)> {
        let offset = (return_address - self.start).saturating_sub(1) as u32;
        let range = self.locations.partition_point(|(start, _)| *start <= offset);
        let mut location = match range.checked_sub(1) {
            Some(at) => self.locations[at].1,
            None => NO_LOCATION,
        };
        let mut frames = Vec::new();
        loop {
            let scope = match location {
                NO_LOCATION => 0,
                _ => self
                    .scopes
                    .partition_point(|s| s.base <= location)
                    .saturating_sub(1),
            };
            let Some(scope) = self.scopes.get(scope) else {
                return frames; // a stub
            };
            frames.push((
                scope.func,
                location
                    .checked_sub(scope.base)
                    .filter(|_| location != NO_LOCATION),
            ));
            // A scope's call lies in a scope before it.
            if scope.call == NO_LOCATION || scope.call >= scope.base {
                return frames;
            }
            location = scope.call;
        }
    }
}

/// The code in a range of memory, by address.
type Objects = BTreeMap<usize, Arc<CodeObject>>;

/// All ranges that hold machine code, by where they begin.
static REGIONS: RwLock<BTreeMap<usize, (usize, Objects)>> = RwLock::new(BTreeMap::new());

pub(super) fn add_region(range: Range<usize>) {
    let mut regions = REGIONS.write().unwrap_or_else(|e| e.into_inner());
    regions.insert(range.start, (range.end, Objects::new()));
}

pub(super) fn remove_region(start: usize) {
    let removed = {
        let mut regions = REGIONS.write().unwrap_or_else(|e| e.into_inner());
        regions.remove(&start)
    };
    drop(removed);
}

pub(super) fn add(objects: impl Iterator<Item = CodeObject>) {
    let mut regions = REGIONS.write().unwrap_or_else(|e| e.into_inner());
    for object in objects {
        if let Some((_, (_, index))) = regions.range_mut(..=object.start).next_back() {
            index.insert(object.start, Arc::new(object));
        }
    }
}

fn look_up<R>(
    regions: &BTreeMap<usize, (usize, Objects)>,
    address: usize,
    found: impl FnOnce(&Arc<CodeObject>) -> Option<R>,
) -> Option<R> {
    let (_, (end, objects)) = regions.range(..=address).next_back()?;
    if address >= *end {
        return None;
    }
    let (_, object) = objects.range(..=address).next_back()?;
    (address < object.start + object.len).then(|| found(object))?
}

/// The code that a return address belongs to.
pub(crate) fn find(return_address: usize) -> Option<Arc<CodeObject>> {
    let regions = REGIONS.read().unwrap_or_else(|e| e.into_inner());
    look_up(&regions, return_address - 1, |object| Some(object.clone()))
}

/// Why the instruction at this address traps, if it is one of machine code that may. For the signal handler: it allocates nothing,
/// and gives up if the list can't be had, which no thread holds that executes machine code.
pub(super) fn trap_at(address: usize) -> Option<TrapCode> {
    for _ in 0..1_000_000 {
        match REGIONS.try_read() {
            Ok(regions) => return look_up(&regions, address, |object| object.trap_at(address)),
            Err(_) => std::hint::spin_loop(),
        }
    }
    None
}
