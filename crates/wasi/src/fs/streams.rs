//! Streams over files. They keep their own position; any number of them work on one open file.

use super::ErrorCode;
use super::node::FileNode;
use crate::poll::Pollable;
use crate::runtime::sleep;
use crate::stream::{InputStream, OutputStream, StreamError, StreamResult};
use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use std::time::Duration;

/// Reads a file from an offset to its end.
#[derive(Debug)]
pub(crate) struct FileInputStream {
    file: FileNode,
    position: u64,
    /// It is a pipe that had nothing.
    empty: bool,
}

/// How long a pipe that had nothing, or no room, is left alone.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);

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
    /// What a pipe had no room for yet.
    rest: Bytes,
    /// What the guest has not been told of yet.
    failed: Option<ErrorCode>,
    closed: bool,
}

/// How much a file stream takes at once.
const FILE_PERMIT: usize = 1 << 20;

impl FileOutputStream {
    pub(crate) fn new(file: FileNode, mode: WriteMode) -> FileOutputStream {
        FileOutputStream {
            file,
            mode,
            rest: Bytes::new(),
            failed: None,
            closed: false,
        }
    }

    /// Writes what is left, as far as there is room for it.
    fn write_rest(&mut self) {
        while !self.rest.is_empty() && self.failed.is_none() {
            let written = match self.mode {
                WriteMode::At(offset) => self.file.write_at(&self.rest, offset),
                WriteMode::Append => self.file.append(&self.rest),
            };
            match written {
                Ok(0) => self.failed = Some(ErrorCode::Io),
                Ok(n) => {
                    self.rest.advance(n.min(self.rest.len()));
                    if let WriteMode::At(offset) = &mut self.mode {
                        *offset = offset.saturating_add(n as u64);
                    }
                }
                Err(ErrorCode::WouldBlock) => return,
                Err(code) => self.failed = Some(code),
            }
        }
    }

    fn check(&mut self) -> StreamResult<()> {
        if self.closed {
            return Err(StreamError::Closed);
        }
        self.write_rest();
        match self.failed.take() {
            None => Ok(()),
            Some(code) => {
                self.closed = true;
                Err(StreamError::from(code))
            }
        }
    }
}

#[async_trait]
impl Pollable for FileOutputStream {
    async fn ready(&mut self) {
        while !self.closed && self.failed.is_none() && !self.rest.is_empty() {
            sleep(PAUSE).await;
            self.write_rest();
        }
    }
}

impl OutputStream for FileOutputStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.rest.is_empty() {
            return Err(StreamError::trap("more bytes than check-write permitted"));
        }
        self.rest = bytes;
        self.check()
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        match self.rest.is_empty() {
            true => Ok(FILE_PERMIT),
            false => Ok(0),
        }
    }
}

impl From<ErrorCode> for StreamError {
    fn from(code: ErrorCode) -> StreamError {
        StreamError::LastOperationFailed(crate::Error::host(code))
    }
}
