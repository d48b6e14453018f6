//! From the text of a script to a report.

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, Wat};
use wharf_core::Engine;

use crate::report::{DirectiveReport, Outcome, Report};
use crate::runner::Runner;
use crate::step::Problem;

/// How a script is run.
#[derive(Clone)]
pub struct Options {
    /// The engine; the default has every feature of Wharf.
    pub engine: Engine,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            engine: wharf::Engine::default().into(),
        }
    }
}

/// Runs the script `text`.
///
/// The engine never stops a script early: after a failed directive the rest runs too, and what depends on it fails
/// as well. A text that does not parse gives a report with the one failed directive `parse`.
pub fn run_script(text: &str, options: &Options) -> Report {
    let fail = |line, message: String| Report {
        directives: vec![DirectiveReport {
            line,
            directive: "parse",
            outcome: Outcome::Failed(message),
        }],
    };
    let mut lexer = Lexer::new(text);
    // Some official scripts hold such characters on purpose.
    lexer.allow_confusing_unicode(true);
    let buffer = match ParseBuffer::new_with_lexer(lexer) {
        Ok(buffer) => buffer,
        Err(e) => return fail(e.span().linecol_in(text).0 + 1, e.message()),
    };
    let script = match parser::parse::<Wast<'_>>(&buffer) {
        Ok(script) => script,
        Err(e) => return fail(e.span().linecol_in(text).0 + 1, e.message()),
    };
    let mut runner = match Runner::new(&options.engine) {
        Ok(runner) => runner,
        Err(e) => return fail(1, format!("the store could not be made: {e}")),
    };
    let mut report = Report::default();
    let mut lines = LineCounter::new(text);
    for directive in script.directives {
        let line = lines.line_at(directive.span().offset());
        let name = keyword(&directive);
        let outcome = match runner.directive(directive) {
            Ok(()) => Outcome::Passed,
            Err(Problem::Failed(reason)) => Outcome::Failed(reason),
            Err(Problem::Skipped(reason)) => Outcome::Skipped(reason),
        };
        report.directives.push(DirectiveReport {
            line,
            directive: name,
            outcome,
        });
    }
    report
}

/// Turns ascending offsets into line numbers in one pass.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> LineCounter<'a> {
        LineCounter {
            text,
            offset: 0,
            line: 1,
        }
    }

    fn line_at(&mut self, offset: usize) -> usize {
        if offset < self.offset {
            self.offset = 0;
            self.line = 1;
        }
        let passed = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += passed.iter().filter(|b| **b == b'\n').count();
        self.offset = offset;
        self.line
    }
}

/// What a directive is called in reports.
fn keyword(directive: &WastDirective<'_>) -> &'static str {
    match directive {
        WastDirective::Module(QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)) => "component",
        WastDirective::Module(_) => "module",
        WastDirective::ModuleDefinition(_) => "definition",
        WastDirective::ModuleInstance { .. } => "instance",
        WastDirective::AssertMalformed { .. } => "assert_malformed",
        WastDirective::AssertMalformedCustom { .. } => "assert_malformed_custom",
        WastDirective::AssertInvalid { .. } => "assert_invalid",
        WastDirective::AssertInvalidCustom { .. } => "assert_invalid_custom",
        WastDirective::Register { .. } => "register",
        WastDirective::Invoke(_) => "invoke",
        WastDirective::AssertTrap { .. } => "assert_trap",
        WastDirective::AssertReturn { .. } => "assert_return",
        WastDirective::AssertExhaustion { .. } => "assert_exhaustion",
        WastDirective::AssertUnlinkable { .. } => "assert_unlinkable",
        WastDirective::AssertException { .. } => "assert_exception",
        WastDirective::AssertSuspension { .. } => "assert_suspension",
        WastDirective::Thread(_) => "thread",
        WastDirective::Wait { .. } => "wait",
    }
}
