//! Streams over files. They keep their own position; any number of them work on one open file.

use super::node::FileNode;
use super::{ErrorCode, FsResult};
use crate::poll::Pollable;
use crate::runtime::sleep;
use crate::stream::{InputStream, OutputStream, StreamError, StreamResult};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// Reads a file from an offset to its end.
#[derive(Debug)]
pub(crate) struct FileInputStream {
    file: FileNode,
    position: u64,
    /// It is a pipe that had nothing.
    empty: bool,
}

/// How long a pipe that had nothing is left alone.
const PAUSE: Duration = Duration::from_millis(10);

impl FileInputStream {
    pub(crate) fn new(file: FileNode, position: u64) -> FileInputStream {
        FileInputStream {
            file,
            position,
            empty: false,
        }
    }
}

#[async_trait]
impl Pollable for FileInputStream {
    async fn ready(&mut self) {
        if self.empty {
            sleep(PAUSE).await;
            self.empty = false;
        }
    }
}

impl InputStream for FileInputStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        let data = match self.file.read_vec(size as u64, self.position) {
            Ok(data) => data,
            Err(ErrorCode::WouldBlock) => {
                self.empty = true;
                return Ok(Bytes::new());
            }
            Err(e) => return Err(StreamError::from(e)),
        };
        if data.is_empty() {
            return Err(StreamError::Closed);
        }
        self.position = self.position.saturating_add(data.len() as u64);
        Ok(data.into())
    }
}

/// Where a [`FileOutputStream`] writes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum WriteMode {
    /// From this offset on.
    At(u64),
    /// At the end, wherever that is at each write.
    Append,
}

/// Writes a file.
#[derive(Debug)]
pub(crate) struct FileOutputStream {
    file: FileNode,
    mode: WriteMode,
    closed: bool,
}

/// How much a file stream takes at once.
const FILE_PERMIT: usize = 1 << 20;

impl FileOutputStream {
    pub(crate) fn new(file: FileNode, mode: WriteMode) -> FileOutputStream {
        FileOutputStream {
            file,
            mode,
            closed: false,
        }
    }

    fn write_all(&mut self, mut data: &[u8]) -> FsResult<()> {
        while !data.is_empty() {
            let n = match &mut self.mode {
                WriteMode::At(offset) => {
                    let n = self.file.write_at(data, *offset)?;
                    *offset = offset.saturating_add(n as u64);
                    n
                }
                WriteMode::Append => self.file.append(data)?,
            };
            if n == 0 {
                return Err(ErrorCode::Io);
            }
            data = data.get(n..).unwrap_or_default();
        }
        Ok(())
    }
}

#[async_trait]
impl Pollable for FileOutputStream {
    async fn ready(&mut self) {}
}

impl OutputStream for FileOutputStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.closed {
            return Err(StreamError::Closed);
        }
        self.write_all(&bytes).map_err(|e| {
            self.closed = true;
            StreamError::from(e)
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        if self.closed {
            Err(StreamError::Closed)
        } else {
            Ok(())
        }
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.closed {
            Err(StreamError::Closed)
        } else {
            Ok(FILE_PERMIT)
        }
    }
}

impl From<ErrorCode> for StreamError {
    fn from(code: ErrorCode) -> StreamError {
        StreamError::LastOperationFailed(crate::Error::host(code))
    }
}
