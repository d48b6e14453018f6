//! Why an operation on the network failed.

use std::fmt;
use std::io;

/// `error-code` of `wasi:sockets/network`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the cases of the WIT, which describes them")]
pub enum SocketErrorCode {
    Unknown,
    AccessDenied,
    NotSupported,
    InvalidArgument,
    OutOfMemory,
    Timeout,
    ConcurrencyConflict,
    NotInProgress,
    WouldBlock,
    InvalidState,
    NewSocketLimit,
    AddressNotBindable,
    AddressInUse,
    RemoteUnreachable,
    ConnectionRefused,
    ConnectionReset,
    ConnectionAborted,
    DatagramTooLarge,
    NameUnresolvable,
    TemporaryResolverFailure,
    PermanentResolverFailure,
}

impl fmt::Display for SocketErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use SocketErrorCode::*;
        f.write_str(match self {
            Unknown => "unknown error",
            AccessDenied => "access denied",
            NotSupported => "not supported",
            InvalidArgument => "invalid argument",
            OutOfMemory => "out of memory",
            Timeout => "timed out",
            ConcurrencyConflict => "another operation is in progress",
            NotInProgress => "no such operation is in progress",
            WouldBlock => "not finished yet",
            InvalidState => "not possible in this state",
            NewSocketLimit => "too many sockets",
            AddressNotBindable => "the address can't be bound",
            AddressInUse => "the address is in use",
            RemoteUnreachable => "the remote address is unreachable",
            ConnectionRefused => "connection refused",
            ConnectionReset => "connection reset",
            ConnectionAborted => "connection aborted",
            DatagramTooLarge => "the datagram is too large",
            NameUnresolvable => "the name can't be resolved",
            TemporaryResolverFailure => "name resolution failed for now",
            PermanentResolverFailure => "name resolution failed",
        })
    }
}

impl std::error::Error for SocketErrorCode {}

impl From<&io::Error> for SocketErrorCode {
    fn from(error: &io::Error) -> SocketErrorCode {
        use SocketErrorCode::*;
        #[cfg(unix)]
        if let Some(code) = rustix::io::Errno::from_io_error(error).and_then(of_errno) {
            return code;
        }
        match error.kind() {
            io::ErrorKind::PermissionDenied => AccessDenied,
            io::ErrorKind::Unsupported => NotSupported,
            io::ErrorKind::InvalidInput => InvalidArgument,
            io::ErrorKind::OutOfMemory => OutOfMemory,
            io::ErrorKind::TimedOut => Timeout,
            io::ErrorKind::WouldBlock => WouldBlock,
            io::ErrorKind::NotConnected => InvalidState,
            io::ErrorKind::AddrNotAvailable => AddressNotBindable,
            io::ErrorKind::AddrInUse => AddressInUse,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => RemoteUnreachable,
            io::ErrorKind::ConnectionRefused => ConnectionRefused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ConnectionReset,
            io::ErrorKind::ConnectionAborted => ConnectionAborted,
            _ => Unknown,
        }
    }
}

impl From<io::Error> for SocketErrorCode {
    fn from(error: io::Error) -> SocketErrorCode {
        SocketErrorCode::from(&error)
    }
}

/// What the kinds of the standard library do not tell apart.
#[cfg(unix)]
fn of_errno(errno: rustix::io::Errno) -> Option<SocketErrorCode> {
    use SocketErrorCode::*;
    use rustix::io::Errno;
    Some(match errno {
        Errno::ACCESS | Errno::PERM => AccessDenied,
        Errno::OPNOTSUPP | Errno::PROTONOSUPPORT | Errno::NOPROTOOPT => NotSupported,
        Errno::INVAL | Errno::AFNOSUPPORT | Errno::DESTADDRREQ => InvalidArgument,
        Errno::NOMEM | Errno::NOBUFS => OutOfMemory,
        Errno::MFILE | Errno::NFILE => NewSocketLimit,
        Errno::ALREADY => ConcurrencyConflict,
        Errno::ISCONN | Errno::NOTCONN => InvalidState,
        Errno::HOSTUNREACH | Errno::HOSTDOWN | Errno::NETUNREACH | Errno::NETDOWN => RemoteUnreachable,
        #[cfg(target_os = "linux")]
        Errno::NONET => RemoteUnreachable,
        Errno::MSGSIZE => DatagramTooLarge,
        _ => return None,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn errors_of_the_system_become_codes() {
        let code = |errno: Errno| SocketErrorCode::from(io::Error::from(errno));
        assert_eq!(code(Errno::PERM), SocketErrorCode::AccessDenied);
        assert_eq!(code(Errno::MFILE), SocketErrorCode::NewSocketLimit);
        assert_eq!(code(Errno::NETUNREACH), SocketErrorCode::RemoteUnreachable);
        assert_eq!(code(Errno::CONNREFUSED), SocketErrorCode::ConnectionRefused);
        assert_eq!(code(Errno::CONNRESET), SocketErrorCode::ConnectionReset);
        assert_eq!(code(Errno::CONNABORTED), SocketErrorCode::ConnectionAborted);
        assert_eq!(code(Errno::MSGSIZE), SocketErrorCode::DatagramTooLarge);
        assert_eq!(code(Errno::ADDRINUSE), SocketErrorCode::AddressInUse);
        assert_eq!(code(Errno::ADDRNOTAVAIL), SocketErrorCode::AddressNotBindable);
        assert_eq!(code(Errno::TIMEDOUT), SocketErrorCode::Timeout);
        assert_eq!(code(Errno::NOSYS), SocketErrorCode::NotSupported);
        assert_eq!(code(Errno::XDEV), SocketErrorCode::Unknown);
    }
}
