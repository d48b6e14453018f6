//! What calls give back.

use wharf_core::Val;

use crate::{component, core_values};

/// What a call gave back.
pub(crate) enum Results {
    Core(Vec<Val>),
    Component(Vec<component::Val>),
}

impl Results {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Results::Core(vals) => vals.len(),
            Results::Component(vals) => vals.len(),
        }
    }
}

/// The values as a report shows them.
pub(crate) fn display_results(results: &Results) -> String {
    let parts: Vec<String> = match results {
        Results::Core(vals) => vals.iter().map(core_values::display).collect(),
        Results::Component(vals) => vals.iter().map(|v| format!("{v:?}")).collect(),
    };
    if parts.is_empty() {
        "no results".to_string()
    } else {
        parts.join(" ")
    }
}
