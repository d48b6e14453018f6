//! How much a bucket may hold.

use crate::error::{StoreError, StoreResult};

/// How much a bucket may hold. What makes it smaller is always allowed, also when it holds more than that already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The most keys.
    pub keys: u64,
    /// The most bytes of all keys and values together.
    pub bytes: u64,
    /// The most bytes of one key.
    pub key_bytes: u64,
    /// The most bytes of one value.
    pub value_bytes: u64,
}

impl Default for Quota {
    /// 100 000 keys, 64 MiB, keys of 4 KiB, values of 1 MiB.
    fn default() -> Quota {
        Quota {
            keys: 100_000,
            bytes: 64 << 20,
            key_bytes: 4 << 10,
            value_bytes: 1 << 20,
        }
    }
}

/// What an entry counts towards [`Quota::bytes`].
pub(crate) fn cost(key: &str, value_len: usize) -> u64 {
    (key.len() as u64).saturating_add(value_len as u64)
}

impl Quota {
    pub(crate) fn check_key(&self, key: &str) -> StoreResult<()> {
        match key.len() as u64 > self.key_bytes {
            true => Err(StoreError::KeyTooLong(self.key_bytes)),
            false => Ok(()),
        }
    }

    pub(crate) fn check_value(&self, value: &[u8]) -> StoreResult<()> {
        match value.len() as u64 > self.value_bytes {
            true => Err(StoreError::ValueTooLarge(self.value_bytes)),
            false => Ok(()),
        }
    }
}

/// What a bucket holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) keys: u64,
    pub(crate) bytes: u64,
}

impl Usage {
    /// The usage after an entry that counted `before`, if it was there, is put and counts `after`.
    pub(crate) fn put(self, before: Option<u64>, after: u64, quota: &Quota) -> StoreResult<Usage> {
        let keys = self.keys.saturating_add(u64::from(before.is_none()));
        let before_bytes = before.unwrap_or(0);
        let bytes = self.bytes.saturating_sub(before_bytes).saturating_add(after);
        if before.is_none() && keys > quota.keys {
            return Err(StoreError::TooManyKeys(quota.keys));
        }
        if after > before_bytes && bytes > quota.bytes {
            return Err(StoreError::TooManyBytes(quota.bytes));
        }
        Ok(Usage { keys, bytes })
    }

    /// The usage after an entry that counted `before` is removed.
    pub(crate) fn removed(self, before: u64) -> Usage {
        Usage {
            keys: self.keys.saturating_sub(1),
            bytes: self.bytes.saturating_sub(before),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_is_checked_and_shrinking_is_not() {
        let quota = Quota {
            keys: 1,
            bytes: 10,
            ..Quota::default()
        };
        let one = Usage::default().put(None, 10, &quota).unwrap();
        assert_eq!(one, Usage { keys: 1, bytes: 10 });
        assert_eq!(one.put(None, 0, &quota), Err(StoreError::TooManyKeys(1)));
        assert_eq!(one.put(Some(10), 11, &quota), Err(StoreError::TooManyBytes(10)));
        assert_eq!(one.put(Some(10), 9, &quota), Ok(Usage { keys: 1, bytes: 9 }));
        let over = Usage { keys: 5, bytes: 50 };
        assert_eq!(over.put(Some(20), 19, &quota), Ok(Usage { keys: 5, bytes: 49 }));
        assert_eq!(over.removed(20), Usage { keys: 4, bytes: 30 });
    }
}
