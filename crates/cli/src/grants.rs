//! What a command line grants to a guest: flags that several commands have, and how they become a context.

use std::path::PathBuf;

use clap::Args;
use wharf_wasi::{DirPerms, FilePerms, HostDirBudget, HostDirLimits, NetDenied, NetRule, WasiCtxBuilder};

use crate::args::parse_bytes;
use crate::denied::{self, quoted};
use crate::failure::Failure;

/// The flags that grant something. What is not named by one is not granted.
#[derive(Debug, Default, Args)]
pub struct GrantArgs {
    /// Give the guest a folder of the host, under its own name for it; `::ro` makes it read-only. `::max=64M` limits by how
    /// much guests may make its files longer, `::max-entries=1000` how many names they may add; one of them sets both,
    /// the other to 64M or 10000
    #[arg(long = "dir", value_name = "HOST::GUEST[::ro][::max=BYTES]", value_parser = parse_dir)]
    pub dirs: Vec<DirGrant>,

    /// Let the guest change a folder that it opened only if it asked for `mutate-directory`, as the text of WASI has it.
    /// Programs on wasi-libc don't ask for it
    #[arg(long)]
    pub strict_dirs: bool,

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
        if self.strict_dirs {
            builder.strict_directories(true);
        }
        for dir in &self.dirs {
            let (host, guest) = (&dir.host, &dir.guest);
            let granted = match &dir.access {
                Access::Read => builder.preopened_dir(host, guest, DirPerms::READ, FilePerms::READ),
                Access::All => builder.preopened_dir(host, guest, DirPerms::all(), FilePerms::all()),
                Access::Limited(budget) => builder.preopened_dir_limited(host, guest, budget),
            };
            granted.map_err(|e| Failure::new(format!("--dir {}: {e}", dir.host.display())))?;
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
    pub access: Access,
}

/// What a guest may do in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    All,
    /// Everything, but add only so much; all guests together.
    Limited(HostDirBudget),
}

fn parse_dir(text: &str) -> Result<DirGrant, String> {
    const EXPECTED: &str =
        "expected HOST::GUEST, and behind it ::ro, or ::max=BYTES and ::max-entries=NUMBER";
    let mut parts: Vec<&str> = text.split("::").collect();
    let (mut read_only, mut bytes, mut entries) = (false, None, None);
    while let [_, .., last] = parts[..] {
        if last == "ro" {
            read_only = true;
        } else if let Some(value) = last.strip_prefix("max=") {
            let value = parse_bytes(value)? as u64;
            bytes = Some(value);
        } else if let Some(value) = last.strip_prefix("max-entries=") {
            let value: u64 = value.parse().map_err(|_| EXPECTED.to_string())?;
            entries = Some(value);
        } else {
            break;
        }
        parts.pop();
    }
    let (host, guest) = match parts[..] {
        [both] => (both, both),
        [host, guest] => (host, guest),
        _ => return Err(EXPECTED.to_string()),
    };
    if host.is_empty() || guest.is_empty() {
        return Err(EXPECTED.to_string());
    }
    let default = HostDirLimits::default();
    let access = match (read_only, bytes, entries) {
        (true, None, None) => Access::Read,
        (false, None, None) => Access::All,
        (true, ..) => {
            return Err("nothing is added to a folder that is read-only, so it has no limits".to_string());
        }
        (false, bytes, entries) => Access::Limited(HostDirBudget::new(HostDirLimits {
            bytes: bytes.unwrap_or(default.bytes),
            entries: entries.unwrap_or(default.entries),
        })),
    };
    Ok(DirGrant {
        host: host.into(),
        guest: guest.to_string(),
        access,
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
        let grant = |host: &str, guest: &str, access| DirGrant {
            host: host.into(),
            guest: guest.into(),
            access,
        };
        let expected = [grant("a/b", "/data", Access::Read), grant("c", "c", Access::All)];
        assert_eq!(grants.dirs, expected);
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
    fn folders_have_limits() {
        let left = |text: &str| match parse_dir(text).unwrap().access {
            Access::Limited(budget) => (budget.left().bytes, budget.left().entries),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(left("a::/data::max=2K"), (2048, 10_000));
        assert_eq!(left("a::max-entries=7"), (64 << 20, 7));
        assert_eq!(left("a::b::max=10::max-entries=0"), (10, 0));
    }

    #[test]
    fn malformed_grants_are_refused() {
        for args in [
            ["--dir", "a::b::max=many"],
            ["--dir", "a::b::max-entries=-1"],
            ["--dir", "a::b::max=1M::ro"],
            ["--dir", "a::b::max=1M::c"],
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
