//! The state of an instance's store, and what it is granted.

use std::path::Path;

use wharf::component::ResourceTable;
use wharf_wasi::{DirPerms, FilePerms, WasiCtx, WasiCtxView, WasiView};
use wharf_wasi_http::{
    HttpClient, HttpPolicy, TlsRoots, WasiHttpCtx, WasiHttpCtxView, WasiHttpView, default_hooks,
};

use super::args::ServeArgs;
use super::guest_output::GuestOutput;
use crate::failure::Failure;

/// The resources that an instance may have at a time.
const MAX_RESOURCES: usize = 10_000;

/// The state of an instance's store.
pub struct Host {
    ctx: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    /// Where the instance's lines go, with the request that they belong to.
    pub output: GuestOutput,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.ctx,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: default_hooks(),
        }
    }
}

/// What instances are granted.
pub struct Grants {
    args: std::sync::Arc<ServeArgs>,
    client: Option<HttpClient>,
}

impl Grants {
    /// Checks what the flags grant.
    ///
    /// # Errors
    /// When a folder or certificates can't be opened.
    pub fn new(args: std::sync::Arc<ServeArgs>) -> Result<Grants, Failure> {
        let client = match args.http.is_empty() {
            true => None,
            false => Some(client(&args)?),
        };
        let grants = Grants { args, client };
        grants.host()?;
        Ok(grants)
    }

    /// The state of a new instance's store.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub fn host(&self) -> Result<Host, Failure> {
        let output = GuestOutput::default();
        let mut builder = WasiCtx::builder();
        builder
            .stdout(output.stream("stdout"))
            .stderr(output.stream("stderr"))
            .envs(&self.args.env);
        for dir in &self.args.dirs {
            let (dir_perms, file_perms) = match dir.read_only {
                true => (DirPerms::READ, FilePerms::READ),
                false => (DirPerms::all(), FilePerms::all()),
            };
            builder
                .preopened_dir(&dir.host, &dir.guest, dir_perms, file_perms)
                .map_err(|e| Failure::new(format!("--dir {}: {e}", dir.host.display())))?;
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Ok(Host {
            ctx: builder.build(),
            // A context of its own, and with it a memory limit of its own; the client's connections are shared.
            http: match &self.client {
                Some(client) => WasiHttpCtx::with_client(client.clone()),
                None => WasiHttpCtx::new(),
            },
            table,
            output,
        })
    }
}

/// The client for what `--http` grants.
fn client(args: &ServeArgs) -> Result<HttpClient, Failure> {
    let policy = args
        .http
        .iter()
        .fold(HttpPolicy::new(), |policy, rule| policy.rule(rule.clone()));
    let roots = match &args.http_ca {
        Some(path) => TlsRoots::Pem(read(path)?),
        None if args.http_system_ca => TlsRoots::System,
        None => TlsRoots::Bundled,
    };
    HttpClient::builder()
        .policy(policy)
        .roots(roots)
        .build()
        .map_err(|e| Failure::new(format!("--http: {e}")))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}
