//! WASI 0.2 hosts for Wharf, and a thin layer of preview 1 over the same hosts for core modules.
//!
//! A [`WasiCtx`] says what a guest may use of its host; [`WasiCtxBuilder`] makes one, and grants nothing by itself.
#![forbid(unsafe_code)]

mod clocks;
mod ctx;
mod error;
mod fs;
pub mod p2;
mod pipe;
mod poll;
pub mod preview1;
mod random;
mod reader;
pub mod runtime;
mod select;
mod sockets;
mod stdio;
mod stream;
#[cfg(test)]
mod test_util;

pub use clocks::{HostMonotonicClock, HostWallClock, SystemMonotonicClock, SystemWallClock};
pub use ctx::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
pub use error::{I32Exit, TrappableError};
pub use fs::{
    Descriptor, DirEntries, DirPerms, ErrorCode, FilePerms, HostDirBudget, HostDirLimits, MemoryDir,
    MemoryDirLimits,
};
pub use pipe::{ClosedInputStream, ClosedOutputStream, MemoryInputPipe, MemoryOutputPipe, SinkOutputStream};
pub use poll::Pollable;
pub use random::{Deterministic, InsecureRandom, RandomSource, SystemRandom};
pub use reader::BackgroundReader;
pub use sockets::{
    NameResolver, NetDenied, NetGrants, NetPolicy, NetRule, NetRuleError, SocketAddrUse, SocketErrorCode,
    SystemResolver,
};
pub use stdio::{IsTerminal, Stderr, Stdin, StdinStream, Stdout, StdoutStream, WriterStream};
pub use stream::{DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult};

pub use async_trait::async_trait;
pub use bytes::Bytes;

pub(crate) use wharf::{Error, Result};
