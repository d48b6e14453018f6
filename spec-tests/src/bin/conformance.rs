//! Runs all suites and writes the conformance table into the README.

use std::path::Path;

use wharf_spec_tests::conformance;

fn main() -> std::io::Result<()> {
    let table = conformance::table(&conformance::run()?);
    print!("{table}");
    conformance::write_into(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"),
        &table,
    )
}
