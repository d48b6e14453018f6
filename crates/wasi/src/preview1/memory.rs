//! Access to the guest's memory. Every pointer and length is checked; what lies outside is `EFAULT`.

use super::types::Errno;

/// The most elements of an array of buffers, as `IOV_MAX` of POSIX systems.
const MAX_IOVECS: u32 = 1024;

/// The memory of the calling guest.
pub(crate) struct GuestMemory<'a> {
    bytes: &'a mut [u8],
}

/// A buffer in the guest's memory that is known to lie inside.
#[derive(Copy, Clone, Debug)]
pub(crate) struct IoVec {
    pub(crate) ptr: u32,
    pub(crate) len: u32,
}

impl<'a> GuestMemory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> GuestMemory<'a> {
        GuestMemory { bytes }
    }

    fn range(ptr: u32, len: u32) -> Result<std::ops::Range<usize>, Errno> {
        let start = usize::try_from(ptr).map_err(|_| Errno::FAULT)?;
        let end = start
            .checked_add(usize::try_from(len).map_err(|_| Errno::FAULT)?)
            .ok_or(Errno::FAULT)?;
        Ok(start..end)
    }

    pub(crate) fn slice(&self, ptr: u32, len: u32) -> Result<&[u8], Errno> {
        self.bytes.get(Self::range(ptr, len)?).ok_or(Errno::FAULT)
    }

    pub(crate) fn slice_mut(&mut self, ptr: u32, len: u32) -> Result<&mut [u8], Errno> {
        self.bytes.get_mut(Self::range(ptr, len)?).ok_or(Errno::FAULT)
    }

    fn array<const N: usize>(&self, ptr: u32) -> Result<[u8; N], Errno> {
        let len = u32::try_from(N).map_err(|_| Errno::FAULT)?;
        self.slice(ptr, len)?.try_into().map_err(|_| Errno::FAULT)
    }

    pub(crate) fn read_u8(&self, ptr: u32) -> Result<u8, Errno> {
        Ok(u8::from_le_bytes(self.array(ptr)?))
    }

    pub(crate) fn read_u16(&self, ptr: u32) -> Result<u16, Errno> {
        Ok(u16::from_le_bytes(self.array(ptr)?))
    }

    pub(crate) fn read_u32(&self, ptr: u32) -> Result<u32, Errno> {
        Ok(u32::from_le_bytes(self.array(ptr)?))
    }

    pub(crate) fn read_u64(&self, ptr: u32) -> Result<u64, Errno> {
        Ok(u64::from_le_bytes(self.array(ptr)?))
    }

    pub(crate) fn write(&mut self, ptr: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        self.slice_mut(ptr, len)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, ptr: u32, value: u32) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, ptr: u32, value: u64) -> Result<(), Errno> {
        self.write(ptr, &value.to_le_bytes())
    }

    /// A string that the host keeps for longer than a borrow of the memory. Its length is bounded by the memory.
    pub(crate) fn string(&self, ptr: u32, len: u32) -> Result<String, Errno> {
        match std::str::from_utf8(self.slice(ptr, len)?) {
            Ok(string) => Ok(string.to_owned()),
            Err(_) => Err(Errno::ILSEQ),
        }
    }

    /// The non-empty buffers of an `iovec` or `ciovec` array, all of them inside the memory.
    pub(crate) fn iovecs(&self, ptr: u32, count: u32) -> Result<Vec<IoVec>, Errno> {
        if count > MAX_IOVECS {
            return Err(Errno::INVAL);
        }
        let mut vecs = Vec::new();
        for (at, len) in self
            .slice(ptr, count * 8)?
            .chunks_exact(8)
            .map(|entry| (&entry[..4], &entry[4..]))
            .map(|(at, len)| {
                (
                    at.try_into().map(u32::from_le_bytes),
                    len.try_into().map(u32::from_le_bytes),
                )
            })
            .filter_map(|(at, len)| Some((at.ok()?, len.ok()?)))
        {
            self.slice(at, len)?;
            if len > 0 {
                vecs.push(IoVec { ptr: at, len });
            }
        }
        Ok(vecs)
    }

    /// The bytes of all buffers, at most `max` of them, one after the other.
    pub(crate) fn gather(&self, vecs: &[IoVec], max: usize) -> Result<Vec<u8>, Errno> {
        let mut data = Vec::new();
        for vec in vecs {
            let bytes = self.slice(vec.ptr, vec.len)?;
            let room = max - data.len();
            data.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            if data.len() >= max {
                break;
            }
        }
        Ok(data)
    }

    /// Spreads `data` over the buffers.
    pub(crate) fn scatter(&mut self, vecs: &[IoVec], mut data: &[u8]) -> Result<(), Errno> {
        for vec in vecs {
            let to = self.slice_mut(vec.ptr, vec.len)?;
            let n = to.len().min(data.len());
            let (now, rest) = data.split_at(n);
            if let Some(to) = to.get_mut(..n) {
                to.copy_from_slice(now);
            }
            data = rest;
            if data.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_a_fault() {
        let mut bytes = [0; 16];
        let mut memory = GuestMemory::new(&mut bytes);
        assert!(memory.slice(16, 0).is_ok());
        assert_eq!(memory.slice(17, 0), Err(Errno::FAULT));
        assert_eq!(memory.slice(0, 17), Err(Errno::FAULT));
        assert_eq!(memory.slice(u32::MAX, u32::MAX), Err(Errno::FAULT));
        assert_eq!(memory.write_u32(13, 1), Err(Errno::FAULT));
        memory.write_u64(8, 0x0102_0304_0506_0708).unwrap();
        assert_eq!(memory.read_u32(8), Ok(0x0506_0708));
        assert_eq!(memory.read_u16(14), Ok(0x0102));
        assert_eq!(memory.read_u64(9), Err(Errno::FAULT));
        memory.write(0, b"\xff").unwrap();
        assert_eq!(memory.string(0, 1), Err(Errno::ILSEQ));
    }

    #[test]
    fn buffers() {
        let mut bytes = [0u8; 64];
        let mut memory = GuestMemory::new(&mut bytes);
        for (i, (ptr, len)) in [(32u32, 3u32), (0, 0), (40, 2)].into_iter().enumerate() {
            memory.write_u32(i as u32 * 8, ptr).unwrap();
            memory.write_u32(i as u32 * 8 + 4, len).unwrap();
        }
        let vecs = memory.iovecs(0, 3).unwrap();
        assert_eq!(vecs.len(), 2);
        memory.scatter(&vecs, b"abcd").unwrap();
        assert_eq!(memory.gather(&vecs, 100).unwrap(), b"abcd\0");
        assert_eq!(memory.gather(&vecs, 2).unwrap(), b"ab");
        memory.write_u32(4, 1000).unwrap();
        assert_eq!(memory.iovecs(0, 1).unwrap_err(), Errno::FAULT);
        assert_eq!(memory.iovecs(0, u32::MAX).unwrap_err(), Errno::INVAL);
        assert_eq!(memory.iovecs(0, 1024).unwrap_err(), Errno::FAULT);
    }
}
