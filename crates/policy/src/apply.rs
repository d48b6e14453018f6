//! From a policy to the contexts of the hosts.

use crate::file::PolicyError;
use crate::policy::{DirSource, LoggingPolicy, Policy, Rule};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use wharf_wasi::{DirPerms, FilePerms, NetRule, WasiCtxBuilder};
use wharf_wasi_config::WasiConfigVariables;
use wharf_wasi_http::HttpRule;
use wharf_wasi_keyvalue::{Backends, BucketGrant};
use wharf_wasi_logging::{Level, RateLimit, WasiLoggingCtx, WasiLoggingCtxBuilder, WriterSink};

impl Policy {
    fn error(&self, line: Option<usize>, message: impl Into<String>) -> PolicyError {
        PolicyError {
            file: self.file.clone(),
            line,
            message: message.into(),
        }
    }

    /// Grants folders, environment and network.
    ///
    /// # Errors
    /// When a folder can't be opened, or a rule is not one.
    pub fn apply(&self, builder: &mut WasiCtxBuilder) -> Result<(), PolicyError> {
        builder.envs(&self.env).strict_directories(self.strict_dirs);
        for dir in &self.dirs {
            let (dir_perms, file_perms) = match dir.read_only {
                true => (DirPerms::READ, FilePerms::READ),
                false => (DirPerms::all(), FilePerms::all()),
            };
            let granted = match &dir.source {
                DirSource::Host(host) => builder.preopened_dir(host, &dir.guest, dir_perms, file_perms),
                DirSource::LimitedHost(host, budget) => {
                    builder.preopened_dir_limited(host, &dir.guest, budget)
                }
                DirSource::Memory(limits) => {
                    let memory = wharf_wasi::MemoryDir::new(*limits);
                    Ok(builder.preopened_memory(&memory, &dir.guest, dir_perms, file_perms))
                }
            };
            granted.map_err(|e| self.error(Some(dir.line), format!("the folder {}: {e}", dir.guest)))?;
        }
        for rule in self.rules::<NetRule>("net", &self.net)? {
            builder.net_rule(rule);
        }
        Ok(())
    }

    /// The rules behind a key, parsed.
    fn rules<R: FromStr<Err: fmt::Display>>(&self, key: &str, rules: &[Rule]) -> Result<Vec<R>, PolicyError> {
        let parsed = |rule: &Rule| {
            rule.text
                .parse()
                .map_err(|e| self.error(Some(rule.line), format!("`{key}`: {e}")))
        };
        rules.iter().map(parsed).collect()
    }

    /// The rules for outgoing HTTP requests.
    ///
    /// # Errors
    /// When a rule is not one.
    pub fn http(&self) -> Result<Vec<HttpRule>, PolicyError> {
        self.rules("http", &self.http)
    }

    /// Puts the settings whose values are in environment variables of the host among the others. `get` gives a variable.
    ///
    /// # Errors
    /// When a variable is not set, or is no text.
    pub fn resolve_config(&mut self, get: impl Fn(&str) -> Option<String>) -> Result<(), PolicyError> {
        for (name, variable) in &self.config_env {
            let Some(value) = get(&variable.text) else {
                let message = format!(
                    "`config-env`: the environment variable {:?} for the setting {name:?} is not set, or is no text",
                    variable.text
                );
                return Err(self.error(Some(variable.line), message));
            };
            self.config.get_or_insert_default().insert(name.clone(), value);
        }
        Ok(())
    }

    /// The settings, if there is `wasi:config`.
    pub fn config(&self) -> Option<WasiConfigVariables> {
        let config = self.config.as_ref()?;
        Some(
            config
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
        )
    }

    /// The buckets, if there is `wasi:keyvalue`.
    ///
    /// # Errors
    /// When a backend can't be opened.
    pub fn keyvalue(
        &self,
        backends: &mut Backends,
    ) -> Result<Option<Vec<(String, BucketGrant)>>, PolicyError> {
        let Some(buckets) = &self.keyvalue else {
            return Ok(None);
        };
        let mut grants = Vec::new();
        for (name, bucket) in buckets {
            let backend = backends.open(&bucket.backend).map_err(|e| match bucket.line {
                Some(line) => self.error(Some(line), format!("the bucket {name}: {e}")),
                None => PolicyError {
                    file: format!("--keyvalue {name}"),
                    line: None,
                    message: e.to_string(),
                },
            })?;
            let grant = BucketGrant::new(backend)
                .namespace(&bucket.namespace)
                .name(&bucket.bucket)
                .quota(bucket.quota);
            let grant = match bucket.read_only {
                true => grant.read_only(),
                false => grant,
            };
            grants.push((name.clone(), grant));
        }
        Ok(Some(grants))
    }
}

impl LoggingPolicy {
    /// What becomes of messages: lines on standard error.
    pub fn builder(&self) -> WasiLoggingCtxBuilder {
        let mut builder = WasiLoggingCtx::builder()
            .sink(Arc::new(WriterSink::stderr(self.format)))
            .min_level(self.level.unwrap_or(Level::Trace));
        if let Some(bytes) = self.max_message_bytes {
            builder = builder.max_message_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        if let Some(per_second) = self.per_second {
            builder = builder.rate_limit(RateLimit {
                per_second,
                burst: per_second,
            });
        }
        builder
    }
}
