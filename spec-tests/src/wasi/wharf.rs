//! Runs cases on Wharf, in this process.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use wharf::component::{Component, InstancePre};
use wharf::{Engine, Store};
use wharf_wasi::{DirPerms, FilePerms, I32Exit, MemoryInputPipe, MemoryOutputPipe, WasiCtx, WasiCtxBuilder};
use wharf_wasi_http::{HttpClient, HttpPolicy, WasiHttpCtx};

use super::host::{Host, linker};
use super::manifest::{Case, Manifest};
use super::prepared::{Output, Prepared};
use super::served::Answer;
use super::serving;

/// What the names in a case's `net` stand for.
const NET: [(&str, &[&str]); 3] = [
    (
        "loopback",
        &["tcp:127.0.0.1:*", "tcp:[::1]:*", "udp:127.0.0.1:*", "udp:[::1]:*"],
    ),
    (
        "any-address",
        &[
            "tcp-listen:0.0.0.0:*",
            "tcp-listen:[::]:*",
            "udp-bind:0.0.0.0:*",
            "udp-bind:[::]:*",
        ],
    ),
    ("localhost", &["lookup:localhost"]),
];

/// What they let a guest send requests to.
const HTTP: [(&str, &str); 2] = [
    ("http-loopback", "http://127.0.0.1:*"),
    ("https-loopback", "https://127.0.0.1:*"),
];

/// What of the things that not every runtime has is there.
const OFFERED: [&str; 4] = ["config", "http", "keyvalue", "logging"];

/// The most that a guest can print.
const MAX_OUTPUT: usize = 1 << 20;

/// Keeps the components that were made for the cases after the first.
pub struct Runner {
    engine: Engine,
    strict_directories: bool,
    components: Mutex<HashMap<PathBuf, Arc<InstancePre<Host>>>>,
}

impl Runner {
    /// A runner with this engine; directories are strict, or as guests on wasi-libc expect them.
    pub fn new(engine: Engine, strict_directories: bool) -> Runner {
        Runner {
            engine,
            strict_directories,
            components: Mutex::default(),
        }
    }

    /// What a manifest needs that is not there.
    pub fn missing(manifest: &Manifest) -> Option<&str> {
        manifest
            .needs
            .iter()
            .map(String::as_str)
            .find(|need| !OFFERED.contains(need))
    }

    fn component(&self, file: &Path) -> Result<Arc<InstancePre<Host>>, String> {
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = components.get(file) {
            return Ok(component.clone());
        }
        let path = file.display();
        let bytes = fs::read(file).map_err(|e| format!("{path}: {e}"))?;
        let pre = Component::new(&self.engine, bytes)
            .and_then(|component| linker(&self.engine)?.instantiate_pre(&component));
        let pre = Arc::new(pre.map_err(|e| format!("{path}: {e}"))?);
        components.insert(file.to_path_buf(), pre.clone());
        Ok(pre)
    }

    /// Sends a request to a component that serves HTTP.
    ///
    /// # Errors
    /// If there is no answer.
    pub fn answer(&self, component: &Path, request: &str) -> Result<Answer, String> {
        serving::answer(&self.engine, &self.component(component)?, request)
    }

    /// Runs a case.
    ///
    /// # Errors
    /// If it could not be run.
    pub fn run(&self, manifest: &Manifest, case: &Case) -> Result<Output, String> {
        let prepared = Prepared::new(case).map_err(|e| format!("preparing the directories: {e}"))?;
        let pre = self.component(&manifest.component)?;
        let (stdout, stderr) = (
            MemoryOutputPipe::new(MAX_OUTPUT),
            MemoryOutputPipe::new(MAX_OUTPUT),
        );
        let mut builder = WasiCtx::builder();
        builder
            .strict_directories(self.strict_directories)
            .stdin(MemoryInputPipe::new(case.stdin.clone()))
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .arg(
                manifest
                    .component
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy(),
            )
            .arg(&case.name)
            .args(&case.args);
        for (name, value) in &case.env {
            builder.env(name, value);
        }
        grant(&mut builder, case, &prepared)?;
        let host = Host::new(builder.build(), http(case)?, &case.config);
        let mut store = Store::new(&self.engine, host);
        let ended = call_run(&mut store, &pre);
        let text = |pipe: &MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
        let mut output = Output {
            stdout: text(&stdout),
            stderr: text(&stderr),
            status: Some(0),
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(())) => output.status = Some(1),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(I32Exit(code)) => output.status = u8::try_from(*code).ok(),
                None => {
                    output.status = Some(134);
                    output.stderr.push_str(&error.to_string());
                }
            },
        }
        Ok(output)
    }
}

/// A client that may send what the case is granted.
fn http(case: &Case) -> Result<WasiHttpCtx, String> {
    let mut policy = HttpPolicy::new();
    for (_, rule) in HTTP.iter().filter(|(name, _)| case.net.iter().any(|n| n == name)) {
        policy = policy.allow(rule).map_err(|e| format!("{rule}: {e}"))?;
    }
    if policy.is_empty() {
        return Ok(WasiHttpCtx::new());
    }
    let client = HttpClient::builder().policy(policy).build();
    client.map(WasiHttpCtx::with_client).map_err(|e| e.to_string())
}

fn grant(builder: &mut WasiCtxBuilder, case: &Case, prepared: &Prepared) -> Result<(), String> {
    for (spec, host) in case.dirs.iter().zip(&prepared.dirs) {
        let (dirs, files) = match spec.read_only {
            true => (DirPerms::READ, FilePerms::READ),
            false => (DirPerms::all(), FilePerms::all()),
        };
        builder
            .preopened_dir(host, &spec.guest, dirs, files)
            .map_err(|e| e.to_string())?;
    }
    let net = case
        .net
        .iter()
        .filter(|name| HTTP.iter().all(|(known, _)| known != name));
    for name in net {
        let known = NET.iter().find(|(n, _)| n == name);
        let (_, rules) = known.ok_or_else(|| format!("no such network: {name}"))?;
        for rule in *rules {
            builder.net_rule(rule.parse().map_err(|e| format!("{rule}: {e}"))?);
        }
    }
    Ok(())
}

fn call_run(store: &mut Store<Host>, pre: &InstancePre<Host>) -> wharf::Result<Result<(), ()>> {
    let missing = || wharf::Error::msg("the component does not export wasi:cli/run");
    let exports = pre.component().component_type();
    let name = exports
        .exports()
        .map(|(name, _)| name.to_string())
        .find(|name| name.starts_with("wasi:cli/run@0.2."))
        .ok_or_else(missing)?;
    let instance = pre.instantiate(&mut *store)?;
    let outer = instance
        .get_export_index(&mut *store, None, &name)
        .ok_or_else(missing)?;
    let inner = instance
        .get_export_index(&mut *store, Some(&outer), "run")
        .ok_or_else(missing)?;
    let main = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, inner)?;
    Ok(main.call(&mut *store, ())?.0)
}
