//! Limits on what a guest may take: memory, and time.

use std::time::Duration;

use wharf::{Engine, Store};
use wharf_core::Limits;

use crate::failure::TRAPPED;
use crate::say::say;

/// How long a guest that is out of time may take to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Sets the limits of a store. From here on, time runs.
pub fn limit<T: Send + 'static>(
    engine: &Engine,
    store: &mut Store<T>,
    memory: Option<u64>,
    timeout: Option<Duration>,
) {
    if let Some(bytes) = memory {
        let mut limits = Limits::default();
        limits.memory_bytes = bytes;
        store.core_mut().set_limits(limits);
    }
    if let Some(timeout) = timeout {
        store.set_epoch_deadline(1);
        let engine = engine.clone();
        std::thread::spawn(move || {
            std::thread::sleep(timeout);
            say(format_args!("the time limit of {timeout:?} is over"));
            engine.increment_epoch();
            // It waits for something outside, where no trap reaches it.
            std::thread::sleep(GRACE);
            std::process::exit(TRAPPED.into());
        });
    }
}
