//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Runs WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a component, or a core module built for WASI preview 1
    Run(RunArgs),
    /// Run WebAssembly test scripts
    Wast(WastArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Give the guest a folder of the host, under its own name for it; `::ro` makes it read-only
    #[arg(long = "dir", value_name = "HOST::GUEST[::ro]", value_parser = parse_dir)]
    pub dirs: Vec<DirGrant>,

    /// Give the guest an environment variable
    #[arg(long = "env", value_name = "KEY=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,

    /// Call this export instead of running the program, and print its results; arguments are in WAVE
    #[arg(long, value_name = "NAME(ARGS)")]
    pub invoke: Option<String>,

    /// The most linear memory that the guest may have, all instances together (suffixes K, M and G)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub max_memory: Option<usize>,

    /// The component or core module, binary or text
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The guest's arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

#[derive(Debug, Args)]
pub struct WastArgs {
    /// The scripts
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
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

fn parse_bytes(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((i, 'k' | 'K')) => (&text[..i], 1 << 10),
        Some((i, 'm' | 'M')) => (&text[..i], 1 << 20),
        Some((i, 'g' | 'G')) => (&text[..i], 1 << 30),
        _ => (text, 1usize),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "expected a number of bytes, such as 64M".to_string())?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "too large a number".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn run_takes_grants_and_guest_arguments() {
        let cli = Cli::try_parse_from([
            "wharf",
            "run",
            "--dir",
            "a/b::/data::ro",
            "--dir",
            "c",
            "--env",
            "K=V=W",
            "x.wasm",
            "--",
            "--flag",
            "y",
        ])
        .unwrap();
        let Command::Run(run) = cli.command else {
            panic!("not run")
        };
        let grant = |host: &str, guest: &str, read_only| DirGrant {
            host: host.into(),
            guest: guest.into(),
            read_only,
        };
        assert_eq!(run.dirs, [grant("a/b", "/data", true), grant("c", "c", false)]);
        assert_eq!(run.env, [("K".to_string(), "V=W".to_string())]);
        assert_eq!(run.args, ["--flag", "y"]);
    }

    #[test]
    fn malformed_values_are_refused() {
        for args in [
            ["--dir", "::x"],
            ["--dir", "a::b::c"],
            ["--env", "K"],
            ["--env", "=V"],
            ["--max-memory", "x"],
        ] {
            assert!(
                Cli::try_parse_from(["wharf", "run", args[0], args[1], "f.wasm"]).is_err(),
                "{args:?}"
            );
        }
        assert_eq!(parse_bytes("64M"), Ok(64 << 20));
        assert!(parse_bytes("99999999999G").is_err());
    }
}
