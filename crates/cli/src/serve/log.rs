//! Lines on standard error: those of requests, and what the server has to say.

pub use crate::say::{line, say as message};
