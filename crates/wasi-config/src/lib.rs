//! `wasi:config` for Wharf: settings for components.
//!
//! A component reads the settings of its [`WasiConfigVariables`], and no others.
//!
//! ```no_run
//! use wharf::component::{Component, Linker};
//! use wharf::{Engine, Store};
//! use wharf_wasi_config::{WasiConfig, WasiConfigVariables};
//!
//! struct State {
//!     config: WasiConfigVariables,
//! }
//!
//! # fn main() -> wharf::Result<()> {
//! let engine = Engine::default();
//! let bytes = std::fs::read("program.wasm").map_err(wharf::Error::host)?;
//! let component = Component::new(&engine, bytes)?;
//! let mut linker = Linker::<State>::new(&engine);
//! wharf_wasi_config::add_to_linker(&mut linker, |state| WasiConfig::new(&state.config))?;
//! let config = WasiConfigVariables::from_iter([("greeting", "hello")]);
//! let mut store = Store::new(&engine, State { config });
//! let instance = linker.instantiate(&mut store, &component)?;
//! # let _ = instance;
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod bindings;
mod variables;

pub use async_trait::async_trait;
pub use variables::{ConfigError, ConfigSource, WasiConfigVariables};

use wharf::Result;
use wharf::component::{HasData, Linker};

/// What the host of `wasi:config` works on. It is implemented for this type.
#[derive(Debug)]
pub struct WasiConfig<'a> {
    variables: &'a WasiConfigVariables,
}

impl<'a> WasiConfig<'a> {
    /// A view of what a store holds.
    pub fn new(variables: &'a WasiConfigVariables) -> WasiConfig<'a> {
        WasiConfig { variables }
    }
}

/// Stands for [`WasiConfig`] in the signatures of generated functions.
#[derive(Debug)]
pub struct HasConfig(());

impl HasData for HasConfig {
    type Data<'a> = WasiConfig<'a>;
}

/// Both versions of the interface are the same.
macro_rules! host {
    ($store:path) => {
        const _: () = {
            use $store as store;

            impl From<ConfigError> for store::Error {
                fn from(error: ConfigError) -> store::Error {
                    match error {
                        ConfigError::Upstream(message) => store::Error::Upstream(message),
                        ConfigError::Io(message) => store::Error::Io(message),
                    }
                }
            }

            impl store::Host for WasiConfig<'_> {
                async fn get(
                    &mut self,
                    key: String,
                ) -> Result<std::result::Result<Option<String>, store::Error>> {
                    Ok(self.variables.get(&key).await.map_err(Into::into))
                }

                async fn get_all(
                    &mut self,
                ) -> Result<std::result::Result<Vec<(String, String)>, store::Error>> {
                    Ok(self.variables.get_all().await.map_err(Into::into))
                }
            }
        };
    };
}

host!(bindings::wasi::config::store);
host!(bindings::draft::wasi::config::store);

/// Adds `wasi:config/store` to a linker, in the versions 0.2.0-rc.1 and 0.2.0-draft.
///
/// # Errors
/// If the linker has one of them already and does not allow that.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> WasiConfig<'_>,
) -> Result<()> {
    bindings::wasi::config::store::add_to_linker::<T, HasConfig>(linker, get)?;
    bindings::draft::wasi::config::store::add_to_linker::<T, HasConfig>(linker, get)
}

#[cfg(test)]
mod tests;
