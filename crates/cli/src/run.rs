//! `wharf run`.

use std::io::Write as _;

use wharf::component::{Component, Linker, ResourceTable};
use wharf::{Bytes, Engine, Store};
use wharf_core::{Error, Module};
use wharf_wasi::preview1::WasiP1Ctx;
use wharf_wasi::{I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wharf_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::args::RunArgs;
use crate::cloud::{Cloud, CloudView, Grants, Watches};
use crate::engine::{describe, engine, find_secret};
use crate::failure::{FAILED, Failure};
use crate::folder_limits;
use crate::http::TellDenied;
use crate::invoke;
use crate::limits::limit;
use crate::load::{Layer, Loaded, is_artifact, load, open_artifact};
use crate::say::say;

/// The state of a component's store.
struct Host {
    ctx: WasiCtx,
    http: WasiHttpCtx,
    hooks: TellDenied,
    cloud: Cloud,
    table: ResourceTable,
}

impl CloudView for Host {
    fn cloud(&mut self) -> (&mut Cloud, &mut ResourceTable) {
        (&mut self.cloud, &mut self.table)
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

/// Runs the file and gives the exit status of the process.
pub fn run(args: &RunArgs) -> Result<u8, Failure> {
    if let Some(call) = &args.invoke
        && invoke::split_call(call).is_none()
    {
        return Err(invoke::malformed(call));
    }
    let file = args.file.display().to_string();
    let mut grants = Grants::new(&args.cloud, &args.http)?;
    grants.policy.env = args.grants.override_env(std::mem::take(&mut grants.policy.env));
    let _shared = folder_limits::share(&args.grants, &grants.policy);
    let (engine, bytes, layer) = if is_artifact(&args.file) {
        let engine = engine(&args.engine, find_secret(args.artifact_key.as_deref())?)?;
        let (artifact, layer) = open_artifact(&engine, &args.file)?;
        if !artifact.trusted() && cfg!(feature = "jit") {
            say(format_args!(
                "{file}: not compiled with this secret (--artifact-key), so that only the WebAssembly in it is used"
            ));
        }
        (engine, artifact.bytes(), layer)
    } else {
        let Loaded { bytes, layer } = load(&args.file)?;
        (engine(&args.engine, None)?, bytes.into(), layer)
    };
    let ended = match layer {
        Layer::Component => run_component(&file, &engine, bytes, args, &grants),
        Layer::Module => run_module(&file, &engine, bytes, args, &grants),
    };
    // Without a cache the next run compiles again.
    let _ = engine.save_cache();
    if args.stats {
        let _ = std::io::stderr().write_all(describe(&engine.tier_stats()).as_bytes());
    }
    match ended {
        Ok(status) => Ok(status),
        Err(Ended::Failure(failure)) => Err(failure),
        Err(Ended::Error(error)) => match error.downcast_ref::<I32Exit>() {
            // Only the low eight bits reach the parent process; a failure must not look like success.
            Some(I32Exit(code)) => Ok(match code & 0xff {
                0 if *code != 0 => FAILED,
                low => low as u8,
            }),
            None => Err(Failure::engine(&file, &error)),
        },
    }
}

/// Why a run came to an end before its end.
enum Ended {
    Failure(Failure),
    /// Also a guest that exits by itself.
    Error(Error),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Ended {
        Ended::Failure(failure)
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Ended {
        Ended::Error(error)
    }
}

fn run_component(
    file: &str,
    engine: &Engine,
    bytes: Bytes,
    args: &RunArgs,
    grants: &Grants,
) -> Result<u8, Ended> {
    let component = Component::new(engine, bytes)?;
    let mut linker = Linker::new(engine);
    wharf_wasi::p2::add_to_linker(&mut linker)?;
    wharf_wasi_http::add_only_http_to_linker(&mut linker)?;
    grants.add_to_linker(&mut linker)?;
    let host = Host {
        ctx: context(file, args, grants)?.build(),
        http: grants.http.ctx(),
        hooks: TellDenied,
        cloud: grants.cloud(&program_name(file, args)),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(engine, host);
    // Missing imports are found here, before anything runs.
    let pre = linker.instantiate_pre(&component)?;
    limit(
        engine,
        &mut store,
        max_memory(args, grants),
        grants.policy.limits.timeout,
    );
    if let Some(call) = &args.invoke {
        let instance = pre.instantiate(&mut store)?;
        invoke::invoke(file, &mut store, &component, &instance, call)?;
        return Ok(0);
    }
    let Some(name) = run_interface(&component) else {
        return Err(Failure::new(format!(
            "{file}: the component does not export wasi:cli/run; call one of its exports with --invoke"
        ))
        .into());
    };
    if grants.policy.keyvalue.is_some()
        && let Some(note) = Watches::of(&component).note(false)
    {
        say(format_args!("{file}: {note}"));
    }
    let instance = pre.instantiate(&mut store)?;
    let missing = || Failure::new(format!("{file}: {name} has no function `run`"));
    let outer = instance
        .get_export_index(&mut store, None, &name)
        .ok_or_else(missing)?;
    let inner = instance
        .get_export_index(&mut store, Some(&outer), "run")
        .ok_or_else(missing)?;
    let main = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut store, inner)?;
    match main.call(&mut store, ())? {
        (Ok(()),) => Ok(0),
        (Err(()),) => Ok(FAILED),
    }
}

/// The name under which a component exports `wasi:cli/run`, of any version of WASI 0.2.
fn run_interface(component: &Component) -> Option<String> {
    let ty = component.component_type();
    ty.exports()
        .map(|(name, _)| name.to_string())
        .find(|name| name.starts_with("wasi:cli/run@0.2."))
}

fn run_module(
    file: &str,
    engine: &Engine,
    bytes: Bytes,
    args: &RunArgs,
    grants: &Grants,
) -> Result<u8, Ended> {
    if args.invoke.is_some() {
        return Err(Failure::new(format!(
            "{file}: --invoke needs a component, and this is a core module"
        ))
        .into());
    }
    let module = Module::new(engine, bytes)?;
    let mut linker = wharf::Linker::<WasiP1Ctx>::new(engine);
    wharf_wasi::preview1::add_to_linker(&mut linker, |ctx| ctx)?;
    let mut store = Store::new(engine, context(file, args, grants)?.build_p1());
    limit(
        engine,
        &mut store,
        max_memory(args, grants),
        grants.policy.limits.timeout,
    );
    if module.export_index("_start").is_none() {
        return Err(Failure::new(format!(
            "{file}: the module does not export the function `_start`"
        ))
        .into());
    }
    let instance = linker.instantiate(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    start.call(&mut store, ())?;
    Ok(0)
}

/// What the guest finds as its name.
fn program_name(file: &str, args: &RunArgs) -> String {
    args.file
        .file_name()
        .map_or(file.to_string(), |name| name.to_string_lossy().into_owned())
}

/// What the flags and the policy grant.
fn context(file: &str, args: &RunArgs, grants: &Grants) -> Result<WasiCtxBuilder, Failure> {
    let mut builder = WasiCtx::builder();
    builder.inherit_stdio();
    // The program's name, then its arguments.
    builder.arg(program_name(file, args));
    builder.args(&grants.policy.args);
    grants.policy.apply(&mut builder)?;
    builder.args(&args.args);
    args.grants.apply(&mut builder)?;
    Ok(builder)
}

/// The flag counts more than the policy.
fn max_memory(args: &RunArgs, grants: &Grants) -> Option<u64> {
    let flag = args.max_memory.map(|bytes| bytes as u64);
    flag.or(grants.policy.limits.memory_bytes)
}
