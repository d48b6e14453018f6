//! Damaged guests: every committed guest, cut at many places and with bytes changed, gives an error or runs into a
//! trap or to its end. It never panics, aborts, hangs or takes memory without bound. All of it runs in this process,
//! so that an abort fails the test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use wharf::Store;
use wharf::component::{Component, InstancePre, Linker, ResourceTable};
use wharf_core::{Config, Engine, Limits};
use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};

struct Host {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// Engines with and without lazy validation of bodies.
fn engine(lazy: bool) -> Engine {
    let mut config = Config::new();
    config.lazy_validation(lazy);
    Engine::new(&config).unwrap()
}

/// Moves the engine's clock while a test runs, so that a guest that loops is stopped.
struct Clock(Arc<AtomicBool>);

impl Clock {
    fn start(engine: &Engine) -> Clock {
        let stop = Arc::new(AtomicBool::new(false));
        let (engine, flag) = (engine.clone(), stop.clone());
        std::thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
                engine.increment_epoch();
            }
        });
        Clock(stop)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The committed guests: those in a folder of their own.
fn guests() -> &'static [(PathBuf, Vec<u8>)] {
    static GUESTS: OnceLock<Vec<(PathBuf, Vec<u8>)>> = OnceLock::new();
    GUESTS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guests");
        let mut guests = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_owned();
            let wasm = path.join(name).with_extension("wasm");
            if wasm.is_file() {
                let bytes = std::fs::read(&wasm).unwrap();
                guests.push((wasm, bytes));
            }
        }
        assert!(guests.len() >= 4, "the committed guests are missing");
        guests
    })
}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    wharf_wasi::p2::add_to_linker(&mut linker).unwrap();
    linker
}

/// Instantiates and runs what a damaged guest became; any outcome is fine.
fn run(linker: &Linker<Host>, component: &Component) {
    let pre: InstancePre<Host> = match linker.instantiate_pre(component) {
        Ok(pre) => pre,
        Err(_) => return,
    };
    let host = Host {
        ctx: WasiCtx::builder().build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(component.engine(), host);
    let mut limits = Limits::default();
    limits.memory_bytes = 64 << 20;
    limits.table_elements = 100_000;
    store.core_mut().set_limits(limits);
    store.core_mut().set_epoch_deadline(20);
    let Ok(instance) = pre.instantiate(&mut store) else {
        return;
    };
    let names: Vec<String> = component
        .component_type()
        .exports()
        .map(|(name, _)| name.to_string())
        .collect();
    for name in names {
        let Some(outer) = instance.get_export_index(&mut store, None, &name) else {
            continue;
        };
        let Some(inner) = instance.get_export_index(&mut store, Some(&outer), "run") else {
            continue;
        };
        if let Ok(main) = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, inner) {
            let _ = main.call(&mut store, ());
        }
    }
}

/// Repeatable numbers (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn whole_guests_are_accepted() {
    let engine = engine(false);
    for (path, bytes) in guests() {
        if let Err(e) = Component::new(&engine, bytes.clone()) {
            panic!("{}: {e}", path.display());
        }
    }
}

#[test]
fn cut_guests_are_refused_or_run() {
    let engine = engine(true);
    let _clock = Clock::start(&engine);
    let linker = linker(&engine);
    for (_, bytes) in guests() {
        let step = (bytes.len() / 300).max(1);
        let cuts = (0..256.min(bytes.len())).chain((256..bytes.len()).step_by(step));
        for cut in cuts {
            // A cut between two sections can leave a component that is whole, only smaller.
            if let Ok(component) = Component::new(&engine, bytes[..cut].to_vec()) {
                run(&linker, &component);
            }
        }
    }
}

#[test]
fn guests_with_changed_bytes_are_refused_or_run() {
    let (lazy, full) = (engine(true), engine(false));
    let _clock = Clock::start(&lazy);
    let linker = linker(&lazy);
    for (i, (_, bytes)) in guests().iter().enumerate() {
        let mut rng = Rng(0x9e37_79b9_7f4a_7c15 ^ i as u64);
        for round in 0..60 {
            let mut damaged = bytes.clone();
            // Some rounds hit the beginning, where the structure is; some change several places.
            let reach = if round % 3 == 0 {
                4096.min(bytes.len())
            } else {
                bytes.len()
            };
            for _ in 0..=round % 4 {
                let at = rng.below(reach);
                damaged[at] ^= 1 << rng.below(8);
            }
            if round % 8 == 0 {
                let _ = Component::new(&full, damaged.clone());
            }
            if let Ok(component) = Component::new(&lazy, damaged) {
                run(&linker, &component);
            }
        }
    }
}
