//! Blocks that are open while their code is translated.

use super::entry::Ty;

/// The end of a chain of branches.
pub(super) const NONE: u32 = u32::MAX;

/// What opened a block.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Function,
    Block,
    /// Its code begins at this index.
    Loop(u32),
    /// The branch that skips the first arm.
    If(u32),
    Else,
}

/// A block that is open.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Number of entries below its parameters.
    pub(super) height: usize,
    /// The slot where its parameters and results begin.
    pub(super) slot: u32,
    pub(super) params: Vec<Ty>,
    pub(super) results: Vec<Ty>,
    /// How many values a branch to it carries.
    pub(super) arity: usize,
    /// The last branch to its end, which leads to the one before it, and so on.
    pub(super) branches: u32,
}

impl Frame {
    /// The block that is the whole function.
    pub(super) fn function(results: usize, slot: u32) -> Frame {
        Frame {
            kind: Kind::Function,
            height: 0,
            slot,
            params: Vec::new(),
            results: Vec::new(),
            arity: results,
            branches: NONE,
        }
    }
}
