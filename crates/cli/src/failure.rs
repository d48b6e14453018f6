//! How the command ends when something goes wrong: one clear message, and an exit status.

use std::fmt::Write;

use wharf_core::{Error, ErrorKind};

/// Exit status of a run that failed for any reason but a trap, of the guest's or of a host function.
pub const FAILED: u8 = 1;
/// Exit status of a trap: that of a process that was aborted, as other runtimes have it.
pub const TRAPPED: u8 = 134;

/// What to print to standard error, and the exit status.
#[derive(Debug)]
pub struct Failure {
    /// The message, without a trailing line end; empty if there is nothing to say.
    pub message: String,
    /// The status.
    pub status: u8,
}

impl Failure {
    /// A failure with status 1.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: FAILED,
        }
    }

    /// An engine's error while doing something with the file `what`.
    pub fn engine(what: &str, error: &Error) -> Failure {
        match error.kind() {
            // The guest was running, and was stopped by itself or a host function: show where.
            ErrorKind::Trap(_) => trap(what, error),
            _ if error.backtrace().is_some() => trap(what, error),
            ErrorKind::Link(_) => Failure::new(format!("{what}: {error}{}", import_hint(&error.to_string()))),
            _ => Failure::new(format!("{what}: {error}")),
        }
    }
}

fn trap(what: &str, error: &Error) -> Failure {
    let mut message = format!("{what}: {error}");
    if let Some(backtrace) = error.backtrace()
        && !backtrace.frames().is_empty()
    {
        let _ = write!(message, "\n{backtrace}");
    }
    Failure {
        message,
        status: TRAPPED,
    }
}

/// What a person can do about a missing import: which flag grants it, or that nothing does yet.
fn import_hint(message: &str) -> String {
    // The import stands in backquotes.
    if let Some(hint) = message
        .split('`')
        .skip(1)
        .step_by(2)
        .find_map(wharf_policy::grant_hint)
    {
        return format!("\nhint: {hint}");
    }
    // The order matters: more special names first.
    let hints = [
        ("wasi:nn/", "\nhint: wasi:nn is not supported"),
        ("wasi:filesystem/", "\nhint: `--dir HOST::GUEST` grants folders"),
        (
            "wasi_snapshot_preview1",
            "\nhint: WASI preview 1 has no such function",
        ),
        (
            "wasi:",
            "\nhint: Wharf offers the interfaces of wasi:cli/command and wasi:http/proxy in WASI 0.2",
        ),
    ];
    match hints.iter().find(|(name, _)| message.contains(name)) {
        Some((_, hint)) => (*hint).to_string(),
        None => {
            "\nhint: `wharf run` offers WASI 0.2 only; other imports have to be linked in with another component first"
                .to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_core::TrapCode;

    #[test]
    fn traps_have_their_own_status() {
        let failure = Failure::engine("a.wasm", &Error::trap(TrapCode::Unreachable));
        assert_eq!(failure.status, TRAPPED);
        assert!(failure.message.starts_with("a.wasm: "), "{}", failure.message);
        assert_eq!(Failure::engine("a.wasm", &Error::limit("memory")).status, FAILED);
    }

    #[test]
    fn missing_imports_come_with_advice() {
        let message = |import: &str| {
            Failure::engine("a.wasm", &Error::link(format!("unknown import `{import}`"))).message
        };
        assert!(message("wasi:http/future-thing").contains("wasi:http/proxy"));
        assert!(message("wasi:cli/future-thing").contains("wasi:cli/command"));
        assert!(message("my:own/thing").contains("linked in"));
        assert!(message("wasi:keyvalue/store@0.2.0-draft2").contains("--keyvalue NAME=memory:"));
        assert!(message("wasi:logging/logging").contains("[logging]"));
    }
}
