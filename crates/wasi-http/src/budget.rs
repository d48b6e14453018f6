//! How much host memory a guest's messages may use.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wharf::{Error, Result};

/// Host memory that is left for one guest. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Budget {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// Takes a part, which is given back when the charge is dropped.
    ///
    /// # Errors
    /// `Limit` when less is left.
    pub(crate) fn charge(&self, bytes: usize) -> Result<Charge> {
        let mut charge = Charge {
            budget: self.clone(),
            bytes: 0,
        };
        charge.resize(bytes)?;
        Ok(charge)
    }
}

/// A part of a [`Budget`] that is in use.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Budget,
    bytes: usize,
}

impl Charge {
    /// Makes the part larger or smaller.
    ///
    /// # Errors
    /// `Limit` when less is left; the charge is as before then.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<()> {
        let left = &self.budget.0;
        if bytes > self.bytes {
            let more = bytes - self.bytes;
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(more)
            })
            .map_err(|_| Error::limit("the HTTP messages of the guest take more memory than they may"))?;
        } else {
            left.fetch_add(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_given_back() {
        let budget = Budget::new(10);
        let mut a = budget.charge(6).unwrap();
        assert!(budget.charge(5).is_err());
        let b = budget.charge(4).unwrap();
        assert!(a.resize(7).is_err());
        drop(b);
        a.resize(10).unwrap();
        assert!(budget.charge(1).is_err());
        a.resize(2).unwrap();
        drop(budget.charge(8).unwrap());
        drop(a);
        assert!(budget.charge(10).is_ok());
    }
}
