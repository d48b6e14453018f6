//! Which entries of the options stand for something in the world; the others are mistakes of the user's.

use std::cell::RefCell;
use std::collections::HashSet;

use proc_macro2::Span;

use crate::options::Options;

/// The lists of options whose entries must all be used.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    With,
    Trappable,
    Import,
    Export,
}

/// The entries that were used: their list, and their index in it.
#[derive(Default)]
pub(crate) struct UsedKeys(RefCell<HashSet<(Kind, usize)>>);

impl UsedKeys {
    /// Notes that an entry names something.
    pub(crate) fn mark(&self, kind: Kind, index: usize) {
        self.0.borrow_mut().insert((kind, index));
    }

    /// The error for the entries of `options` that stand for nothing in the world of this name.
    pub(crate) fn check_all(&self, options: &Options, world: &str) -> syn::Result<()> {
        let mut keys: Vec<(Kind, usize, &str, Span)> = Vec::new();
        for (kind, list) in [
            (Kind::With, &options.with),
            (Kind::Trappable, &options.trappable_error_types),
        ] {
            keys.extend(
                list.iter()
                    .enumerate()
                    .map(|(index, m)| (kind, index, m.key.as_str(), m.span)),
            );
        }
        for (kind, list) in [(Kind::Import, &options.imports), (Kind::Export, &options.exports)] {
            keys.extend(
                list.rules
                    .iter()
                    .enumerate()
                    .map(|(index, r)| (kind, index, r.key.as_str(), r.span)),
            );
        }
        let used = self.0.borrow();
        let mut errors: Option<syn::Error> = None;
        for (kind, index, key, span) in keys {
            if used.contains(&(kind, index)) {
                continue;
            }
            let (option, what) = match kind {
                Kind::With => ("with", "an import"),
                Kind::Trappable => ("trappable_error_type", "a type of an import"),
                Kind::Import => ("imports", "an imported function that no earlier key names"),
                Kind::Export => ("exports", "an exported function that no earlier key names"),
            };
            let error = syn::Error::new(
                span,
                format!("`{key}` in `{option}` does not name {what} in world `{world}`"),
            );
            match &mut errors {
                None => errors = Some(error),
                Some(errors) => errors.combine(error),
            }
        }
        errors.map_or(Ok(()), Err)
    }
}
