//! `wasi:filesystem`.

use super::bindings::wasi::clocks::wall_clock::Datetime;
use super::bindings::wasi::filesystem::{preopens, types};
use crate::ctx::WasiCtxView;
use crate::error::TrappableError;
use crate::fs::{
    self, Descriptor, DirEntries, FileInputStream, FileOutputStream, PathTarget, WriteMode, metadata_hash,
    stream_error_code,
};
use crate::runtime::blocking;
use crate::stream::{DynInputStream, DynOutputStream};
use wharf::component::{Resource, ResourceTableError};
use wharf::{Error, Result};

/// The error of the functions of `wasi:filesystem`: an `error-code`, or a trap.
pub type FsError = TrappableError<types::ErrorCode>;

type FsResult<T> = std::result::Result<T, FsError>;

impl From<fs::ErrorCode> for FsError {
    fn from(code: fs::ErrorCode) -> FsError {
        types::ErrorCode::from(code).into()
    }
}

impl From<ResourceTableError> for FsError {
    fn from(error: ResourceTableError) -> FsError {
        TrappableError::trap(error)
    }
}

/// Converts between enums with the same cases.
macro_rules! same_cases {
    ($from:ty => $to:ty { $($case:ident),+ $(,)? }) => {
        impl From<$from> for $to {
            fn from(value: $from) -> $to {
                match value {
                    $(<$from>::$case => <$to>::$case,)+
                }
            }
        }
    };
}

same_cases!(fs::ErrorCode => types::ErrorCode {
    Access, WouldBlock, Already, BadDescriptor, Busy, Deadlock, Quota, Exist, FileTooLarge, IllegalByteSequence,
    InProgress, Interrupted, Invalid, Io, IsDirectory, Loop, TooManyLinks, MessageSize, NameTooLong, NoDevice, NoEntry,
    NoLock, InsufficientMemory, InsufficientSpace, NotDirectory, NotEmpty, NotRecoverable, Unsupported, NoTty,
    NoSuchDevice, Overflow, NotPermitted, Pipe, ReadOnly, InvalidSeek, TextFileBusy, CrossDevice,
});
same_cases!(fs::DescriptorType => types::DescriptorType {
    Unknown, BlockDevice, CharacterDevice, Directory, Fifo, SymbolicLink, RegularFile, Socket,
});
same_cases!(types::Advice => fs::Advice { Normal, Sequential, Random, WillNeed, DontNeed, NoReuse });

impl From<types::NewTimestamp> for fs::NewTimestamp {
    fn from(time: types::NewTimestamp) -> fs::NewTimestamp {
        match time {
            types::NewTimestamp::NoChange => fs::NewTimestamp::NoChange,
            types::NewTimestamp::Now => fs::NewTimestamp::Now,
            types::NewTimestamp::Timestamp(at) => fs::NewTimestamp::Timestamp(fs::Datetime {
                seconds: at.seconds,
                nanoseconds: at.nanoseconds,
            }),
        }
    }
}

fn datetime(time: Option<fs::Datetime>) -> Option<Datetime> {
    time.map(|t| Datetime {
        seconds: t.seconds,
        nanoseconds: t.nanoseconds,
    })
}

impl From<fs::DescriptorStat> for types::DescriptorStat {
    fn from(stat: fs::DescriptorStat) -> types::DescriptorStat {
        types::DescriptorStat {
            type_: stat.kind.into(),
            link_count: stat.link_count,
            size: stat.size,
            data_access_timestamp: datetime(stat.accessed),
            data_modification_timestamp: datetime(stat.modified),
            status_change_timestamp: datetime(stat.changed),
        }
    }
}

/// The WIT flags and those of [`fs`] by pairs.
const DESCRIPTOR_FLAGS: [(types::DescriptorFlags, fs::DescriptorFlags); 6] = [
    (types::DescriptorFlags::READ, fs::DescriptorFlags::READ),
    (types::DescriptorFlags::WRITE, fs::DescriptorFlags::WRITE),
    (
        types::DescriptorFlags::FILE_INTEGRITY_SYNC,
        fs::DescriptorFlags::FILE_INTEGRITY_SYNC,
    ),
    (
        types::DescriptorFlags::DATA_INTEGRITY_SYNC,
        fs::DescriptorFlags::DATA_INTEGRITY_SYNC,
    ),
    (
        types::DescriptorFlags::REQUESTED_WRITE_SYNC,
        fs::DescriptorFlags::REQUESTED_WRITE_SYNC,
    ),
    (
        types::DescriptorFlags::MUTATE_DIRECTORY,
        fs::DescriptorFlags::MUTATE_DIRECTORY,
    ),
];

