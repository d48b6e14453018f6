//! Errors, and which `error-code` says what happened.

use crate::bindings::wasi::http::types::{self, ErrorCode, TlsAlertReceivedPayload};
use std::error::Error as StdError;
use std::io;
use wharf::Error;
use wharf::component::ResourceTableError;

/// Makes an error type: a value for the guest, or a trap.
macro_rules! trappable {
    ($(#[$doc:meta])* $name:ident($value:ty)) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {
            /// What the guest gets.
            Value($value),
            /// The guest's call traps.
            Trap(Error),
        }

        impl $name {
            /// An error that traps the guest.
            pub fn trap(error: impl Into<Error>) -> $name {
                $name::Trap(error.into())
            }

            /// The value for the guest.
            ///
            /// # Errors
            /// The error to trap with, if it is none.
            pub fn downcast(self) -> Result<$value, Error> {
                match self {
                    $name::Value(value) => Ok(value),
                    $name::Trap(error) => Err(error),
                }
            }

            /// The value for the guest, if it is one.
            pub fn downcast_ref(&self) -> Option<&$value> {
                match self {
                    $name::Value(value) => Some(value),
                    $name::Trap(_) => None,
                }
            }
        }

        impl From<$value> for $name {
            fn from(value: $value) -> $name {
                $name::Value(value)
            }
        }

        impl From<Error> for $name {
            fn from(error: Error) -> $name {
                $name::Trap(error)
            }
        }

        impl From<ResourceTableError> for $name {
            fn from(error: ResourceTableError) -> $name {
                $name::Trap(error.into())
            }
        }
    };
}

trappable! {
    /// The error of functions whose WIT result has an `error-code`.
    HttpError(ErrorCode)
}

trappable! {
    /// The error of functions whose WIT result has a `header-error`.
    HeaderError(types::HeaderError)
}

/// Result of functions whose WIT result has an `error-code`.
pub type HttpResult<T> = Result<T, HttpError>;

/// An `internal-error` with this text.
pub(crate) fn internal(message: impl ToString) -> ErrorCode {
    ErrorCode::InternalError(Some(message.to_string()))
}

/// Why a connection could not be made.
pub(crate) fn from_connect(error: &io::Error) -> ErrorCode {
    if let Some(tls) = inner::<rustls::Error>(error) {
        return from_tls(tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
        io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ErrorCode::DestinationIpUnroutable
        }
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => ErrorCode::ConnectionTerminated,
        _ => ErrorCode::DestinationUnavailable,
    }
}

/// What an error of TLS means.
pub(crate) fn from_tls(error: &rustls::Error) -> ErrorCode {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            ErrorCode::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        }),
        _ => ErrorCode::TlsProtocolError,
    }
}

/// What an error of HTTP means, for who waits for a message.
pub(crate) fn from_hyper(error: &hyper::Error) -> ErrorCode {
    known(error).unwrap_or(ErrorCode::HttpProtocolError)
}

/// What an error of HTTP means, for who reads the body of a message.
pub(crate) fn from_body(error: &hyper::Error) -> ErrorCode {
    // What is malformed in a body, and what the system says, has its own errors among the causes. All others mean that there is nobody any more
    // who could go on with the body: something else failed on its connection, such as sending.
    known(error).unwrap_or(ErrorCode::ConnectionTerminated)
}

/// The meaning of what is known about an error. Its text is not looked at: that may change at any time.
fn known(error: &hyper::Error) -> Option<ErrorCode> {
    // Errors of bodies come out as they went in; what the system or TLS said is more exact than hyper's own kinds.
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(code) = cause.downcast_ref::<ErrorCode>() {
            return Some(code.clone());
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(from_tls(tls));
        }
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            return Some(match h2.get_io() {
                Some(io) => from_io(io),
                // The other side gave it up, or this one found fault with it.
                None if h2.is_remote() => ErrorCode::ConnectionTerminated,
                None => ErrorCode::HttpProtocolError,
            });
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(from_io(io));
        }
        source = cause.source();
    }
    if error.is_parse_too_large() {
        Some(ErrorCode::HttpResponseHeaderSectionSize(None))
    } else if error.is_parse() {
        Some(ErrorCode::HttpProtocolError)
    } else if error.is_incomplete_message() {
        Some(ErrorCode::HttpResponseIncomplete)
    } else if error.is_timeout() {
        Some(ErrorCode::ConnectionReadTimeout)
    } else if error.is_canceled() || error.is_closed() || error.is_body_write_aborted() {
        Some(ErrorCode::ConnectionTerminated)
    } else {
        None
    }
}

/// What an error means that ended a connection, or the reading of a body.
fn from_io(error: &io::Error) -> ErrorCode {
    if let Some(tls) = inner::<rustls::Error>(error) {
        return from_tls(tls);
    }
    match error.kind() {
        io::ErrorKind::TimedOut => ErrorCode::ConnectionReadTimeout,
        io::ErrorKind::UnexpectedEof => ErrorCode::HttpResponseIncomplete,
        // How hyper reports chunks that are malformed.
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ErrorCode::HttpProtocolError,
        _ => ErrorCode::ConnectionTerminated,
    }
}

/// The error that an [`io::Error`] was made of.
fn inner<E: StdError + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_connecting() {
        let code = |kind: io::ErrorKind| from_connect(&kind.into());
        assert_eq!(
            code(io::ErrorKind::ConnectionRefused),
            ErrorCode::ConnectionRefused
        );
        assert_eq!(
            code(io::ErrorKind::NetworkUnreachable),
            ErrorCode::DestinationIpUnroutable
        );
        assert_eq!(code(io::ErrorKind::TimedOut), ErrorCode::ConnectionTimeout);
        assert_eq!(code(io::ErrorKind::Other), ErrorCode::DestinationUnavailable);
    }

    #[test]
    fn errors_of_tls() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        assert_eq!(
            from_connect(&io::Error::other(tls)),
            ErrorCode::TlsCertificateError
        );
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::HandshakeFailure);
        let ErrorCode::TlsAlertReceived(payload) = from_connect(&io::Error::other(alert)) else {
            panic!("not an alert")
        };
        assert_eq!(payload.alert_id, Some(40));
        assert_eq!(
            from_tls(&rustls::Error::DecryptError),
            ErrorCode::TlsProtocolError
        );
    }

    #[test]
    fn values_and_traps_are_told_apart() {
        let value = HttpError::from(ErrorCode::LoopDetected);
        assert_eq!(value.downcast_ref(), Some(&ErrorCode::LoopDetected));
        let trap = HttpError::from(ResourceTableError::NotPresent);
        assert!(trap.downcast_ref().is_none() && trap.downcast().is_err());
    }
}
