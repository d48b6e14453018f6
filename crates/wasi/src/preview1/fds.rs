//! The table of file descriptors.

use super::types::{Errno, fdflags, filetype, filetype_of, rights};
use crate::ctx::WasiCtx;
use crate::fs::{Descriptor, DescriptorFlags, Dir, DirEntry, File};
use crate::stream::{InputStream, OutputStream};

/// The most descriptors that a guest may hold.
const MAX_FDS: usize = 1 << 16;

/// The most directory entries that are remembered for descriptors other than the one that is read.
const MAX_LISTED: usize = 1 << 16;

/// What a descriptor stands for.
pub(crate) enum Fd {
    Input(StdioInput),
    Output(StdioOutput),
    File(OpenFile),
    Dir(OpenDir),
}

pub(crate) struct StdioInput {
    pub(crate) stream: Box<dyn InputStream>,
    pub(crate) terminal: bool,
    pub(crate) nonblock: bool,
}

pub(crate) struct StdioOutput {
    pub(crate) stream: Box<dyn OutputStream>,
    pub(crate) terminal: bool,
}

/// A file and the position that `fd_read` and `fd_write` move.
pub(crate) struct OpenFile {
    pub(crate) file: File,
    pub(crate) position: u64,
    pub(crate) flags: u16,
    pub(crate) filetype: u8,
}

pub(crate) struct OpenDir {
    pub(crate) dir: Dir,
    /// The name that the guest finds a granted directory under.
    pub(crate) preopen: Option<String>,
    /// What `fd_readdir` listed at its last start, so that cookies stay valid.
    pub(crate) listing: Option<Vec<DirEntry>>,
}

/// `fdstat`.
pub(crate) struct FdStat {
    pub(crate) filetype: u8,
    pub(crate) flags: u16,
    pub(crate) rights: u64,
    pub(crate) inheriting: u64,
}

/// A `filetype` for a standard stream: a terminal, or nothing in particular.
fn stream_filetype(terminal: bool) -> u8 {
    if terminal {
        filetype::CHARACTER_DEVICE
    } else {
        filetype::UNKNOWN
    }
}

impl Fd {
    pub(crate) fn from_descriptor(descriptor: Descriptor, flags: u16) -> Result<Fd, Errno> {
        Ok(match descriptor {
            Descriptor::File(file) => {
                let filetype = filetype_of(file.metadata()?.stat.kind);
                Fd::File(OpenFile {
                    file,
                    position: 0,
                    flags,
                    filetype,
                })
            }
            Descriptor::Dir(dir) => Fd::Dir(OpenDir {
                dir,
                preopen: None,
                listing: None,
            }),
        })
    }

    pub(crate) fn filetype(&self) -> u8 {
        match self {
            Fd::Input(input) => stream_filetype(input.terminal),
            Fd::Output(output) => stream_filetype(output.terminal),
            Fd::File(file) => file.filetype,
            Fd::Dir(_) => filetype::DIRECTORY,
        }
    }

    pub(crate) fn stat(&self) -> FdStat {
        let filetype = self.filetype();
        match self {
            Fd::Input(input) => FdStat {
                filetype,
                flags: if input.nonblock { fdflags::NONBLOCK } else { 0 },
                rights: rights::STREAM | rights::FD_READ,
                inheriting: 0,
            },
            Fd::Output(_) => FdStat {
                filetype,
                flags: fdflags::APPEND,
                rights: rights::STREAM | rights::FD_WRITE,
                inheriting: 0,
            },
            Fd::File(file) => {
                let mut allowed = rights::FILE;
                if file.file.flags().contains(DescriptorFlags::READ) {
                    allowed |= rights::FD_READ;
                }
                if file.file.flags().contains(DescriptorFlags::WRITE) {
                    allowed |= rights::FILE_WRITE;
                }
                FdStat {
                    filetype,
                    flags: file.flags,
                    rights: allowed,
                    inheriting: 0,
                }
            }
            // C libraries ask a file opened in a directory for no more than the directory's inheriting rights. They
            // are all there, so that the answer to too much is an error and not a file that can do less.
            Fd::Dir(_) => FdStat {
                filetype,
                flags: 0,
                rights: rights::DIRECTORY,
                inheriting: rights::ALL,
            },
        }
    }
}

