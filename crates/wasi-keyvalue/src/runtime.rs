//! The threads that stores work on.
//!
//! Connections outlive the calls that made them, and synchronous calls run without any runtime. So this crate has a
//! runtime of its own, started at the first need.

use crate::error::{StoreError, StoreResult};
use std::io;
use std::sync::OnceLock;
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};

/// How many threads may wait for files at once.
const BLOCKING_THREADS: usize = 8;

fn runtime() -> StoreResult<&'static Runtime> {
    static RUNTIME: OnceLock<Result<Runtime, io::ErrorKind>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name("wharf-keyvalue")
            .enable_all()
            .build()
            .map_err(|e| e.kind())
    });
    runtime
        .as_ref()
        .map_err(|kind| StoreError::Io(format!("no threads: {kind}")))
}

/// Runs a future that uses tokio. It goes on if the caller stops waiting.
#[cfg(feature = "redis")]
pub(crate) async fn spawn<T: Send + 'static>(
    future: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    flatten(runtime()?.spawn(future).await)
}

/// Starts something that goes on by itself.
#[cfg(feature = "redis")]
pub(crate) fn start(future: impl Future<Output = ()> + Send + 'static) -> StoreResult<()> {
    drop(runtime()?.spawn(future));
    Ok(())
}

/// Runs a future to its end, also if the caller stops waiting.
pub(crate) async fn to_the_end<T: Send + 'static>(
    future: impl Future<Output = StoreResult<T>> + Send + 'static,
) -> StoreResult<T> {
    let mut future = Box::pin(future);
    // What does not wait needs no other thread.
    match std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        Poll::Ready(result) => result,
        Poll::Pending => flatten(runtime()?.spawn(future).await),
    }
}

/// Runs what blocks on a thread that may be blocked. It goes on if the caller stops waiting.
#[cfg(feature = "redb")]
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    flatten(runtime()?.spawn_blocking(work).await)
}

fn flatten<T>(joined: Result<StoreResult<T>, tokio::task::JoinError>) -> StoreResult<T> {
    joined.unwrap_or_else(|e| Err(StoreError::Io(format!("the operation was given up: {e}"))))
}
