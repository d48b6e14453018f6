//! Tells `perf` where machine code lies: in a map of addresses, or in a dump that holds the code too.
//!
//! Both are files of the process, shared by all engines, and are never closed. perf reads the first when it reports, on the machine and while the
//! file is there; the second with `perf inject --jit`, for which it must have been recorded with `-k mono`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::Mutex,
};

use rustix::time::{ClockId, clock_gettime};

use crate::tier::Profiling;

/// A piece of code for a profiler.
pub(crate) struct Named<'a> {
    pub(crate) name: String,
    pub(crate) address: *const u8,
    pub(crate) code: &'a [u8],
}

static MAP: Mutex<Option<File>> = Mutex::new(None);
static DUMP: Mutex<Option<Dump>> = Mutex::new(None);

struct Dump {
    file: File,
    /// How many pieces are in it.
    pieces: u64,
}

/// Opens the file that profiling needs, once in a process.
pub(crate) fn open(profiling: Profiling) -> io::Result<()> {
    match profiling {
        Profiling::None => {}
        Profiling::PerfMap => {
            let mut map = MAP.lock().unwrap_or_else(|e| e.into_inner());
            if map.is_none() {
                *map = Some(create(format!("/tmp/perf-{}.map", std::process::id()).into())?);
            }
        }
        Profiling::JitDump => {
            let mut dump = DUMP.lock().unwrap_or_else(|e| e.into_inner());
            if dump.is_none() {
                *dump = Some(Dump::new()?);
            }
        }
    }
    Ok(())
}

/// A new file of this name, which may be in a folder where others can make files too.
fn create(path: PathBuf) -> io::Result<File> {
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Tells of code that was published. Without room for it the profile has addresses instead of names.
pub(crate) fn note(profiling: Profiling, pieces: &[Named<'_>]) {
    match profiling {
        Profiling::None => {}
        Profiling::PerfMap => {
            let mut text = String::new();
            for piece in pieces {
                let name = piece.name.replace('\n', " ");
                text.push_str(&format!(
                    "{:x} {:x} {name}\n",
                    piece.address as usize,
                    piece.code.len()
                ));
            }
            if let Some(map) = &mut *MAP.lock().unwrap_or_else(|e| e.into_inner()) {
                let _ = map.write_all(text.as_bytes());
            }
        }
        Profiling::JitDump => {
            if let Some(dump) = &mut *DUMP.lock().unwrap_or_else(|e| e.into_inner()) {
                for piece in pieces {
                    let _ = dump.load(piece);
                }
            }
        }
    }
}

const MACHINE: u32 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

impl Dump {
    fn new() -> io::Result<Dump> {
        use rustix::mm::{MapFlags, ProtFlags, mmap};
        let mut file = create(format!("jit-{}.dump", std::process::id()).into())?;
        let mut header = Vec::new();
        for number in [0x4a69_5444, 1, 40, MACHINE, 0, std::process::id()] {
            header.extend_from_slice(&number.to_ne_bytes());
        }
        header.extend_from_slice(&now().to_ne_bytes());
        header.extend_from_slice(&0u64.to_ne_bytes());
        file.write_all(&header)?;
        // An executable mapping of the file is an event that perf records, by which it finds the file later.
        // SAFETY: a new mapping affects no other memory, and nothing refers to it.
        unsafe {
            mmap(
                std::ptr::null_mut(),
                rustix::param::page_size(),
                ProtFlags::READ | ProtFlags::EXEC,
                MapFlags::PRIVATE,
                &file,
                0,
            )
        }?;
        Ok(Dump { file, pieces: 0 })
    }

    fn load(&mut self, piece: &Named<'_>) -> io::Result<()> {
        const LOAD: u32 = 0;
        const FIXED: usize = 16 + 40;
        let address = piece.address as u64;
        let len = FIXED + piece.name.len() + 1 + piece.code.len();
        let len = u32::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut record = Vec::with_capacity(len as usize);
        record.extend_from_slice(&LOAD.to_ne_bytes());
        record.extend_from_slice(&len.to_ne_bytes());
        record.extend_from_slice(&now().to_ne_bytes());
        record.extend_from_slice(&std::process::id().to_ne_bytes());
        record.extend_from_slice(&rustix::thread::gettid().as_raw_pid().to_ne_bytes());
        for number in [address, address, piece.code.len() as u64, self.pieces] {
            record.extend_from_slice(&number.to_ne_bytes());
        }
        record.extend_from_slice(piece.name.replace('\0', " ").as_bytes());
        record.push(0);
        record.extend_from_slice(piece.code);
        self.pieces += 1;
        self.file.write_all(&record)
    }
}

/// The time in nanoseconds, on the clock that perf is told to use.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
