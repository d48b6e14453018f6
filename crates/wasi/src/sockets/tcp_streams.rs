//! The two directions of a TCP connection as streams.

use super::connection::Connection;
use crate::poll::Pollable;
use crate::stream::{InputStream, OutputStream, StreamError, StreamResult};
use async_trait::async_trait;
use bytes::Bytes;
use std::io;
use std::sync::Arc;

/// How much is read at once.
const READ_CHUNK: usize = 64 << 10;

/// The receiving direction.
#[derive(Debug)]
pub(crate) struct TcpInput {
    connection: Arc<Connection>,
    /// The end was seen, or an error.
    ended: bool,
}

impl TcpInput {
    pub(crate) fn new(connection: Arc<Connection>) -> TcpInput {
        TcpInput {
            connection,
            ended: false,
        }
    }
}

#[async_trait]
impl Pollable for TcpInput {
    async fn ready(&mut self) {
        if !self.ended {
            self.connection.receive_ready().await;
        }
    }
}

impl InputStream for TcpInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.ended || self.connection.is_receive_shut() {
            self.ended = true;
            return Err(StreamError::Closed);
        }
        if size == 0 {
            return Ok(Bytes::new());
        }
        let mut buffer = Vec::with_capacity(size.min(READ_CHUNK));
        match self.connection.fd().recv(&mut buffer) {
            Ok(0) => {
                self.ended = true;
                Err(StreamError::Closed)
            }
            Ok(_) => Ok(buffer.into()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(Bytes::new()),
            Err(e) => {
                self.ended = true;
                Err(e.into())
            }
        }
    }
}

/// The sending direction. When it goes, the peer sees the end.
#[derive(Debug)]
pub(crate) struct TcpOutput {
    connection: Arc<Connection>,
    permitted: bool,
}

impl TcpOutput {
    pub(crate) fn new(connection: Arc<Connection>) -> TcpOutput {
        TcpOutput {
            connection,
            permitted: false,
        }
    }
}

#[async_trait]
impl Pollable for TcpOutput {
    async fn ready(&mut self) {
        self.connection.send_ready().await;
    }
}

#[async_trait]
impl OutputStream for TcpOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.permitted = false;
        self.connection.send(bytes)
    }

    /// What was written is on its way already; while the system has not taken all of it, nothing is permitted.
    fn flush(&mut self) -> StreamResult<()> {
        self.connection.check_send(self.permitted).map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let permit = self.connection.check_send(self.permitted)?;
        self.permitted = permit > 0;
        Ok(permit)
    }
}

impl Drop for TcpOutput {
    fn drop(&mut self) {
        self.connection.abandon_send();
    }
}
