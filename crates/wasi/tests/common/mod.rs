//! What the tests with real guests share: the data of their stores, and where the guests are.

use std::path::PathBuf;

use wharf::component::ResourceTable;
use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The data of a store: what is granted, and the resources.
pub struct State {
    pub ctx: WasiCtx,
    pub table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// The path of a file among the guests of the examples.
pub fn guest(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/guests")
        .join(path)
}
