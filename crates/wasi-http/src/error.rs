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

/// Whether a body ends because something else on its connection failed, such as sending. Hyper says that as text only.
fn is_broken_off(error: &hyper::Error) -> bool {
    error
        .source()
        .is_some_and(|cause| cause.to_string() == "connection error")
}

/// What an error of HTTP means, for who waits for a message or its body.
pub(crate) fn from_hyper(error: &hyper::Error) -> ErrorCode {
    // Errors of bodies come out as they went in; what the system or TLS said is more exact than hyper's own kinds.
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(code) = cause.downcast_ref::<ErrorCode>() {
            return code.clone();
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return from_tls(tls);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return match inner::<rustls::Error>(io) {
                Some(tls) => from_tls(tls),
                None => match io.kind() {
                    io::ErrorKind::TimedOut => ErrorCode::ConnectionReadTimeout,
                    io::ErrorKind::UnexpectedEof => ErrorCode::HttpResponseIncomplete,
                    // How hyper reports chunks that are malformed.
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => ErrorCode::HttpProtocolError,
                    _ => ErrorCode::ConnectionTerminated,
                },
            };
        }
        source = cause.source();
    }
    if is_too_large(error) {
        ErrorCode::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message() {
        ErrorCode::HttpResponseIncomplete
    } else if error.is_timeout() {
        ErrorCode::ConnectionReadTimeout
    } else if error.is_canceled()
        || error.is_closed()
        || error.is_body_write_aborted()
        || is_broken_off(error)
    {
        ErrorCode::ConnectionTerminated
    } else {
        ErrorCode::HttpProtocolError
    }
}

/// The head of the message is larger than it may be. There is no predicate for that among those of hyper.
fn is_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("too large")
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
