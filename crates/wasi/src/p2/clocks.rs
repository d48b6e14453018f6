//! `wasi:clocks`.

use super::bindings::wasi::clocks::{monotonic_clock, wall_clock};
use super::poll::{DynPollable, subscribe};
use crate::clocks::Deadline;
use crate::ctx::WasiCtxView;
use std::time::Duration;
use wharf::Result;
use wharf::component::Resource;

fn datetime(time: Duration) -> wall_clock::Datetime {
    wall_clock::Datetime {
        seconds: time.as_secs(),
        nanoseconds: time.subsec_nanos(),
    }
}

impl wall_clock::Host for WasiCtxView<'_> {
    fn now(&mut self) -> Result<wall_clock::Datetime> {
        Ok(datetime(self.ctx.wall_clock.now()))
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        Ok(datetime(self.ctx.wall_clock.resolution()))
    }
}

impl WasiCtxView<'_> {
    fn subscribe_at(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let deadline = self
            .table
            .push(Deadline::new(self.ctx.monotonic_clock.clone(), when))?;
        subscribe(self.table, deadline)
    }
}

impl monotonic_clock::Host for WasiCtxView<'_> {
    fn now(&mut self) -> Result<u64> {
        Ok(self.ctx.monotonic_clock.now())
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(self.ctx.monotonic_clock.resolution())
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        self.subscribe_at(when)
    }

    fn subscribe_duration(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        let at = self.ctx.monotonic_clock.now().saturating_add(when);
        self.subscribe_at(at)
    }
}
