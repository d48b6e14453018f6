//! Backends by URL, for command lines and policy files.

use super::{Backend, MemoryBackend, WatchedBackend};
use crate::error::StoreError;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

/// Names a backend: `memory:`, `redb:PATH`, or `redis://HOST[:PORT][/DATABASE]`, which is `rediss://` with TLS.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum BackendUrl {
    /// In memory; one for all that ask the same [`Backends`] for it.
    Memory,
    /// A file.
    Redb(PathBuf),
    /// A Redis server, by its URL.
    Redis(String),
}

/// Why a backend can't be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names none.
    #[error("expected memory:, redb:PATH, or redis://HOST[:PORT][/DATABASE] (rediss: with TLS)")]
    Malformed,
    /// The connection would be encrypted, but nobody said which servers to trust.
    #[error("rediss: needs certificate authorities, and none were given")]
    Tls,
    /// This build is without the feature that brings the backend.
    #[error("{0} is not available in this build")]
    Unavailable(&'static str),
    /// The file can't be opened, or the URL of a server is malformed.
    #[error("{backend}: {error}")]
    Store {
        /// Which backend, without secrets.
        backend: String,
        /// Why.
        error: StoreError,
    },
}

impl FromStr for BackendUrl {
    type Err = OpenError;

    fn from_str(url: &str) -> Result<BackendUrl, OpenError> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(BackendUrl::Memory),
            Some(("redb", path)) if !path.is_empty() => Ok(BackendUrl::Redb(path.into())),
            Some(("redis" | "rediss", rest)) if rest.starts_with("//") && rest.len() > 2 => {
                Ok(BackendUrl::Redis(url.to_owned()))
            }
            _ => Err(OpenError::Malformed),
        }
    }
}

/// Shows no password.
impl fmt::Display for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackendUrl::Memory => f.write_str("memory:"),
            BackendUrl::Redb(path) => write!(f, "redb:{}", path.display()),
            BackendUrl::Redis(url) => match url.rsplit_once('@') {
                Some((_, host)) => {
                    let scheme = if self.uses_tls() { "rediss" } else { "redis" };
                    write!(f, "{scheme}://{host}")
                }
                None => f.write_str(url),
            },
        }
    }
}

impl fmt::Debug for BackendUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackendUrl({self})")
    }
}

impl BackendUrl {
    /// Whether the data is still there when the process has ended, and others may use it.
    pub fn is_persistent(&self) -> bool {
        *self != BackendUrl::Memory
    }

    /// Whether it is a server that is connected to with TLS.
    pub fn uses_tls(&self) -> bool {
        matches!(self, BackendUrl::Redis(url) if url.starts_with("rediss:"))
    }
}

/// The backends that are open, one for each URL, however many ask for it. They tell of changes.
#[derive(Debug, Default)]
pub struct Backends {
    open: HashMap<BackendUrl, Arc<dyn Backend>>,
    #[cfg(feature = "redis")]
    tls: Option<Arc<rustls::ClientConfig>>,
    #[cfg(feature = "redis")]
    on_unpublished: Option<OnUnpublished>,
}

/// Is told which backend it is, and what is wrong.
#[cfg(feature = "redis")]
#[derive(Clone)]
struct OnUnpublished(Arc<TellUnpublished>);

#[cfg(feature = "redis")]
type TellUnpublished = dyn Fn(&BackendUrl, &StoreError) + Send + Sync;

#[cfg(feature = "redis")]
impl fmt::Debug for OnUnpublished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnUnpublished")
    }
}

impl Backends {
    /// None yet.
    pub fn new() -> Backends {
        Backends::default()
    }

    /// Connects to servers with `rediss:` URLs with this, which says whom to trust. Without it they are [`OpenError::Tls`].
    #[cfg(feature = "redis")]
    pub fn redis_tls(&mut self, config: Arc<rustls::ClientConfig>) -> &mut Self {
        self.tls = Some(config);
        self
    }

    /// Is called once for each server opened from now on that lets nothing be published, so that watchers in other
    /// processes are not told of changes that are made here.
    #[cfg(feature = "redis")]
    pub fn on_unpublished(
        &mut self,
        tell: impl Fn(&BackendUrl, &StoreError) + Send + Sync + 'static,
    ) -> &mut Self {
        self.on_unpublished = Some(OnUnpublished(Arc::new(tell)));
        self
    }

