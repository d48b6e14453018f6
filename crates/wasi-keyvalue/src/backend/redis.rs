//! Buckets in a Redis server.
//!
//! The server is trusted as a file would be: it may see and change everything in the buckets, and how much memory its
//! answers take is bounded for what this crate has put there.

use super::redis_scripts::{Scripts, status};
use super::redis_server::{Server, is_broken};
use super::redis_tls::Tls;
use super::redis_watch::listen;
use super::{
    Backend, Batch, Bucket, BucketName, Changes, KeyPage, MAX_RESPONSE_BYTES, PAGE_KEYS, Pager, Swap,
};
use crate::error::{StoreError, StoreResult};
use crate::quota::Quota;
use crate::runtime::{spawn, start};
use async_trait::async_trait;
use redis::{Client, ScriptInvocation};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How many bytes of keys are asked for at once, if there is more than one.
const ANSWER_BYTES: usize = 16 << 20;

/// Keeps buckets in a Redis server (6 or later, no cluster). Clones share a connection.
///
/// When the connection is lost, operations fail with [`StoreError::Unavailable`] until a new one can be made, which
/// each of them tries; what changes nothing is asked a second time. A change that was under way may have been made.
///
/// Each change is published in the channel `wharf:{...}:changes:DATABASE` in the same step. So watchers are told of what
/// any process changes through such a backend, in the order in which it happens; of what other programs write there, they
/// are not. Changes while a watcher's connection is broken are lost to it, which it is told.
#[derive(Clone, Debug)]
pub struct RedisBackend {
    server: Arc<Server>,
    /// Nobody is told of changes.
    untold: bool,
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
            server: Arc::new(Server::new(client, tls)),
            untold: false,
        }
    }

    /// Is called once if the server lets nothing be published, so that watchers in other processes are not told of
    /// changes that are made here.
    pub fn on_unpublished(&self, tell: impl Fn(&StoreError) + Send + Sync + 'static) -> &RedisBackend {
        self.server.on_unpublished(Box::new(tell));
        self
    }

    /// What all keys of a bucket begin with. The lengths keep names apart, and the braces keep a bucket together.
    fn base(name: &BucketName) -> String {
        let namespace = &name.namespace;
        format!("wharf:{{{}:{namespace}:{}}}", namespace.len(), name.bucket)
    }

    /// The channel of a bucket. Those of all databases share their names.
    fn channel(&self, name: &BucketName) -> String {
        format!("{}:changes:{}", RedisBackend::base(name), self.server.database())
    }
}

#[async_trait]
impl Backend for RedisBackend {
    async fn open(&self, name: &BucketName, quota: Quota) -> StoreResult<Arc<dyn Bucket>> {
        let base = RedisBackend::base(name);
        let mut keys: Vec<String> = ["values", "keys", "bytes"]
            .map(|part| format!("{base}:{part}"))
            .into();
        if !self.untold {
            keys.push(self.channel(name));
        }
        let inner = Arc::new(Inner {
            server: self.server.clone(),
            keys,
            quota,
        });
        let bucket = RedisBucket(inner.clone());
        inner.command::<()>(redis::cmd("PING")).await?;
        Ok(Arc::new(bucket))
    }

    async fn watch(&self, name: &BucketName) -> Option<Changes> {
        let (teller, changes) = Changes::new();
        let (listening, begun) = oneshot::channel();
        let listener = listen(self.server.clone(), self.channel(name), teller.clone(), listening);
        if let Err(error) = start(listener) {
            teller.tell(super::Told::Interrupted(error));
        }
        // Or it could not begin, which the changes say.
        let _ = begun.await;
        Some(changes)
    }

    fn untold(&self) -> Option<Arc<dyn Backend>> {
        Some(Arc::new(RedisBackend {
            server: self.server.clone(),
            untold: true,
        }))
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
    /// Of the values, of the keys in order, of the number of bytes; and the channel, if changes are told.
    keys: Vec<String>,
    quota: Quota,
}

impl Inner {
    /// Sends a command that changes nothing, once more if the connection turns out to be broken. On the threads of this
    /// crate, because the connection lives there.
    async fn command<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        command: redis::Cmd,
    ) -> StoreResult<T> {
        let server = self.server.clone();
        spawn(async move {
            let mut again = true;
            loop {
                let (number, mut connection) = server.connect().await?;
                let error = match command.query_async(&mut connection).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                let failed = server.failed(number, &error).await;
                if !(is_broken(&error) && std::mem::take(&mut again)) {
                    return Err(failed);
                }
            }
        })
        .await
    }

