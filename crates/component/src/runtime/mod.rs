//! Instances of components in a store, and calls into and out of them.

pub(crate) mod call;
pub(crate) mod canon;
pub(crate) mod handles;
pub(crate) mod instance;
pub(crate) mod instantiate;
pub(crate) mod state;
