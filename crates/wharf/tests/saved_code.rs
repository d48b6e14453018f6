//! Machine code that is saved: the cache and artifacts.
#![cfg(all(
    feature = "jit",
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use wharf::component::{Component, Linker};
use wharf::{Artifact, Bytes, Config, Engine, Module, Store, Tier, TierStats, TrapCode};

/// Three types, direct, indirect and recursive calls, a memory, a host call by way of an import that stays interpreted, and traps.
const MODULE: &str = r#"(module $m
    (memory 1)
    (table 2 funcref)
    (elem (i32.const 0) $fib $double)
    (type $unary (func (param i32) (result i32)))
    (func $fib (type $unary)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
            (then (local.get 0))
            (else (i32.add
                (call $fib (i32.sub (local.get 0) (i32.const 1)))
                (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
    (func $float (param f64 v128) (result f64 i64)
        (f64.sqrt (local.get 0))
        (i64x2.extract_lane 1 (local.get 1)))
    (func (export "run") (param i32) (result i32)
        (i32.store (i32.const 100) (call_indirect (type $unary) (local.get 0) (i32.const 0)))
        (call $float (f64.const 2) (v128.const i64x2 5 6))
        drop drop
        (call_indirect (type $unary) (i32.load (i32.const 100)) (i32.const 1)))
    (func (export "peek") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "spin") (loop (br 0))))"#;

fn wasm() -> Vec<u8> {
    wat::parse_str(MODULE).unwrap()
}

fn config(cache: &Path) -> Config {
    let mut config = Config::new();
    config.tier(Tier::Eager).cache_dir(cache);
    config
}

/// What a process would do: makes the module, runs it and checks what it does, and drops everything.
fn run(config: &Config) -> TierStats {
    let engine = Engine::new(config).unwrap();
    check(&engine, &Module::new(&engine, wasm()).unwrap());
    engine.save_cache().ok();
    engine.tier_stats()
}

fn check(engine: &Engine, module: &Module) {
    let mut store = Store::new(engine, ());
    let instance = wharf::Linker::<()>::new(engine)
        .instantiate(&mut store, module)
        .unwrap();
    let run = instance
        .get_typed_func::<(i32,), (i32,)>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, (12,)).unwrap(), (288,));
    let peek = instance
        .get_typed_func::<(i32,), (i32,)>(&mut store, "peek")
        .unwrap();
    let trap = peek.call(&mut store, (-1,)).unwrap_err();
    assert_eq!(trap.trap_code(), Some(TrapCode::MemoryOutOfBounds));
    let frame = &trap.backtrace().unwrap().frames()[0];
    assert_eq!((frame.func_index, frame.module.as_deref()), (4, Some("m")));
    assert!(frame.offset.is_some());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_second_start_compiles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("not/there/yet");
    let first = run(&config(&cache));
    assert_eq!((first.compiled, first.loaded, first.saved), (6, 0, 6));
    assert_eq!(files(&cache).len(), 1);
    let second = run(&config(&cache));
    assert_eq!((second.compiled, second.loaded, second.saved), (0, 6, 0));
    assert_eq!(second.compile_time.as_nanos(), 0);
    assert_eq!(second.translated, 0);
    assert!(second.code_bytes > 0);
}

/// Code is also saved when nobody asks for it, and what is there grows.
#[test]
fn dropped_modules_are_saved_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    for part in 0..2 {
        let engine = Engine::new(config(folder.path()).compile_filter(match part {
            0 => |func| func % 2 == 0,
            _ => |func| func % 2 == 1,
        }))
        .unwrap();
        check(&engine, &Module::new(&engine, wasm()).unwrap());
        // Its module is gone by now.
        assert_eq!(engine.tier_stats().saved, 3);
    }
    let stats = run(&config(folder.path()));
    assert_eq!((stats.compiled, stats.loaded), (0, 6));
}

