//! What a command line grants to a guest: flags that several commands have, and how they become a context.

use std::path::PathBuf;

use clap::Args;
use wharf_wasi::{DirPerms, FilePerms, NetDenied, NetRule, WasiCtxBuilder};

use crate::denied::{self, quoted};
use crate::failure::Failure;

/// The flags that grant something. What is not named by one is not granted.
#[derive(Debug, Default, Args)]
pub struct GrantArgs {
    /// Give the guest a folder of the host, under its own name for it; `::ro` makes it read-only
    #[arg(long = "dir", value_name = "HOST::GUEST[::ro]", value_parser = parse_dir)]
    pub dirs: Vec<DirGrant>,

    /// Give the guest an environment variable
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,

    /// Let the guest use the network: `tcp-connect:HOST:PORT`, `tcp-listen:`, `tcp:` (both), `udp-send:`, `udp-bind:`,
    /// `udp:` (both), `lookup:NAME` or `all`. HOST is an address, a prefix such as 10.0.0.0/8 or [fd00::]/8, a
    /// name, *.NAME or *; PORT a port, a range, a list of these or *. Behind a name, `+local` includes addresses of local networks
    #[arg(long = "net", value_name = "RULE")]
    pub net: Vec<NetRule>,
}

impl GrantArgs {
    /// Those of `env` that no flag replaces.
    pub fn override_env(&self, mut env: Vec<(String, String)>) -> Vec<(String, String)> {
        env.retain(|(name, _)| !self.env.iter().any(|(flag, _)| flag == name));
        env
    }

    /// Adds everything that the flags grant to `builder`. It can be called for any number of builders.
    ///
    /// # Errors
    /// A failure that names the flag whose grant can't be given.
    pub fn apply(&self, builder: &mut WasiCtxBuilder) -> Result<(), Failure> {
        builder.envs(&self.env);
        for dir in &self.dirs {
            let (dir_perms, file_perms) = match dir.read_only {
                true => (DirPerms::READ, FilePerms::READ),
                false => (DirPerms::all(), FilePerms::all()),
            };
            builder
                .preopened_dir(&dir.host, &dir.guest, dir_perms, file_perms)
                .map_err(|e| Failure::new(format!("--dir {}: {e}", dir.host.display())))?;
        }
        for rule in &self.net {
            builder.net_rule(rule.clone());
        }
        builder.on_network_denied(tell_denied);
        Ok(())
    }
}

fn tell_denied(denied: &NetDenied) {
    denied::tell(describe_denied(denied));
}

fn describe_denied(denied: &NetDenied) -> String {
    match denied.rule() {
        Some(rule) => format!("{denied}; `--net {}` allows it", quoted(&rule.to_string())),
        None => denied.to_string(),
    }
}

/// A folder of the host that a guest gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    pub host: PathBuf,
    pub guest: String,
    pub read_only: bool,
}

fn parse_dir(text: &str) -> Result<DirGrant, String> {
    let (rest, read_only) = match text.strip_suffix("::ro") {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let (host, guest) = rest.split_once("::").unwrap_or((rest, rest));
    if host.is_empty() || guest.is_empty() || guest.contains("::") {
        return Err("expected HOST::GUEST or HOST::GUEST::ro".to_string());
    }
    Ok(DirGrant {
        host: host.into(),
        guest: guest.to_string(),
        read_only,
    })
}

fn parse_env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_string(), value.to_string())),
        _ => Err("expected KEY=VALUE".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use wharf_wasi::SocketAddrUse;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        grants: GrantArgs,
    }

    fn parse(args: &[&str]) -> Result<GrantArgs, clap::Error> {
        let args = std::iter::once("wharf").chain(args.iter().copied());
        Flags::try_parse_from(args).map(|flags| flags.grants)
    }

    #[test]
    fn flags_repeat() {
        let grants = parse(&["--dir", "a/b::/data::ro", "--env", "K=V=W", "--dir", "c"]).unwrap();
        let grant = |host: &str, guest: &str, read_only| DirGrant {
            host: host.into(),
            guest: guest.into(),
            read_only,
        };
        assert_eq!(grants.dirs, [grant("a/b", "/data", true), grant("c", "c", false)]);
        assert_eq!(grants.env, [("K".to_string(), "V=W".to_string())]);
    }

    #[test]
    fn denials_name_the_flag() {
        let denied = |addr: &str, usage| describe_denied(&NetDenied::Address(addr.parse().unwrap(), usage));
        assert_eq!(
            denied("1.2.3.4:80", SocketAddrUse::TcpConnect),
            "connecting with TCP to 1.2.3.4:80; `--net tcp-connect:1.2.3.4:80` allows it"
        );
        let denied = denied("[::1]:0", SocketAddrUse::TcpBind);
        assert!(denied.contains("--net 'tcp-listen:[::1]:0'"), "{denied}");
        let lookup = NetDenied::Lookup("example.org".to_string());
        assert!(describe_denied(&lookup).contains("--net lookup:example.org"));
    }

    #[test]
    fn rules_for_the_network_repeat() {
        let grants = parse(&["--net", "tcp:127.0.0.1:*", "--net", "lookup:example.org"]).unwrap();
        let rules: Vec<_> = grants.net.iter().map(ToString::to_string).collect();
        assert_eq!(rules, ["tcp:127.0.0.1:*", "lookup:example.org"]);
    }

    #[test]
    fn malformed_grants_are_refused() {
        for args in [
            ["--dir", "::x"],
            ["--dir", "a::b::c"],
            ["--env", "K"],
            ["--env", "=V"],
        ] {
            assert!(parse(&args).is_err(), "{args:?}");
        }
    }

    #[test]
    fn a_grant_that_cannot_be_given_is_named() {
        let grants = parse(&["--dir", "/no/such/folder::x"]).unwrap();
        let failure = grants.apply(&mut WasiCtxBuilder::new()).unwrap_err();
        assert!(
            failure.message.contains("--dir /no/such/folder"),
            "{}",
            failure.message
        );
    }
}
