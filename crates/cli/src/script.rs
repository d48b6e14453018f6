//! `wharf wast`.

use wharf_wast::{Options, Summary, run_script};

use crate::args::WastArgs;
use crate::failure::Failure;

/// Runs scripts, prints what failed or was skipped, and at last the counts over all of them.
pub fn run(args: &WastArgs) -> Result<u8, Failure> {
    let mut total = Summary::default();
    let options = Options::default();
    for path in &args.files {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|e| Failure::new(format!("{name}: {e}")))?;
        let report = run_script(&text, &options);
        for directive in report.failures().chain(report.skips()) {
            // `file:line: ...`, so that editors find the place.
            let text = directive.to_string();
            println!(
                "{name}:{}: {}",
                directive.line,
                text.split_once(": ").map_or("", |(_, rest)| rest)
            );
        }
        total += report.summary();
    }
    println!("{total}");
    Ok(u8::from(total.failed > 0))
}