#[test]
fn damage_costs_a_compilation_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(folder.path()));
    let file = files(folder.path()).remove(0);
    let good = fs::read(&file).unwrap();
    let mut damaged: Vec<Vec<u8>> = Vec::new();
    // The header and the tables densely, the rest here and there.
    for at in (0..200).chain((200..good.len()).step_by(61)) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        damaged.push(bytes);
    }
    damaged.extend([0, 1, 8, 50, 111, 112, 300, 4095, 4096, good.len() - 1].map(|len| good[..len].to_vec()));
    damaged.push([good.as_slice(), b"more"].concat());
    damaged.push(vec![0xff; good.len()]);
    assert!(damaged.len() > 250);
    for bytes in damaged {
        fs::write(&file, bytes).unwrap();
        let mut config = config(folder.path());
        // One function is enough to see that the file is replaced.
        config.compile_filter(|func| func == 4);
        let stats = run(&config);
        assert_eq!((stats.compiled, stats.loaded, stats.saved), (1, 0, 1));
        let stats = run(&config);
        assert_eq!((stats.compiled, stats.loaded), (0, 1));
    }
}

#[test]
fn code_for_other_settings_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(folder.path()));
    let stats = run(config(folder.path()).epoch_interruption(true));
    assert_eq!((stats.compiled, stats.loaded), (6, 0));
    let both = files(folder.path());
    assert_eq!(both.len(), 2);
    // Under the name of the other: its key tells.
    fs::copy(&both[0], folder.path().join("x")).unwrap();
    fs::rename(&both[1], &both[0]).unwrap();
    fs::rename(folder.path().join("x"), &both[1]).unwrap();
    for interruption in [false, true] {
        let stats = run(config(folder.path()).epoch_interruption(interruption));
        assert_eq!((stats.compiled, stats.loaded), (6, 0));
    }
}

#[test]
fn files_that_others_may_write_are_not_used() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(folder.path()));
    let file = files(folder.path()).remove(0);
    for (mode, loaded) in [(0o620, 0), (0o644, 6)] {
        run(&config(folder.path()));
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(run(&config(folder.path())).loaded, loaded, "{mode:o}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(run(&config(folder.path())).loaded, 0);
}

/// A folder that can't be written is as good as none.
#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "").unwrap();
    let engine = Engine::new(&config(&no_folder)).unwrap();
    let module = Module::new(&engine, wasm()).unwrap();
    check(&engine, &module);
    assert!(engine.save_cache().unwrap_err().to_string().contains("cache"));
    drop(module);
    let stats = engine.tier_stats();
    assert_eq!((stats.compiled, stats.saved, stats.save_failed), (6, 0, 2));
}

#[test]
fn many_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let filters: [fn(u32) -> bool; 4] = [|_| true, |f| f < 3, |f| f > 2, |f| f % 2 == 0];
    std::thread::scope(|scope| {
        for filter in filters {
            let path = folder.path();
            scope.spawn(move || {
                for _ in 0..10 {
                    run(config(path).compile_filter(filter));
                }
            });
        }
    });
    assert_eq!(files(folder.path()).len(), 1, "no temporary files are left");
    let stats = run(&config(folder.path()));
    assert_eq!(stats.compiled + stats.loaded, 6);
    assert!(stats.loaded > 0);
}

/// Hot code is saved in the default mode as well.
#[test]
fn tiered_code_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.tier(Tier::Sync).sample_interval(1).hot_samples(1);
    let first = run(&config);
    assert!(first.compiled > 0 && first.saved == first.compiled);
    let second = run(&config);
    assert!(second.loaded == first.compiled && second.compiled == 0);
}

/// The first deadline of an engine takes code out of use that does not look at it, loaded code as well.
#[test]
fn loaded_code_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    run(&config(folder.path()));
    for loaded in [6, 12] {
        let engine = Engine::new(&config(folder.path())).unwrap();
        let module = Module::new(&engine, wasm()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = wharf::Linker::<()>::new(&engine)
            .instantiate(&mut store, &module)
            .unwrap();
        let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        store.set_epoch_deadline(1);
        engine.increment_epoch();
        let trap = spin.call(&mut store, ()).unwrap_err();
        assert_eq!(trap.trap_code(), Some(TrapCode::Interrupt));
        check(&engine, &module);
        // The second time there is a file for engines with deadlines too.
        assert_eq!(engine.tier_stats().loaded, loaded);
    }
}

