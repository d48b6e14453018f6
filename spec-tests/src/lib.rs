//! The official WebAssembly test suites, run on Wharf.
//!
//! [`suites`] finds the scripts, [`list`] reads the files that name what does not pass yet, and why. A script passes
//! when every directive passes, except those that a list names; and a list must stay true: an entry whose directive
//! passes is an error.
#![forbid(unsafe_code)]

pub mod conformance;
pub mod list;
pub mod mode;
pub mod suites;
pub mod wasi;

use std::panic::{AssertUnwindSafe, catch_unwind};

use list::List;
use mode::Mode;
use suites::Script;
use wharf_wast::{Options, Outcome, Report, Summary};

/// The result of a script, held against the list of what does not pass yet.
#[derive(Debug)]
pub struct ScriptResult {
    /// Counts over all directives, those in the list included.
    pub summary: Summary,
    /// How many of them a later version of the specification has changed.
    pub superseded: usize,
    /// One line for each directive whose outcome is neither good nor listed, and for each entry of the list that is
    /// not true any more.
    pub complaints: Vec<String>,
}

/// Runs a script in a mode and compares its outcomes with the list.
pub fn check(script: &Script, list: &List, mode: Mode) -> ScriptResult {
    // A panic anywhere in the engine is a failure of this script, and must not end the others.
    let engine = mode.engine();
    let options = Options {
        engine: engine.clone(),
    };
    let report = catch_unwind(AssertUnwindSafe(|| {
        wharf_wast::run_script(&script.text, &options)
    }));
    let Ok(report) = report else {
        return ScriptResult {
            summary: Summary {
                passed: 0,
                failed: 1,
                skipped: 0,
            },
            superseded: 0,
            complaints: vec![format!("{}: panicked", script.name)],
        };
    };
    let mut complaints = compare(&script.name, &report, list);
    let failed = engine.tier_stats().failed;
    if failed > 0 {
        // They were interpreted instead, which would show nothing about machine code.
        complaints.push(format!(
            "{}: {failed} functions could not be compiled",
            script.name
        ));
    }
    ScriptResult {
        summary: report.summary(),
        superseded: list.superseded(&script.name),
        complaints,
    }
}

fn compare(name: &str, report: &Report, list: &List) -> Vec<String> {
    let mut complaints = Vec::new();
    let count = list.count(name);
    let mut unlisted = 0;
    for d in &report.directives {
        let listed = list.line(name, d.line).is_some();
        match &d.outcome {
            Outcome::Passed if listed => {
                complaints.push(format!("{name}:{}: listed as not passing, but passes", d.line));
            }
            Outcome::Passed => {}
            Outcome::Failed(_) | Outcome::Skipped(_) => {
                if !listed {
                    unlisted += 1;
                    if count.is_none() {
                        complaints.push(format!("{name}: {d}"));
                    }
                }
            }
        }
    }
    if let Some(count) = count
        && count != unlisted
    {
        complaints.push(format!(
            "{name}: {count} directives are listed as not passing, but it is {unlisted}"
        ));
        let bad = report.directives.iter().filter(|d| d.outcome != Outcome::Passed);
        complaints.extend(bad.map(|d| format!("{name}: {d}")));
    }
    for line in list.lines_of(name) {
        if !report.directives.iter().any(|d| d.line == line) {
            complaints.push(format!("{name}:{line}: listed, but no directive begins there"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_wast::DirectiveReport;

    fn report(outcomes: &[(usize, Outcome)]) -> Report {
        let directives = outcomes
            .iter()
            .map(|(line, outcome)| DirectiveReport {
                line: *line,
                directive: "invoke",
                outcome: outcome.clone(),
            })
            .collect();
        Report { directives }
    }

    #[test]
    fn lists_excuse_and_stay_true() {
        let list = List::parse("a.wast:3 not there yet\nb.wast 2 needs GC\n").unwrap();
        let bad = Outcome::Failed("x".into());
        assert!(
            compare(
                "a.wast",
                &report(&[(1, Outcome::Passed), (3, bad.clone())]),
                &list
            )
            .is_empty()
        );
        assert_eq!(
            compare("a.wast", &report(&[(1, bad.clone()), (3, bad.clone())]), &list).len(),
            1
        );
        assert_eq!(
            compare("a.wast", &report(&[(3, Outcome::Passed)]), &list).len(),
            1
        );
        assert_eq!(
            compare("a.wast", &report(&[(4, Outcome::Passed)]), &list).len(),
            1
        );
        assert!(compare("b.wast", &report(&[(4, bad.clone()), (5, bad)]), &list).is_empty());
        assert_eq!(
            compare("b.wast", &report(&[(4, Outcome::Passed)]), &list).len(),
            1
        );
        assert!(compare("b.wast", &report(&[(4, Outcome::Skipped("y".into()))]), &list).len() > 1);
    }
}
