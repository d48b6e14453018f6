//! How Wasmtime is set up, for modules and for components.

use std::path::Path;

/// Wasmtime's engine in its default configuration; with a folder, it keeps compiled code there.
pub(crate) fn wasmtime_engine(cache: Option<&Path>) -> wasmtime::Result<wasmtime::Engine> {
    let mut config = wasmtime::Config::new();
    if let Some(folder) = cache {
        let mut settings = wasmtime::CacheConfig::new();
        settings.with_directory(folder);
        config.cache(Some(wasmtime::Cache::new(settings)?));
    }
    wasmtime::Engine::new(&config)
}
