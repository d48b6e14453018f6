//! The component that is served: loading it, and its instances.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use wharf::component::{Component, Linker, TypedFunc};
use wharf::{Engine, Limits, Store};
use wharf_wasi_http::{Proxy, ProxyPre};
use wharf_wasi_keyvalue::bindings::{WatchService, WatchServicePre};

use super::args::ServeArgs;
use super::host::{Grants, Host};
use super::log;
use super::metrics::{Metrics, count};
use crate::cloud::Watches;
use crate::failure::Failure;
use crate::invoke::{Candidate, find, signature};
use crate::load::{Layer, Loaded, is_artifact, load, open_artifact};

/// After how many ticks of the epoch a guest lets others run for the first time: at least one whole one, so that what is done sooner is not held up
/// by a tick that comes in the midst of it.
const FIRST_SLICE: u64 = 2;

/// Makes an [`App`] of the file, again and again.
pub struct Loader {
    args: Arc<ServeArgs>,
    engine: Engine,
    linker: Linker<Host>,
    limits: Limits,
}

impl Loader {
    /// # Errors
    /// When the hosts can't be linked.
    pub fn new(args: Arc<ServeArgs>, engine: Engine, grants: &Grants) -> Result<Loader, Failure> {
        if args.reset_func.is_some() && args.reuse.get() == 1 {
            return Err(Failure::new(
                "--reset-func: an instance answers one request; --reuse lets it answer more",
            ));
        }
        let mut linker = Linker::new(&engine);
        wharf_wasi::p2::add_to_linker(&mut linker)
            .and_then(|()| wharf_wasi_http::add_only_http_to_linker(&mut linker))
            .and_then(|()| grants.cloud.add_to_linker(&mut linker))
            .map_err(|e| Failure::new(e.to_string()))?;
        let mut limits = Limits::default();
        limits.memory_bytes = grants.max_memory;
        Ok(Loader {
            args,
            engine,
            linker,
            limits,
        })
    }

    /// The file that is served.
    pub fn file(&self) -> &PathBuf {
        &self.args.file
    }

    /// Reads, compiles and links the file.
    ///
    /// # Errors
    /// When it can't be read, is not a component, does not answer HTTP requests, or imports what is not there.
    pub fn load(&self) -> Result<App, Failure> {
        let path = &self.args.file;
        let file = path.display().to_string();
        let (bytes, layer) = if is_artifact(path) {
            let (artifact, layer) = open_artifact(&self.engine, path)?;
            (artifact.bytes(), layer)
        } else {
            let Loaded { bytes, layer } = load(path)?;
            (bytes.into(), layer)
        };
        if layer == Layer::Module {
            return Err(Failure::new(format!(
                "{file}: a core module; `wharf serve` needs a component"
            )));
        }
        let failure = |e: wharf::Error| Failure::engine(&file, &e);
        let component = Component::new(&self.engine, bytes).map_err(failure)?;
        let answers = component
            .component_type()
            .exports()
            .any(|(name, _)| name.starts_with("wasi:http/incoming-handler@0.2."));
        let watches = Watches::of(&component);
        if !answers {
            let also = match watches {
                Watches::No => "",
                _ => "; watchers are called for components that answer requests",
            };
            return Err(Failure::new(format!(
                "{file}: the component does not export wasi:http/incoming-handler{also}"
            )));
        }
        if let Some(note) = watches.note(true) {
            log::message(format_args!("{file}: {note}"));
        }
        let reset = match &self.args.reset_func {
            Some(name) => {
                Some(find_reset(&component, name).map_err(|e| Failure::new(format!("{file}: {e}")))?)
            }
            None => None,
        };
        let pre = self.linker.instantiate_pre(&component).map_err(failure)?;
        let watches = watches == Watches::Yes;
        let watcher = watches.then(|| WatchServicePre::new(pre.clone())).transpose();
        Ok(App {
            watcher: watcher.map_err(failure)?,
            pre: ProxyPre::new(pre).map_err(failure)?,
            engine: self.engine.clone(),
            limits: self.limits,
            reset,
            reuse: self.args.reuse.get(),
            max_idle: self.args.max_concurrent.get(),
            idle: Mutex::new(Vec::new()),
        })
    }
}

