//! Errors of this crate.

use crate::Error;
use std::fmt;

/// The guest ended the program with this status: `wasi:cli/exit`, `proc_exit`.
///
/// It leaves the guest's call as an error; find it with [`Error::downcast_ref`](wharf::Error::downcast_ref).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct I32Exit(pub i32);

impl fmt::Display for I32Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program ended with exit status {}", self.0)
    }
}

impl std::error::Error for I32Exit {}

/// Either an error that the guest gets as a value, or one that traps.
#[derive(Debug)]
pub struct TrappableError<E>(Kind<E>);

#[derive(Debug)]
enum Kind<E> {
    Value(E),
    Trap(Error),
}

impl<E> TrappableError<E> {
    /// An error that traps the guest.
    pub fn trap(error: impl Into<Error>) -> TrappableError<E> {
        TrappableError(Kind::Trap(error.into()))
    }

    /// The value for the guest.
    ///
    /// # Errors
    /// The error to trap with, if it is none.
    pub fn downcast(self) -> Result<E, Error> {
        match self.0 {
            Kind::Value(value) => Ok(value),
            Kind::Trap(error) => Err(error),
        }
    }

    /// The value for the guest, if it is one.
    pub fn downcast_ref(&self) -> Option<&E> {
        match &self.0 {
            Kind::Value(value) => Some(value),
            Kind::Trap(_) => None,
        }
    }
}

impl<E> From<E> for TrappableError<E> {
    fn from(value: E) -> Self {
        TrappableError(Kind::Value(value))
    }
}
