//! WASI 0.2: the imports of the world `wasi:cli/command` and bindings for its export `wasi:cli/run`.
//!
//! ```no_run
//! use wharf::component::{Component, Linker, ResourceTable};
//! use wharf::{Engine, Store};
//! use wharf_wasi::p2::{self, Command};
//! use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};
//!
//! struct State {
//!     ctx: WasiCtx,
//!     table: ResourceTable,
//! }
//!
//! impl WasiView for State {
//!     fn ctx(&mut self) -> WasiCtxView<'_> {
//!         WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
//!     }
//! }
//!
//! # fn main() -> wharf::Result<()> {
//! let engine = Engine::default();
//! let bytes = std::fs::read("program.wasm").map_err(wharf::Error::host)?;
//! let component = Component::new(&engine, bytes)?;
//! let mut linker = Linker::<State>::new(&engine);
//! p2::add_to_linker(&mut linker)?;
//! let ctx = WasiCtx::builder().inherit_stdio().arg("program").build();
//! let mut store = Store::new(&engine, State { ctx, table: ResourceTable::new() });
//! let command = Command::instantiate(&mut store, &component, &linker)?;
//! let succeeded = command.wasi_cli_run().call_run(&mut store)?.is_ok();
//! # let _ = succeeded;
//! # Ok(())
//! # }
//! ```
//!
//! [`AsyncCommand`] is the same for guests that shall not block the thread while they wait.

pub mod bindings;
mod cli;
mod clocks;
mod filesystem;
mod poll;
mod random;
mod sockets;
mod streams;

pub use crate::sockets::{
    IncomingDatagramStream, OutgoingDatagramStream, ResolveAddressStream, TcpSocket, UdpSocket,
};
pub use bindings::asynchronous::{AsyncCommand, AsyncCommandPre};
pub use bindings::{Command, CommandPre};
pub use cli::{TerminalInput, TerminalOutput};
pub use filesystem::FsError;
pub use poll::{DynPollable, subscribe};
pub use sockets::{Network, SocketError};

use crate::ctx::{WasiCtxView, WasiView};
use wharf::Result;
use wharf::component::{HasData, Linker};

/// Stands for [`WasiCtxView`] in the signatures of generated functions.
#[derive(Debug)]
pub struct HasWasi(());

impl HasData for HasWasi {
    type Data<'a> = WasiCtxView<'a>;
}

/// Adds every import of the world `wasi:cli/command` to a linker. Components that ask for an older 0.2 get the same.
///
/// # Errors
/// If the linker has one of them already and does not allow that.
pub fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    Command::add_to_linker::<T, HasWasi>(linker, T::ctx)
}
