//! Runs WebAssembly test scripts (`.wast`) on Wharf.
//!
//! A script is a sequence of directives: modules and components to instantiate, calls to make, and assertions about
//! the outcome. [`run_script`] runs one and gives a [`Report`] with an outcome for every directive. A directive that
//! asks for something Wharf does not have is reported as skipped, with the reason; nothing is left out silently.
#![forbid(unsafe_code)]

mod calls;
mod component;
mod component_values;
mod core_values;
mod host;
mod messages;
mod report;
mod results;
mod runner;
mod script;
mod spectest;
mod step;

pub use report::{DirectiveReport, Outcome, Report, Summary};
pub use script::{Options, run_script};
