//! The `request-options` resource.

use crate::bindings::wasi::http::types;
use crate::ctx::WasiHttpCtxView;
use std::time::Duration;
use wharf::Result;
use wharf::component::Resource;

/// Time limits of a request.
#[derive(Copy, Clone, Debug, Default)]
pub struct HostRequestOptions {
    pub(crate) connect: Option<Duration>,
    pub(crate) first_byte: Option<Duration>,
    pub(crate) between_bytes: Option<Duration>,
}

type Options = Resource<HostRequestOptions>;
type Limit = fn(&mut HostRequestOptions) -> &mut Option<Duration>;

impl WasiHttpCtxView<'_> {
    fn limit(&mut self, options: &Options, limit: Limit) -> Result<Option<u64>> {
        let limit = *limit(self.table.get_mut(options)?);
        Ok(limit.map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX)))
    }

    fn set_limit(&mut self, options: &Options, limit: Limit, nanos: Option<u64>) -> Result<Result<(), ()>> {
        *limit(self.table.get_mut(options)?) = nanos.map(Duration::from_nanos);
        Ok(Ok(()))
    }
}

impl types::HostRequestOptions for WasiHttpCtxView<'_> {
    fn new(&mut self) -> Result<Options> {
        Ok(self.table.push(HostRequestOptions::default())?)
    }

    fn connect_timeout(&mut self, options: Options) -> Result<Option<u64>> {
        self.limit(&options, |o| &mut o.connect)
    }

    fn set_connect_timeout(&mut self, options: Options, duration: Option<u64>) -> Result<Result<(), ()>> {
        self.set_limit(&options, |o| &mut o.connect, duration)
    }

    fn first_byte_timeout(&mut self, options: Options) -> Result<Option<u64>> {
        self.limit(&options, |o| &mut o.first_byte)
    }

    fn set_first_byte_timeout(&mut self, options: Options, duration: Option<u64>) -> Result<Result<(), ()>> {
        self.set_limit(&options, |o| &mut o.first_byte, duration)
    }

    fn between_bytes_timeout(&mut self, options: Options) -> Result<Option<u64>> {
        self.limit(&options, |o| &mut o.between_bytes)
    }

    fn set_between_bytes_timeout(
        &mut self,
        options: Options,
        duration: Option<u64>,
    ) -> Result<Result<(), ()>> {
        self.set_limit(&options, |o| &mut o.between_bytes, duration)
    }

    fn drop(&mut self, options: Options) -> Result<()> {
        self.table.delete(options)?;
        Ok(())
    }
}