impl From<types::DescriptorFlags> for fs::DescriptorFlags {
    fn from(flags: types::DescriptorFlags) -> fs::DescriptorFlags {
        DESCRIPTOR_FLAGS
            .into_iter()
            .filter(|(wit, _)| flags.contains(*wit))
            .map(|(_, own)| own)
            .collect()
    }
}

impl From<fs::DescriptorFlags> for types::DescriptorFlags {
    fn from(flags: fs::DescriptorFlags) -> types::DescriptorFlags {
        let mut wit = types::DescriptorFlags::empty();
        for (flag, _) in DESCRIPTOR_FLAGS
            .into_iter()
            .filter(|(_, own)| flags.contains(*own))
        {
            wit.insert(flag);
        }
        wit
    }
}

impl From<types::OpenFlags> for fs::OpenFlags {
    fn from(flags: types::OpenFlags) -> fs::OpenFlags {
        [
            (types::OpenFlags::CREATE, fs::OpenFlags::CREATE),
            (types::OpenFlags::DIRECTORY, fs::OpenFlags::DIRECTORY),
            (types::OpenFlags::EXCLUSIVE, fs::OpenFlags::EXCLUSIVE),
            (types::OpenFlags::TRUNCATE, fs::OpenFlags::TRUNCATE),
        ]
        .into_iter()
        .filter(|(wit, _)| flags.contains(*wit))
        .map(|(_, own)| own)
        .collect()
    }
}

fn target(flags: types::PathFlags, path: &str) -> PathTarget<'_> {
    PathTarget {
        path,
        follow: flags.contains(types::PathFlags::SYMLINK_FOLLOW),
    }
}

fn hash_value((lower, upper): (u64, u64)) -> types::MetadataHashValue {
    types::MetadataHashValue { lower, upper }
}

impl WasiCtxView<'_> {
    fn descriptor(&self, fd: &Resource<Descriptor>) -> FsResult<&Descriptor> {
        Ok(self.table.get(fd)?)
    }

    fn file(&self, fd: &Resource<Descriptor>) -> FsResult<&fs::File> {
        Ok(self.descriptor(fd)?.file()?)
    }

    fn dir(&self, fd: &Resource<Descriptor>) -> FsResult<&fs::Dir> {
        Ok(self.descriptor(fd)?.dir()?)
    }

    fn write_stream(
        &mut self,
        fd: &Resource<Descriptor>,
        mode: WriteMode,
    ) -> FsResult<Resource<DynOutputStream>> {
        let file = self.file(fd)?;
        file.check_write()?;
        let stream: DynOutputStream = Box::new(FileOutputStream::new(file.handle().clone(), mode));
        Ok(self.table.push(stream)?)
    }
}

impl preopens::Host for WasiCtxView<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Resource<Descriptor>, String)>> {
        let mut directories = Vec::with_capacity(self.ctx.preopens.len());
        for (dir, name) in &self.ctx.preopens {
            let dir = dir.clone().strict(self.ctx.strict_directories);
            directories.push((self.table.push(Descriptor::Dir(dir))?, name.clone()));
        }
        Ok(directories)
    }
}

impl types::Host for WasiCtxView<'_> {
    fn filesystem_error_code(&mut self, error: Resource<Error>) -> Result<Option<types::ErrorCode>> {
        Ok(stream_error_code(self.table.get(&error)?).map(Into::into))
    }

    fn convert_error_code(&mut self, error: FsError) -> Result<types::ErrorCode> {
        error.downcast()
    }
}

