//! Memory for machine code. Pages are written before they become executable, and never again.

use std::{
    fs::File,
    ptr::NonNull,
    sync::{Arc, Mutex},
};

use super::registry::{self, CodeObject};
use crate::{
    error::{Error, Result},
    module::ModuleInner,
    tier::{Image, NativeCode},
};

/// The machine code of one owner (a module, or the stubs of an engine), freed with it.
#[derive(Debug, Default)]
pub(crate) struct CodeMemory {
    chunks: Mutex<Vec<Chunk>>,
}

/// A range of address space whose pages are made executable one after the other.
#[derive(Debug)]
struct Chunk {
    base: NonNull<u8>,
    len: usize,
    used: usize,
}

// SAFETY: a chunk is memory that it alone owns; what was published in it does not change any more.
unsafe impl Send for Chunk {}

/// Address space taken at a time, unless more is needed.
const CHUNK: usize = 4 << 20;

impl CodeMemory {
    /// Makes pieces of code of a module executable and gives their addresses, in order.
    ///
    /// # Errors
    /// `Limit` when the system gives no executable memory.
    pub(crate) fn publish(
        &self,
        module: *const ModuleInner,
        pieces: &[&NativeCode],
    ) -> Result<Vec<*const u8>> {
        let mut offsets = Vec::with_capacity(pieces.len());
        let mut len = 0usize;
        for piece in pieces {
            len = len.next_multiple_of(piece.alignment.max(16) as usize);
            offsets.push(len);
            len += piece.bytes.len();
        }
        let page = rustix::param::page_size();
        let size = len.next_multiple_of(page).max(page);
        let no_memory = || {
            Error::limit(format!(
                "the system gives no memory for {len} bytes of machine code"
            ))
        };
        let mut chunks = self.chunks.lock().unwrap_or_else(|e| e.into_inner());
        if chunks.last().is_none_or(|c| c.len - c.used < size) {
            let chunk = Chunk::new(size.max(CHUNK)).ok_or_else(no_memory)?;
            chunks.push(chunk);
        }
        let Some(chunk) = chunks.last_mut() else {
            unreachable!("a chunk was just pushed")
        };
        let start = chunk.take(size, |pages| {
            for (piece, offset) in pieces.iter().zip(&offsets) {
                pages[*offset..*offset + piece.bytes.len()].copy_from_slice(&piece.bytes);
            }
        });
        let start = start.ok_or_else(no_memory)?;
        drop(chunks);
        registry::add(
            pieces
                .iter()
                .zip(&offsets)
                .map(|(piece, offset)| CodeObject::new(start as usize + offset, module, piece)),
        );
        Ok(offsets
            .into_iter()
            .map(|offset| start.wrapping_add(offset))
            .collect())
    }

    /// Makes the code of an image executable and gives the address of its first byte. Maps the file that has the image at this offset, if
    /// there is one and the system lets it; copies the code otherwise.
    ///
    /// # Errors
    /// `Limit` when the system gives no executable memory.
    pub(crate) fn adopt(
        &self,
        module: *const ModuleInner,
        image: &Arc<Image>,
        file: Option<(&File, u64)>,
    ) -> Result<*const u8> {
        let code = image.code();
        let mapped =
            file.and_then(|(file, at)| Chunk::map(file, at + image.code_range().start as u64, code.len()));
        let chunk = match mapped {
            Some(chunk) => chunk,
            None => {
                let size = code.len().next_multiple_of(rustix::param::page_size());
                let copy = Chunk::reserve(size).and_then(|mut chunk| {
                    chunk.take(size, |pages| pages[..code.len()].copy_from_slice(code))?;
                    Some(chunk)
                });
                copy.ok_or_else(|| {
                    Error::limit(format!(
                        "the system gives no memory for {} bytes of machine code",
                        code.len()
                    ))
                })?
            }
        };
        let start = chunk.base.as_ptr();
        registry::add_image(start as usize..start as usize + code.len(), image, module);
        let mut chunks = self.chunks.lock().unwrap_or_else(|e| e.into_inner());
        // In front, since what is published goes into the last one.
        chunks.insert(0, chunk);
        Ok(start)
    }
}

impl Chunk {
    fn new(len: usize) -> Option<Chunk> {
        let chunk = Chunk::reserve(len)?;
        let start = chunk.base.as_ptr() as usize;
        registry::add_region(start..start + len);
        Some(chunk)
    }

