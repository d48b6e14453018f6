//! From the text of a file to a [`Policy`].

use crate::policy::{BucketPolicy, DirPolicy, DirSource, LimitsPolicy, LoggingPolicy, Policy, Rule};
use crate::values::{Bytes, FormatName, LevelName, Time, Url};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use wharf_wasi::{HostDirBudget, HostDirLimits, MemoryDirLimits};
use wharf_wasi_keyvalue::{BackendUrl, Quota};

/// The most bytes that a policy file may have.
const MAX_FILE: u64 = 1 << 20;

/// What is wrong with a policy file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PolicyError {
    /// The file.
    pub file: String,
    /// The line, if one is to blame.
    pub line: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    args: Vec<String>,
    env: BTreeMap<String, Spanned<String>>,
    dir: Vec<Spanned<Dir>>,
    strict_dirs: bool,
    net: Vec<Spanned<String>>,
    http: Vec<Spanned<String>>,
    config: Option<BTreeMap<String, String>>,
    config_env: Option<BTreeMap<String, Spanned<String>>>,
    logging: Option<Logging>,
    keyvalue: Option<BTreeMap<String, Spanned<Bucket>>>,
    limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Dir {
    guest: String,
    host: Option<String>,
    #[serde(default)]
    memory: bool,
    #[serde(default)]
    read_only: bool,
    max_bytes: Option<Bytes>,
    max_entries: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Logging {
    level: Option<LevelName>,
    format: Option<FormatName>,
    max_message: Option<Bytes>,
    per_second: Option<NonZeroU32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Bucket {
    backend: Url,
    namespace: Option<String>,
    bucket: Option<String>,
    #[serde(default)]
    read_only: bool,
    max_keys: Option<u64>,
    max_bytes: Option<Bytes>,
    max_key_bytes: Option<Bytes>,
    max_value_bytes: Option<Bytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Limits {
    memory: Option<Bytes>,
    timeout: Option<Time>,
}

/// The text, to tell lines of.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> PolicyError {
        PolicyError {
            file: self.file.to_owned(),
            line: span.map(|span| self.line(span.start)),
            message: message.into(),
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> PolicyError {
        let mut message = error.message().replace("unknown field", "unknown key");
        let Some(span) = error.span() else {
            return self.error(None, message);
        };
        // The line has the key that the message may lack.
        let shown = self
            .text
            .lines()
            .nth(self.line(span.start) - 1)
            .unwrap_or_default()
            .trim();
        if !shown.is_empty() {
            let shown: String = shown.chars().take(100).collect();
            message = format!("{message}, in `{shown}`");
        }
        self.error(Some(span), message)
    }
}

impl Policy {
    /// Reads a file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// If it can't be read, or says what no policy says.
    pub fn load(path: impl AsRef<Path>) -> Result<Policy, PolicyError> {
        use std::io::Read as _;
        let path = path.as_ref();
        let file = path.display().to_string();
        let failed = |message: String| PolicyError {
            file: file.clone(),
            line: None,
            message,
        };
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|opened| opened.take(MAX_FILE + 1).read_to_string(&mut text))
            .map_err(|e| failed(e.to_string()))?;
        if text.len() as u64 > MAX_FILE {
            return Err(failed("too large for a policy file".to_owned()));
        }
        Policy::parse(&file, &text, path.parent().unwrap_or(Path::new("")))
    }

    /// Reads the text of a file. `file` is its name, for errors, and `folder` what paths in it are relative to.
    ///
    /// # Errors
    /// If it says what no policy says.
    pub fn parse(file: &str, text: &str, folder: &Path) -> Result<Policy, PolicyError> {
        let source = Source { file, text };
        let parsed: File = toml::from_str(text).map_err(|e| source.syntax(&e))?;
        let rules = |rules: Vec<Spanned<String>>| -> Vec<Rule> {
            let rule = |rule: Spanned<String>| Rule {
                line: source.line(rule.span().start),
                text: rule.into_inner(),
            };
            rules.into_iter().map(rule).collect()
        };
        let mut names = BTreeSet::new();
        let mut dirs = Vec::new();
        for dir in parsed.dir {
            let span = dir.span();
            let dir = dir.into_inner();
            if !names.insert(dir.guest.clone()) {
                let message = format!("the guest has two folders of the name {}", dir.guest);
                return Err(source.error(Some(span), message));
            }
            let line = source.line(span.start);
            dirs.push(directory(dir, folder, line).map_err(|message| source.error(Some(span), message))?);
        }
        let mut env = Vec::new();
        for (name, value) in parsed.env {
            if name.is_empty() || name.contains(['=', '\0']) || value.get_ref().contains('\0') {
                let message = format!("`env`: {name:?} is no name of a variable, or its value has a NUL");
                return Err(source.error(Some(value.span()), message));
            }
            env.push((name, value.into_inner()));
        }
        let mut config = parsed.config;
        let mut config_env = BTreeMap::new();
        if parsed.config_env.is_some() {
            config.get_or_insert_default();
        }
        for (name, variable) in parsed.config_env.into_iter().flatten() {
            if config.get_or_insert_default().contains_key(&name) {
                let message = format!("`config-env`: there is a setting {name:?} in `config`, too");
                return Err(source.error(Some(variable.span()), message));
            }
            let line = source.line(variable.span().start);
            let text = variable.into_inner();
            config_env.insert(name, Rule { text, line });
        }
        let mut keyvalue = None;
        if let Some(buckets) = parsed.keyvalue {
            let granted = keyvalue.insert(BTreeMap::new());
            for (name, bucket) in buckets {
                let span = bucket.span();
                let line = source.line(span.start);
                let made = self::bucket(&name, bucket.into_inner(), folder, line);
                granted.insert(name, made.map_err(|message| source.error(Some(span), message))?);
            }
        }
        Ok(Policy {
            file: file.to_owned(),
            args: parsed.args,
            strict_dirs: parsed.strict_dirs,
            env,
            dirs,
            net: rules(parsed.net),
            http: rules(parsed.http),
            config,
            config_env,
            logging: parsed.logging.map(|logging| LoggingPolicy {
                level: logging.level.map(|level| level.0),
                format: logging.format.map(|format| format.0).unwrap_or_default(),
                max_message_bytes: logging.max_message.map(|bytes| bytes.0),
                per_second: logging.per_second.map(NonZeroU32::get),
            }),
            keyvalue,
            limits: LimitsPolicy {
                memory_bytes: parsed.limits.memory.map(|bytes| bytes.0),
                timeout: parsed.limits.timeout.map(|time| time.0),
            },
        })
    }
}

fn directory(dir: Dir, folder: &Path, line: usize) -> Result<DirPolicy, String> {
    if dir.guest.is_empty() {
        return Err("`guest` is the name that the guest finds the folder under; it is empty".to_owned());
    }
    let source = match (dir.host, dir.memory) {
        (Some(_), true) => return Err("`host` and `memory` exclude each other".to_owned()),
        (None, false) => return Err("a folder needs `host = \"PATH\"` or `memory = true`".to_owned()),
        (Some(host), false) if host.is_empty() => return Err("`host` is empty".to_owned()),
        (Some(host), false) if dir.max_bytes.is_none() && dir.max_entries.is_none() => {
            DirSource::Host(folder.join(host))
        }
        (Some(_), false) if dir.read_only => {
            return Err("nothing is added to a folder that is read-only, so it has no limits".to_owned());
        }
        (Some(host), false) => {
            let default = HostDirLimits::default();
            let limits = HostDirLimits {
                bytes: dir.max_bytes.map_or(default.bytes, |bytes| bytes.0),
                entries: dir.max_entries.unwrap_or(default.entries),
            };
            DirSource::LimitedHost(folder.join(host), HostDirBudget::new(limits))
        }
        (None, true) => {
            let default = MemoryDirLimits::default();
            DirSource::Memory(MemoryDirLimits {
                bytes: dir.max_bytes.map_or(default.bytes, |bytes| bytes.0),
                entries: dir.max_entries.unwrap_or(default.entries),
            })
        }
    };
    Ok(DirPolicy {
        guest: dir.guest,
        source,
        read_only: dir.read_only,
        line,
    })
}

fn bucket(name: &str, bucket: Bucket, folder: &Path, line: usize) -> Result<BucketPolicy, String> {
    let backend = match bucket.backend.0 {
        BackendUrl::Redb(path) => BackendUrl::Redb(folder.join(path)),
        other => other,
    };
    let namespace = match bucket.namespace {
        Some(namespace) => namespace,
        None if backend.is_persistent() => {
            return Err(format!(
                "the bucket {name} needs a `namespace`, which tells its data from that of others in {backend}"
            ));
        }
        None => String::new(),
    };
    let default = Quota::default();
    Ok(BucketPolicy {
        backend,
        namespace,
        bucket: bucket.bucket.unwrap_or_else(|| name.to_owned()),
        read_only: bucket.read_only,
        quota: Quota {
            keys: bucket.max_keys.unwrap_or(default.keys),
            bytes: bucket.max_bytes.map_or(default.bytes, |bytes| bytes.0),
            key_bytes: bucket.max_key_bytes.map_or(default.key_bytes, |bytes| bytes.0),
            value_bytes: bucket
                .max_value_bytes
                .map_or(default.value_bytes, |bytes| bytes.0),
        },
        line: Some(line),
    })
}
