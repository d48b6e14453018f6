//! Buckets in a Redis server.
//!
//! The server is trusted as a file would be: it may see and change everything in the buckets, and how much memory its
//! answers take is bounded for what this crate has put there.

use super::redis_scripts::{Scripts, status};
use super::redis_tls::Tls;
use super::{Backend, Bucket, BucketName, KeyPage, MAX_RESPONSE_BYTES, PAGE_KEYS, Pager, Swap};
use crate::error::{StoreError, StoreResult};
use crate::quota::Quota;
use crate::runtime::spawn;
use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, ScriptInvocation};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may be unused before it is tried: servers close those that are unused for long.
const IDLE: Duration = Duration::from_secs(1);

/// Keeps buckets in a Redis server (6 or later, no cluster). Clones share a connection.
///
/// When the connection is lost, operations fail with [`StoreError::Unavailable`] until a new one can be made, which
/// each of them tries. A change that was under way may have been made.
#[derive(Clone, Debug)]
pub struct RedisBackend {
    server: Arc<Server>,
}

struct Server {
    client: Client,
    tls: Option<Tls>,
    connection: Mutex<Connection>,
    scripts: Scripts,
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

impl RedisBackend {
    /// A server by its URL, `redis://[user:password@]host[:port][/database]`. It is not connected to yet.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn new(url: &str) -> StoreResult<RedisBackend> {
        let client = Client::open(url).map_err(|e| StoreError::Io(e.to_string()))?;
        Ok(RedisBackend::of(client, None))
    }

    /// A server by its URL, `rediss://[user:password@]host[:port][/database]`, which is connected to with TLS. The
    /// configuration says whom to trust.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn with_tls(url: &str, config: Arc<rustls::ClientConfig>) -> StoreResult<RedisBackend> {
        let (client, tls) = Tls::new(url, config)?;
        Ok(RedisBackend::of(client, Some(tls)))
    }

    fn of(client: Client, tls: Option<Tls>) -> RedisBackend {
        RedisBackend {
            server: Arc::new(Server {
                client,
                tls,
                connection: Mutex::default(),
                scripts: Scripts::new(),
            }),
        }
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        // The lengths keep names apart, and the braces keep a bucket together.
        let base = format!(
            "wharf:{{{}:{}:{}}}",
            name.namespace.len(),
            name.namespace,
            name.bucket
        );
        let inner = Arc::new(Inner {
            server: self.server.clone(),
            keys: ["values", "keys", "bytes"].map(|part| format!("{base}:{part}")),
            quota,
        });
        let bucket = RedisBucket(inner.clone());
        inner.command::<()>(redis::cmd("PING")).await?;
        Ok(Arc::new(bucket))
    }
}

impl Server {
    /// The connection with its number, made if there is none.
    async fn connect(&self) -> StoreResult<(u64, MultiplexedConnection)> {
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
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let made = match &self.tls {
            None => {
                self.client
                    .get_multiplexed_async_connection_with_config(&config)
                    .await
            }
            Some(tls) => tokio::time::timeout(CONNECT_TIMEOUT, tls.connect(&self.client, config))
                .await
                .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())),
        };
        match made {
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

    /// Gives up a connection that is lost.
    async fn failed(&self, number: u64, error: &RedisError) -> StoreError {
        if is_lost(error) {
            let mut connection = self.connection.lock().await;
            if connection.number == number {
                connection.open = None;
            }
        }
        store_error(error)
    }
}

/// Whether the connection is of no use any more.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || error.is_unrecoverable_error()
}

fn store_error(error: &RedisError) -> StoreError {
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

struct RedisBucket(Arc<Inner>);

impl std::fmt::Debug for RedisBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBucket")
            .field("keys", &self.0.keys)
            .finish_non_exhaustive()
    }
}

struct Inner {
    server: Arc<Server>,
    /// Of the values, of the keys in order, of the number of bytes.
    keys: [String; 3],
    quota: Quota,
}

