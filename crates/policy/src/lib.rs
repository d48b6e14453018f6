//! Policy files: everything that a component may use, in one file in TOML.
//!
//! What a policy does not name is not granted, and what it names must be known: a key that is not is an error with its
//! line. All of it is optional.
//!
//! ```toml
//! args = ["--verbose"]                  # before the arguments of the command line
//! net = ["tcp-connect:127.0.0.1:80"]    # rules for the network
//! http = ["https://api.example.org"]    # rules for HTTP
//! strict-dirs = true                    # opened folders change only where `mutate-directory` was asked for
//!
//! [env]
//! LANG = "C"
//!
//! [[dir]]
//! guest = "/data"
//! host = "data"                         # relative to the policy file
//! read-only = true
//!
//! [[dir]]
//! guest = "/uploads"
//! host = "uploads"
//! max-bytes = "64M"                     # what guests may add to the folder
//! max-entries = 1000
//!
//! [[dir]]
//! guest = "/tmp"
//! memory = true
//! max-bytes = "16M"
//! max-entries = 1000
//!
//! [config]                              # wasi:config
//! greeting = "hello"
//!
//! [config-env]                          # the same, from environment variables of the host
//! token = "API_TOKEN"
//!
//! [logging]                             # wasi:logging, to standard error
//! level = "info"
//! format = "json"                       # or "text"
//! max-message = "4K"
//! per-second = 100                      # of all instances together
//!
//! [keyvalue.sessions]                   # wasi:keyvalue, the bucket `sessions`
//! backend = "redb:sessions.redb"        # or "memory:", "redis://HOST", "rediss://HOST"
//! namespace = "tenant-1"                # needed unless in memory
//! bucket = "web-sessions"               # its name there, if another one
//! read-only = false
//! max-keys = 1000
//! max-bytes = "64M"
//! max-key-bytes = 256
//! max-value-bytes = "1M"
//!
//! [limits]
//! memory = "256M"
//! timeout = "10s"
//! ```
#![forbid(unsafe_code)]

mod apply;
mod file;
mod needs;
mod policy;
mod values;

pub use file::PolicyError;
pub use needs::{grant_hint, least_policy};
pub use policy::{BucketPolicy, DirPolicy, DirSource, LimitsPolicy, LoggingPolicy, Policy, Rule};

#[cfg(test)]
mod tests;
