//! Where settings come from.

use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why settings can't be read. The guest gets the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// What the settings come from failed.
    #[error("{0}")]
    Upstream(String),
    /// Reading or sending failed.
    #[error("{0}")]
    Io(String),
}

/// Where settings come from, if not from a list.
#[async_trait]
pub trait ConfigSource: Send + Sync + 'static {
    /// The setting of this name, if there is one.
    async fn get(&self, name: &str) -> Result<Option<String>, ConfigError>;

    /// All settings.
    async fn get_all(&self) -> Result<Vec<(String, String)>, ConfigError>;
}

#[async_trait]
impl ConfigSource for BTreeMap<String, String> {
    async fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        Ok(BTreeMap::get(self, name).cloned())
    }

    async fn get_all(&self) -> Result<Vec<(String, String)>, ConfigError> {
        Ok(self
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }
}

/// The settings that a component may read: those added one by one, and those of a source, of which a view may be taken.
///
/// ```
/// use wharf_wasi_config::WasiConfigVariables;
///
/// let all = WasiConfigVariables::from_iter([("greeting", "hello"), ("secret", "x")]);
/// let mut one = all.only(["greeting"]);
/// one.insert("name", "one");
/// # let _ = one;
/// ```
#[derive(Clone, Default)]
pub struct WasiConfigVariables {
    own: BTreeMap<String, String>,
    source: Option<Arc<dyn ConfigSource>>,
    /// The names that are seen of the source; all if absent.
    seen: Option<Vec<String>>,
}

/// Shows names only: values may be secrets.
impl std::fmt::Debug for WasiConfigVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WasiConfigVariables")
            .field("own", &self.own.keys())
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

impl WasiConfigVariables {
    /// No settings.
    pub fn new() -> WasiConfigVariables {
        WasiConfigVariables::default()
    }

    /// The settings of a source, asked for each time that the guest asks.
    pub fn from_source(source: impl ConfigSource) -> WasiConfigVariables {
        WasiConfigVariables {
            source: Some(Arc::new(source)),
            ..WasiConfigVariables::default()
        }
    }

    /// Adds a setting, in place of another one of this name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.own.insert(name.into(), value.into());
        self
    }

    /// Those of the settings that have these names: the view of one component.
    pub fn only(&self, names: impl IntoIterator<Item = impl Into<String>>) -> WasiConfigVariables {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.retain(|name| self.sees(name) || self.own.contains_key(name));
        let own = self.own.iter().filter(|(name, _)| names.contains(name));
        WasiConfigVariables {
            own: own.map(|(name, value)| (name.clone(), value.clone())).collect(),
            source: self.source.clone(),
            seen: Some(names),
        }
    }

    fn sees(&self, name: &str) -> bool {
        self.seen
            .as_ref()
            .is_none_or(|seen| seen.iter().any(|one| one == name))
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Option<String>, ConfigError> {
        if let Some(value) = self.own.get(name) {
            return Ok(Some(value.clone()));
        }
        match &self.source {
            Some(source) if self.sees(name) => source.get(name).await,
            _ => Ok(None),
        }
    }

    pub(crate) async fn get_all(&self) -> Result<Vec<(String, String)>, ConfigError> {
        let mut all = self.own.clone();
        if let Some(source) = &self.source {
            for (name, value) in source.get_all().await? {
                if self.sees(&name) {
                    all.entry(name).or_insert(value);
                }
            }
        }
        Ok(all.into_iter().collect())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for WasiConfigVariables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> WasiConfigVariables {
        WasiConfigVariables {
            own: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            ..WasiConfigVariables::default()
        }
    }
}
