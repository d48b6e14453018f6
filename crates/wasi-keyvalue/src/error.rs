//! What can go wrong with a store.

use crate::bindings::wasi::keyvalue::store;

/// Why an operation on a store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No bucket is granted under this name.
    #[error("no bucket is granted under this name")]
    NoSuchStore,
    /// The grant does not allow this.
    #[error("the bucket may only be read")]
    AccessDenied,
    /// The bucket has as many keys as its quota allows.
    #[error("the quota of {0} keys is used up")]
    TooManyKeys(u64),
    /// Keys and values of the bucket take as many bytes as its quota allows.
    #[error("the quota of {0} bytes is used up")]
    TooManyBytes(u64),
    /// A key is longer than the quota allows.
    #[error("a key may have {0} bytes at most")]
    KeyTooLong(u64),
    /// A value is larger than the quota allows.
    #[error("a value may have {0} bytes at most")]
    ValueTooLarge(u64),
    /// One call names too many keys.
    #[error("one call may name {0} keys at most")]
    BatchTooLong(usize),
    /// One call puts more bytes than it may.
    #[error("one call may put {0} bytes at most")]
    BatchTooLarge(u64),
    /// One call asks for more bytes than it may give.
    #[error("the values asked for are larger than {0} bytes together")]
    ResponseTooLarge(u64),
    /// The guest holds too many compare-and-swap handles.
    #[error("too many compare-and-swap handles are open")]
    TooManyHandles,
    /// The value under the key is not a decimal number of 64 bits with a sign.
    #[error("the value is not a number")]
    NotANumber,
    /// The sum has no room in 64 bits.
    #[error("the number overflows")]
    Overflow,
    /// The number is below zero, where only others can be given.
    #[error("the number is negative")]
    Negative,
    /// A cursor is none that was given lately.
    #[error("the cursor is too old, or was never given")]
    UnknownCursor,
    /// There is no room left where the store is kept.
    #[error("the store is full")]
    Full,
    /// The store can't be reached; it may be later. A change that was asked for may have been made or not.
    #[error("the store can't be reached: {0}")]
    Unavailable(String),
    /// Reading or writing failed.
    #[error("the store failed: {0}")]
    Io(String),
    /// What is stored is damaged, or not of this program.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
}

/// Result of an operation on a store.
pub type StoreResult<T> = Result<T, StoreError>;

impl StoreError {
    /// What the guest is told. Details of the host, such as paths and addresses, are left out.
    pub(crate) fn for_guest(&self) -> store::Error {
        match self {
            StoreError::NoSuchStore => store::Error::NoSuchStore,
            StoreError::AccessDenied => store::Error::AccessDenied,
            StoreError::Unavailable(_) => store::Error::Other("the store can't be reached".to_owned()),
            StoreError::Io(_) => store::Error::Other("the store failed".to_owned()),
            StoreError::Corrupt(_) => store::Error::Other("the store is damaged".to_owned()),
            other => store::Error::Other(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_learns_no_details_of_the_host() {
        let error = StoreError::Unavailable("10.0.0.7:6379 refused".to_owned());
        assert!(error.to_string().contains("10.0.0.7"));
        assert!(
            matches!(error.for_guest(), store::Error::Other(text) if text == "the store can't be reached")
        );
        assert!(matches!(
            StoreError::NoSuchStore.for_guest(),
            store::Error::NoSuchStore
        ));
        assert!(
            matches!(StoreError::TooManyKeys(3).for_guest(), store::Error::Other(text) if text.contains("3 keys"))
        );
    }
}
