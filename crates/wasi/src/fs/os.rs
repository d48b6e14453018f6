//! What differs between operating systems: error numbers, positioned reads and writes, advice.
//!
//! Every system call on an open file that may block is made here, so that this is the one place to change when files
//! move to a pool of blocking threads.

use super::types::{Advice, Datetime, ErrorCode};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};

/// The most bytes that one read returns, whatever the guest asks for: a bound on host memory per call.
pub(crate) const MAX_READ: usize = 256 << 10;

#[cfg(unix)]
pub(crate) fn error_code(raw: i32) -> Option<ErrorCode> {
    use rustix::io::Errno as E;
    let errno = E::from_raw_os_error(raw);
    // Two of these share a number on some systems, which a `match` on constants would reject.
    if errno == E::OPNOTSUPP {
        return Some(ErrorCode::Unsupported);
    }
    Some(match errno {
        E::ACCESS => ErrorCode::Access,
        E::AGAIN => ErrorCode::WouldBlock,
        E::ALREADY => ErrorCode::Already,
        E::BADF => ErrorCode::BadDescriptor,
        E::BUSY => ErrorCode::Busy,
        E::DEADLK => ErrorCode::Deadlock,
        E::DQUOT => ErrorCode::Quota,
        E::EXIST => ErrorCode::Exist,
        E::FBIG => ErrorCode::FileTooLarge,
        E::ILSEQ => ErrorCode::IllegalByteSequence,
        E::INPROGRESS => ErrorCode::InProgress,
        E::INTR => ErrorCode::Interrupted,
        E::INVAL => ErrorCode::Invalid,
        E::IO => ErrorCode::Io,
        E::ISDIR => ErrorCode::IsDirectory,
        E::LOOP => ErrorCode::Loop,
        E::MLINK => ErrorCode::TooManyLinks,
        E::MSGSIZE => ErrorCode::MessageSize,
        E::NAMETOOLONG => ErrorCode::NameTooLong,
        E::NODEV => ErrorCode::NoDevice,
        E::NOENT => ErrorCode::NoEntry,
        E::NOLCK => ErrorCode::NoLock,
        E::NOMEM => ErrorCode::InsufficientMemory,
        E::NOSPC => ErrorCode::InsufficientSpace,
        E::NOTDIR => ErrorCode::NotDirectory,
        E::NOTEMPTY => ErrorCode::NotEmpty,
        E::NOTSUP | E::NOSYS => ErrorCode::Unsupported,
        E::NOTTY => ErrorCode::NoTty,
        E::NXIO => ErrorCode::NoSuchDevice,
        E::OVERFLOW => ErrorCode::Overflow,
        E::PERM => ErrorCode::NotPermitted,
        E::PIPE => ErrorCode::Pipe,
        E::ROFS => ErrorCode::ReadOnly,
        E::SPIPE => ErrorCode::InvalidSeek,
        E::TXTBSY => ErrorCode::TextFileBusy,
        E::XDEV => ErrorCode::CrossDevice,
        #[cfg(target_os = "linux")]
        E::NOTRECOVERABLE => ErrorCode::NotRecoverable,
        _ => return None,
    })
}

#[cfg(not(unix))]
pub(crate) fn error_code(_raw: i32) -> Option<ErrorCode> {
    None
}

#[cfg(unix)]
pub(crate) fn status_change_time(meta: &Metadata) -> Option<Datetime> {
    use cap_std::fs::MetadataExt as _;
    Some(Datetime {
        seconds: u64::try_from(meta.ctime()).ok()?,
        nanoseconds: u32::try_from(meta.ctime_nsec()).ok()?,
    })
}

#[cfg(not(unix))]
pub(crate) fn status_change_time(_meta: &Metadata) -> Option<Datetime> {
    None
}

