//! Which code lies at an address: for the signal handler and for backtraces.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, RwLock},
};

use crate::{
    module::ModuleInner,
    tier::{Image, NO_LOCATION, NativeCode, Tables},
    trap::TrapCode,
};

/// A piece of machine code where it lies in memory.
#[derive(Debug)]
pub(crate) struct CodeObject {
    pub(crate) start: usize,
    pub(crate) len: usize,
    /// The module it was compiled from, only to compare with.
    pub(crate) module: *const ModuleInner,
    /// Of the first byte.
    pub(crate) alignment: u32,
    pub(crate) tables: Tables,
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
            alignment: code.alignment.max(1),
            tables: Tables {
                traps: code.traps.as_slice().into(),
                locations: code.locations.as_slice().into(),
                scopes: code.scopes.as_slice().into(),
            },
        }
    }

    /// The code.
    pub(crate) fn code(&self) -> &[u8] {
        // SAFETY: published code is readable and does not change; its owner, who is the one to ask, keeps it as long as the object is registered.
        unsafe { std::slice::from_raw_parts(self.start as *const u8, self.len) }
    }

    fn trap_at(&self, address: usize) -> Option<TrapCode> {
        let offset = (address - self.start) as u32;
        let at = self.tables.traps.binary_search_by_key(&offset, |t| t.0).ok()?;
        Some(self.tables.traps[at].1)
    }

    /// The functions, innermost first, whose code a return address is in, each with the offset in its body.
    pub(crate) fn frames(&self, return_address: usize) -> Vec<(u32, Option<u32>)> {
        let offset = (return_address - self.start).saturating_sub(1) as u32;
        let range = self
            .tables
            .locations
            .partition_point(|(start, _)| *start <= offset);
        let mut location = match range.checked_sub(1) {
            Some(at) => self.tables.locations[at].1,
            None => NO_LOCATION,
        };
        let mut frames = Vec::new();
        loop {
            let scope = match location {
                NO_LOCATION => 0,
                _ => self
                    .tables
                    .scopes
                    .partition_point(|s| s.base <= location)
                    .saturating_sub(1),
            };
            let Some(scope) = self.tables.scopes.get(scope) else {
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

/// What a range of memory holds.
#[derive(Debug)]
enum Region {
    /// Pieces of code by address, as they were published.
    Objects(BTreeMap<usize, Arc<CodeObject>>),
    /// Saved code of a module, which has its own tables.
    Image {
        image: Arc<Image>,
        module: *const ModuleInner,
    },
}

// SAFETY: the pointer is only compared.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

/// By where they begin, the ends of all ranges that hold machine code, and what they hold.
type Regions = BTreeMap<usize, (usize, Region)>;

static REGIONS: RwLock<Regions> = RwLock::new(BTreeMap::new());

fn add_to(range: Range<usize>, region: Region) {
    let mut regions = REGIONS.write().unwrap_or_else(|e| e.into_inner());
    regions.insert(range.start, (range.end, region));
}

pub(super) fn add_region(range: Range<usize>) {
    add_to(range, Region::Objects(BTreeMap::new()));
}

pub(super) fn add_image(range: Range<usize>, image: &Arc<Image>, module: *const ModuleInner) {
    let image = image.clone();
    add_to(range, Region::Image { image, module });
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
        if let Some((_, (_, Region::Objects(index)))) = regions.range_mut(..=object.start).next_back() {
            index.insert(object.start, Arc::new(object));
        }
    }
}

/// The region that an address is in, and where that begins.
fn region(regions: &Regions, address: usize) -> Option<(usize, &Region)> {
    let (start, (end, region)) = regions.range(..=address).next_back()?;
    (address < *end).then_some((*start, region))
}

fn object_in(objects: &BTreeMap<usize, Arc<CodeObject>>, address: usize) -> Option<&Arc<CodeObject>> {
    let (_, object) = objects.range(..=address).next_back()?;
    (address < object.start + object.len).then_some(object)
}

/// The code that holds an address.
pub(crate) fn find_code(address: usize) -> Option<Arc<CodeObject>> {
    let regions = REGIONS.read().unwrap_or_else(|e| e.into_inner());
    match region(&regions, address)? {
        (_, Region::Objects(objects)) => object_in(objects, address).cloned(),
        (start, Region::Image { image, module }) => {
            let piece = image.find(u32::try_from(address - start).ok()?)?;
            Some(Arc::new(CodeObject {
                start: start + piece.start as usize,
                len: piece.len as usize,
                module: *module,
                alignment: piece.alignment,
                tables: image.tables(&piece),
            }))
        }
    }
}

/// The code that a return address belongs to.
pub(crate) fn find(return_address: usize) -> Option<Arc<CodeObject>> {
    find_code(return_address.checked_sub(1)?)
}

/// Why the instruction at this address traps, if it is one of machine code that may. For the signal handler: it allocates nothing,
/// and gives up if the list can't be had, which no thread holds that executes machine code.
pub(super) fn trap_at(address: usize) -> Option<TrapCode> {
    for attempt in 0..1_000_000 {
        match REGIONS.try_read() {
            Ok(regions) => {
                return match region(&regions, address)? {
                    (_, Region::Objects(objects)) => object_in(objects, address)?.trap_at(address),
                    (start, Region::Image { image, .. }) => {
                        image.trap_at(u32::try_from(address - start).ok()?)
                    }
                };
            }
            Err(_) if attempt < 1000 => std::hint::spin_loop(),
            // Another thread changes the list, and may wait for its turn on this core.
            // SAFETY: it has no effect on memory, and is safe in signal handlers.
            Err(_) => unsafe {
                libc::sched_yield();
            },
        }
    }
    None
}
