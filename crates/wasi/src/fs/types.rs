//! The vocabulary of `wasi:filesystem`, independent of generated bindings so that both WASI versions share it.

use std::io;
use std::time::{Duration, SystemTime};

bitflags::bitflags! {
    /// What a guest may do with the entries of a preopened directory and of the directories below it.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub struct DirPerms: u8 {
        /// Entries can be listed, looked up and opened.
        const READ = 0b01;
        /// Entries can be created, renamed, linked, removed and given new times.
        const MUTATE = 0b10;
    }

    /// What a guest may do with the files below a preopened directory.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub struct FilePerms: u8 {
        /// File contents can be read.
        const READ = 0b01;
        /// File contents, sizes and times can be changed.
        const WRITE = 0b10;
    }

    /// `descriptor-flags`: how a descriptor was opened.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub(crate) struct DescriptorFlags: u8 {
        const READ = 1 << 0;
        const WRITE = 1 << 1;
        const FILE_INTEGRITY_SYNC = 1 << 2;
        const DATA_INTEGRITY_SYNC = 1 << 3;
        const REQUESTED_WRITE_SYNC = 1 << 4;
        const MUTATE_DIRECTORY = 1 << 5;
    }

    /// `open-flags`: what `open-at` shall do besides opening.
    #[derive(Copy, Clone, Debug, PartialEq, Eq)]
    pub(crate) struct OpenFlags: u8 {
        const CREATE = 1 << 0;
        const DIRECTORY = 1 << 1;
        const EXCLUSIVE = 1 << 2;
        const TRUNCATE = 1 << 3;
    }
}

/// `error-code` of `wasi:filesystem/types`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the POSIX errors of the same names")]
pub enum ErrorCode {
    Access,
    WouldBlock,
    Already,
    BadDescriptor,
    Busy,
    Deadlock,
    Quota,
    Exist,
    FileTooLarge,
    IllegalByteSequence,
    InProgress,
    Interrupted,
    Invalid,
    Io,
    IsDirectory,
    Loop,
    TooManyLinks,
    MessageSize,
    NameTooLong,
    NoDevice,
    NoEntry,
    NoLock,
    InsufficientMemory,
    InsufficientSpace,
    NotDirectory,
    NotEmpty,
    NotRecoverable,
    Unsupported,
    NoTty,
    NoSuchDevice,
    Overflow,
    NotPermitted,
    Pipe,
    ReadOnly,
    InvalidSeek,
    TextFileBusy,
    CrossDevice,
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "filesystem error: {self:?}")
    }
}

impl std::error::Error for ErrorCode {}

impl From<io::Error> for ErrorCode {
    fn from(error: io::Error) -> ErrorCode {
        ErrorCode::from(&error)
    }
}

impl From<&io::Error> for ErrorCode {
    fn from(error: &io::Error) -> ErrorCode {
        if let Some(code) = error.raw_os_error().and_then(super::os::error_code) {
            return code;
        }
        // An error without a number of the operating system was made by the sandbox or by the standard library.
        match error.kind() {
            io::ErrorKind::NotFound => ErrorCode::NoEntry,
            // This is how an attempt to leave the sandbox is reported.
            io::ErrorKind::PermissionDenied => ErrorCode::NotPermitted,
            io::ErrorKind::AlreadyExists => ErrorCode::Exist,
            io::ErrorKind::InvalidInput => ErrorCode::Invalid,
            io::ErrorKind::WouldBlock => ErrorCode::WouldBlock,
            io::ErrorKind::Interrupted => ErrorCode::Interrupted,
            io::ErrorKind::Unsupported => ErrorCode::Unsupported,
            io::ErrorKind::OutOfMemory => ErrorCode::InsufficientMemory,
            io::ErrorKind::BrokenPipe => ErrorCode::Pipe,
            io::ErrorKind::NotADirectory => ErrorCode::NotDirectory,
            io::ErrorKind::IsADirectory => ErrorCode::IsDirectory,
            io::ErrorKind::DirectoryNotEmpty => ErrorCode::NotEmpty,
            io::ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
            io::ErrorKind::StorageFull => ErrorCode::InsufficientSpace,
            io::ErrorKind::QuotaExceeded => ErrorCode::Quota,
            io::ErrorKind::FileTooLarge => ErrorCode::FileTooLarge,
            io::ErrorKind::ResourceBusy => ErrorCode::Busy,
            io::ErrorKind::ExecutableFileBusy => ErrorCode::TextFileBusy,
            io::ErrorKind::Deadlock => ErrorCode::Deadlock,
            io::ErrorKind::CrossesDevices => ErrorCode::CrossDevice,
            io::ErrorKind::TooManyLinks => ErrorCode::TooManyLinks,
            io::ErrorKind::NotSeekable => ErrorCode::InvalidSeek,
            io::ErrorKind::InvalidFilename => ErrorCode::NameTooLong,
            _ => ErrorCode::Io,
        }
    }
}

/// `descriptor-type`: what kind of object a descriptor or a directory entry is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum DescriptorType {
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    Fifo,
    SymbolicLink,
    RegularFile,
    Socket,
}

impl From<cap_std::fs::FileType> for DescriptorType {
    fn from(file_type: cap_std::fs::FileType) -> DescriptorType {
        use cap_fs_ext::FileTypeExt as _;
        if file_type.is_file() {
            DescriptorType::RegularFile
        } else if file_type.is_dir() {
            DescriptorType::Directory
        } else if file_type.is_symlink() {
            DescriptorType::SymbolicLink
        } else if file_type.is_char_device() {
            DescriptorType::CharacterDevice
        } else if file_type.is_block_device() {
            DescriptorType::BlockDevice
        } else if file_type.is_fifo() {
            DescriptorType::Fifo
        } else if file_type.is_socket() {
            DescriptorType::Socket
        } else {
            DescriptorType::Unknown
        }
    }
}