/// Repeats `op` while a signal interrupts it.
fn retry<R>(mut op: impl FnMut() -> io::Result<R>) -> io::Result<R> {
    loop {
        match op() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Whether the error says that the file has no position: a pipe, a terminal or another character device.
fn not_seekable(error: &io::Error) -> bool {
    matches!(ErrorCode::from(error), ErrorCode::InvalidSeek)
}

/// Reads at `offset` into `buf`; a file that has no position is read where it is. 0 means the end of the file.
pub(crate) fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    let positioned = {
        use cap_std::fs::FileExt as _;
        retry(|| file.read_at(buf, offset))
    };
    #[cfg(windows)]
    let positioned = {
        use cap_std::fs::FileExt as _;
        retry(|| file.seek_read(buf, offset))
    };
    match positioned {
        Err(e) if not_seekable(&e) => retry(|| (&mut &*file).read(buf)),
        other => other,
    }
}

/// Reads up to `len` bytes, at most [`MAX_READ`], at `offset` into a new buffer.
pub(crate) fn read_vec(file: &File, len: u64, offset: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(MAX_READ);
    if len == 0 {
        return Ok(Vec::new());
    }
    #[cfg(unix)]
    {
        let mut data = Vec::with_capacity(len);
        // Unlike a zeroed buffer this touches no memory that the file doesn't fill.
        let read = retry(|| {
            let spare = rustix::buffer::spare_capacity(&mut data);
            rustix::io::pread(file, spare, offset).map_err(io::Error::from)
        });
        match read {
            Ok(_) => {
                data.truncate(len);
                return Ok(data);
            }
            Err(e) if not_seekable(&e) => {}
            Err(e) => return Err(e),
        }
    }
    let mut data = vec![0; len];
    let n = read_at(file, &mut data, offset)?;
    data.truncate(n);
    Ok(data)
}

/// Writes some of `buf` at `offset` (where the file is, if it has no position) and says how much.
pub(crate) fn write_at(file: &File, buf: &[u8], offset: u64) -> io::Result<usize> {
    #[cfg(unix)]
    let positioned = {
        use cap_std::fs::FileExt as _;
        retry(|| file.write_at(buf, offset))
    };
    #[cfg(windows)]
    let positioned = {
        use cap_std::fs::FileExt as _;
        retry(|| file.seek_write(buf, offset))
    };
    match positioned {
        Err(e) if not_seekable(&e) => retry(|| (&mut &*file).write(buf)),
        other => other,
    }
}

/// Writes some of `buf` at the end of the file, in one step with finding the end where the system can do that.
pub(crate) fn append(file: &File, buf: &[u8]) -> io::Result<usize> {
    #[cfg(target_os = "linux")]
    {
        use rustix::io::{Errno, ReadWriteFlags, pwritev2};
        let bufs = [io::IoSlice::new(buf)];
        match retry(|| pwritev2(file, &bufs, 0, ReadWriteFlags::APPEND).map_err(io::Error::from)) {
            Err(e)
                if [Errno::NOSYS, Errno::OPNOTSUPP, Errno::SPIPE]
                    .iter()
                    .any(|errno| Some(errno.raw_os_error()) == e.raw_os_error()) => {}
            other => return other,
        }
    }
    let end = file.metadata()?.len();
    write_at(file, buf, end)
}

/// `posix_fadvise`, where there is one; advice may be ignored.
pub(crate) fn advise(file: &File, offset: u64, len: u64, advice: Advice) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        let advice = match advice {
            Advice::Normal => rustix::fs::Advice::Normal,
            Advice::Sequential => rustix::fs::Advice::Sequential,
            Advice::Random => rustix::fs::Advice::Random,
            Advice::WillNeed => rustix::fs::Advice::WillNeed,
            Advice::DontNeed => rustix::fs::Advice::DontNeed,
            Advice::NoReuse => rustix::fs::Advice::NoReuse,
        };
        rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(len), advice)?;
    }
    let _ = (file, offset, len, advice);
    Ok(())
}

/// Has opening anything else fail at once: waiting for the other end of a pipe would be in vain.
pub(crate) fn only_directories(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use cap_std::fs::OpenOptionsExt as _;
        if let Ok(flags) = i32::try_from(rustix::fs::OFlags::DIRECTORY.bits()) {
            options.custom_flags(flags);
        }
    }
    let _ = options;
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_dir(dir: &Dir) -> io::Result<()> {
    // A granted directory is opened for looking up paths only, which is not enough to sync it.
    if cfg!(unix) {
        retry(|| dir.open(".")?.sync_all())
    } else {
        Ok(())
    }
}

/// Reserves space so that the file has at least `size` bytes.
pub(crate) fn allocate(file: &File, offset: u64, len: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), offset, len)?;
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, offset, len);
        Err(io::ErrorKind::Unsupported.into())
    }
}