impl Inner {
    /// Sends a command. On the threads of this crate, because the connection lives there.
    async fn command<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        command: redis::Cmd,
    ) -> StoreResult<T> {
        let server = self.server.clone();
        spawn(async move {
            let (number, mut connection) = server.connect().await?;
            match command.query_async(&mut connection).await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(server.failed(number, &error).await),
            }
        })
        .await
    }

    /// Runs a script on the bucket.
    async fn script<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        choose: impl Fn(&Scripts) -> &redis::Script + Send + 'static,
        arguments: Vec<Vec<u8>>,
    ) -> StoreResult<T> {
        let inner = self.clone();
        spawn(async move {
            let (number, mut connection) = inner.server.connect().await?;
            let mut call: ScriptInvocation<'_> = choose(&inner.server.scripts).prepare_invoke();
            for key in &inner.keys {
                call.key(key);
            }
            for argument in &arguments {
                call.arg(argument.as_slice());
            }
            match call.invoke_async(&mut connection).await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(inner.server.failed(number, &error).await),
            }
        })
        .await
    }

    /// The arguments of a script that puts values, with the quota in front.
    fn with_quota(&self, arguments: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
        let quota = [self.quota.keys, self.quota.bytes].map(|number| number.to_string().into_bytes());
        quota.into_iter().chain(arguments).collect()
    }

    fn check(&self, answer: i64) -> StoreResult<()> {
        match answer {
            status::DONE => Ok(()),
            status::TOO_MANY_KEYS => Err(StoreError::TooManyKeys(self.quota.keys)),
            status::TOO_MANY_BYTES => Err(StoreError::TooManyBytes(self.quota.bytes)),
            status::NOT_A_NUMBER => Err(StoreError::NotANumber),
            status::OVERFLOW => Err(StoreError::Overflow),
            status::TOO_LARGE => Err(StoreError::ResponseTooLarge(MAX_RESPONSE_BYTES)),
            other => Err(StoreError::Corrupt(format!("status {other} of a script"))),
        }
    }
}

#[async_trait]
impl Bucket for RedisBucket {
    async fn get(&self, key: &str) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.get_many(vec![key.to_owned()]).await?.pop().flatten())
    }

    async fn set(&self, key: &str, value: Vec<u8>) -> StoreResult<()> {
        self.set_many(vec![(key.to_owned(), value)]).await
    }

    async fn delete(&self, key: &str) -> StoreResult<()> {
        self.delete_many(vec![key.to_owned()]).await
    }

    async fn exists(&self, key: &str) -> StoreResult<bool> {
        let mut command = redis::cmd("HEXISTS");
        command.arg(&self.0.keys[0]).arg(key);
        self.0.command(command).await
    }

    async fn list_keys(&self, cursor: Option<&str>) -> StoreResult<KeyPage> {
        let start = cursor.map_or("-".to_owned(), |last| format!("({last}"));
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(&self.0.keys[1]).arg(start).arg("+");
        // One more tells whether there is another page.
        command.arg("LIMIT").arg(0).arg(PAGE_KEYS + 1);
        let mut pager = Pager::default();
        for key in self.0.command::<Vec<Vec<u8>>>(command).await? {
            let key =
                String::from_utf8(key).map_err(|_| StoreError::Corrupt("a key is no text".to_owned()))?;
            if !pager.take(&key) {
                break;
            }
        }
        Ok(pager.finish())
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let arguments = self.0.with_quota([key.into(), delta.to_string().into_bytes()]);
        let (answer, sum): (i64, Option<i64>) =
            self.0.script(|scripts| &scripts.increment, arguments).await?;
        self.0.check(answer)?;
        sum.ok_or_else(|| StoreError::Corrupt("a script gave no sum".to_owned()))
    }

    async fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Vec<u8>,
    ) -> StoreResult<Swap> {
        let is_expected = if expected.is_some() { "1" } else { "0" };
        let expected = expected.unwrap_or_default().to_vec();
        let arguments = self
            .0
            .with_quota([key.into(), value, is_expected.into(), expected]);
        let (answer, now): (i64, Option<Vec<u8>>) = self.0.script(|scripts| &scripts.swap, arguments).await?;
        if answer == status::CHANGED {
            return Ok(Swap::Changed(now));
        }
        self.0.check(answer)?;
        Ok(Swap::Done)
    }

    async fn get_many(&self, keys: Vec<String>) -> StoreResult<Vec<Option<Vec<u8>>>> {
        let wanted = keys.len();
        let limit = MAX_RESPONSE_BYTES.to_string().into_bytes();
        let arguments = [limit]
            .into_iter()
            .chain(keys.into_iter().map(String::into_bytes))
            .collect();
        let (answer, found): (i64, Vec<Option<Vec<u8>>>) =
            self.0.script(|scripts| &scripts.get, arguments).await?;
        self.0.check(answer)?;
        match found.len() == wanted {
            true => Ok(found),
            false => Err(StoreError::Corrupt(
                "a script gave another number of values".to_owned(),
            )),
        }
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> StoreResult<()> {
        let entries = entries
            .into_iter()
            .flat_map(|(key, value)| [key.into_bytes(), value]);
        let answer: i64 = self
            .0
            .script(|scripts| &scripts.set, self.0.with_quota(entries))
            .await?;
        self.0.check(answer)
    }

    async fn delete_many(&self, keys: Vec<String>) -> StoreResult<()> {
        let keys = keys.into_iter().map(String::into_bytes).collect();
        let answer: i64 = self.0.script(|scripts| &scripts.delete, keys).await?;
        self.0.check(answer)
    }
}
