//! What active data segments make of a new memory, as pages that instances share until they write to them: making an instance then costs
//! no copy, and of the pages only those that it uses.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use super::mapping::{Image, PAGE, SharedPages};
use crate::module::{ModuleInner, SegmentMode};

/// Less data than this is copied as fast.
const SMALLEST: usize = 32 << 10;

/// A module's image, made for its second instance: most modules have one only.
#[derive(Default)]
pub(crate) struct ImageCell {
    used: AtomicBool,
    image: OnceLock<Option<MemoryImage>>,
}

impl ImageCell {
    /// The image for one more instance, if there is one.
    pub(crate) fn get(&self, module: &ModuleInner) -> Option<&MemoryImage> {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
            return None;
        }
        self.image.get_or_init(|| MemoryImage::new(module)).as_ref()
    }
}

/// The first data segments of a module in one of its own memories.
pub(crate) struct MemoryImage {
    /// The memory's index in the module.
    pub(crate) memory: u32,
    /// How many segments from the first on are in it, passive ones not counted out.
    pub(crate) segments: usize,
    pub(crate) image: Image,
}

impl MemoryImage {
    /// `None` where segments are few, or nothing is known of them before there is an instance.
    fn new(module: &ModuleInner) -> Option<MemoryImage> {
        if module.imported_tables > 0 {
            // Where instantiation fails before the data is copied, functions that are in such a table by then could see it.
            return None;
        }
        let mut memory = None;
        let mut parts = Vec::new();
        let mut segments = 0;
        for data in &module.data {
            if let SegmentMode::Active { index, offset } = &data.mode {
                let Some(offset) = offset.constant() else { break };
                let ty = &module.memories[*index as usize];
                let size = ty.minimum.saturating_mul(1 << ty.page_size_log2);
                let end = (offset as u64).checked_add(data.range.len() as u64);
                // One out of bounds traps once those before it are there.
                if *index < module.imported_memories
                    || *memory.get_or_insert(*index) != *index
                    || end.is_none_or(|end| end > size)
                {
                    break;
                }
                parts.push((usize::try_from(offset).ok()?, &module.bytes[data.range.clone()]));
            }
            segments += 1;
        }
        parts.retain(|(_, bytes)| !bytes.is_empty());
        let bytes: usize = parts.iter().map(|(_, bytes)| bytes.len()).sum();
        let start = parts.iter().map(|(at, _)| *at).min()? / PAGE * PAGE;
        let end = parts.iter().map(|(at, bytes)| at + bytes.len()).max()?;
        let len = (end - start).checked_next_multiple_of(PAGE)?;
        // Where the data is far apart most pages would be for nothing.
        if bytes < SMALLEST || len / 4 > bytes.saturating_add(256 << 10) {
            return None;
        }
        let parts = parts.iter().map(|(at, bytes)| (at - start, *bytes));
        Some(MemoryImage {
            memory: memory?,
            segments,
            image: Image {
                at: start,
                pages: Arc::new(SharedPages::new(len, parts)?),
            },
        })
    }
}
