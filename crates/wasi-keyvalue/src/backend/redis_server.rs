//! The connection to a Redis server, and what its errors mean.

use super::redis_scripts::Scripts;
use super::redis_tls::Tls;
use crate::error::{StoreError, StoreResult};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, RedisError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be unused before it is tried: servers close those that are unused for long.
const IDLE: Duration = Duration::from_secs(1);

/// Is told once when changes can't be published.
pub(super) type OnUnpublished = dyn Fn(&StoreError) + Send + Sync;

pub(super) struct Server {
    client: Client,
    tls: Option<Tls>,
    connection: Mutex<Connection>,
    pub(super) scripts: Scripts,
    on_unpublished: std::sync::Mutex<Option<Box<OnUnpublished>>>,
    unpublished: AtomicBool,
}

#[derive(Default)]
struct Connection {
    /// The connection, and when it was last used.
    open: Option<(MultiplexedConnection, Instant)>,
    /// Counts the connections, so that only the one that failed is given up.
    number: u64,
    /// When and why no connection could be made.
    failed: Option<(Instant, StoreError)>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the client: its URL may have a password.
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(client: Client, tls: Option<Tls>) -> Server {
        Server {
            client,
            tls,
            connection: Mutex::default(),
            scripts: Scripts::new(),
            on_unpublished: std::sync::Mutex::default(),
            unpublished: AtomicBool::new(false),
        }
    }

    /// Which of the databases of the server is used.
    pub(super) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    pub(super) fn on_unpublished(&self, tell: Box<OnUnpublished>) {
        *self
            .on_unpublished
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tell);
    }

    /// A change was made and could not be published.
    pub(super) fn unpublished(&self) {
        if self.unpublished.swap(true, Ordering::Relaxed) {
            return;
        }
        let tell = self
            .on_unpublished
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(tell) = &*tell {
            tell(&StoreError::Unavailable(NO_CHANNELS.to_owned()));
        }
    }

    /// The connection with its number, made if there is none.
    pub(super) async fn connect(&self) -> StoreResult<(u64, MultiplexedConnection)> {
        let asked = Instant::now();
        let mut connection = self.connection.lock().await;
        if let Some((mut open, used)) = connection.open.take()
            && (used.elapsed() < IDLE || redis::cmd("PING").query_async::<()>(&mut open).await.is_ok())
        {
            connection.open = Some((open.clone(), Instant::now()));
            return Ok((connection.number, open));
        }
        // Those who waited for an attempt share its end, and do not try one after the other.
        if let Some((at, error)) = &connection.failed
            && *at >= asked
        {
            return Err(error.clone());
        }
        match self.make(&self.client, AsyncConnectionConfig::new()).await {
            Ok(open) => {
                connection.open = Some((open.clone(), Instant::now()));
                connection.number += 1;
                Ok((connection.number, open))
            }
            Err(e) => {
                let error = store_error(&e);
                connection.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// A connection that is used by nobody else, for messages of the server.
    pub(super) async fn listener(
        &self,
        receive: impl Fn(PushInfo) + Send + Sync + 'static,
    ) -> Result<MultiplexedConnection, RedisError> {
        let info = self.client.get_connection_info().clone();
        // With this version, messages and answers share a connection.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(info.set_redis_settings(settings))?;
        let receive = move |info: PushInfo| -> Result<(), redis::aio::SendError> {
            receive(info);
            Ok(())
        };
        self.make(&client, AsyncConnectionConfig::new().set_push_sender(receive))
            .await
    }

    async fn make(
        &self,
        client: &Client,
        config: AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = config
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        match &self.tls {
            None => client.get_multiplexed_async_connection_with_config(&config).await,
            Some(tls) => tokio::time::timeout(CONNECT_TIMEOUT, tls.connect(client, config))
                .await
                .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())),
        }
    }

    /// Gives up a connection that is lost.
    pub(super) async fn failed(&self, number: u64, error: &RedisError) -> StoreError {
        if is_lost(error) {
            let mut connection = self.connection.lock().await;
            if connection.number == number {
                connection.open = None;
            }
        }
        store_error(error)
    }
}

/// Whether the connection broke, so that another one may do.
pub(super) fn is_broken(error: &RedisError) -> bool {
    is_lost(error) && !error.is_timeout()
}

/// Whether the connection is of no use any more.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
}

/// Why channels can't be used.
pub(super) fn channel_error(error: &RedisError) -> StoreError {
    match error.code() {
        Some("NOPERM") => StoreError::Unavailable(format!("{NO_CHANNELS} ({error})")),
        _ => store_error(error),
    }
}

/// What changes need to be told of, where the users of a server have only some rights.
const NO_CHANNELS: &str = "the Redis user may not use the channels that changes are told through; \
    its ACL needs `+publish +subscribe &wharf:*`";

pub(super) fn store_error(error: &RedisError) -> StoreError {
    match error.code() {
        // Redis has as much as it may have, or can't write to its disk.
        Some("OOM" | "MISCONF") => StoreError::Full,
        Some("LOADING" | "BUSY" | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "READONLY") => {
            StoreError::Unavailable(error.to_string())
        }
        Some("WRONGTYPE") => StoreError::Corrupt(error.to_string()),
        _ if is_lost(error) || error.is_connection_refusal() => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}
