//! The flags of `wharf serve`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::args::{EngineArgs, parse_bytes};
use crate::cloud::CloudArgs;
use crate::grants::GrantArgs;
use crate::http::HttpArgs;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to serve on; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub addr: SocketAddr,

    #[command(flatten)]
    pub grants: GrantArgs,

    #[command(flatten)]
    pub cloud: CloudArgs,

    #[command(flatten)]
    pub http: HttpArgs,

    /// The most linear memory that an instance may have (suffixes K, M and G; default: what the policy says, else 512M)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub max_memory: Option<usize>,

    /// How long the guest may take for a request, its body included (suffixes ms, s and m; default: what the policy says, else 30s)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub timeout: Option<Duration>,

    /// How many requests guests work on at a time
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    pub max_concurrent: NonZeroUsize,

    /// How many requests may wait for that; more are answered with status 503
    #[arg(long, value_name = "NUMBER", default_value = "1024")]
    pub max_waiting: usize,

    /// The largest body of a request (suffixes K, M and G)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, default_value = "64M")]
    pub max_body: usize,

    /// How many connections there may be
    #[arg(long, value_name = "NUMBER", default_value = "16384")]
    pub max_connections: NonZeroUsize,

    /// How many requests an instance answers, one after the other, before it is thrown away; what comes from some toolchains
    /// (JavaScript's, for one) can answer a single one only
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    pub reuse: NonZeroUsize,

    /// An exported function without parameters and results that brings an instance back to what it was at first; it is called
    /// before each request but the first (default: a guest may find what earlier requests left)
    #[arg(long, value_name = "NAME")]
    pub reset_func: Option<String>,

    /// How many threads run guests (default: four per core)
    #[arg(long, value_name = "NUMBER")]
    pub guest_threads: Option<NonZeroUsize>,

    /// How long the head of a request may take to arrive
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "10s")]
    pub header_timeout: Duration,

    /// How long a pause in the body of a request, or of a client that takes an answer, may be
    ///
    /// In HTTP/2 each answer has to go on in this time. Answers of one connection share what its client takes, so that many at a time over
    /// a slow network may need more.
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "30s")]
    pub body_timeout: Duration,

    /// How long a connection may wait for its next request
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "60s")]
    pub idle_timeout: Duration,

    /// How long requests that are under way may take after a signal to end
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "30s")]
    pub shutdown_timeout: Duration,

    /// How to write a line per request to standard error
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    pub access_log: AccessLog,

    /// Serve numbers about the server under `/metrics` on an address of their own
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_addr: Option<SocketAddr>,

    /// Send a span per request to an OpenTelemetry collector (OTLP over HTTP), such as http://127.0.0.1:4318
    #[arg(long, value_name = "ENDPOINT")]
    pub otlp: Option<String>,

    /// Load the file again when it changes; SIGHUP does that in any case
    #[arg(long)]
    pub watch: bool,

    #[command(flatten)]
    pub engine: EngineArgs,

    /// The secret with which machine code in an artifact must be marked to be used (default: the one that `wharf compile` made for this user)
    #[arg(long, value_name = "FILE")]
    pub artifact_key: Option<PathBuf>,

    /// The component, binary, text, or compiled by `wharf compile`
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// How requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AccessLog {
    /// Not at all
    Off,
    /// A JSON object per line
    Json,
    /// For people
    Text,
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let (digits, millis) = if let Some(digits) = text.strip_suffix("ms") {
        (digits, 1)
    } else if let Some(digits) = text.strip_suffix('m') {
        (digits, 60_000)
    } else {
        (text.strip_suffix('s').unwrap_or(text), 1000)
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "expected a time, such as 30s or 500ms".to_string())?;
    match number.checked_mul(millis) {
        Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err("too short or too long a time".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        args: ServeArgs,
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_time("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            "0",
            "x",
            "-1s",
            "1h",
            "99999999999999999999",
            "9999999999999999999m",
        ] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn grants_and_limits() {
        let serve = Serve::try_parse_from([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--env",
            "A=B",
            "--http",
            "https://*.example.org",
            "--max-memory",
            "64M",
            "--timeout",
            "2s",
            "x.wasm",
        ])
        .unwrap()
        .args;
        assert_eq!(serve.http.http.len(), 1);
        assert_eq!(serve.max_memory, Some(64 << 20));
        assert_eq!(serve.timeout, Some(Duration::from_secs(2)));
        for bad in [
            ["--http", "example.org"],
            ["--reuse", "0"],
            ["--max-concurrent", "0"],
            ["--addr", "x"],
        ] {
            assert!(
                Serve::try_parse_from(["serve", bad[0], bad[1], "x.wasm"]).is_err(),
                "{bad:?}"
            );
        }
    }
}
