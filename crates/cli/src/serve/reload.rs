//! Loading the file again while requests are answered.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::app::Loader;
use super::metrics::count;
use super::{Server, log, watcher};

/// How often the file is looked at.
const INTERVAL: Duration = Duration::from_millis(250);

/// Loads the file. Requests that are under way stay with the component that they began with, and so do all others when the
/// file can't be served.
pub async fn reload(server: &Arc<Server>, loader: &Arc<Loader>) {
    let file = loader.file().display().to_string();
    let loader = loader.clone();
    let loaded = tokio::task::spawn_blocking(move || loader.load()).await;
    match loaded {
        Ok(Ok(app)) => {
            server.set_app(app);
            watcher::start(server).await;
            count(&server.metrics.reloads);
            log::message(format_args!("{file}: loaded again"));
        }
        Ok(Err(failure)) => {
            count(&server.metrics.failed_reloads);
            log::message(format_args!(
                "not loaded, the old component stays: {}",
                failure.message
            ));
        }
        Err(e) => {
            count(&server.metrics.failed_reloads);
            log::message(format_args!("{file}: not loaded, the old component stays: {e}"));
        }
    }
}

/// What tells one content of a file from another.
fn state(path: &Path) -> Option<(SystemTime, u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    Some((metadata.modified().ok()?, metadata.len(), inode))
}

/// Loads the file whenever it has changed.
pub async fn watch(server: Arc<Server>, loader: Arc<Loader>) {
    let mut loaded = state(loader.file());
    let mut last = loaded;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = state(loader.file());
        // A file that is being written changes until it is complete.
        let settled = now == last;
        last = now;
        if settled && now.is_some() && now != loaded {
            loaded = now;
            reload(&server, &loader).await;
        }
    }
}

/// Loads the file at each SIGHUP from now on.
///
/// # Errors
/// When the system lets nobody wait for it.
#[cfg(unix)]
pub fn on_hangup(server: Arc<Server>, loader: Arc<Loader>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangups = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            reload(&server, &loader).await;
        }
    });
    Ok(())
}

/// There is no such signal here.
#[cfg(not(unix))]
pub fn on_hangup(_: Arc<Server>, _: Arc<Loader>) -> std::io::Result<()> {
    Ok(())
}
