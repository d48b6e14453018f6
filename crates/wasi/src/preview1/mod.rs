//! `wasi_snapshot_preview1` for core modules: a thin layer over the hosts of WASI 0.2.
//!
//! A guest sees the standard streams as descriptors 0, 1 and 2 and the granted directories as those from 3 on. All
//! pointers are checked against the memory that the guest exports as `memory`.

mod fd;
mod fds;
mod linker;
mod memory;
mod path;
mod poll;
#[cfg(test)]
mod tests;
mod types;

pub use linker::add_to_linker;

use crate::ctx::{WasiCtx, WasiCtxBuilder};
use fds::FdTable;
use memory::GuestMemory;
use std::fmt;
use types::{Errno, P1Result};

/// What a preview 1 guest may use of its host, with its open descriptors. Made by [`WasiCtxBuilder::build_p1`].
pub struct WasiP1Ctx {
    ctx: WasiCtx,
    fds: FdTable,
}

impl fmt::Debug for WasiP1Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasiP1Ctx")
            .field("ctx", &self.ctx)
            .finish_non_exhaustive()
    }
}

impl From<WasiCtx> for WasiP1Ctx {
    fn from(ctx: WasiCtx) -> WasiP1Ctx {
        WasiP1Ctx {
            fds: FdTable::new(&ctx),
            ctx,
        }
    }
}

impl WasiCtxBuilder {
    /// The context for a core module that is built for preview 1. The builder is empty again after that.
    pub fn build_p1(&mut self) -> WasiP1Ctx {
        WasiP1Ctx::from(self.build())
    }
}

/// One call of a guest: what it was given, its descriptors and its memory.
struct Call<'a> {
    ctx: &'a mut WasiCtx,
    fds: &'a mut FdTable,
    memory: GuestMemory<'a>,
}

impl<'a> Call<'a> {
    fn new(cx: &'a mut WasiP1Ctx, memory: &'a mut [u8]) -> Call<'a> {
        Call {
            ctx: &mut cx.ctx,
            fds: &mut cx.fds,
            memory: GuestMemory::new(memory),
        }
    }

    /// Writes strings with a zero byte after each to `buf`, and their addresses to `pointers`.
    fn write_strings<S: AsRef<[u8]>>(
        memory: &mut GuestMemory<'_>,
        strings: impl Iterator<Item = S>,
        mut pointers: u32,
        mut buf: u32,
    ) -> P1Result {
        let advance = |ptr: u32, by: usize| {
            u32::try_from(by)
                .ok()
                .and_then(|by| ptr.checked_add(by))
                .ok_or(Errno::OVERFLOW)
        };
        for string in strings {
            let bytes = string.as_ref();
            memory.write_u32(pointers, buf)?;
            pointers = advance(pointers, 4)?;
            memory.write(buf, bytes)?;
            buf = advance(buf, bytes.len())?;
            memory.write(buf, &[0])?;
            buf = advance(buf, 1)?;
        }
        Ok(())
    }

    fn write_sizes(&mut self, count: usize, bytes: usize, count_at: u32, bytes_at: u32) -> P1Result {
        let size = |n: usize| u32::try_from(n).map_err(|_| Errno::OVERFLOW);
        self.memory.write_u32(count_at, size(count)?)?;
        Ok(self.memory.write_u32(bytes_at, size(bytes)?)?)
    }

    fn args_get(&mut self, argv: u32, buf: u32) -> P1Result {
        Self::write_strings(&mut self.memory, self.ctx.args.iter(), argv, buf)
    }

    fn args_sizes_get(&mut self, count: u32, bytes: u32) -> P1Result {
        let len = self.ctx.args.iter().map(|arg| arg.len() + 1).sum();
        self.write_sizes(self.ctx.args.len(), len, count, bytes)
    }

    fn environ_get(&mut self, environ: u32, buf: u32) -> P1Result {
        let env = self.ctx.env.iter().map(|(name, value)| format!("{name}={value}"));
        Self::write_strings(&mut self.memory, env, environ, buf)
    }

    fn environ_sizes_get(&mut self, count: u32, bytes: u32) -> P1Result {
        let len = self
            .ctx
            .env
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum();
        self.write_sizes(self.ctx.env.len(), len, count, bytes)
    }

    fn clock_res_get(&mut self, clock: u32, result: u32) -> P1Result {
        let resolution = match clock {
            0 => u64::try_from(self.ctx.wall_clock.resolution().as_nanos()).unwrap_or(u64::MAX),
            1 => self.ctx.monotonic_clock.resolution(),
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(self.memory.write_u64(result, resolution)?)
    }

    /// There are no clocks of processor time.
    fn clock_time_get(&mut self, clock: u32, _precision: u64, result: u32) -> P1Result {
        let now = match clock {
            0 => u64::try_from(self.ctx.wall_clock.now().as_nanos()).map_err(|_| Errno::OVERFLOW)?,
            1 => self.ctx.monotonic_clock.now(),
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(self.memory.write_u64(result, now)?)
    }

    fn random_get(&mut self, buf: u32, len: u32) -> P1Result {
        Ok(self.ctx.random.fill(self.memory.slice_mut(buf, len)?)?)
    }

    fn proc_raise(&mut self, _signal: u32) -> P1Result {
        Err(Errno::NOTSUP.into())
    }

    fn sched_yield(&mut self) -> P1Result {
        Ok(())
    }

    /// What every socket function answers: there are no sockets among the descriptors.
    fn not_a_socket(&mut self, fd: u32) -> P1Result {
        self.fds.get(fd)?;
        Err(Errno::NOTSOCK.into())
    }
}
