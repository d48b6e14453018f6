//! Telling a component of changes in the buckets that it is granted.
//!
//! Each change is told to an instance of its own, one after the other for each bucket. What such an instance changes itself is
//! not told, to no process. In Redis the changes of all processes are told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use wharf::TrapCode;
use wharf_wasi_keyvalue::{Change, Changes, StoreError, Told};

use super::app::App;
use super::guest::on_guest_threads;
use super::metrics::count;
use super::{Server, log};
use crate::cloud::CloudView as _;

/// How long to wait before a store that can't be reached is opened again.
const PAUSE: Duration = Duration::from_millis(100);

/// Tells the component of changes from now on, if it wants to be told of them. Only the first call does something.
pub async fn start(server: &Arc<Server>) {
    if !server.app().is_watcher() || server.watching.swap(true, Ordering::Relaxed) {
        return;
    }
    let watched = server.grants.cloud.buckets().into_iter().map(|bucket| {
        let server = server.clone();
        // At the same time: servers may not be there.
        tokio::spawn(async move {
            if let Some(changes) = server.grants.cloud.changes(&bucket).await {
                tokio::spawn(tell_all(server, bucket, changes));
            }
        })
    });
    for listening in watched.collect::<Vec<_>>() {
        let _ = listening.await;
    }
}

async fn tell_all(server: Arc<Server>, bucket: String, mut changes: Changes) {
    let say = |text: &str| {
        // Some of it may be a server's.
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        log::message(format_args!("the bucket {bucket}: {text}"));
    };
    loop {
        let change = match changes.next().await {
            Told::Change(change) => change,
            Told::Lost(lost) => {
                say(&format!(
                    "{lost} changes were not told: the component is too slow, or they are too large"
                ));
                continue;
            }
            Told::Interrupted(error) => {
                say(&format!("no changes are told until it can be reached: {error}"));
                continue;
            }
            Told::Resumed => {
                say("changes are told again; those in the meantime were not");
                continue;
            }
        };
        // After a reload it may be another one.
        let app = server.app();
        if !app.is_watcher() {
            continue;
        }
        let deadline = Instant::now() + server.grants.timeout;
        let call = tell(server.clone(), app, bucket.clone(), change, deadline);
        let told = on_guest_threads(&server, Box::pin(timeout_at(deadline, call))).await;
        let failure = match told {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(Untold::Store(error)))) => {
                format!("the guest was not called, because the bucket can't be opened: {error}")
            }
            Ok(Ok(Err(Untold::Guest(error)))) if error.trap_code() == Some(TrapCode::Interrupt) => {
                count(&server.metrics.timeouts);
                "it ran for too long and was stopped".to_string()
            }
            Ok(Ok(Err(Untold::Guest(error)))) => {
                count(&server.metrics.traps);
                error.to_string()
            }
            Ok(Err(_)) => {
                count(&server.metrics.timeouts);
                "it took too long and was stopped".to_string()
            }
            Err(error) => error.to_string(),
        };
        log::message(format_args!(
            "the component was told of a change in the bucket {bucket}: {failure}"
        ));
    }
}

/// Why a change was not told.
enum Untold {
    /// The store could not be reached, or has no such bucket. No guest was called.
    Store(StoreError),
    /// The guest could not be started, or failed.
    Guest(wharf::Error),
}

impl From<wharf::Error> for Untold {
    fn from(error: wharf::Error) -> Untold {
        Untold::Guest(error)
    }
}

async fn tell(
    server: Arc<Server>,
    app: Arc<App>,
    bucket: String,
    change: Change,
    deadline: Instant,
) -> Result<(), Untold> {
    let (mut store, service) = app.watcher(&server.grants, &server.metrics, deadline).await?;
    store.data_mut().output.belongs_to("watcher");
    let (cloud, table) = store.data_mut().cloud();
    // The guest was not called yet, so that a store which is away for a moment costs nothing but time.
    let opened = loop {
        match cloud.keyvalue().open(&bucket).await {
            Ok(opened) => break opened,
            Err(StoreError::Unavailable(_)) if Instant::now() + PAUSE < deadline => sleep(PAUSE).await,
            Err(error) => return Err(Untold::Store(error)),
        }
    };
    let opened = table.push(opened).map_err(wharf::Error::from)?;
    let watcher = service.wasi_keyvalue_watcher();
    match change {
        Change::Set { key, value } => watcher.call_on_set(&mut store, opened, &key, &value).await?,
        Change::Deleted { key } => watcher.call_on_delete(&mut store, opened, &key).await?,
    }
    Ok(())
}
