//! core

pub(crate) mod numeric;