    /// The backend of this URL. A server is connected to only when a bucket is opened.
    ///
    /// # Errors
    /// When a file can't be opened or a URL is malformed.
    pub fn open(&mut self, url: &BackendUrl) -> Result<Arc<dyn Backend>, OpenError> {
        // The same file by another path.
        let key = match url {
            BackendUrl::Redb(path) => {
                BackendUrl::Redb(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            }
            other => other.clone(),
        };
        if let Some(open) = self.open.get(&key) {
            return Ok(open.clone());
        }
        let backend: Arc<dyn Backend> = match url {
            // It tells by itself, and of more.
            BackendUrl::Redis(_) => self.make(url)?,
            _ => Arc::new(WatchedBackend::new(self.make(url)?)),
        };
        let key = match url {
            // It may have been made just now.
            BackendUrl::Redb(path) => {
                BackendUrl::Redb(std::fs::canonicalize(path).unwrap_or_else(|_| path.clone()))
            }
            _ => key,
        };
        self.open.insert(key, backend.clone());
        Ok(backend)
    }
}

impl Backends {
    fn make(&self, url: &BackendUrl) -> Result<Arc<dyn Backend>, OpenError> {
        #[cfg(any(feature = "redb", feature = "redis"))]
        let failed = |error| OpenError::Store {
            backend: url.to_string(),
            error,
        };
        Ok(match url {
            BackendUrl::Memory => Arc::new(MemoryBackend::new()),
            #[cfg(feature = "redb")]
            BackendUrl::Redb(path) => Arc::new(super::RedbBackend::open(path).map_err(failed)?),
            #[cfg(not(feature = "redb"))]
            BackendUrl::Redb(_) => return Err(OpenError::Unavailable("redb:")),
            #[cfg(feature = "redis")]
            BackendUrl::Redis(address) => {
                let made = match (url.uses_tls(), &self.tls) {
                    (false, _) => super::RedisBackend::new(address),
                    (true, Some(tls)) => super::RedisBackend::with_tls(address, tls.clone()),
                    (true, None) => return Err(OpenError::Tls),
                };
                let backend = made.map_err(failed)?;
                if let Some(OnUnpublished(tell)) = self.on_unpublished.clone() {
                    let url = url.clone();
                    backend.on_unpublished(move |error| tell(&url, error));
                }
                Arc::new(backend)
            }
            #[cfg(not(feature = "redis"))]
            BackendUrl::Redis(_) => return Err(OpenError::Unavailable("redis:")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_apart() {
        let url = |text: &str| text.parse::<BackendUrl>();
        assert_eq!(url("memory:"), Ok(BackendUrl::Memory));
        assert_eq!(url("redb:a/b.redb"), Ok(BackendUrl::Redb("a/b.redb".into())));
        assert!(matches!(url("redis://localhost"), Ok(BackendUrl::Redis(_))));
        assert!(!url("redis://localhost").unwrap().uses_tls());
        assert!(url("rediss://localhost").unwrap().uses_tls());
        for bad in [
            "",
            "memory",
            "memory:x",
            "redb:",
            "redis:",
            "redis://",
            "rediss:host",
            "postgres://x",
            "/a/b",
        ] {
            assert_eq!(url(bad), Err(OpenError::Malformed), "{bad}");
        }
    }

    #[test]
    fn passwords_do_not_show() {
        let url: BackendUrl = "redis://user:secret@host:1/2".parse().unwrap();
        assert_eq!(url.to_string(), "redis://host:1/2");
        assert!(!format!("{url:?}").contains("secret"));
        let url: BackendUrl = "rediss://:secret@host".parse().unwrap();
        assert_eq!(url.to_string(), "rediss://host");
    }

    #[test]
    #[cfg(feature = "redis")]
    fn tls_needs_to_know_whom_to_trust() {
        let error = Backends::new()
            .open(&"rediss://host".parse().unwrap())
            .unwrap_err();
        assert_eq!(error, OpenError::Tls);
    }

    #[test]
    #[cfg(feature = "redb")]
    fn a_file_is_opened_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut backends = Backends::new();
        let path = folder.path().join("x.redb");
        let first = backends.open(&BackendUrl::Redb(path)).unwrap();
        let again = backends
            .open(&BackendUrl::Redb(folder.path().join(".").join("x.redb")))
            .unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let error = Backends::new()
            .open(&BackendUrl::Redb(folder.path().join("no/such/x.redb")))
            .unwrap_err();
        assert!(error.to_string().contains("x.redb"), "{error}");
    }
}