const COMPONENT: &str = r#"(component
    (core module $a (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
    (core module $b
        (import "a" "f" (func $f (param i32) (result i32)))
        (func (export "g") (param i32) (result i32) (i32.mul (call $f (local.get 0)) (i32.const 10))))
    (core instance $a (instantiate $a))
    (core instance $b (instantiate $b (with "a" (instance $a))))
    (func (export "g") (param "x" u32) (result u32) (canon lift (core func $b "g"))))"#;

fn check_component(engine: &Engine, bytes: Bytes) {
    let component = Component::new(engine, bytes).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Linker::new(engine).instantiate(&mut store, &component).unwrap();
    let g = instance
        .get_typed_func::<(u32,), (u32,)>(&mut store, "g")
        .unwrap();
    assert_eq!(g.call(&mut store, (4,)).unwrap(), (50,));
}

fn keyed(secret: u8) -> Config {
    let mut config = Config::new();
    config.tier(Tier::Eager).artifact_key([secret; 32]);
    config
}

#[test]
fn artifacts_of_modules_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let artifact = Engine::new(&keyed(1)).unwrap().precompile_module(wasm()).unwrap();
    assert!(Artifact::detect(&artifact));
    fs::write(&path, artifact).unwrap();

    let engine = Engine::new(&keyed(1)).unwrap();
    let artifact = Artifact::open(&engine, &path).unwrap();
    assert!(artifact.trusted());
    assert_eq!(&*artifact.bytes(), wasm());
    // Two modules of one artifact have code of their own.
    let modules = [(); 2].map(|()| Module::new(&engine, artifact.bytes()).unwrap());
    drop(artifact);
    for module in &modules {
        check(&engine, module);
    }
    let stats = engine.tier_stats();
    assert_eq!((stats.compiled, stats.loaded), (0, 12));
}

/// An artifact of the component, marked with secret 1.
fn component_artifact() -> Vec<u8> {
    let wasm = wat::parse_str(COMPONENT).unwrap();
    let engine = Engine::new(&keyed(1)).unwrap();
    engine.precompile_component(wasm).unwrap()
}

#[test]
fn artifacts_of_components_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, component_artifact()).unwrap();

    let engine = Engine::new(keyed(1).tier(Tier::Tiered)).unwrap();
    check_component(&engine, Artifact::open(&engine, &path).unwrap().bytes());
    let stats = engine.tier_stats();
    assert_eq!((stats.compiled, stats.loaded), (0, 2));
}

/// Code is used only with the secret that it was marked with; the WebAssembly always.
#[test]
fn artifacts_of_others_are_compiled_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, component_artifact()).unwrap();
    let mut unkeyed = Config::new();
    unkeyed.tier(Tier::Eager);
    for config in [keyed(2), unkeyed] {
        let engine = Engine::new(&config).unwrap();
        let artifact = Artifact::open(&engine, &path).unwrap();
        assert!(!artifact.trusted());
        check_component(&engine, artifact.bytes());
        let stats = engine.tier_stats();
        assert_eq!((stats.compiled, stats.loaded), (2, 0));

        let engine = Engine::new(&config).unwrap();
        // SAFETY: the file is the one from above.
        let artifact = unsafe { Artifact::open_trusted(&engine, &path).unwrap() };
        check_component(&engine, artifact.bytes());
        assert_eq!(engine.tier_stats().loaded, 2);
    }
    // The right secret and other settings.
    let engine = Engine::new(keyed(1).epoch_interruption(true)).unwrap();
    check_component(&engine, Artifact::open(&engine, &path).unwrap().bytes());
    let stats = engine.tier_stats();
    assert_eq!((stats.compiled, stats.loaded), (2, 0));
}

#[test]
fn damaged_artifacts_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let good = component_artifact();
    let engine = Engine::new(&keyed(1)).unwrap();
    let mut refused = 0;
    for at in (0..400).chain((400..good.len()).step_by(97)) {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        fs::write(&path, bytes).unwrap();
        match Artifact::open(&engine, &path) {
            Err(_) => refused += 1,
            // Another mark is somebody else's; and nothing reads what is between the parts.
            Ok(artifact) => {
                assert!(!artifact.trusted() || good[at] == 0, "byte {at}");
                check_component(&engine, artifact.bytes());
            }
        }
    }
    assert!(refused > 300, "{refused}");
    for len in (0..good.len()).step_by(53) {
        fs::write(&path, &good[..len]).unwrap();
        assert!(Artifact::open(&engine, &path).is_err(), "{len} bytes");
    }
    fs::write(&path, [&good[..], b"more"].concat()).unwrap();
    let error = Artifact::open(&engine, &path).unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}