    /// Executable pages of a file.
    fn map(file: &File, offset: u64, len: usize) -> Option<Chunk> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let flags = ProtFlags::READ | ProtFlags::EXEC;
        // SAFETY: a new mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap(std::ptr::null_mut(), len, flags, MapFlags::PRIVATE, file, offset) }.ok()?;
        let base = NonNull::new(base.cast::<u8>())?;
        // SAFETY: the pages were just mapped, readable.
        unsafe { synchronise(base.as_ptr(), len) };
        Some(Chunk { base, len, used: len })
    }

    fn reserve(len: usize) -> Option<Chunk> {
        use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new anonymous mapping, at an address of the system's choice, affects no other memory.
        let base = unsafe { mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::empty(), flags) }.ok()?;
        let base = NonNull::new(base.cast::<u8>())?;
        Some(Chunk { base, len, used: 0 })
    }

    /// Lets `write` fill the next `size` bytes, whole pages of them, and makes them executable.
    fn take(&mut self, size: usize, write: impl FnOnce(&mut [u8])) -> Option<*const u8> {
        use rustix::mm::{MprotectFlags, mprotect};
        let start = self.base.as_ptr().wrapping_add(self.used);
        // SAFETY: the pages are in the chunk and were not handed out yet, so that nothing else refers to them.
        unsafe {
            mprotect(start.cast(), size, MprotectFlags::READ | MprotectFlags::WRITE).ok()?;
            write(std::slice::from_raw_parts_mut(start, size));
            synchronise(start, size);
            mprotect(start.cast(), size, MprotectFlags::READ | MprotectFlags::EXEC).ok()?;
        }
        self.used += size;
        Some(start)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        registry::remove_region(self.base.as_ptr() as usize);
        // SAFETY: the chunk's own pages; their owner is gone, and with it all frames that execute them.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// Makes what was written visible to instruction fetches of all cores.
///
/// # Safety
/// The range is readable.
#[cfg(target_arch = "aarch64")]
unsafe fn synchronise(start: *mut u8, len: usize) {
    // SAFETY: cache maintenance of readable memory changes nothing that a program can see.
    unsafe {
        let types: usize;
        std::arch::asm!("mrs {}, ctr_el0", out(reg) types, options(nomem, nostack, preserves_flags));
        let data_line = 4usize << (types >> 16 & 15);
        let instruction_line = 4usize << (types & 15);
        let end = start as usize + len;
        let mut at = start as usize & !(data_line - 1);
        while at < end {
            std::arch::asm!("dc cvau, {}", in(reg) at, options(nostack, preserves_flags));
            at += data_line;
        }
        std::arch::asm!("dsb ish", options(nostack, preserves_flags));
        let mut at = start as usize & !(instruction_line - 1);
        while at < end {
            std::arch::asm!("ic ivau, {}", in(reg) at, options(nostack, preserves_flags));
            at += instruction_line;
        }
        std::arch::asm!("dsb ish", "isb", options(nostack, preserves_flags));
        // Other cores must drop what they have fetched ahead. The first call registers the process; where the system does not have this,
        // the pages were never executable before, so that there is hardly anything to drop.
        libc::syscall(libc::SYS_membarrier, MEMBARRIER_REGISTER_SYNC_CORE, 0, 0);
        libc::syscall(libc::SYS_membarrier, MEMBARRIER_SYNC_CORE, 0, 0);
    }
}

#[cfg(target_arch = "aarch64")]
const MEMBARRIER_SYNC_CORE: libc::c_int = 1 << 5;
#[cfg(target_arch = "aarch64")]
const MEMBARRIER_REGISTER_SYNC_CORE: libc::c_int = 1 << 6;

/// On x86-64 instruction fetches see what was written.
///
/// # Safety
/// None.
#[cfg(not(target_arch = "aarch64"))]
unsafe fn synchronise(_: *mut u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_code_is_found_until_it_is_freed() {
        let memory = CodeMemory::default();
        let piece = NativeCode {
            bytes: vec![0xcc; 100],
            alignment: 32,
            traps: vec![(7, crate::TrapCode::Unreachable)],
            ..NativeCode::default()
        };
        let at = memory.publish(std::ptr::null(), &[&piece, &piece]).unwrap();
        assert_eq!(at[1] as usize - at[0] as usize, 128);
        // SAFETY: published code can be read.
        assert_eq!(unsafe { *at[1].add(99) }, 0xcc);
        assert_eq!(
            registry::find(at[1] as usize + 100).unwrap().start,
            at[1] as usize
        );
        assert!(registry::find(at[1] as usize + 101).is_none());
        assert_eq!(
            registry::trap_at(at[0] as usize + 7),
            Some(crate::TrapCode::Unreachable)
        );
        assert_eq!(registry::trap_at(at[0] as usize + 8), None);
        drop(memory);
        assert!(registry::find(at[1] as usize + 100).is_none());
    }
}