    /// Runs a script that changes the bucket; gives its status, and what comes behind that.
    async fn change<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        choose: impl Fn(&Scripts) -> &redis::Script + Send + 'static,
        arguments: Vec<Vec<u8>>,
    ) -> StoreResult<(i64, T)> {
        let (status, value, unpublished): (i64, T, i64) = self.script(choose, arguments, false).await?;
        if unpublished != 0 {
            self.server.unpublished();
        }
        Ok((status, value))
    }

    /// Runs a script on the bucket; `again` if the connection turns out to be broken, for those that change nothing.
    async fn script<T: redis::FromRedisValue + Send + 'static>(
        self: &Arc<Self>,
        choose: impl Fn(&Scripts) -> &redis::Script + Send + 'static,
        arguments: Vec<Vec<u8>>,
        mut again: bool,
    ) -> StoreResult<T> {
        let inner = self.clone();
        spawn(async move {
            let mut call: ScriptInvocation<'_> = choose(&inner.server.scripts).prepare_invoke();
            for key in &inner.keys {
                call.key(key);
            }
            for argument in &arguments {
                call.arg(argument.as_slice());
            }
            loop {
                let (number, mut connection) = inner.server.connect().await?;
                let error = match call.invoke_async(&mut connection).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => error,
                };
                let failed = inner.server.failed(number, &error).await;
                if !(is_broken(&error) && std::mem::take(&mut again)) {
                    return Err(failed);
                }
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
        self.set_many(vec![(key.to_owned(), value)]).await.ended
    }

    async fn delete(&self, key: &str) -> StoreResult<bool> {
        let batch = self.delete_many(vec![key.to_owned()]).await;
        batch.ended.map(|()| !batch.changed.is_empty())
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
        // One more tells whether there is another page. Long keys come in shorter ones.
        let longest = usize::try_from(self.0.quota.key_bytes).unwrap_or(usize::MAX);
        let limit = (ANSWER_BYTES / longest.max(1)).clamp(2, PAGE_KEYS + 1);
        command.arg("LIMIT").arg(0).arg(limit);
        let mut pager = Pager::default();
        let keys = self.0.command::<Vec<Vec<u8>>>(command).await?;
        let is_last = keys.len() < limit;
        for key in keys.into_iter().take(limit - 1) {
            let key =
                String::from_utf8(key).map_err(|_| StoreError::Corrupt("a key is no text".to_owned()))?;
            if !pager.take(&key) {
                break;
            }
        }
        let mut page = pager.finish();
        if !is_last && page.cursor.is_none() {
            page.cursor = page.keys.last().cloned();
        }
        Ok(page)
    }

    async fn increment(&self, key: &str, delta: i64) -> StoreResult<i64> {
        let arguments = self.0.with_quota([key.into(), delta.to_string().into_bytes()]);
        let (answer, sum): (i64, Option<i64>) =
            self.0.change(|scripts| &scripts.increment, arguments).await?;
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
        let (answer, now): (i64, Option<Vec<u8>>) = self.0.change(|scripts| &scripts.swap, arguments).await?;
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
            self.0.script(|scripts| &scripts.get, arguments, true).await?;
        self.0.check(answer)?;
        match found.len() == wanted {
            true => Ok(found),
            false => Err(StoreError::Corrupt(
                "a script gave another number of values".to_owned(),
            )),
        }
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Batch {
        let wanted = entries.len();
        let entries = entries
            .into_iter()
            .flat_map(|(key, value)| [key.into_bytes(), value]);
        let arguments = self.0.with_quota(entries);
        match self.0.change::<usize>(|scripts| &scripts.set, arguments).await {
            Ok((answer, put)) => Batch {
                changed: (0..put.min(wanted)).collect(),
                ended: self.0.check(answer),
            },
            // It may have been made or not.
            Err(error) => Batch::failed(error),
        }
    }

    async fn delete_many(&self, keys: Vec<String>) -> Batch {
        let wanted = keys.len();
        let keys = keys.into_iter().map(String::into_bytes).collect();
        match self.0.change::<Vec<usize>>(|scripts| &scripts.delete, keys).await {
            // Lua counts from one.
            Ok((answer, removed)) => Batch {
                changed: removed
                    .into_iter()
                    .filter(|i| (1..=wanted).contains(i))
                    .map(|i| i - 1)
                    .collect(),
                ended: self.0.check(answer),
            },
            Err(error) => Batch::failed(error),
        }
    }
}
