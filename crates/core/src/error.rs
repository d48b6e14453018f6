//! The error type of the whole engine.

use std::fmt;

use crate::trap::{Backtrace, TrapCode};

/// A result whose error is [`Error`] unless another is named.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type HostError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// What went wrong, where, and in which context.
///
/// One word in size, so that a `Result<()>` stays cheap on the paths between guests and hosts. Look at [`Error::kind`] to
/// decide what to do, print it for a person, and see [`Error::backtrace`] for the WebAssembly frames of a trap.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    context: Vec<String>,
    backtrace: Option<Backtrace>,
}

/// The kinds of [`Error`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not WebAssembly: wrong magic, truncated, or not decodable.
    #[error("malformed WebAssembly at offset {offset:#x}: {message}")]
    Malformed {
        /// Offset in bytes from the start of the file.
        offset: usize,
        /// What was wrong.
        message: String,
    },
    /// The bytes decode, but break a validation rule.
    #[error("invalid WebAssembly at offset {offset:#x}: {message}")]
    Invalid {
        /// Offset in bytes from the start of the file.
        offset: usize,
        /// Which rule was broken.
        message: String,
    },
    /// A feature that Wharf does not have.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// An import that is missing or does not fit.
    #[error("{0}")]
    Link(String),
    /// The guest trapped.
    #[error("wasm trap: {0}")]
    Trap(TrapCode),
    /// A quota of the store or a limit of the host was met.
    #[error("limit reached: {0}")]
    Limit(String),
    /// The embedder used the API wrongly: a handle of another store, wrong argument types or counts.
    #[error("wrong use of the API: {0}")]
    Usage(String),
    /// A host function returned this error.
    #[error("{0}")]
    Host(HostError),
}

/// A plain message as a host error; see [`Error::msg`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Message(String);

impl Error {
    /// Makes an error of the given kind.
    #[cold]
    pub fn new(kind: ErrorKind) -> Error {
        Error(Box::new(Inner {
            kind,
            context: Vec::new(),
            backtrace: None,
        }))
    }

    /// The bytes can't be decoded; `offset` counts from the start of the file.
    pub fn malformed(offset: usize, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Malformed {
            offset,
            message: message.into(),
        })
    }

    /// A validation rule is broken at `offset` from the start of the file.
    pub fn invalid(offset: usize, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Invalid {
            offset,
            message: message.into(),
        })
    }

    /// A feature that Wharf does not have.
    pub fn unsupported(what: impl Into<String>) -> Error {
        Error::new(ErrorKind::Unsupported(what.into()))
    }

    /// A missing or unfit import.
    pub fn link(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Link(message.into()))
    }

    /// A quota or host limit was met.
    pub fn limit(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Limit(message.into()))
    }

    /// The API was used wrongly.
    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage(message.into()))
    }

    /// A trap. The engine adds the backtrace when the error leaves WebAssembly.
    #[cold]
    pub fn trap(code: TrapCode) -> Error {
        Error::new(ErrorKind::Trap(code))
    }

    /// Wraps an error of the host; [`Error::downcast_ref`] finds it again on the other side of the guest.
    #[cold]
    pub fn host(error: impl Into<HostError>) -> Error {
        Error::new(ErrorKind::Host(error.into()))
    }

    /// A host error that is just a message.
    #[cold]
    pub fn msg(message: impl fmt::Display) -> Error {
        Error::host(Message(message.to_string()))
    }

    /// What kind of error this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Says what was being done; printed in front of the message, outermost first.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Error {
        self.0.context.push(context.into());
        self
    }

    /// The trap's code, if this error is a trap.
    pub fn trap_code(&self) -> Option<TrapCode> {
        match self.0.kind {
            ErrorKind::Trap(code) => Some(code),
            _ => None,
        }
    }

    /// The host's own error, if a host function returned one of type `E`.
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        match &self.0.kind {
            ErrorKind::Host(e) => e.downcast_ref::<E>(),
            _ => None,
        }
    }

    /// The WebAssembly frames that were active, innermost first; `None` for errors that did not come out of a guest.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        self.0.backtrace.as_ref()
    }

    pub(crate) fn backtrace_mut(&mut self) -> &mut Backtrace {
        self.0.backtrace.get_or_insert_with(Backtrace::default)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.0.context.iter().rev() {
            write!(f, "{context}: ")?;
        }
        write!(f, "{}", self.0.kind)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match &self.0.backtrace {
            Some(backtrace) => write!(f, "\n{backtrace}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Host(e) => e.source(),
            _ => None,
        }
    }
}

impl From<TrapCode> for Error {
    fn from(code: TrapCode) -> Error {
        Error::trap(code)
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    /// The parser does not tell malformed from invalid; its messages for truncated input do.
    fn from(e: wasmparser::BinaryReaderError) -> Error {
        let offset = e.offset() as usize;
        let message = e.message();
        if message.contains("unexpected end")
            || message.contains("magic header")
            || message.contains("bad magic")
        {
            Error::malformed(offset, message)
        } else {
            Error::invalid(offset, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_printed_outermost_first() {
        let e = Error::trap(TrapCode::Unreachable)
            .context("in f")
            .context("in component a");
        assert_eq!(
            e.to_string(),
            "in component a: in f: wasm trap: wasm `unreachable` instruction executed"
        );
        assert_eq!(e.trap_code(), Some(TrapCode::Unreachable));
    }

    #[test]
    fn host_errors_are_found_again() {
        let e = Error::host(std::io::Error::other("x")).context("while testing");
        assert_eq!(
            e.downcast_ref::<std::io::Error>().map(|e| e.kind()),
            Some(std::io::ErrorKind::Other)
        );
        assert!(e.downcast_ref::<std::fmt::Error>().is_none());
    }

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }
}
