//! What came out of a script.

use std::fmt;

/// The outcome of one directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The directive did what the script expects.
    Passed,
    /// The directive did something else; the text says what.
    Failed(String),
    /// The directive could not be run; the text says why.
    Skipped(String),
}

/// One directive of a script and its outcome.
#[derive(Clone, Debug)]
pub struct DirectiveReport {
    /// Line of the directive in the script, from 1.
    pub line: usize,
    /// The directive's keyword, for example `assert_return`.
    pub directive: &'static str,
    /// What came out.
    pub outcome: Outcome,
}

/// The outcomes of all directives of a script, in order.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One entry per directive.
    pub directives: Vec<DirectiveReport>,
}

/// How many directives passed, failed and were skipped. Displays as `N passed, N failed, N skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Directives that did what the script expects.
    pub passed: usize,
    /// Directives that did something else.
    pub failed: usize,
    /// Directives that could not be run.
    pub skipped: usize,
}

impl Report {
    /// Counts the outcomes.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary::default();
        for d in &self.directives {
            match d.outcome {
                Outcome::Passed => sum.passed += 1,
                Outcome::Failed(_) => sum.failed += 1,
                Outcome::Skipped(_) => sum.skipped += 1,
            }
        }
        sum
    }

    /// The directives that failed.
    pub fn failures(&self) -> impl Iterator<Item = &DirectiveReport> {
        self.directives
            .iter()
            .filter(|d| matches!(d.outcome, Outcome::Failed(_)))
    }

    /// The directives that were skipped.
    pub fn skips(&self) -> impl Iterator<Item = &DirectiveReport> {
        self.directives
            .iter()
            .filter(|d| matches!(d.outcome, Outcome::Skipped(_)))
    }
}

impl Summary {
    /// All directives, whatever their outcome.
    pub fn total(&self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Summary) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

impl fmt::Display for DirectiveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, reason) = match &self.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Failed(reason) => ("failed", reason.as_str()),
            Outcome::Skipped(reason) => ("skipped", reason.as_str()),
        };
        write!(f, "line {}: {} {word}", self.line, self.directive)?;
        if !reason.is_empty() {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_counts_and_displays() {
        let entry = |outcome| DirectiveReport {
            line: 3,
            directive: "invoke",
            outcome,
        };
        let report = Report {
            directives: vec![
                entry(Outcome::Passed),
                entry(Outcome::Failed("got 1".into())),
                entry(Outcome::Skipped("needs GC".into())),
                entry(Outcome::Passed),
            ],
        };
        assert_eq!(report.summary().to_string(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(report.failures().count(), 1);
        assert_eq!(
            report.skips().next().unwrap().to_string(),
            "line 3: invoke skipped: needs GC"
        );
    }
}
