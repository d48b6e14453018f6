//! `wasi:random`.

use super::bindings::wasi::random::{insecure, insecure_seed, random};
use crate::ctx::{WasiCtx, WasiCtxView};
use crate::random::fresh_seed;
use wharf::Result;

impl random::Host for WasiCtxView<'_> {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        WasiCtx::random_bytes(&mut *self.ctx.random, len, self.ctx.max_random_size)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.ctx.random.next_u64()
    }
}

impl insecure::Host for WasiCtxView<'_> {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        WasiCtx::random_bytes(&mut *self.ctx.insecure_random, len, self.ctx.max_random_size)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.ctx.insecure_random.next_u64()
    }
}

impl insecure_seed::Host for WasiCtxView<'_> {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        let draw = || u128::from(fresh_seed()) << 64 | u128::from(fresh_seed());
        let seed = *self.ctx.insecure_random_seed.get_or_insert_with(draw);
        // The two halves.
        Ok((seed as u64, (seed >> 64) as u64))
    }
}
