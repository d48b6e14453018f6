//! What can be called, whichever engine runs it.

use std::time::{Duration, Instant};

/// A module or component that one engine has made ready to call.
pub trait Instance {
    /// Calls an export that takes `i32`s and gives an `i64`; of a component, one that takes a `u32` and gives an `s64`.
    ///
    /// # Panics
    /// If there is no such export, or the call fails: a benchmark has no use for errors.
    fn call(&mut self, export: &str, args: &[i32]) -> i64;

    /// As [`Instance::call`], with the time that the call took; nothing if the engine can't run the program, which
    /// only wasm3 is allowed.
    fn timed(&mut self, export: &str, args: &[i32]) -> Option<(i64, Duration)> {
        let start = Instant::now();
        let result = self.call(export, args);
        Some((result, start.elapsed()))
    }
}