impl types::HostDescriptor for WasiCtxView<'_> {
    fn read_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        let file = self.file(&fd)?;
        file.check_read()?;
        let stream: DynInputStream = Box::new(FileInputStream::new(file.handle().clone(), offset));
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.write_stream(&fd, WriteMode::At(offset))
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        self.write_stream(&fd, WriteMode::Append)
    }

    fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: u64,
        length: u64,
        advice: types::Advice,
    ) -> FsResult<()> {
        Ok(self.file(&fd)?.advise(offset, length, advice.into())?)
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let descriptor = self.descriptor(&fd)?.clone();
        Ok(blocking(move || descriptor.sync_data()).await?)
    }

    fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorFlags> {
        Ok(self.descriptor(&fd)?.flags().into())
    }

    fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorType> {
        Ok(self.descriptor(&fd)?.kind()?.into())
    }

    fn set_size(&mut self, fd: Resource<Descriptor>, size: u64) -> FsResult<()> {
        Ok(self.file(&fd)?.set_size(size)?)
    }

    fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        data_access_timestamp: types::NewTimestamp,
        data_modification_timestamp: types::NewTimestamp,
    ) -> FsResult<()> {
        let descriptor = self.descriptor(&fd)?;
        Ok(descriptor.set_times(data_access_timestamp.into(), data_modification_timestamp.into())?)
    }

    fn read(&mut self, fd: Resource<Descriptor>, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        Ok(self.file(&fd)?.read(length, offset)?)
    }

    fn write(&mut self, fd: Resource<Descriptor>, buffer: Vec<u8>, offset: u64) -> FsResult<u64> {
        Ok(self.file(&fd)?.write(&buffer, offset)? as u64)
    }

    fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirEntries>> {
        let entries = self.dir(&fd)?.entries()?;
        Ok(self.table.push(entries)?)
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        let descriptor = self.descriptor(&fd)?.clone();
        Ok(blocking(move || descriptor.sync()).await?)
    }

    fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        Ok(self.dir(&fd)?.create_directory_at(&path)?)
    }

    fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<types::DescriptorStat> {
        Ok(self.descriptor(&fd)?.stat()?.into())
    }

    fn stat_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::DescriptorStat> {
        Ok(self.dir(&fd)?.stat_at(target(path_flags, &path))?.into())
    }

    fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: types::PathFlags,
        path: String,
        data_access_timestamp: types::NewTimestamp,
        data_modification_timestamp: types::NewTimestamp,
    ) -> FsResult<()> {
        let (accessed, modified) = (data_access_timestamp.into(), data_modification_timestamp.into());
        Ok(self
            .dir(&fd)?
            .set_times_at(target(path_flags, &path), accessed, modified)?)
    }

    fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path_flags: types::PathFlags,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let new_dir = self.dir(&new_descriptor)?;
        Ok(self
            .dir(&fd)?
            .link_at(target(old_path_flags, &old_path), new_dir, &new_path)?)
    }

    fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: types::PathFlags,
        path: String,
        open_flags: types::OpenFlags,
        flags: types::DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let opened = self
            .dir(&fd)?
            .open_at(target(path_flags, &path), open_flags.into(), flags.into())?;
        Ok(self.table.push(opened)?)
    }

    fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        Ok(self.dir(&fd)?.readlink_at(&path)?)
    }

    fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        Ok(self.dir(&fd)?.remove_directory_at(&path)?)
    }

    fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let new_dir = self.dir(&new_descriptor)?;
        Ok(self.dir(&fd)?.rename_at(&old_path, new_dir, &new_path)?)
    }

    fn symlink_at(&mut self, fd: Resource<Descriptor>, old_path: String, new_path: String) -> FsResult<()> {
        Ok(self.dir(&fd)?.symlink_at(&old_path, &new_path)?)
    }

    fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        Ok(self.dir(&fd)?.unlink_file_at(&path)?)
    }

    fn is_same_object(&mut self, fd: Resource<Descriptor>, other: Resource<Descriptor>) -> Result<bool> {
        let (fd, other) = (self.table.get(&fd)?, self.table.get(&other)?);
        // What can't be looked at is not known to be the same.
        Ok(fd.is_same_object(other).unwrap_or(false))
    }

    fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<types::MetadataHashValue> {
        Ok(hash_value(metadata_hash(&self.descriptor(&fd)?.metadata()?)))
    }

    fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: types::PathFlags,
        path: String,
    ) -> FsResult<types::MetadataHashValue> {
        Ok(hash_value(
            self.dir(&fd)?.metadata_hash_at(target(path_flags, &path))?,
        ))
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> Result<()> {
        self.table.delete(fd)?;
        Ok(())
    }
}

impl types::HostDirectoryEntryStream for WasiCtxView<'_> {
    fn read_directory_entry(
        &mut self,
        stream: Resource<DirEntries>,
    ) -> FsResult<Option<types::DirectoryEntry>> {
        let entry = self.table.get_mut(&stream)?.next_entry(false)?;
        Ok(entry.map(|entry| types::DirectoryEntry {
            type_: entry.kind.into(),
            name: entry.name,
        }))
    }

    fn drop(&mut self, stream: Resource<DirEntries>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}
