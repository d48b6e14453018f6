//! The conformance table of the README.

use std::collections::BTreeMap;
use std::path::Path;

use wharf_wast::Summary;

use crate::list::List;
use crate::mode::Mode;
use crate::{check, suites};

const BEGIN: &str =
    "<!-- conformance: begin (written by `cargo run -p wharf-spec-tests --bin conformance`) -->";
const END: &str = "<!-- conformance: end -->";

/// Names and order of the table's rows: the suite's folder and what readers know it by.
const ROWS: &[(&str, &str)] = &[
    ("wasm-v2", "WebAssembly 2.0"),
    ("wasm-v3", "WebAssembly 3.0"),
    ("bulk-memory", "Bulk memory operations"),
    ("extended-const", "Extended constant expressions"),
    ("memory64", "64-bit memories"),
    ("multi-memory", "Multiple memories"),
    ("multi-value", "Multiple values"),
    ("mutable-global", "Mutable globals"),
    ("nontrapping-float-to-int-conversions", "Non-trapping conversions"),
    ("reference-types", "Reference types"),
    ("relaxed-simd", "Relaxed SIMD"),
    ("sign-extension-ops", "Sign extension"),
    ("simd", "SIMD"),
    ("tail-call", "Tail calls"),
    ("values", "Component Model: values"),
    ("linking", "Component Model: linking"),
    ("resources", "Component Model: resources"),
    ("validation", "Component Model: validation"),
    ("binary", "Component Model: binary format"),
];

/// Runs every suite that is found, in every mode, and gives the counts per mode and suite.
///
/// # Errors
/// If the component scripts are there but can't be read.
pub fn run() -> std::io::Result<Vec<(Mode, BTreeMap<String, Counts>)>> {
    let mut scripts = suites::core();
    if let Some(dir) = suites::component_dir() {
        scripts.extend(suites::component(&dir)?);
    }
    let list = List::parse(include_str!("../lists/core.txt")).map_err(std::io::Error::other)?;
    let of_mode = |mode| {
        let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
        for script in &scripts {
            let result = check(script, &list, mode);
            let entry = counts.entry(script.suite().to_string()).or_default();
            entry.summary += result.summary;
            entry.superseded += result.superseded;
        }
        (mode, counts)
    };
    Ok(Mode::all().into_iter().map(of_mode).collect())
}

/// The counts of a suite.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Over all directives.
    pub summary: Summary,
    /// Directives of older suites that a later version of the specification has changed, and that cannot pass.
    pub superseded: usize,
}

/// The table in Markdown: how many directives pass in each mode.
///
/// Directives that a later version of the specification has changed have a column of their own and do not count.
pub fn table(modes: &[(Mode, BTreeMap<String, Counts>)]) -> String {
    let mut out = String::from("| Suite |");
    for (mode, _) in modes {
        out.push_str(&format!(" {} |", mode.title()));
    }
    out.push_str(" Of | Share | Superseded |\n|---|");
    out.push_str(&"---:|".repeat(modes.len() + 3));
    out.push('\n');
    for (suite, name) in ROWS {
        let counts: Vec<Counts> = modes.iter().filter_map(|(_, c)| c.get(*suite).copied()).collect();
        let Some(Counts { summary, superseded }) = counts.first().copied() else {
            continue;
        };
        let total = summary.total().saturating_sub(superseded);
        let fewest = counts.iter().map(|c| c.summary.passed).min().unwrap_or(0);
        // Rounded down, so that 100 % means all of them.
        let tenths = (fewest * 1000).checked_div(total).unwrap_or(0);
        let share = format!("{}.{} %", tenths / 10, tenths % 10);
        out.push_str(&format!("| {name} |"));
        for c in &counts {
            out.push_str(&format!(" {} |", c.summary.passed));
        }
        out.push_str(&format!(" {total} | {share} | {superseded} |\n"));
    }
    out
}

/// `text` with the part between the table's markers replaced; `None` if the markers are not there.
pub fn replace(text: &str, table: &str) -> Option<String> {
    let begin = text.find(BEGIN)? + BEGIN.len();
    let end = begin + text[begin..].find(END)?;
    Some(format!("{}\n{table}{}", &text[..begin], &text[end..]))
}

/// Writes the table into a file between its markers; where there are none, they are added at the end.
///
/// # Errors
/// If the file can't be read or written.
pub fn write_into(file: &Path, table: &str) -> std::io::Result<()> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let text = replace(&text, table).unwrap_or_else(|| format!("{text}\n{BEGIN}\n{table}{END}\n"));
    std::fs::write(file, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_down() {
        let counts = Counts {
            summary: Summary {
                passed: 9999,
                failed: 3,
                skipped: 0,
            },
            superseded: 2,
        };
        let counts = BTreeMap::from([("simd".to_string(), counts)]);
        let table = table(&[(Mode::Interpreter, counts)]);
        assert!(table.contains("| SIMD | 9999 | 10000 | 99.9 % | 2 |"));
    }

    #[test]
    fn replaces_between_markers() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(
            replace(&text, "new\n").unwrap(),
            format!("a\n{BEGIN}\nnew\n{END}\nb\n")
        );
        assert_eq!(replace("no markers", "new\n"), None);
    }
}