/// `datetime`: time since 1970-01-01T00:00:00Z.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Datetime {
    pub(crate) seconds: u64,
    pub(crate) nanoseconds: u32,
}

impl Datetime {
    /// Times before 1970 have no representation: `None`.
    pub(crate) fn from_system(time: SystemTime) -> Option<Datetime> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Datetime {
            seconds: since.as_secs(),
            nanoseconds: since.subsec_nanos(),
        })
    }

    /// The time as the standard library has it. `Invalid` for a nanosecond part of a second or more, `Overflow` for
    /// a time that the host can't represent.
    fn to_system(self) -> Result<SystemTime, ErrorCode> {
        if self.nanoseconds >= 1_000_000_000 {
            return Err(ErrorCode::Invalid);
        }
        SystemTime::UNIX_EPOCH
            .checked_add(Duration::new(self.seconds, self.nanoseconds))
            .ok_or(ErrorCode::Overflow)
    }

    /// Nanoseconds since 1970, the representation of preview 1.
    pub(crate) fn as_nanos(self) -> u64 {
        self.seconds
            .saturating_mul(1_000_000_000)
            .saturating_add(u64::from(self.nanoseconds))
    }

    /// The inverse of [`Datetime::as_nanos`].
    pub(crate) fn from_nanos(nanos: u64) -> Datetime {
        Datetime {
            seconds: nanos / 1_000_000_000,
            nanoseconds: u32::try_from(nanos % 1_000_000_000).unwrap_or(0),
        }
    }
}

/// `new-timestamp`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewTimestamp {
    NoChange,
    Now,
    Timestamp(Datetime),
}

impl NewTimestamp {
    /// The time to set, if it is to be changed, where `now` is now.
    pub(crate) fn resolve(self, now: Datetime) -> Result<Option<Datetime>, ErrorCode> {
        match self {
            NewTimestamp::NoChange => Ok(None),
            NewTimestamp::Now => Ok(Some(now)),
            NewTimestamp::Timestamp(at) => at.to_system().map(|_| Some(at)),
        }
    }

    pub(crate) fn to_spec(self) -> Result<Option<fs_set_times::SystemTimeSpec>, ErrorCode> {
        Ok(match self {
            NewTimestamp::NoChange => None,
            NewTimestamp::Now => Some(fs_set_times::SystemTimeSpec::SymbolicNow),
            NewTimestamp::Timestamp(at) => Some(fs_set_times::SystemTimeSpec::Absolute(at.to_system()?)),
        })
    }
}

/// `descriptor-stat`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct DescriptorStat {
    pub(crate) kind: DescriptorType,
    pub(crate) link_count: u64,
    pub(crate) size: u64,
    pub(crate) accessed: Option<Datetime>,
    pub(crate) modified: Option<Datetime>,
    pub(crate) changed: Option<Datetime>,
}

/// What is known of a file or directory.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) stat: DescriptorStat,
    pub(crate) id: Identity,
}

impl Metadata {
    /// The size.
    pub(crate) fn len(&self) -> u64 {
        self.stat.size
    }
}

/// Tells files and directories apart, whatever their names.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// Device and inode number of the host.
    Host(u64, u64),
    /// File system and node in memory.
    Memory(u64, u64),
}

impl From<cap_std::fs::Metadata> for Metadata {
    fn from(meta: cap_std::fs::Metadata) -> Metadata {
        use cap_fs_ext::MetadataExt as _;
        let time = |t: io::Result<cap_std::time::SystemTime>| {
            t.ok().and_then(|t| Datetime::from_system(t.into_std()))
        };
        let stat = DescriptorStat {
            kind: meta.file_type().into(),
            link_count: meta.nlink(),
            size: meta.len(),
            accessed: time(meta.accessed()),
            modified: time(meta.modified()),
            changed: super::os::status_change_time(&meta),
        };
        Metadata {
            stat,
            id: Identity::Host(meta.dev(), meta.ino()),
        }
    }
}

/// `advice`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    Normal,
    Sequential,
    Random,
    WillNeed,
    DontNeed,
    NoReuse,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_round_trip_and_reject_bad_parts() {
        let at = Datetime {
            seconds: 12,
            nanoseconds: 345,
        };
        assert_eq!(Datetime::from_nanos(at.as_nanos()), at);
        assert_eq!(Datetime::from_system(at.to_system().unwrap()), Some(at));
        let bad = Datetime {
            seconds: 0,
            nanoseconds: 1_000_000_000,
        };
        assert_eq!(bad.to_system(), Err(ErrorCode::Invalid));
        let far = Datetime {
            seconds: u64::MAX,
            nanoseconds: 0,
        };
        assert_eq!(far.to_system(), Err(ErrorCode::Overflow));
        assert_eq!(far.as_nanos(), u64::MAX);
        assert_eq!(
            Datetime::from_system(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            None
        );
    }

    #[test]
    fn errors_of_the_sandbox_and_of_the_system_differ() {
        let escape = io::Error::new(io::ErrorKind::PermissionDenied, "outside");
        assert_eq!(ErrorCode::from(escape), ErrorCode::NotPermitted);
        assert_eq!(
            ErrorCode::from(io::Error::from(io::ErrorKind::InvalidInput)),
            ErrorCode::Invalid
        );
        assert_eq!(ErrorCode::from(io::Error::other("?")), ErrorCode::Io);
    }
}
