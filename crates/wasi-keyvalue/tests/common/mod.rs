//! Helpers of the tests: the guest `cloud-command`, and a Redis server.

mod redis;

pub use redis::{RedisServer, has_redis};

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};

use wharf::component::{Component, HasSelf, Linker, ResourceTable, bindgen};
use wharf::{Engine, Store};
use wharf_wasi::{I32Exit, MemoryOutputPipe, WasiCtx, WasiCtxView, WasiView};
use wharf_wasi_keyvalue::{
    Backend, Bucket, BucketGrant, BucketName, Quota, StoreResult, WasiKeyValue, WasiKeyValueCtx,
};

// What the guest imports besides; each of these has a crate of its own.
bindgen!({
    path: "../../wit",
    inline: "package wharf:others; world others { import wasi:config/store@0.2.0-rc.1; import wasi:logging/logging@0.1.0-draft; }",
});

pub struct State {
    wasi: WasiCtx,
    pub keyvalue: WasiKeyValueCtx,
    pub table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl wasi::config::store::Host for State {
    fn get(&mut self, _: String) -> wharf::Result<Result<Option<String>, wasi::config::store::Error>> {
        Ok(Ok(None))
    }

    fn get_all(&mut self) -> wharf::Result<Result<Vec<(String, String)>, wasi::config::store::Error>> {
        Ok(Ok(Vec::new()))
    }
}

impl wasi::logging::logging::Host for State {
    fn log(&mut self, _: wasi::logging::logging::Level, _: String, _: String) -> wharf::Result<()> {
        Ok(())
    }
}

/// What a run of the guest printed: to standard output if it succeeded, to standard error if it failed.
pub fn guest(keyvalue: WasiKeyValueCtx, args: &[&str]) -> Result<String, String> {
    static GUEST: OnceLock<(Engine, Component)> = OnceLock::new();
    let (engine, component) = GUEST.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/guests/cloud-command/cloud-command.wasm");
        let engine = Engine::default();
        let component = Component::new(&engine, std::fs::read(path).unwrap()).unwrap();
        (engine, component)
    });
    let mut linker = Linker::<State>::new(engine);
    wharf_wasi::p2::add_to_linker(&mut linker).unwrap();
    Others::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state).unwrap();
    wharf_wasi_keyvalue::add_to_linker(&mut linker, |state: &mut State| {
        WasiKeyValue::new(&state.keyvalue, &mut state.table)
    })
    .unwrap();
    let (stdout, stderr) = (MemoryOutputPipe::new(1 << 20), MemoryOutputPipe::new(1 << 20));
    let wasi = WasiCtx::builder()
        .arg("cloud-command")
        .args(args)
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .build();
    let table = ResourceTable::new();
    let mut store = Store::new(
        engine,
        State {
            wasi,
            keyvalue,
            table,
        },
    );
    let command = wharf_wasi::p2::Command::instantiate(&mut store, component, &linker).unwrap();
    let succeeded = match command.wasi_cli_run().call_run(&mut store) {
        Ok(ended) => ended.is_ok(),
        Err(e) => e.downcast_ref::<I32Exit>().unwrap_or_else(|| panic!("{e:?}")).0 == 0,
    };
    let text = |pipe: MemoryOutputPipe| String::from_utf8(pipe.contents().to_vec()).unwrap();
    match succeeded {
        true => Ok(text(stdout)),
        false => Err(text(stderr)),
    }
}

/// A context with the bucket `b` in a namespace.
pub fn granted(
    backend: &Arc<dyn Backend>,
    namespace: &str,
    change: impl FnOnce(BucketGrant) -> BucketGrant,
) -> WasiKeyValueCtx {
    WasiKeyValueCtx::builder(namespace)
        .bucket("b", change(BucketGrant::new(backend.clone())))
        .build()
}

pub fn open(backend: &Arc<dyn Backend>, namespace: &str, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
    let name = BucketName {
        namespace: namespace.to_owned(),
        bucket: "b".to_owned(),
    };
    wait(backend.open(&name, quota))
}

/// Drives a future on this thread, without any runtime, as synchronous calls do.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
