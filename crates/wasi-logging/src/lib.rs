//! `wasi:logging` for Wharf: messages of components, in lines that no component can forge.
//!
//! ```no_run
//! use std::sync::Arc;
//! use wharf::component::{Component, Linker};
//! use wharf::{Engine, Store};
//! use wharf_wasi_logging::{Format, Level, WasiLogging, WasiLoggingCtx, WriterSink};
//!
//! struct State {
//!     logging: WasiLoggingCtx,
//! }
//!
//! # fn main() -> wharf::Result<()> {
//! let engine = Engine::default();
//! let bytes = std::fs::read("program.wasm").map_err(wharf::Error::host)?;
//! let component = Component::new(&engine, bytes)?;
//! let mut linker = Linker::<State>::new(&engine);
//! wharf_wasi_logging::add_to_linker(&mut linker, |state| WasiLogging::new(&mut state.logging))?;
//! let logging = WasiLoggingCtx::builder()
//!     .component("program")
//!     .min_level(Level::Info)
//!     .sink(Arc::new(WriterSink::stderr(Format::Json)))
//!     .build();
//! let mut store = Store::new(&engine, State { logging });
//! let instance = linker.instantiate(&mut store, &component)?;
//! # let _ = instance;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod bindings;
mod ctx;
mod format;
mod level;
mod sink;

pub use ctx::{RateLimit, WasiLoggingCtx, WasiLoggingCtxBuilder};
pub use format::{json_string, timestamp};
pub use level::{Level, UnknownLevel};
pub use sink::{Format, LogSink, Record, WriterSink};

use wharf::Result;
use wharf::component::{HasData, Linker};

/// What the host of `wasi:logging` works on. It is implemented for this type.
#[derive(Debug)]
pub struct WasiLogging<'a> {
    ctx: &'a mut WasiLoggingCtx,
}

impl<'a> WasiLogging<'a> {
    /// A view of what a store holds.
    pub fn new(ctx: &'a mut WasiLoggingCtx) -> WasiLogging<'a> {
        WasiLogging { ctx }
    }
}

/// Stands for [`WasiLogging`] in the signatures of generated functions.
#[derive(Debug)]
pub struct HasLogging(());

impl HasData for HasLogging {
    type Data<'a> = WasiLogging<'a>;
}

/// Both forms of the interface are the same.
macro_rules! host {
    ($logging:path) => {
        const _: () = {
            use $logging as logging;

            impl From<logging::Level> for Level {
                fn from(level: logging::Level) -> Level {
                    match level {
                        logging::Level::Trace => Level::Trace,
                        logging::Level::Debug => Level::Debug,
                        logging::Level::Info => Level::Info,
                        logging::Level::Warn => Level::Warn,
                        logging::Level::Error => Level::Error,
                        logging::Level::Critical => Level::Critical,
                    }
                }
            }

            impl logging::Host for WasiLogging<'_> {
                fn log(&mut self, level: logging::Level, context: String, message: String) -> Result<()> {
                    self.ctx.log(level.into(), &context, &message);
                    Ok(())
                }
            }
        };
    };
}

host!(bindings::wasi::logging::logging);
host!(bindings::unversioned::wasi::logging::logging);

/// Adds `wasi:logging/logging` to a linker, in the version 0.1.0-draft and without a version.
///
/// # Errors
/// If the linker has one of them already and does not allow that.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> WasiLogging<'_>,
) -> Result<()> {
    bindings::wasi::logging::logging::add_to_linker::<T, HasLogging>(linker, get)?;
    bindings::unversioned::wasi::logging::logging::add_to_linker::<T, HasLogging>(linker, get)
}

#[cfg(test)]
mod tests;
