//! Memory for machine code.

use std::{
    fs::File,
    sync::{Arc, Mutex},
};

use super::{
    code_chunk::Chunk,
    registry::{self, CodeObject},
};
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
        let no_memory = || {
            Error::limit(format!(
                "the system gives no memory for {len} bytes of machine code"
            ))
        };
        let mut chunks = self.chunks.lock().unwrap_or_else(|e| e.into_inner());
        let write = |code: &mut [u8]| {
            for (piece, offset) in pieces.iter().zip(&offsets) {
                code[*offset..*offset + piece.bytes.len()].copy_from_slice(&piece.bytes);
            }
        };
        let start = match chunks.last_mut().and_then(|chunk| chunk.take(len, write)) {
            Some(start) => start,
            None => {
                let mut chunk = Chunk::reserve(len.max(CHUNK)).ok_or_else(no_memory)?;
                registry::add_region(chunk.range());
                let start = chunk.take(len, write);
                chunks.push(chunk);
                start.ok_or_else(no_memory)?
            }
        };
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
                let copy = Chunk::reserve(code.len()).and_then(|mut chunk| {
                    chunk.take(code.len(), |bytes| bytes.copy_from_slice(code))?;
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
        let start = chunk.range().start;
        registry::add_image(start..start + code.len(), image, module);
        let mut chunks = self.chunks.lock().unwrap_or_else(|e| e.into_inner());
        // In front, since what is published goes into the last one.
        chunks.insert(0, chunk);
        Ok(start as *const u8)
    }
}

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