/// The function that resets an instance.
fn find_reset(component: &Component, name: &str) -> Result<Candidate, String> {
    let found = find(component, name)?;
    if found.ty.params().len() + found.ty.results().len() > 0 {
        return Err(format!(
            "{}: a function that resets an instance has no parameters and no results",
            signature(&found)
        ));
    }
    Ok(found)
}

/// A component, linked.
pub struct App {
    pre: ProxyPre<Host>,
    /// If it wants to be told of changes in stores.
    watcher: Option<WatchServicePre<Host>>,
    engine: Engine,
    limits: Limits,
    reset: Option<Candidate>,
    reuse: usize,
    max_idle: usize,
    /// Instances that can answer further requests.
    idle: Mutex<Vec<Instance>>,
}

/// An instance with its store.
pub struct Instance {
    pub store: Store<Host>,
    pub proxy: Proxy,
    /// Brings it back to what it was at first.
    reset: Option<TypedFunc<(), ()>>,
    /// How many requests it may still answer.
    left: usize,
}

impl App {
    /// An instance that nobody uses, made if necessary, whose guest has its time until `deadline`. Whenever a slice of it is over, the guest
    /// lets others run.
    ///
    /// # Errors
    /// When an instance can't be made.
    pub async fn instance(
        &self,
        grants: &Grants,
        metrics: &Metrics,
        deadline: Instant,
    ) -> Result<Instance, wharf::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut instance) = idle {
            instance.store.data_mut().deadline = deadline;
            instance.store.set_epoch_deadline(FIRST_SLICE);
            return Ok(instance);
        }
        let mut store = self.store(grants.host(deadline), metrics)?;
        let instance = self.pre.instance_pre().instantiate_async(&mut store).await?;
        let proxy = Proxy::new(&mut store, &instance)?;
        let reset = match &self.reset {
            // An instance that answers one request is not reset.
            Some(reset) if self.reuse > 1 => {
                let func = reset.func(&mut store, &instance);
                let func = func.ok_or_else(|| wharf::Error::msg("the function to reset it is missing"))?;
                Some(func.typed(&mut store)?)
            }
            _ => None,
        };
        Ok(Instance {
            store,
            proxy,
            reset,
            left: self.reuse,
        })
    }

    /// The store of a new instance.
    fn store(&self, host: Result<Host, Failure>, metrics: &Metrics) -> Result<Store<Host>, wharf::Error> {
        let host = host.map_err(|e| wharf::Error::msg(e.message))?;
        let mut store = Store::new(&self.engine, host);
        store.set_limits(self.limits);
        store.set_epoch_deadline(FIRST_SLICE);
        store.epoch_deadline_callback(|store| Ok(store.data().slice_is_over()));
        count(&metrics.instances);
        Ok(store)
    }

    /// Whether the component wants to be told of changes in stores.
    pub fn is_watcher(&self) -> bool {
        self.watcher.is_some()
    }

    /// A new instance that is told of changes in stores, and whose own are not told.
    ///
    /// # Errors
    /// When an instance can't be made, or the component does not want to be told.
    pub async fn watcher(
        &self,
        grants: &Grants,
        metrics: &Metrics,
        deadline: Instant,
    ) -> Result<(Store<Host>, WatchService), wharf::Error> {
        let Some(pre) = &self.watcher else {
            return Err(wharf::Error::msg(
                "the component does not export wasi:keyvalue/watcher",
            ));
        };
        let mut store = self.store(grants.host_of_watcher(deadline), metrics)?;
        let service = pre.instantiate_async(&mut store).await?;
        Ok((store, service))
    }

    /// Takes an instance back that answered a request without a trap, and resets it.
    ///
    /// # Errors
    /// When resetting it traps or takes too long; the instance is gone then.
    pub async fn give_back(&self, mut instance: Instance) -> Result<(), wharf::Error> {
        instance.left -= 1;
        if instance.left == 0 {
            return Ok(());
        }
        if let Some(reset) = &instance.reset {
            reset.call_async(&mut instance.store, ()).await?;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.max_idle {
            idle.push(instance);
        }
        Ok(())
    }
}
