//! Core modules built for preview 1, in the linker of core modules.

use tempfile::TempDir;
use wharf::{Engine, Error, Linker, Module, Store};
use wharf_wasi::preview1::{self, WasiP1Ctx};
use wharf_wasi::{DirPerms, FilePerms, I32Exit, MemoryOutputPipe, WasiCtxBuilder};

/// Runs the `_start` of a module in text form.
fn run(wat: &str, builder: &mut WasiCtxBuilder) -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, wat::parse_str(wat).unwrap())?;
    let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    preview1::add_to_linker(&mut linker, |ctx| ctx)?;
    let mut store = Store::new(&engine, builder.build_p1());
    let instance = linker.instantiate(&mut store, &module)?;
    instance
        .get_typed_func::<(), ()>(&store, "_start")?
        .call(&mut store, ())
}

#[test]
fn output_and_exit_status() {
    let out = MemoryOutputPipe::new(100);
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\10\00\00\00\06\00\00\00")
        (data (i32.const 16) "hello\n")
        (func (export "_start")
            (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;
    let error = run(wat, WasiCtxBuilder::new().stdout(out.clone())).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(0)), "{error:?}");
    assert_eq!(out.contents(), "hello\n");
    // A pointer outside of the memory is EFAULT, not the end of the host.
    let far = wat.replace(
        "(i32.const 0) (i32.const 1) (i32.const 8)",
        "(i32.const -8) (i32.const 1) (i32.const 8)",
    );
    let error = run(&far, &mut WasiCtxBuilder::new()).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(21)), "{error:?}");
    // As is one that is huge for the count of buffers.
    let many = wat.replace(
        "(i32.const 0) (i32.const 1) (i32.const 8)",
        "(i32.const 0) (i32.const -1) (i32.const 8)",
    );
    let error = run(&many, &mut WasiCtxBuilder::new()).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(28)), "{error:?}");
}

#[test]
fn files_of_a_granted_directory() {
    let temp = TempDir::new().unwrap();
    // Creates the file `new` in the directory that is descriptor 3, writes to it and exits with the sum of errors.
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\10\00\00\00\03\00\00\00")
        (data (i32.const 16) "new")
        (func (export "_start")
            (call $exit (i32.add
                (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 3) (i32.const 1) (i64.const 64)
                    (i64.const 0) (i32.const 0) (i32.const 32))
                (call $write (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8))))))"#;
    let mut builder = WasiCtxBuilder::new();
    builder
        .preopened_dir(temp.path(), "/", DirPerms::all(), FilePerms::all())
        .unwrap();
    let error = run(wat, &mut builder).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(0)), "{error:?}");
    assert_eq!(std::fs::read(temp.path().join("new")).unwrap(), b"new");
    // Without the grant both fail with EBADF (8).
    let error = run(wat, &mut WasiCtxBuilder::new()).unwrap_err();
    assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(16)), "{error:?}");
}

#[test]
fn a_guest_without_a_memory_is_told_so() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "_start") (drop (call $yield))))"#;
    let error = run(wat, &mut WasiCtxBuilder::new()).unwrap_err();
    assert!(error.to_string().contains("memory"), "{error}");
}

#[test]
fn every_function_is_there() {
    // Names and numbers of parameters as in the definition of preview 1.
    let (i, l) = ("i32", "i64");
    let functions: &[(&str, &[&str])] = &[
        ("args_get", &[i, i]),
        ("args_sizes_get", &[i, i]),
        ("environ_get", &[i, i]),
        ("environ_sizes_get", &[i, i]),
        ("clock_res_get", &[i, i]),
        ("clock_time_get", &[i, l, i]),
        ("fd_advise", &[i, l, l, i]),
        ("fd_allocate", &[i, l, l]),
        ("fd_close", &[i]),
        ("fd_datasync", &[i]),
        ("fd_fdstat_get", &[i, i]),
        ("fd_fdstat_set_flags", &[i, i]),
        ("fd_fdstat_set_rights", &[i, l, l]),
        ("fd_filestat_get", &[i, i]),
        ("fd_filestat_set_size", &[i, l]),
        ("fd_filestat_set_times", &[i, l, l, i]),
        ("fd_pread", &[i, i, i, l, i]),
        ("fd_prestat_get", &[i, i]),
        ("fd_prestat_dir_name", &[i, i, i]),
        ("fd_pwrite", &[i, i, i, l, i]),
        ("fd_read", &[i, i, i, i]),
        ("fd_readdir", &[i, i, i, l, i]),
        ("fd_renumber", &[i, i]),
        ("fd_seek", &[i, l, i, i]),
        ("fd_sync", &[i]),
        ("fd_tell", &[i, i]),
        ("fd_write", &[i, i, i, i]),
        ("path_create_directory", &[i, i, i]),
        ("path_filestat_get", &[i, i, i, i, i]),
        ("path_filestat_set_times", &[i, i, i, i, l, l, i]),
        ("path_link", &[i, i, i, i, i, i, i]),
        ("path_open", &[i, i, i, i, i, l, l, i, i]),
        ("path_readlink", &[i, i, i, i, i, i]),
        ("path_remove_directory", &[i, i, i]),
        ("path_rename", &[i, i, i, i, i, i]),
        ("path_symlink", &[i, i, i, i, i]),
        ("path_unlink_file", &[i, i, i]),
        ("poll_oneoff", &[i, i, i, i]),
        ("proc_raise", &[i]),
        ("sched_yield", &[]),
        ("random_get", &[i, i]),
        ("sock_accept", &[i, i, i]),
        ("sock_recv", &[i, i, i, i, i, i]),
        ("sock_send", &[i, i, i, i, i]),
        ("sock_shutdown", &[i, i]),
    ];
    let mut imports = String::new();
    for (name, params) in functions {
        let params = params.join(" ");
        imports +=
            &format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func (param {params}) (result i32)))\n");
    }
    run(
        &format!("(module {imports} (func (export \"_start\")))"),
        &mut WasiCtxBuilder::new(),
    )
    .unwrap();
}
