//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cloud::CloudArgs;
use crate::grants::GrantArgs;
use crate::http::HttpArgs;
pub use crate::serve::args::ServeArgs;

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
    Run(Box<RunArgs>),
    /// Answer HTTP requests with a component that exports wasi:http/incoming-handler
    Serve(Box<ServeArgs>),
    /// Compile a component or core module ahead of time, for `wharf run` on machines like this one
    Compile(CompileArgs),
    /// Tell what a component or core module imports and exports, or the least policy that it needs
    Inspect(InspectArgs),
    /// Run WebAssembly test scripts
    Wast(WastArgs),
}

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub grants: GrantArgs,

    /// Call this export instead of running the program, and print its results; arguments are in WAVE
    #[arg(long, value_name = "NAME(ARGS)")]
    pub invoke: Option<String>,

    /// The most linear memory that the guest may have, all instances together (suffixes K, M and G)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub max_memory: Option<usize>,

    #[command(flatten)]
    pub engine: EngineArgs,

    #[command(flatten)]
    pub cloud: CloudArgs,

    #[command(flatten)]
    pub http: HttpArgs,

    /// Print what the tiers did to standard error at the end
    #[arg(long)]
    pub stats: bool,

    /// The secret with which machine code in an artifact must be marked to be used (default: the one that `wharf compile` made for this user)
    #[arg(long, value_name = "FILE")]
    pub artifact_key: Option<PathBuf>,

    /// The component or core module, binary, text, or compiled by `wharf compile`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The guest's arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// How guests are executed.
#[derive(Debug, Default, Args)]
pub struct EngineArgs {
    /// When functions are compiled (default: tiered)
    #[arg(long, value_name = "WHEN")]
    pub tier: Option<TierArg>,

    /// Keep compiled code in a folder for the next time (default: wharf in $XDG_CACHE_HOME or ~/.cache). Who can write there can run
    /// code as this user
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub cache: Option<Option<PathBuf>>,

    /// How many threads may compile in the background (default: one less than there are cores)
    #[arg(long, value_name = "NUMBER")]
    pub compile_threads: Option<NonZeroUsize>,

    /// Write what the profiler perf needs to name compiled functions: /tmp/perf-PID.map, or jit-PID.dump in the current folder
    #[arg(long, value_name = "FORMAT")]
    pub profile: Option<ProfileArg>,
}

/// When functions are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TierArg {
    /// Never
    Off,
    /// Hot functions, in the background
    Tiered,
    /// All functions, before the guest starts
    Eager,
    /// Hot functions, and the guest waits for them
    Sync,
}

/// A format for profilers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProfileArg {
    /// Addresses and names
    Perfmap,
    /// Addresses, names and code
    Jitdump,
}

#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Where to write the artifact (default: beside FILE, with the extension `wharf`)
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,

    /// The secret to mark the artifact with, made if it is not there (default: this user's)
    #[arg(long, value_name = "FILE")]
    pub artifact_key: Option<PathBuf>,

    /// The component or core module, binary or text
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Print the least policy that it needs, as a policy file to fill in
    #[arg(long)]
    pub policy: bool,

    /// The component or core module, binary, text, or compiled by `wharf compile`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct WastArgs {
    /// The scripts
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

pub fn parse_bytes(text: &str) -> Result<usize, String> {
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
        assert_eq!(run.grants.dirs.len(), 2);
        assert_eq!(run.grants.env, [("K".to_string(), "V=W".to_string())]);
        assert_eq!(run.args, ["--flag", "y"]);
    }

    #[test]
    fn the_cache_may_have_a_folder() {
        let cache = |flag: &str| {
            let cli = Cli::try_parse_from(["wharf", "run", flag, "x.wasm"]).unwrap();
            let Command::Run(run) = cli.command else {
                panic!("not run")
            };
            (run.file, run.engine.cache)
        };
        assert_eq!(cache("--cache"), ("x.wasm".into(), Some(None)));
        assert_eq!(cache("--cache=d"), ("x.wasm".into(), Some(Some("d".into()))));
        assert_eq!(cache("--stats").1, None);
    }

    #[test]
    fn malformed_values_are_refused() {
        for args in [
            ["--dir", "::x"],
            ["--env", "K"],
            ["--max-memory", "x"],
            ["--tier", "x"],
            ["--compile-threads", "0"],
            ["--profile", "x"],
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
