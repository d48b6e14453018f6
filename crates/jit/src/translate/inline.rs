//! Calls that are replaced by the bodies of the functions called.

use wharf_core::tier::{NO_LOCATION, Scope};

use super::FuncTranslator;

/// What was inlined so far, and into what.
pub(super) struct Inlining {
    /// What locations mean; see [`wharf_core::tier::NativeCode::scopes`].
    pub(super) scopes: Vec<Scope>,
    /// The first local variable of the body that is translated.
    pub(super) first_local: usize,
    /// The frame that stands for it.
    pub(super) first_frame: usize,
    /// The functions that it was inlined into, innermost last.
    callers: Vec<u32>,
}

impl Inlining {
    pub(super) fn new(func: u32) -> Inlining {
        let scope = Scope {
            func,
            base: 0,
            call: NO_LOCATION,
        };
        Inlining {
            scopes: vec![scope],
            first_local: 0,
            first_frame: 0,
            callers: Vec::new(),
        }
    }

    /// How many calls are open that were replaced.
    pub(super) fn depth(&self) -> usize {
        self.callers.len()
    }
}

impl FuncTranslator<'_, '_> {
    /// Replaces a call by the body of the function, if that is worth it.
    pub(super) fn inline(&mut self, _func: u32) -> bool {
        false
    }
}
