//! Shared byte strings: a module inside a component is a range of the component's bytes, not a copy.

use std::{
    fmt,
    ops::{Deref, Range},
    sync::Arc,
};

type Owner = dyn AsRef<[u8]> + Send + Sync;

/// A cheaply clonable range of immutable bytes.
///
/// The owner is anything that gives bytes and keeps them unchanged: a vector, or a file mapped into memory.
#[derive(Clone)]
pub struct Bytes {
    owner: Arc<Owner>,
    range: Range<usize>,
}

impl Bytes {
    /// Shares the bytes of `owner`, which must give the same bytes each time it is asked.
    pub fn from_owner(owner: impl AsRef<[u8]> + Send + Sync + 'static) -> Bytes {
        let range = 0..owner.as_ref().len();
        Bytes {
            owner: Arc::new(owner),
            range,
        }
    }

    /// A part of these bytes, without copying; `range` counts from the start of `self`.
    ///
    /// # Panics
    /// If the range does not lie inside.
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        assert!(
            range.start <= range.end && range.end <= self.len(),
            "range outside of the bytes"
        );
        Bytes {
            owner: self.owner.clone(),
            range: self.range.start + range.start..self.range.start + range.end,
        }
    }

    /// Where these bytes begin in the owner's bytes.
    pub fn offset(&self) -> usize {
        self.range.start
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &(*self.owner).as_ref()[self.range.clone()]
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(v: Vec<u8>) -> Bytes {
        Bytes::from_owner(v)
    }
}

impl From<&[u8]> for Bytes {
    fn from(v: &[u8]) -> Bytes {
        Bytes::from_owner(v.to_vec())
    }
}

impl From<&Vec<u8>> for Bytes {
    fn from(v: &Vec<u8>) -> Bytes {
        Bytes::from_owner(v.clone())
    }
}

impl<const N: usize> From<&[u8; N]> for Bytes {
    fn from(v: &[u8; N]) -> Bytes {
        Bytes::from_owner(v.to_vec())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} bytes at {})", self.len(), self.range.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_slices_share_the_owner() {
        let all = Bytes::from(vec![0, 1, 2, 3, 4, 5]);
        let part = all.slice(1..5).slice(1..3);
        assert_eq!(&*part, &[2, 3]);
        assert_eq!(part.offset(), 2);
    }

    #[test]
    #[should_panic(expected = "outside")]
    fn a_slice_must_lie_inside() {
        Bytes::from(vec![0; 4]).slice(1..3).slice(1..3);
    }
}
