//! What a step of a script comes to.

use wharf_core::{Error, ErrorKind};

/// Why a directive did not pass.
pub(crate) enum Problem {
    Failed(String),
    Skipped(String),
}

/// What a step of a script comes to.
pub(crate) type Step<T = ()> = Result<T, Problem>;

pub(crate) fn failed<T>(reason: impl Into<String>) -> Step<T> {
    Err(Problem::Failed(reason.into()))
}

pub(crate) fn skipped<T>(reason: impl Into<String>) -> Step<T> {
    Err(Problem::Skipped(reason.into()))
}

/// An engine error where the script expects success: a feature that is not there yet skips the directive.
pub(crate) fn problem(what: &str, error: &Error) -> Problem {
    match error.kind() {
        ErrorKind::Unsupported(feature) => Problem::Skipped(feature.clone()),
        _ => Problem::Failed(format!("{what}: {error}")),
    }
}

/// A value that the runner cannot make or compare.
pub(crate) fn unsupported_value(reason: String) -> Problem {
    Problem::Skipped(reason)
}
