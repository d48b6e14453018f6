//! The tokio runtime that timers and the network need.
//!
//! Wharf's synchronous calls poll a host future on the calling thread and park it, without any runtime. A future that
//! comes from tokio needs one that is driven: a runtime of this crate, started the first time that something really
//! has to wait. That of the caller, if it is inside one, may lack timers or sockets, and stands still while a
//! synchronous call blocks its threads; sockets outlive calls, too.

use std::future::Future;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// The handle of this crate's own runtime.
///
/// # Errors
/// When the system gives no thread for it.
pub fn reactor() -> io::Result<Handle> {
    static AMBIENT: OnceLock<Result<Runtime, io::ErrorKind>> = OnceLock::new();
    let ambient = AMBIENT.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("wharf-wasi")
            .enable_all()
            .build()
            .map_err(|e| e.kind())
    });
    match ambient {
        Ok(runtime) => Ok(runtime.handle().clone()),
        Err(kind) => Err((*kind).into()),
    }
}

/// Runs the future that `make` gives, which may use tokio, whether or not the caller is inside a tokio runtime.
/// `make` is called inside that of this crate.
///
/// # Errors
/// When there is no runtime and none can be started.
pub(crate) async fn in_tokio<F: Future>(make: impl FnOnce() -> F) -> io::Result<F::Output> {
    let handle = reactor()?;
    let future = {
        let _entered = handle.enter();
        make()
    };
    let mut future = std::pin::pin!(future);
    let output = std::future::poll_fn(|cx| {
        let _entered = handle.enter();
        future.as_mut().poll(cx)
    });
    Ok(output.await)
}

/// Does work that blocks: on a thread for that if the guest is suspended meanwhile, else here.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    if !wharf_core::suspend::can_suspend() {
        return work();
    }
    let Ok(handle) = reactor() else {
        return work();
    };
    match handle.spawn_blocking(work).await {
        Ok(result) => result,
        // The runtime is never shut down.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Waits for this long.
pub(crate) async fn sleep(duration: Duration) {
    if in_tokio(|| tokio::time::sleep(duration)).await.is_err() {
        std::thread::sleep(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::block_on;

    #[test]
    fn a_timer_needs_no_runtime_of_the_caller() {
        block_on(sleep(Duration::from_millis(1)));
    }

    #[test]
    fn a_timer_fires_though_the_current_thread_runtime_is_blocked() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // As a synchronous call from inside a runtime does it.
            block_on(sleep(Duration::from_millis(1)));
            // And as an asynchronous one.
            sleep(Duration::from_millis(1)).await;
        });
    }

    #[test]
    fn a_timer_fires_in_a_runtime_that_has_none() {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        // On its only worker.
        let blocked = runtime.spawn(async { block_on(sleep(Duration::from_millis(1))) });
        runtime.block_on(blocked).unwrap();
        let waiting = runtime.spawn(sleep(Duration::from_millis(1)));
        runtime.block_on(waiting).unwrap();
    }
}
