//! What a policy says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use wharf_wasi::{HostDirBudget, MemoryDirLimits};
use wharf_wasi_keyvalue::{BackendUrl, Quota};
use wharf_wasi_logging::{Format, Level};

/// What a component may use. The default grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The file that it comes from, for messages.
    pub file: String,
    /// Arguments, before all others.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Folders.
    pub dirs: Vec<DirPolicy>,
    /// Whether folders that the guest opens can be changed only if it asked for that: see
    /// [`WasiCtxBuilder::strict_directories`](wharf_wasi::WasiCtxBuilder::strict_directories).
    pub strict_dirs: bool,
    /// Rules for the network.
    pub net: Vec<Rule>,
    /// Rules for HTTP.
    pub http: Vec<Rule>,
    /// Settings; if absent, there is no `wasi:config` at all.
    pub config: Option<BTreeMap<String, String>>,
    /// Settings whose values are in environment variables of the host, by the names of these: see
    /// [`Policy::resolve_config`].
    pub config_env: BTreeMap<String, Rule>,
    /// What becomes of messages; if absent, there is no `wasi:logging` at all.
    pub logging: Option<LoggingPolicy>,
    /// Buckets by the names that the guest opens; if absent, there is no `wasi:keyvalue` at all.
    pub keyvalue: Option<BTreeMap<String, BucketPolicy>>,
    /// Limits.
    pub limits: LimitsPolicy,
}

/// A rule in its text form, with the line that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub text: String,
    /// The line in the file.
    pub line: usize,
}

/// A folder that the guest gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirPolicy {
    /// The name that the guest finds it under.
    pub guest: String,
    /// Where it is.
    pub source: DirSource,
    /// The guest may only read.
    pub read_only: bool,
    /// The line in the file.
    pub line: usize,
}

/// Where a folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirSource {
    /// On the host.
    Host(PathBuf),
    /// On the host; all guests together add to it as much as the budget allows.
    LimitedHost(PathBuf, HostDirBudget),
    /// In memory, empty at first.
    Memory(MemoryDirLimits),
}

/// What becomes of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggingPolicy {
    /// The level below which they are thrown away.
    pub level: Option<Level>,
    /// How they are written.
    pub format: Format,
    /// How much of one is kept.
    pub max_message_bytes: Option<u64>,
    /// How many are kept per second, of all instances together whose contexts come from clones of one builder.
    pub per_second: Option<u32>,
}

/// A bucket that the guest may open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketPolicy {
    /// Where it is kept.
    pub backend: BackendUrl,
    /// Whose it is there.
    pub namespace: String,
    /// Its name there.
    pub bucket: String,
    /// The guest may only read.
    pub read_only: bool,
    /// How much it may hold.
    pub quota: Quota,
    /// The line in the file, if it is in one.
    pub line: Option<usize>,
}

/// Limits of a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitsPolicy {
    /// The most linear memory, of all instances together.
    pub memory_bytes: Option<u64>,
    /// How long it may run.
    pub timeout: Option<Duration>,
}
