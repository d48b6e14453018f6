//! Instances of components in a store, and calls into and out of them.

pub(crate) mod call;
pub(crate) mod canon;
pub(crate) mod handles;
pub(crate) mod instance;
pub(crate) mod instantiate;
mod resource;
pub(crate) mod root;
pub(crate) mod roots;
pub(crate) mod state;
