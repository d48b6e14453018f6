//! Tiers: when functions are compiled, and what a compiler has to know.
//!
//! The interpreter's budget runs out every so many calls and taken back-edges ([`Config::sample_interval`](crate::Config::sample_interval));
//! where the guest is then is a *sample*. Functions that are seen often enough are compiled: whole, for their next calls, and from the
//! loop on that they are in (OSR), for the call that is under way.

pub mod abi;
mod compiler;
mod engine_tier;
mod module_tier;
mod profile;
mod profiling;
mod publish;
mod sample;
mod saved;
mod stats;
mod worker;

pub use compiler::{
    CompileJob, Compiler, Effort, GUARD, GlobalPlace, ModuleView, NO_LOCATION, NativeCode, Scope,
};
pub(crate) use engine_tier::EngineTier;
pub(crate) use module_tier::ModuleTier;
pub use profiling::Profiling;
pub(crate) use sample::{postpone_sample, sample};
pub use saved::Artifact;
pub(crate) use saved::{ArtifactKey, Image, PieceKind, Tables};
pub use stats::TierStats;

/// When functions are compiled to machine code.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Tier {
    /// Never: everything is interpreted.
    Off,
    /// Functions start in the interpreter; hot ones are compiled in the background.
    #[default]
    Tiered,
    /// All functions are compiled when their module is made.
    Eager,
    /// As `Tiered`, but the guest waits for the compiler. For tests: what runs where does not depend on time.
    Sync,
}
