//! Policy files, and the interfaces that a component gets only if they are granted: stores, settings and logs.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use wharf::Result;
use wharf::component::{Component, Linker, ResourceTable};
use wharf_policy::{BucketPolicy, LoggingPolicy, Policy, PolicyError};
use wharf_wasi_config::{WasiConfig, WasiConfigVariables};
use wharf_wasi_keyvalue::{BackendUrl, Backends, BucketGrant, Changes, Quota, WasiKeyValue, WasiKeyValueCtx};
use wharf_wasi_logging::{Level, WasiLogging, WasiLoggingCtx, WasiLoggingCtxBuilder};

use crate::denied;
use crate::failure::Failure;
use crate::http::{Http, HttpArgs};
use crate::say::say;

/// The flags for all that. Flags add to the policy.
#[derive(Debug, Default, Args)]
pub struct CloudArgs {
    /// Grant what a policy file says; other flags add to it
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Give the guest a setting (wasi:config)
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub config: Vec<(String, String)>,

    /// Give the guest a setting whose value is in an environment variable of the host, of the same name or another one
    #[arg(long, value_name = "NAME[=VARIABLE]", value_parser = parse_config_env)]
    pub config_env: Vec<(String, String)>,

    /// Let the guest open a bucket (wasi:keyvalue): URL is memory:, redb:PATH or redis://HOST[:PORT][/DATABASE], with
    /// TLS rediss:; all but memory need a namespace, which tells the data from that of others
    #[arg(long, value_name = "NAME[@NAMESPACE]=URL", value_parser = parse_bucket)]
    pub keyvalue: Vec<(String, BucketPolicy)>,

    /// Let the guest write messages to standard error (wasi:logging), those of this level and above
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<Level>,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

fn parse_config_env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=').unwrap_or((text, text)) {
        ("", _) | (_, "") => Err("expected NAME or NAME=VARIABLE".to_string()),
        (name, variable) => Ok((name.to_string(), variable.to_string())),
    }
}

fn parse_bucket(text: &str) -> Result<(String, BucketPolicy), String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME[@NAMESPACE]=URL")?;
    let (name, namespace) = match name.split_once('@') {
        Some((name, namespace)) => (name, Some(namespace)),
        None => (name, None),
    };
    let backend: BackendUrl = url.parse().map_err(|e| format!("{e}"))?;
    if namespace.is_none() && backend.is_persistent() {
        return Err(format!(
            "{name} needs a namespace, which tells its data from that of others: {name}@NAMESPACE={backend}"
        ));
    }
    let bucket = BucketPolicy {
        backend,
        namespace: namespace.unwrap_or_default().to_string(),
        bucket: name.to_string(),
        read_only: false,
        quota: Quota::default(),
        line: None,
    };
    Ok((name.to_string(), bucket))
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Failure {
        Failure::new(error.to_string())
    }
}

/// What the policy and the flags grant together.
#[derive(Debug, Default)]
pub struct Grants {
    /// All of it but for what the flags of other groups grant.
    pub policy: Policy,
    /// The client for the guest's requests.
    pub http: Http,
    buckets: Option<Vec<(String, BucketGrant)>>,
    /// What all instances share: where messages go, and how many may come.
    logging: Option<WasiLoggingCtxBuilder>,
}

impl Grants {
    /// Reads the policy file and opens the stores.
    ///
    /// # Errors
    /// If the file is none, or a store can't be opened.
    pub fn new(args: &CloudArgs, http: &HttpArgs) -> Result<Grants, Failure> {
        let mut policy = match &args.policy {
            Some(path) => Policy::load(path)?,
            None => Policy::default(),
        };
        let variable = |name: &str| std::env::var(name).ok();
        // What a flag sets needs no variable.
        let flags = args.config.iter().chain(&args.config_env);
        flags.for_each(|(name, _)| drop(policy.config_env.remove(name)));
        policy.resolve_config(variable)?;
        for (name, from) in &args.config_env {
            let value = variable(from).ok_or_else(|| {
                let from = denied::quoted(from);
                Failure::new(format!(
                    "--config-env {name}: the environment variable {from} is not set, or is no text"
                ))
            })?;
            policy.config.get_or_insert_default().insert(name.clone(), value);
        }
        if !args.config.is_empty() {
            policy
                .config
                .get_or_insert_default()
                .extend(args.config.iter().cloned());
        }
        if args.log_level.is_some() {
            policy.logging.get_or_insert_default().level = args.log_level;
        }
        if !args.keyvalue.is_empty() {
            policy
                .keyvalue
                .get_or_insert_default()
                .extend(args.keyvalue.iter().cloned());
        }
        let mut backends = Backends::new();
        backends.on_unpublished(|url, error| {
            say(format_args!(
                "{url}: what this process changes is told to no watcher: {error}"
            ));
        });
        let mut buckets = policy.keyvalue.iter().flat_map(|buckets| buckets.values());
        if buckets.any(|bucket| bucket.backend.uses_tls()) {
            let config = http.roots()?.client_config();
            let config = config.map_err(|e| Failure::new(format!("--keyvalue: {e}")))?;
            backends.redis_tls(Arc::new(config));
        }
        Ok(Grants {
            http: Http::new(http, policy.http()?)?,
            buckets: policy.keyvalue(&mut backends)?,
            logging: policy.logging.as_ref().map(LoggingPolicy::builder),
            policy,
        })
    }

