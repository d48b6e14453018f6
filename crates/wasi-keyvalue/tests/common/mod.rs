//! Helpers of the tests: the guest `cloud-command`, and a Redis server.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use tempfile::TempDir;
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

/// What a server proves who it is with, in PEM form.
struct Certificate {
    authority: String,
    certificate: String,
    key: String,
}

/// A Redis server of this process, on loopback, with its data in a folder of its own.
pub struct RedisServer {
    process: Child,
    port: u16,
    folder: TempDir,
    /// The authority of its certificate in PEM form, if it takes connections with TLS only.
    authority: Option<String>,
}

/// Whether there is a program `redis-server`.
pub fn has_redis() -> bool {
    let run = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    run.is_ok_and(|status| status.success())
}

impl RedisServer {
    pub fn start() -> RedisServer {
        RedisServer::start_with(None).expect("a redis-server starts")
    }

    /// A server that takes connections with TLS only; none if the program was built without.
    pub fn start_tls() -> Option<RedisServer> {
        use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
            .unwrap()
            .signed_by(&key, &ca)
            .unwrap();
        RedisServer::start_with(Some(Certificate {
            authority: ca.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }))
    }

    fn start_with(certificate: Option<Certificate>) -> Option<RedisServer> {
        let folder = tempfile::tempdir().unwrap();
        if let Some(certificate) = &certificate {
            std::fs::write(folder.path().join("certificate.pem"), &certificate.certificate).unwrap();
            std::fs::write(folder.path().join("key.pem"), &certificate.key).unwrap();
        }
        let authority = certificate.map(|certificate| certificate.authority);
        for _ in 0..10 {
            // The server can't choose a port by itself, so one that is free now may be taken a moment later.
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            if let Some(process) = launch(port, folder.path(), authority.is_some()) {
                return Some(RedisServer {
                    process,
                    port,
                    folder,
                    authority,
                });
            }
        }
        None
    }

    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() {
            "rediss"
        } else {
            "redis"
        };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// The authority of its certificate in PEM form.
    pub fn authority(&self) -> &str {
        self.authority.as_deref().unwrap_or_default()
    }

    /// Sends a command as someone else would, and waits until it is done.
    pub fn command(&self, words: &[&str]) {
        let answer = self.ask(words);
        assert!(answer.starts_with(['+', ':']), "{words:?}: {answer}");
    }

    /// Sends a command, and gives the first line of the answer.
    pub fn ask(&self, words: &[&str]) -> String {
        use std::io::{BufRead as _, Write as _};
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        std::io::BufReader::new(stream).read_line(&mut answer).unwrap();
        answer.trim_end().to_owned()
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    pub fn restart(&mut self) {
        self.kill();
        self.process = launch(self.port, self.folder.path(), self.authority.is_some())
            .expect("redis-server starts again");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a server and waits until it answers.
fn launch(port: u16, folder: &Path, tls: bool) -> Option<Child> {
    let port_text = port.to_string();
    let ports: &[&str] = match tls {
        false => &["--port", &port_text],
        true => &[
            "--port",
            "0",
            "--tls-port",
            &port_text,
            "--tls-cert-file",
            "certificate.pem",
            "--tls-key-file",
            "key.pem",
            "--tls-auth-clients",
            "no",
        ],
    };
    let mut process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1"])
        .args(ports)
        .current_dir(folder)
        .args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"])
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if process.try_wait().is_ok_and(|ended| ended.is_some()) {
            return None;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(process);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = process.kill();
    let _ = process.wait();
    None
}
