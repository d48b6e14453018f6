//! Telling a component of changes in the buckets that it is granted.
//!
//! Each change is told to an instance of its own, one after the other for each bucket. What such an instance changes itself is
//! not told.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use wharf::TrapCode;
use wharf_wasi_keyvalue::{Change, Changes};

use super::app::App;
use super::guest::on_guest_threads;
use super::metrics::count;
use super::{Server, log};
use crate::cloud::CloudView as _;

/// Tells the component of changes from now on, if it wants to be told of them. Only the first call does something.
pub fn start(server: &Arc<Server>) {
    if !server.app().is_watcher() {
        return;
    }
    server.watching.call_once(|| {
        for (bucket, changes) in server.grants.cloud.changes() {
            tokio::spawn(tell_all(server.clone(), bucket, changes));
        }
    });
}

async fn tell_all(server: Arc<Server>, bucket: String, mut changes: Changes) {
    loop {
        let change = changes.next().await;
        let lost = changes.take_lost();
        if lost > 0 {
            log::message(format_args!(
                "{lost} changes in the bucket {bucket} were not told: the component is too slow"
            ));
        }
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
            Ok(Ok(Err(error))) if error.trap_code() == Some(TrapCode::Interrupt) => {
                count(&server.metrics.timeouts);
                "it ran for too long and was stopped".to_string()
            }
            Ok(Ok(Err(error))) => {
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

async fn tell(
    server: Arc<Server>,
    app: Arc<App>,
    bucket: String,
    change: Change,
    deadline: Instant,
) -> Result<(), wharf::Error> {
    let (mut store, service) = app.watcher(&server.grants, &server.metrics, deadline).await?;
    store.data_mut().output.belongs_to("watcher");
    let (cloud, table) = store.data_mut().cloud();
    let opened = cloud.keyvalue().open(&bucket).await.map_err(wharf::Error::host)?;
    let opened = table.push(opened)?;
    let watcher = service.wasi_keyvalue_watcher();
    match change {
        Change::Set { key, value } => watcher.call_on_set(&mut store, opened, &key, &value).await,
        Change::Deleted { key } => watcher.call_on_delete(&mut store, opened, &key).await,
    }
}
