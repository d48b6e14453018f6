//! Directories in memory, for a real component of WASI 0.2 and a real core module of preview 1.

mod common;

use wharf::component::{Component, Linker, ResourceTable};
use wharf::{Engine, Module, Store};
use wharf_wasi::p2::{self, Command};
use wharf_wasi::preview1::{self, WasiP1Ctx};
use wharf_wasi::{
    DirPerms, FilePerms, I32Exit, MemoryDir, MemoryDirLimits, MemoryOutputPipe, WasiCtx, WasiCtxBuilder,
};

use common::{State, guest};

/// Runs a guest with what the builder grants: what it printed, or its errors.
fn run(grant: impl FnOnce(&mut WasiCtxBuilder), args: &[&str]) -> Result<String, String> {
    let (out, err) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
    let mut builder = WasiCtx::builder();
    builder
        .arg("guest")
        .args(args)
        .stdout(out.clone())
        .stderr(err.clone());
    grant(&mut builder);
    let engine = Engine::default();
    let component = Component::new(
        &engine,
        std::fs::read(guest("rust-command/rust-command.wasm")).unwrap(),
    )
    .unwrap();
    let mut linker = Linker::new(&engine);
    p2::add_to_linker(&mut linker).unwrap();
    let state = State {
        ctx: builder.build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, state);
    let command = Command::instantiate(&mut store, &component, &linker).unwrap();
    match command.wasi_cli_run().call_run(&mut store).unwrap() {
        Ok(()) => Ok(String::from_utf8(out.contents().to_vec()).unwrap()),
        Err(()) => Err(String::from_utf8(err.contents().to_vec()).unwrap()),
    }
}

#[test]
fn a_component_works_in_memory() {
    let data = MemoryDir::new(MemoryDirLimits {
        bytes: 1000,
        entries: 5,
    });
    data.write_file("in/hello.txt", "hello guest\n").unwrap();
    let granted = |args: &[&str]| {
        run(
            |builder| {
                builder.preopened_memory(&data, "data", DirPerms::all(), FilePerms::all());
            },
            args,
        )
    };
    assert_eq!(granted(&["read", "data/in/hello.txt"]).unwrap(), "hello guest\n");
    assert_eq!(granted(&["ls", "data"]).unwrap(), "in/\n");
    granted(&["write", "data/out.txt", "changed"]).unwrap();
    granted(&["append", "data/out.txt", "!"]).unwrap();
    assert_eq!(data.read_file("out.txt").unwrap(), b"changed!");
    let error = granted(&["write", "data/large.txt", &"x".repeat(2000)]).unwrap_err();
    assert!(error.contains("space") || error.contains("os error"), "{error}");
    assert!(granted(&["read", "data/../data/out.txt"]).is_err());
    // The same directory, for reading only.
    let view = |args: &[&str]| {
        run(
            |builder| {
                builder.preopened_memory(&data, "data", DirPerms::READ, FilePerms::READ);
            },
            args,
        )
    };
    assert_eq!(view(&["read", "data/out.txt"]).unwrap(), "changed!");
    view(&["write", "data/out.txt", "x"]).unwrap_err();
    view(&["write", "data/new.txt", "x"]).unwrap_err();
    // Everything that the guest's standard library does with files.
    let scratch = |builder: &mut WasiCtxBuilder| {
        builder.preopened_memory_dir("tmp", MemoryDirLimits::default());
    };
    run(scratch, &["scratch", "tmp"]).unwrap();
}

#[test]
fn a_core_module_works_in_memory() {
    let scratch = MemoryDir::new(MemoryDirLimits::default());
    let out = MemoryOutputPipe::new(1 << 20);
    let engine = Engine::default();
    let module = Module::new(&engine, std::fs::read(guest("core-module/c-core.wasm")).unwrap()).unwrap();
    let mut linker = wharf::Linker::<WasiP1Ctx>::new(&engine);
    preview1::add_to_linker(&mut linker, |ctx| ctx).unwrap();
    for args in [&["records", "/scratch"][..], &["list", "/scratch"]] {
        let mut builder = WasiCtx::builder();
        builder
            .arg("guest")
            .args(args)
            .stdout(out.clone())
            .preopened_memory(&scratch, "/scratch", DirPerms::all(), FilePerms::all());
        let mut store = Store::new(&engine, builder.build_p1());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let ended = instance
            .get_typed_func::<(), ()>(&store, "_start")
            .unwrap()
            .call(&mut store, ());
        if let Err(e) = ended {
            assert_eq!(e.downcast_ref::<I32Exit>(), Some(&I32Exit(0)), "{e:?}");
        }
    }
    let printed = String::from_utf8(out.contents().to_vec()).unwrap();
    let expected =
        String::from_utf8(std::fs::read(guest("c-command/expected/records.txt")).unwrap()).unwrap();
    assert!(printed.starts_with(&expected), "{printed}");
}
