//! The conformance suite for WASI 0.2 in `spec-tests/wasi`: what its cases are, how one is prepared and judged, and how it is run, on
//! Wharf in this process or on any runtime by its command.

mod command;
mod host;
mod manifest;
mod prepared;
mod served;
mod serving;
mod wharf;

pub use command::{NOT_BUILT, NotRun, Template};
pub use manifest::{Case, DirSpec, Ending, Manifest, load};
pub use prepared::{Output, Prepared, judge};
pub use served::{Answer, Served, ServedCase, judge_answer, load_served, plain_request};
pub use wharf::Runner;

use std::path::PathBuf;

/// The folder of the suite.
pub fn suite_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wasi")
}
