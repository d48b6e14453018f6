//! Directories and files of the host.

use super::node::{Opened, PathTarget};
use super::types::{DescriptorFlags, Metadata, NewTimestamp, OpenFlags};
use super::{ErrorCode, FsResult};
use cap_fs_ext::{
    DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsMaybeDirExt as _,
    OpenOptionsSyncExt as _,
};
use cap_std::fs::{Dir, File, OpenOptions};
use std::io;
use std::path::Path;

pub(super) fn metadata_at(dir: &Dir, target: PathTarget<'_>) -> FsResult<Metadata> {
    Ok(match target.follow {
        true => dir.metadata(target.path)?.into(),
        false => dir.symlink_metadata(target.path)?.into(),
    })
}

pub(super) fn set_times_at(
    dir: &Dir,
    target: PathTarget<'_>,
    accessed: NewTimestamp,
    modified: NewTimestamp,
) -> FsResult<()> {
    let spec = |time: NewTimestamp| -> FsResult<Option<cap_fs_ext::SystemTimeSpec>> {
        Ok(time.to_spec()?.map(|spec| match spec {
            fs_set_times::SystemTimeSpec::SymbolicNow => cap_fs_ext::SystemTimeSpec::SymbolicNow,
            fs_set_times::SystemTimeSpec::Absolute(at) => {
                cap_fs_ext::SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(at))
            }
        }))
    };
    let (accessed, modified) = (spec(accessed)?, spec(modified)?);
    if target.follow {
        cap_fs_ext::DirExt::set_times(dir, target.path, accessed, modified)?;
    } else {
        dir.set_symlink_times(target.path, accessed, modified)?;
    }
    Ok(())
}

pub(super) fn readlink_at(dir: &Dir, path: &str) -> FsResult<String> {
    let target = dir.read_link(path)?;
    target
        .into_os_string()
        .into_string()
        .map_err(|_| ErrorCode::IllegalByteSequence)
}

pub(super) fn symlink_at(dir: &Dir, target: &str, path: &str) -> FsResult<()> {
    if Path::new(target).has_root() {
        return Err(ErrorCode::NotPermitted);
    }
    Ok(cap_fs_ext::DirExt::symlink(dir, target, path)?)
}

pub(super) fn open_at(
    dir: &Dir,
    target: PathTarget<'_>,
    open: OpenFlags,
    flags: DescriptorFlags,
) -> FsResult<Opened> {
    let file = open_file(dir, target, open, flags)?;
    Ok(match file.metadata()?.is_dir() {
        true => Opened::Dir(Dir::from_std_file(file.into_std()).into()),
        false => Opened::File(file.into()),
    })
}

fn open_file(dir: &Dir, target: PathTarget<'_>, open: OpenFlags, flags: DescriptorFlags) -> FsResult<File> {
    let mut options = OpenOptions::new();
    options
        .read(flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE))
        .write(flags.contains(DescriptorFlags::WRITE) || open.contains(OpenFlags::TRUNCATE))
        .truncate(open.contains(OpenFlags::TRUNCATE))
        .maybe_dir(true)
        .follow(if target.follow {
            FollowSymlinks::Yes
        } else {
            FollowSymlinks::No
        })
        .sync(flags.contains(DescriptorFlags::FILE_INTEGRITY_SYNC))
        .dsync(flags.contains(DescriptorFlags::DATA_INTEGRITY_SYNC));
    if flags.contains(DescriptorFlags::REQUESTED_WRITE_SYNC) && cfg!(unix) {
        options.rsync(true);
    }
    if !open.contains(OpenFlags::CREATE) {
        return Ok(dir.open_with(target.path, &options)?);
    }
    if flags.contains(DescriptorFlags::WRITE) || open.intersects(OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE) {
        options.write(true);
        if open.contains(OpenFlags::EXCLUSIVE) {
            options.create_new(true);
        } else {
            options.create(true);
        }
        return Ok(dir.open_with(target.path, &options)?);
    }
    // Creating needs an open for writing; what exists and shall only be read may not be writable on the host.
    match dir.open_with(target.path, &options) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            Ok(dir.open_with(target.path, options.write(true).create(true))?)
        }
        other => Ok(other?),
    }
}

pub(super) fn set_times(file: &File, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
    use fs_set_times::SetTimes as _;
    Ok(file.set_times(accessed.to_spec()?, modified.to_spec()?)?)
}

/// The next entry of a directory; `None` for one that was removed since the directory was read.
pub(super) fn entry(
    entry: &cap_std::fs::DirEntry,
    with_inode: bool,
) -> FsResult<Option<super::node::DirEntry>> {
    let there = |result: io::Result<_>| match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(ErrorCode::from(e)),
        Ok(value) => Ok(Some(value)),
    };
    let Some(kind) = there(entry.file_type().map(Into::into))? else {
        return Ok(None);
    };
    let inode = match with_inode.then(|| cap_fs_ext::DirEntryExt::full_metadata(entry)) {
        None => 0,
        Some(Ok(meta)) => super::metadata_hash(&meta.into()).0,
        Some(Err(e)) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Some(Err(e)) => return Err(e.into()),
    };
    let name = entry
        .file_name()
        .into_string()
        .map_err(|_| ErrorCode::IllegalByteSequence)?;
    Ok(Some(super::node::DirEntry { name, kind, inode }))
}
