//! The state of an instance's store, and what it is granted.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wharf::UpdateDeadline;
use wharf::component::ResourceTable;
use wharf_wasi::{WasiCtx, WasiCtxView, WasiView};
use wharf_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::args::ServeArgs;
use super::guest_output::GuestOutput;
use crate::cloud::{self, Cloud, CloudView};
use crate::failure::Failure;
use crate::http::TellDenied;

/// The resources that an instance may have at a time.
const MAX_RESOURCES: usize = 10_000;

/// The linear memory that an instance may have, unless a flag or the policy says otherwise.
const MEMORY: u64 = 512 << 20;

/// How long a guest may take for a request, unless a flag or the policy says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The state of an instance's store.
pub struct Host {
    ctx: WasiCtx,
    http: WasiHttpCtx,
    hooks: TellDenied,
    cloud: Cloud,
    table: ResourceTable,
    /// Where the instance's lines go, with the request that they belong to.
    pub output: GuestOutput,
    /// When the guest's time for the request is over.
    pub deadline: Instant,
}

impl Host {
    /// What a guest does when its slice of time is over. It is asked only while it computes.
    pub fn slice_is_over(&self) -> UpdateDeadline {
        match Instant::now() < self.deadline {
            true => UpdateDeadline::Yield(1),
            false => UpdateDeadline::Interrupt,
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

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

impl CloudView for Host {
    fn cloud(&mut self) -> (&mut Cloud, &mut ResourceTable) {
        (&mut self.cloud, &mut self.table)
    }
}

/// What instances are granted.
pub struct Grants {
    args: Arc<ServeArgs>,
    /// What is not for WASI itself, and the policy.
    pub cloud: cloud::Grants,
    /// The most linear memory of an instance in bytes.
    pub max_memory: u64,
    /// How long a guest may take for a request.
    pub timeout: Duration,
}

impl Grants {
    /// Checks what the flags and the policy grant.
    ///
    /// # Errors
    /// When a policy, folder, store or certificates can't be opened.
    pub fn new(args: Arc<ServeArgs>) -> Result<Grants, Failure> {
        let mut cloud = cloud::Grants::new(&args.cloud, &args.http)?;
        cloud.policy.env = args.grants.override_env(std::mem::take(&mut cloud.policy.env));
        let limits = &cloud.policy.limits;
        let grants = Grants {
            max_memory: args
                .max_memory
                .map(|bytes| bytes as u64)
                .or(limits.memory_bytes)
                .unwrap_or(MEMORY),
            timeout: args.timeout.or(limits.timeout).unwrap_or(TIMEOUT),
            args,
            cloud,
        };
        grants.host(Instant::now())?;
        Ok(grants)
    }

    /// The state of a new instance's store, whose guest has its time until `deadline`.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub fn host(&self, deadline: Instant) -> Result<Host, Failure> {
        self.make(deadline, cloud::Grants::cloud)
    }

    /// The state of the store of an instance that is told of changes.
    ///
    /// # Errors
    /// When a folder can't be opened.
    pub fn host_of_watcher(&self, deadline: Instant) -> Result<Host, Failure> {
        self.make(deadline, cloud::Grants::cloud_of_watcher)
    }

    fn make(
        &self,
        deadline: Instant,
        cloud: impl Fn(&cloud::Grants, &str) -> Cloud,
    ) -> Result<Host, Failure> {
        let output = GuestOutput::default();
        let mut builder = WasiCtx::builder();
        builder
            .stdout(output.stream("stdout"))
            .stderr(output.stream("stderr"));
        self.cloud.policy.apply(&mut builder)?;
        self.args.grants.apply(&mut builder)?;
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let name = self.args.file.file_name().unwrap_or_default();
        Ok(Host {
            ctx: builder.build(),
            http: self.cloud.http.ctx(),
            hooks: TellDenied,
            cloud: cloud(&self.cloud, &name.to_string_lossy()),
            table,
            output,
            deadline,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        args: ServeArgs,
    }

    #[test]
    fn guests_let_others_run_until_their_time_is_over() {
        let serve = Serve::try_parse_from(["serve", "x.wasm"]).unwrap();
        let grants = Grants::new(Arc::new(serve.args)).unwrap();
        let mut host = grants.host(Instant::now() + Duration::from_secs(3600)).unwrap();
        assert_eq!(host.slice_is_over(), UpdateDeadline::Yield(1));
        host.deadline = Instant::now();
        assert_eq!(host.slice_is_over(), UpdateDeadline::Interrupt);
    }
}
