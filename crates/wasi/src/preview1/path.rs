//! The `path_*` functions.

use super::Call;
use super::fds::Fd;
use super::types::{Errno, P1Result, fdflags, rights};
use crate::fs::{DescriptorFlags, OpenFlags, PathTarget, metadata_hash};

/// `lookupflags`: the only one asks for a symbolic link at the end to be followed.
fn follow(flags: u32) -> Result<bool, Errno> {
    match flags {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::INVAL),
    }
}

/// What a path stands for, by the `lookupflags` of the call.
fn target(path: &str, flags: u32) -> Result<PathTarget<'_>, Errno> {
    let follow = follow(flags)?;
    Ok(PathTarget { path, follow })
}

/// What a descriptor can be used for, by the rights and flags that a guest asks for.
fn descriptor_flags(base: u64, open: OpenFlags, fd_flags: u16) -> DescriptorFlags {
    let mut wanted = DescriptorFlags::empty();
    wanted.set(DescriptorFlags::READ, base & rights::FD_READ != 0);
    // Guests that ask for every right mean a directory all the same.
    let writes = base & rights::FD_WRITE != 0 && !open.contains(OpenFlags::DIRECTORY);
    wanted.set(DescriptorFlags::WRITE, writes);
    wanted.set(
        DescriptorFlags::DATA_INTEGRITY_SYNC,
        fd_flags & fdflags::DSYNC != 0,
    );
    wanted.set(
        DescriptorFlags::REQUESTED_WRITE_SYNC,
        fd_flags & fdflags::RSYNC != 0,
    );
    wanted.set(
        DescriptorFlags::FILE_INTEGRITY_SYNC,
        fd_flags & fdflags::SYNC != 0,
    );
    wanted
}

impl Call<'_> {
    pub(super) fn path_create_directory(&mut self, fd: u32, path: u32, len: u32) -> P1Result {
        let path = self.memory.string(path, len)?;
        Ok(self.fds.dir(fd)?.create_directory_at(&path)?)
    }

    pub(super) fn path_filestat_get(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        len: u32,
        result: u32,
    ) -> P1Result {
        let path = self.memory.string(path, len)?;
        let target = target(&path, flags)?;
        let meta = self.fds.dir(fd)?.metadata_at(target)?;
        self.write_filestat(result, &meta.stat, metadata_hash(&meta).0)
    }

    #[allow(clippy::too_many_arguments, reason = "the signature of the guest's import")]
    pub(super) fn path_filestat_set_times(
        &mut self,
        fd: u32,
        flags: u32,
        path: u32,
        len: u32,
        accessed: u64,
        modified: u64,
        which: u32,
    ) -> P1Result {
        let path = self.memory.string(path, len)?;
        let target = target(&path, flags)?;
        let (accessed, modified) = super::fd::new_times(accessed, modified, which)?;
        Ok(self.fds.dir(fd)?.set_times_at(target, accessed, modified)?)
    }

    #[allow(clippy::too_many_arguments, reason = "the signature of the guest's import")]
    pub(super) fn path_link(
        &mut self,
        old_fd: u32,
        flags: u32,
        old: u32,
        old_len: u32,
        new_fd: u32,
        new: u32,
        new_len: u32,
    ) -> P1Result {
        let (old, new) = (
            self.memory.string(old, old_len)?,
            self.memory.string(new, new_len)?,
        );
        let target = target(&old, flags)?;
        let new_dir = self.fds.dir(new_fd)?.clone();
        Ok(self.fds.dir(old_fd)?.link_at(target, &new_dir, &new)?)
    }

    #[allow(clippy::too_many_arguments, reason = "the signature of the guest's import")]
    pub(super) fn path_open(
        &mut self,
        fd: u32,
        lookup: u32,
        path: u32,
        len: u32,
        how: u32,
        base: u64,
        _inheriting: u64,
        flags: u32,
        result: u32,
    ) -> P1Result {
        let path = self.memory.string(path, len)?;
        let target = target(&path, lookup)?;
        let open = u8::try_from(how)
            .ok()
            .and_then(OpenFlags::from_bits)
            .ok_or(Errno::INVAL)?;
        let fd_flags = u16::try_from(flags)
            .ok()
            .filter(|f| f & !fdflags::ALL == 0)
            .ok_or(Errno::INVAL)?;
        // The result's place is checked before anything is created.
        self.memory.slice(result, 4)?;
        let descriptor = self
            .fds
            .dir(fd)?
            .open_at(target, open, descriptor_flags(base, open, fd_flags))?;
        let new = self.fds.insert(Fd::from_descriptor(descriptor, fd_flags)?)?;
        Ok(self.memory.write_u32(result, new)?)
    }

    pub(super) fn path_readlink(
        &mut self,
        fd: u32,
        path: u32,
        len: u32,
        buf: u32,
        buf_len: u32,
        result: u32,
    ) -> P1Result {
        let path = self.memory.string(path, len)?;
        let target = self.fds.dir(fd)?.readlink_at(&path)?;
        let to = self.memory.slice_mut(buf, buf_len)?;
        // As POSIX has it, what doesn't fit is cut off.
        let n = to.len().min(target.len());
        if let (Some(to), Some(from)) = (to.get_mut(..n), target.as_bytes().get(..n)) {
            to.copy_from_slice(from);
        }
        Ok(self
            .memory
            .write_u32(result, u32::try_from(n).map_err(|_| Errno::OVERFLOW)?)?)
    }

    pub(super) fn path_remove_directory(&mut self, fd: u32, path: u32, len: u32) -> P1Result {
        let path = self.memory.string(path, len)?;
        Ok(self.fds.dir(fd)?.remove_directory_at(&path)?)
    }

    pub(super) fn path_rename(
        &mut self,
        fd: u32,
        old: u32,
        old_len: u32,
        new_fd: u32,
        new: u32,
        new_len: u32,
    ) -> P1Result {
        let (old, new) = (
            self.memory.string(old, old_len)?,
            self.memory.string(new, new_len)?,
        );
        let new_dir = self.fds.dir(new_fd)?.clone();
        Ok(self.fds.dir(fd)?.rename_at(&old, &new_dir, &new)?)
    }

    pub(super) fn path_symlink(
        &mut self,
        target: u32,
        target_len: u32,
        fd: u32,
        path: u32,
        len: u32,
    ) -> P1Result {
        let (target, path) = (
            self.memory.string(target, target_len)?,
            self.memory.string(path, len)?,
        );
        Ok(self.fds.dir(fd)?.symlink_at(&target, &path)?)
    }

    pub(super) fn path_unlink_file(&mut self, fd: u32, path: u32, len: u32) -> P1Result {
        let path = self.memory.string(path, len)?;
        Ok(self.fds.dir(fd)?.unlink_file_at(&path)?)
    }
}