/// The descriptors of a guest: 0, 1 and 2 are the standard streams, then come the granted directories.
pub(crate) struct FdTable {
    entries: Vec<Option<Fd>>,
}

impl FdTable {
    pub(crate) fn new(ctx: &WasiCtx) -> FdTable {
        let mut entries = vec![
            Some(Fd::Input(StdioInput {
                stream: ctx.stdin.p2_stream(),
                terminal: ctx.stdin.is_terminal(),
                nonblock: false,
            })),
            Some(Fd::Output(StdioOutput {
                stream: ctx.stdout.p2_stream(),
                terminal: ctx.stdout.is_terminal(),
            })),
            Some(Fd::Output(StdioOutput {
                stream: ctx.stderr.p2_stream(),
                terminal: ctx.stderr.is_terminal(),
            })),
        ];
        entries.extend(ctx.preopens.iter().map(|(dir, name)| {
            Some(Fd::Dir(OpenDir {
                dir: dir.clone(),
                preopen: Some(name.clone()),
                listing: None,
            }))
        }));
        FdTable { entries }
    }

    fn slot(&mut self, fd: u32) -> Result<&mut Option<Fd>, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        self.entries.get_mut(index).ok_or(Errno::BADF)
    }

    pub(crate) fn get(&mut self, fd: u32) -> Result<&mut Fd, Errno> {
        self.slot(fd)?.as_mut().ok_or(Errno::BADF)
    }

    /// The file behind `fd`; a stream has no position (`ESPIPE`), a directory is no file (`EBADF`).
    pub(crate) fn file(&mut self, fd: u32) -> Result<&mut OpenFile, Errno> {
        match self.get(fd)? {
            Fd::File(file) => Ok(file),
            Fd::Dir(_) => Err(Errno::BADF),
            Fd::Input(_) | Fd::Output(_) => Err(Errno::SPIPE),
        }
    }

    pub(crate) fn open_dir(&mut self, fd: u32) -> Result<&mut OpenDir, Errno> {
        match self.get(fd)? {
            Fd::Dir(dir) => Ok(dir),
            _ => Err(Errno::NOTDIR),
        }
    }

    pub(crate) fn dir(&mut self, fd: u32) -> Result<&Dir, Errno> {
        Ok(&self.open_dir(fd)?.dir)
    }

    /// Puts `new` at the lowest free number.
    pub(crate) fn insert(&mut self, new: Fd) -> Result<u32, Errno> {
        let free = self.entries.iter().position(Option::is_none);
        let index = free.unwrap_or(self.entries.len());
        if index >= MAX_FDS {
            return Err(Errno::MFILE);
        }
        let fd = u32::try_from(index).map_err(|_| Errno::MFILE)?;
        match self.entries.get_mut(index) {
            Some(slot) => *slot = Some(new),
            None => self.entries.push(Some(new)),
        }
        Ok(fd)
    }

    pub(crate) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.slot(fd)?.take().map(drop).ok_or(Errno::BADF)
    }

    /// Closes `to` and gives `from` its number.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let moved = self.slot(from)?.take();
            *self.slot(to)? = moved;
        }
        Ok(())
    }

    /// Forgets what other directories listed if that has become too much. A guest that goes on reading one of them gets
    /// it listed again.
    pub(crate) fn trim_listings(&mut self, keep: u32) {
        let mut others: Vec<&mut OpenDir> = self
            .iter_mut()
            .filter_map(|(fd, entry)| match entry {
                Fd::Dir(dir) if fd != keep && dir.listing.is_some() => Some(dir),
                _ => None,
            })
            .collect();
        let listed: usize = others.iter().flat_map(|dir| &dir.listing).map(Vec::len).sum();
        if listed > MAX_LISTED {
            others.iter_mut().for_each(|dir| dir.listing = None);
        }
    }

    /// All open descriptors, for waiting on several at once.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Fd)> {
        (0u32..)
            .zip(&mut self.entries)
            .filter_map(|(fd, entry)| Some((fd, entry.as_mut()?)))
    }
}