    /// What one instance of a component gets.
    pub fn cloud(&self, component: &str) -> Cloud {
        self.make(component, |grant| grant)
    }

    /// The same for an instance that is told of changes: what it changes itself is not told.
    pub fn cloud_of_watcher(&self, component: &str) -> Cloud {
        self.make(component, BucketGrant::untold)
    }

    fn keyvalue(&self, change: impl Fn(BucketGrant) -> BucketGrant) -> WasiKeyValueCtx {
        let mut keyvalue = WasiKeyValueCtx::builder("");
        keyvalue.on_unknown_bucket(tell_unknown);
        for (name, grant) in self.buckets.iter().flatten() {
            keyvalue.bucket(name, change(grant.clone()));
        }
        keyvalue.build()
    }

    /// The names of the buckets.
    pub fn buckets(&self) -> Vec<String> {
        let buckets = self.buckets.iter().flatten();
        buckets.map(|(name, _)| name.clone()).collect()
    }

    /// The changes of a bucket from now on.
    pub async fn changes(&self, bucket: &str) -> Option<Changes> {
        self.keyvalue(|grant| grant).watch(bucket).await
    }

    fn make(&self, component: &str, change: impl Fn(BucketGrant) -> BucketGrant) -> Cloud {
        let logging = self.logging.clone().unwrap_or_else(WasiLoggingCtx::builder);
        Cloud {
            config: self.policy.config().unwrap_or_default(),
            keyvalue: self.keyvalue(change),
            logging: logging.component(component).build(),
        }
    }

    /// Defines the interfaces that are granted. What is not is unknown to the linker, which says so before the
    /// component starts.
    ///
    /// # Errors
    /// If the linker has them already.
    pub fn add_to_linker<T: CloudView>(&self, linker: &mut Linker<T>) -> Result<()> {
        if self.policy.config.is_some() {
            wharf_wasi_config::add_to_linker(linker, |state: &mut T| {
                WasiConfig::new(&state.cloud().0.config)
            })?;
        }
        if self.policy.logging.is_some() {
            wharf_wasi_logging::add_to_linker(linker, |state: &mut T| {
                WasiLogging::new(&mut state.cloud().0.logging)
            })?;
        }
        if self.policy.keyvalue.is_some() {
            wharf_wasi_keyvalue::add_to_linker(linker, |state: &mut T| {
                let (cloud, table) = state.cloud();
                WasiKeyValue::new(&cloud.keyvalue, table)
            })?;
        }
        Ok(())
    }
}

/// Whether a component wants to be told of changes in stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watches {
    /// It does not.
    No,
    /// It does, in the version that there is.
    Yes,
    /// It does, in a version that nobody calls.
    Unknown(String),
}

impl Watches {
    /// By what the component exports.
    pub fn of(component: &Component) -> Watches {
        let ty = component.component_type();
        Watches::among(ty.exports().map(|(name, _)| name))
    }

    /// By the names of exports. One version that is called is enough.
    fn among<'a>(names: impl Iterator<Item = &'a str>) -> Watches {
        let mut watches = Watches::No;
        for name in names {
            match name.strip_prefix("wasi:keyvalue/watcher@") {
                None => {}
                Some("0.2.0-draft2") => return Watches::Yes,
                Some(_) => watches = Watches::Unknown(name.chars().filter(|c| !c.is_control()).collect()),
            }
        }
        watches
    }

    /// What a person should know, if something is told to nobody. `calls` is whether the command calls watchers.
    pub fn note(&self, calls: bool) -> Option<String> {
        match self {
            Watches::No => None,
            Watches::Yes if calls => None,
            Watches::Yes => Some(
                "the component exports wasi:keyvalue/watcher, which only `wharf serve` calls".to_string(),
            ),
            Watches::Unknown(name) => Some(format!(
                "the component exports {name}, which nobody calls; Wharf knows wasi:keyvalue/watcher@0.2.0-draft2"
            )),
        }
    }
}

