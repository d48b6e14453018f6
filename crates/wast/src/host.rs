//! The instance `host` that component scripts may import.

use wharf::component::Linker;
use wharf_core::{Engine, Result};

/// Defines the functions of `host`: those that scripts of the Component Model's implementations use.
pub(crate) fn add_to_linker(_engine: &Engine, linker: &mut Linker<()>) -> Result<()> {
    let mut root = linker.root();
    root.func_wrap("host-echo-u32", |_, (v,): (u32,)| Ok((v,)))?;
    let mut host = root.instance("host")?;
    host.func_wrap("return-three", |_, (): ()| Ok((3u32,)))?;
    host.func_wrap("echo-u32", |_, (v,): (u32,)| Ok((v,)))?;
    host.func_wrap("echo-string", |_, (v,): (String,)| Ok((v,)))?;
    Ok(())
}
