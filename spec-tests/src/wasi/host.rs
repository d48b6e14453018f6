//! What guests find on Wharf in this process.

use std::collections::BTreeMap;
use std::sync::Arc;

use wharf::component::{Linker, ResourceTable};
use wharf::{Engine, Result};
use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};
use wharf_wasi_config::{WasiConfig, WasiConfigVariables};
use wharf_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks};
use wharf_wasi_keyvalue::{BucketGrant, MemoryBackend, WasiKeyValue, WasiKeyValueCtx};
use wharf_wasi_logging::{LogSink, Record, WasiLogging, WasiLoggingCtx};

/// The data of a store.
pub(super) struct Host {
    ctx: WasiCtx,
    http: WasiHttpCtx,
    config: WasiConfigVariables,
    keyvalue: WasiKeyValueCtx,
    logging: WasiLoggingCtx,
    table: ResourceTable,
}

impl Host {
    /// A host with these grants, a bucket of its own, and these settings.
    pub(super) fn new(ctx: WasiCtx, http: WasiHttpCtx, config: &BTreeMap<String, String>) -> Host {
        let mut keyvalue = WasiKeyValueCtx::builder("");
        keyvalue.bucket("conformance", BucketGrant::new(Arc::new(MemoryBackend::new())));
        Host {
            ctx,
            http,
            config: WasiConfigVariables::from_iter(config.clone()),
            keyvalue: keyvalue.build(),
            logging: WasiLoggingCtx::builder().sink(Arc::new(Nowhere)).build(),
            table: ResourceTable::new(),
        }
    }
}

/// Takes log messages. Cases don't look at them: where they are to be seen is up to the host.
struct Nowhere;

impl LogSink for Nowhere {
    fn log(&self, _: &Record<'_>) {}
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: default_hooks(),
        }
    }
}

/// Everything that a guest of the suite can import.
pub(super) fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::<Host>::new(engine);
    wharf_wasi::p2::add_to_linker(&mut linker)?;
    wharf_wasi_http::add_only_http_to_linker(&mut linker)?;
    wharf_wasi_config::add_to_linker(&mut linker, |host| WasiConfig::new(&host.config))?;
    wharf_wasi_logging::add_to_linker(&mut linker, |host| WasiLogging::new(&mut host.logging))?;
    wharf_wasi_keyvalue::add_to_linker(&mut linker, |host| {
        WasiKeyValue::new(&host.keyvalue, &mut host.table)
    })?;
    Ok(linker)
}
