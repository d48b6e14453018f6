//! The `fd_*` functions.

use super::Call;
use super::fds::Fd;
use super::memory::IoVec;
use super::types::{Errno, Failure, P1Result, fdflags, filetype, filetype_of};
use crate::fs::{Advice, Datetime, Descriptor, DescriptorStat, DirEntry, NewTimestamp, PAUSE, metadata_hash};
use crate::runtime::{blocking, sleep};
use crate::stream::StreamError;
use bytes::Bytes;

/// The most bytes that one write takes from several buffers.
const MAX_GATHER: usize = 1 << 20;

impl Call<'_> {
    pub(super) fn fd_advise(&mut self, fd: u32, offset: u64, len: u64, advice: u32) -> P1Result {
        let advice = match advice {
            0 => Advice::Normal,
            1 => Advice::Sequential,
            2 => Advice::Random,
            3 => Advice::WillNeed,
            4 => Advice::DontNeed,
            5 => Advice::NoReuse,
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(self.fds.file(fd)?.file.advise(offset, len, advice)?)
    }

    pub(super) fn fd_allocate(&mut self, fd: u32, offset: u64, len: u64) -> P1Result {
        Ok(self.fds.file(fd)?.file.allocate(offset, len)?)
    }

    pub(super) fn fd_close(&mut self, fd: u32) -> P1Result {
        Ok(self.fds.close(fd)?)
    }

    /// The file or directory behind `fd`, if it is one.
    fn descriptor(&mut self, fd: u32) -> Result<Option<Descriptor>, Errno> {
        Ok(match self.fds.get(fd)? {
            Fd::File(file) => Some(Descriptor::File(file.file.clone())),
            Fd::Dir(dir) => Some(Descriptor::Dir(dir.dir.clone())),
            Fd::Input(_) | Fd::Output(_) => None,
        })
    }

    pub(super) async fn fd_datasync(&mut self, fd: u32) -> P1Result {
        match self.descriptor(fd)? {
            Some(descriptor) => Ok(blocking(move || descriptor.sync_data()).await?),
            None => Err(Errno::INVAL.into()),
        }
    }

    pub(super) async fn fd_sync(&mut self, fd: u32) -> P1Result {
        match self.descriptor(fd)? {
            Some(descriptor) => Ok(blocking(move || descriptor.sync()).await?),
            None => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn fd_fdstat_get(&mut self, fd: u32, result: u32) -> P1Result {
        let stat = self.fds.get(fd)?.stat();
        let mut bytes = [0; 24];
        bytes[0] = stat.filetype;
        bytes[2..4].copy_from_slice(&stat.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&stat.rights.to_le_bytes());
        bytes[16..].copy_from_slice(&stat.inheriting.to_le_bytes());
        Ok(self.memory.write(result, &bytes)?)
    }

    /// Appending and not blocking can be switched; how writes are synchronized is fixed when a file is opened.
    pub(super) fn fd_fdstat_set_flags(&mut self, fd: u32, flags: u32) -> P1Result {
        let flags = u16::try_from(flags)
            .ok()
            .filter(|f| f & !fdflags::ALL == 0)
            .ok_or(Errno::INVAL)?;
        match self.fds.get(fd)? {
            Fd::Input(input) => input.nonblock = flags & fdflags::NONBLOCK != 0,
            // A write to a stream never waits for long.
            Fd::Output(_) => {}
            Fd::File(file) => {
                let switchable = fdflags::APPEND | fdflags::NONBLOCK;
                if (flags ^ file.flags) & !switchable != 0 {
                    return Err(Errno::INVAL.into());
                }
                file.flags = flags;
            }
            Fd::Dir(_) => return Err(Errno::BADF.into()),
        }
        Ok(())
    }

    /// Rights can't be taken away one by one; a guest that wants fewer opens the file with fewer.
    pub(super) fn fd_fdstat_set_rights(&mut self, fd: u32, _base: u64, _inheriting: u64) -> P1Result {
        self.fds.get(fd)?;
        Err(Errno::NOTSUP.into())
    }

    pub(super) fn write_filestat(&mut self, ptr: u32, stat: &DescriptorStat, inode: u64) -> P1Result {
        let nanos = |time: Option<Datetime>| time.map_or(0, Datetime::as_nanos).to_le_bytes();
        let mut bytes = [0; 64];
        // Inode numbers are hashes over device and inode: there is one device.
        bytes[..8].copy_from_slice(&1u64.to_le_bytes());
        bytes[8..16].copy_from_slice(&inode.to_le_bytes());
        bytes[16] = filetype_of(stat.kind);
        bytes[24..32].copy_from_slice(&stat.link_count.to_le_bytes());
        bytes[32..40].copy_from_slice(&stat.size.to_le_bytes());
        bytes[40..48].copy_from_slice(&nanos(stat.accessed));
        bytes[48..56].copy_from_slice(&nanos(stat.modified));
        bytes[56..].copy_from_slice(&nanos(stat.changed));
        Ok(self.memory.write(ptr, &bytes)?)
    }

    pub(super) fn fd_filestat_get(&mut self, fd: u32, result: u32) -> P1Result {
        match self.descriptor(fd)? {
            Some(descriptor) => {
                let meta = descriptor.metadata()?;
                self.write_filestat(result, &meta.stat, metadata_hash(&meta).0)
            }
            None => {
                let mut bytes = [0; 64];
                bytes[16] = self.fds.get(fd)?.filetype();
                Ok(self.memory.write(result, &bytes)?)
            }
        }
    }

    pub(super) fn fd_filestat_set_size(&mut self, fd: u32, size: u64) -> P1Result {
        Ok(self.fds.file(fd)?.file.set_size(size)?)
    }

    pub(super) fn fd_filestat_set_times(
        &mut self,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> P1Result {
        let (accessed, modified) = new_times(accessed, modified, flags)?;
        match self.descriptor(fd)? {
            Some(descriptor) => Ok(descriptor.set_times(accessed, modified)?),
            None => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn fd_pread(&mut self, fd: u32, iovs: u32, count: u32, offset: u64, result: u32) -> P1Result {
        let vecs = self.memory.iovecs(iovs, count)?;
        let n = self.read_file(fd, &vecs, offset)?;
        Ok(self.memory.write_u32(result, n)?)
    }

    pub(super) async fn fd_read(&mut self, fd: u32, iovs: u32, count: u32, result: u32) -> P1Result {
        let vecs = self.memory.iovecs(iovs, count)?;
        let n = match self.fds.get(fd)? {
            Fd::File(file) => {
                let (position, nonblock) = (file.position, file.flags & fdflags::NONBLOCK != 0);
                let n = loop {
                    match self.read_file(fd, &vecs, position) {
                        Err(Failure::Errno(Errno::AGAIN)) if !nonblock => sleep(PAUSE).await,
                        other => break other?,
                    }
                };
                self.fds.file(fd)?.position = position.saturating_add(n.into());
                n
            }
            Fd::Input(input) => {
                let wanted = vecs
                    .iter()
                    .fold(0usize, |sum, v| sum.saturating_add(v.len as usize))
                    .min(MAX_GATHER);
                let read = match (wanted, input.nonblock) {
                    (0, _) => Ok(Bytes::new()),
                    (_, true) => match input.stream.read(wanted) {
                        Ok(none) if none.is_empty() => return Err(Errno::AGAIN.into()),
                        other => other,
                    },
                    (_, false) => input.stream.blocking_read(wanted).await,
                };
                let bytes = match read {
                    Ok(bytes) => bytes,
                    Err(StreamError::Closed) => Bytes::new(),
                    Err(e) => return Err(e.into()),
                };
                self.memory.scatter(&vecs, &bytes)?;
                u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)?
            }
            Fd::Output(_) => return Err(Errno::BADF.into()),
            Fd::Dir(_) => return Err(Errno::ISDIR.into()),
        };
        Ok(self.memory.write_u32(result, n)?)
    }

    /// Reads into one buffer after the other until one is not filled.
    fn read_file(&mut self, fd: u32, vecs: &[IoVec], offset: u64) -> P1Result<u32> {
        let file = &self.fds.file(fd)?.file;
        file.check_read()?;
        let mut total = 0u32;
        for vec in vecs {
            let to = self.memory.slice_mut(vec.ptr, vec.len)?;
            let n = match file.read_into(to, offset.saturating_add(total.into())) {
                Ok(n) => n,
                Err(e) if total == 0 => return Err(e.into()),
                Err(_) => break,
            };
            total = u32::try_from(n)
                .ok()
                .and_then(|n| total.checked_add(n))
                .ok_or(Errno::OVERFLOW)?;
            if n < vec.len as usize {
                break;
            }
        }
        Ok(total)
    }

    /// Writes some of the buffers: all of a single one, a bounded part of several.
    fn write_file(&mut self, fd: u32, vecs: &[IoVec], offset: Option<u64>) -> P1Result<u32> {
        let gathered;
        let data = match vecs {
            [] => &[][..],
            [one] => self.memory.slice(one.ptr, one.len)?,
            several => {
                gathered = self.memory.gather(several, MAX_GATHER)?;
                &gathered
            }
        };
        let file = &self.fds.file(fd)?.file;
        let n = match offset {
            Some(offset) => file.write(data, offset)?,
            None => file.append(data)?,
        };
        Ok(u32::try_from(n).map_err(|_| Errno::OVERFLOW)?)
    }

    pub(super) fn fd_pwrite(&mut self, fd: u32, iovs: u32, count: u32, offset: u64, result: u32) -> P1Result {
        let vecs = self.memory.iovecs(iovs, count)?;
        let n = self.write_file(fd, &vecs, Some(offset))?;
        Ok(self.memory.write_u32(result, n)?)
    }

    pub(super) async fn fd_write(&mut self, fd: u32, iovs: u32, count: u32, result: u32) -> P1Result {
        let vecs = self.memory.iovecs(iovs, count)?;
        let n = match self.fds.get(fd)? {
            Fd::File(file) => {
                let (append, nonblock) = (
                    file.flags & fdflags::APPEND != 0,
                    file.flags & fdflags::NONBLOCK != 0,
                );
                let position = file.position;
                let n = loop {
                    match self.write_file(fd, &vecs, (!append).then_some(position)) {
                        Err(Failure::Errno(Errno::AGAIN)) if !nonblock => sleep(PAUSE).await,
                        other => break other?,
                    }
                };
                let file = self.fds.file(fd)?;
                file.position = match append {
                    true => file.file.metadata()?.len(),
                    false => position.saturating_add(n.into()),
                };
                n
            }
            Fd::Output(output) => {
                let data = self.memory.gather(&vecs, MAX_GATHER)?;
                let n = u32::try_from(data.len()).map_err(|_| Errno::OVERFLOW)?;
                output.stream.blocking_write_and_flush(data.into()).await?;
                n
            }
            Fd::Input(_) | Fd::Dir(_) => return Err(Errno::BADF.into()),
        };
        Ok(self.memory.write_u32(result, n)?)
    }

    pub(super) fn fd_prestat_get(&mut self, fd: u32, result: u32) -> P1Result {
        let name = self.preopen_name(fd)?;
        let len = u32::try_from(name.len()).map_err(|_| Errno::OVERFLOW)?;
        let mut bytes = [0; 8];
        bytes[4..].copy_from_slice(&len.to_le_bytes());
        Ok(self.memory.write(result, &bytes)?)
    }

    pub(super) fn fd_prestat_dir_name(&mut self, fd: u32, path: u32, len: u32) -> P1Result {
        let name = self.preopen_name(fd)?;
        if name.len() > len as usize {
            return Err(Errno::NAMETOOLONG.into());
        }
        Ok(self.memory.write(path, name.as_bytes())?)
    }

    /// C libraries look for granted directories until the first `EBADF`, so anything else is that.
    fn preopen_name(&mut self, fd: u32) -> Result<String, Errno> {
        match self.fds.get(fd)? {
            Fd::Dir(dir) => dir.preopen.clone().ok_or(Errno::BADF),
            _ => Err(Errno::BADF),
        }
    }

    pub(super) fn fd_readdir(&mut self, fd: u32, buf: u32, len: u32, cookie: u64, result: u32) -> P1Result {
        let open = self.fds.open_dir(fd)?;
        if cookie == 0 || open.listing.is_none() {
            open.listing = Some(list(&open.dir)?);
            self.fds.trim_listings(fd);
        }
        let open = self.fds.open_dir(fd)?;
        let out = self.memory.slice_mut(buf, len)?;
        let mut used = 0;
        let entries = open.listing.iter().flatten().zip(1u64..);
        for (entry, next) in entries.skip(usize::try_from(cookie).unwrap_or(usize::MAX)) {
            let mut bytes = Vec::with_capacity(24 + entry.name.len());
            bytes.extend_from_slice(&next.to_le_bytes());
            bytes.extend_from_slice(&entry.inode.to_le_bytes());
            bytes.extend_from_slice(&u32::try_from(entry.name.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(&u32::from(filetype_of(entry.kind)).to_le_bytes());
            bytes.extend_from_slice(entry.name.as_bytes());
            // What doesn't fit is cut off, which tells the guest to come again with a larger buffer.
            let room = out.get_mut(used..).unwrap_or_default();
            let n = bytes.len().min(room.len());
            if let (Some(room), Some(bytes)) = (room.get_mut(..n), bytes.get(..n)) {
                room.copy_from_slice(bytes);
            }
            used += n;
            if used == out.len() {
                break;
            }
        }
        Ok(self
            .memory
            .write_u32(result, u32::try_from(used).map_err(|_| Errno::OVERFLOW)?)?)
    }

    pub(super) fn fd_renumber(&mut self, from: u32, to: u32) -> P1Result {
        Ok(self.fds.renumber(from, to)?)
    }

    pub(super) fn fd_seek(&mut self, fd: u32, offset: u64, whence: u32, result: u32) -> P1Result {
        let file = self.fds.file(fd)?;
        if !matches!(file.filetype, filetype::REGULAR_FILE | filetype::BLOCK_DEVICE) {
            return Err(Errno::SPIPE.into());
        }
        let base = match whence {
            0 => 0,
            1 => file.position,
            2 => file.file.metadata()?.len(),
            _ => return Err(Errno::INVAL.into()),
        };
        let position = base
            .checked_add_signed(offset.cast_signed())
            .ok_or(Errno::INVAL)?;
        if i64::try_from(position).is_err() {
            return Err(Errno::INVAL.into());
        }
        file.position = position;
        Ok(self.memory.write_u64(result, position)?)
    }

    pub(super) fn fd_tell(&mut self, fd: u32, result: u32) -> P1Result {
        let position = self.fds.file(fd)?.position;
        Ok(self.memory.write_u64(result, position)?)
    }
}

/// The entries of a directory with `.` and `..`, which preview 1 has and WASI 0.2 has not.
fn list(dir: &crate::fs::Dir) -> P1Result<Vec<DirEntry>> {
    let inode = metadata_hash(&dir.metadata()?).0;
    let kind = crate::fs::DescriptorType::Directory;
    let mut listing = vec![
        DirEntry {
            name: ".".to_owned(),
            kind,
            inode,
        },
        // What is above is nobody's business; for a granted directory it is outside of the sandbox.
        DirEntry {
            name: "..".to_owned(),
            kind,
            inode,
        },
    ];
    let mut entries = dir.entries()?;
    while let Some(entry) = entries.next_entry(true)? {
        listing.push(entry);
    }
    Ok(listing)
}

/// `fstflags`: 1 and 4 set the access and modification time to a value, 2 and 8 to now.
pub(super) fn new_times(
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(NewTimestamp, NewTimestamp), Errno> {
    let choose = |nanos, value, now| match (flags & value != 0, flags & now != 0) {
        (true, true) => Err(Errno::INVAL),
        (true, false) => Ok(NewTimestamp::Timestamp(Datetime::from_nanos(nanos))),
        (false, true) => Ok(NewTimestamp::Now),
        (false, false) => Ok(NewTimestamp::NoChange),
    };
    if flags > 15 {
        return Err(Errno::INVAL);
    }
    Ok((choose(accessed, 1, 2)?, choose(modified, 4, 8)?))
}
