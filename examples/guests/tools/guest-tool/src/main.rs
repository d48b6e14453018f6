//! The steps between a toolchain's output and a component that the guests' build scripts need, in one small program: quicker to
//! build than the general tools `wasm-tools`, `wit-bindgen` and `wac`, which do the same.

mod adapter_memory;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, plug};
use wasi_preview1_component_adapter_provider as adapter;
use wit_bindgen_core::{Files, wit_parser::Resolve};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

const USAGE: &str = "usage:
  guest-tool component command|reactor CORE.wasm OUT.wasm    wrap a core module with the preview 1 adapter
  guest-tool component-go WIT WORLD CORE.wasm OUT.wasm       the same for a Go command that imports what a world says
  guest-tool bindings-c WIT WORLD OUT_DIR                    C bindings and the object with the component's type
  guest-tool plug CONSUMER.wasm PROVIDER.wasm OUT.wasm       give a component's exports to another's imports";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["component", kind, core, out] => component(kind, core, out),
        ["component-go", wit, world, core, out] => component_go(wit, world, core, out),
        ["bindings-c", wit, world, out] => bindings_c(wit, world, out),
        ["plug", consumer, provider, out] => compose(consumer, provider, out),
        _ => bail!("{USAGE}"),
    }
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.to_owned())
}

fn component(kind: &str, core: &str, out: &str) -> Result<()> {
    let adapter = match kind {
        "command" => adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        "reactor" => adapter::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        _ => bail!("no adapter for {kind:?}\n{USAGE}"),
    };
    encode(&read(core)?, adapter, out)
}

fn encode(module: &[u8], adapter: &[u8], out: &str) -> Result<()> {
    let bytes = ComponentEncoder::default()
        .module(module)?
        .adapter(adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .validate(true)
        .encode()?;
    Ok(fs::write(out, bytes)?)
}

fn component_go(wit: &str, world: &str, core: &str, out: &str) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut module = adapter_memory::add(&read(core)?)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    encode(&module, adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, out)
}

fn bindings_c(wit: &str, world: &str, out: &str) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    fs::create_dir_all(out)?;
    for (name, contents) in files.iter() {
        fs::write(Path::new(out).join(name), contents)?;
    }
    Ok(())
}

fn compose(consumer: &str, provider: &str, out: &str) -> Result<()> {
    let mut graph = CompositionGraph::new();
    let mut register = |name: &str, path: &str| -> Result<_> {
        let package = Package::from_bytes(name, None, read(path)?, graph.types_mut())?;
        Ok(graph.register_package(package)?)
    };
    let socket = register("consumer", consumer)?;
    let provider = register("provider", provider)?;
    plug(&mut graph, vec![provider], socket)?;
    Ok(fs::write(out, graph.encode(EncodeOptions::default())?)?)
}