/// Says that a bucket is not granted, and what would grant it.
fn tell_unknown(name: &str) {
    // As much of a name as a person wants to read, and nothing that does something to a terminal.
    let name: String = name.chars().take(100).collect();
    denied::tell(format!(
        "opening the bucket {name:?}; `--keyvalue NAME=memory:` grants one, or `[keyvalue.NAME]` in a policy file"
    ));
}

/// The contexts of one instance of a component.
#[derive(Debug)]
pub struct Cloud {
    config: WasiConfigVariables,
    keyvalue: WasiKeyValueCtx,
    logging: WasiLoggingCtx,
}

impl Cloud {
    /// The buckets.
    pub fn keyvalue(&self) -> &WasiKeyValueCtx {
        &self.keyvalue
    }
}

/// The data of a store that has these contexts.
pub trait CloudView: Send + 'static {
    /// The contexts, and the table that resources are kept in.
    fn cloud(&mut self) -> (&mut Cloud, &mut ResourceTable);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_on_the_command_line() {
        let (name, bucket) = parse_bucket("a=memory:").unwrap();
        assert_eq!((name.as_str(), bucket.namespace.as_str()), ("a", ""));
        let (name, bucket) = parse_bucket("a@n=redb:x=y.redb").unwrap();
        assert_eq!((name.as_str(), bucket.namespace.as_str()), ("a", "n"));
        assert_eq!(bucket.backend, BackendUrl::Redb("x=y.redb".into()));
        assert!(parse_bucket("a=redb:x").unwrap_err().contains("namespace"));
        assert!(parse_bucket("a=x").unwrap_err().contains("memory:"));
        assert!(parse_bucket("a").is_err());
    }

    #[test]
    fn settings_from_the_environment_have_names() {
        let parsed = |text| parse_config_env(text).ok();
        let pair = |a: &str, b: &str| Some((a.to_string(), b.to_string()));
        assert_eq!(parsed("A"), pair("A", "A"));
        assert_eq!(parsed("a=B"), pair("a", "B"));
        assert!(parsed("").is_none() && parsed("=B").is_none() && parsed("a=").is_none());
    }

    #[test]
    fn a_flag_stands_in_for_a_variable_of_the_policy() {
        let policy = tempfile::NamedTempFile::new().unwrap();
        let text = "[config-env]\ntoken = \"WHARF_TEST_NO_SUCH_VARIABLE\"\n";
        std::fs::write(policy.path(), text).unwrap();
        let mut args = CloudArgs {
            policy: Some(policy.path().to_path_buf()),
            ..CloudArgs::default()
        };
        assert!(Grants::new(&args, &HttpArgs::default()).is_err());
        args.config = vec![("token".to_string(), "x".to_string())];
        let grants = Grants::new(&args, &HttpArgs::default()).unwrap();
        assert_eq!(grants.policy.config.unwrap()["token"], "x");
    }

    #[test]
    fn watchers_by_their_names() {
        let (old, known) = (
            "wasi:keyvalue/watcher@0.1.0",
            "wasi:keyvalue/watcher@0.2.0-draft2",
        );
        let watches = |names: &[&'static str]| Watches::among(names.iter().copied());
        assert_eq!(watches(&["wasi:http/incoming-handler@0.2.0"]), Watches::No);
        assert_eq!(watches(&["wasi:keyvalue/watcher-foo@0.2.0-draft2"]), Watches::No);
        assert_eq!(watches(&[old]), Watches::Unknown(old.to_owned()));
        assert_eq!(watches(&[old, known]), Watches::Yes);
        assert_eq!(watches(&[known, old]), Watches::Yes);
    }

    #[test]
    fn nothing_is_granted_without_flags() {
        let grants = Grants::new(&CloudArgs::default(), &HttpArgs::default()).unwrap();
        assert!(grants.policy.config.is_none() && grants.policy.logging.is_none());
        assert!(grants.buckets.is_none());
    }
}
