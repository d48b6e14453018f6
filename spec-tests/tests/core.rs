//! The official core test suite, in every mode. What does not pass yet stands in `lists/core.txt`.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use wharf_spec_tests::list::List;
use wharf_spec_tests::mode::Mode;
use wharf_spec_tests::{check, suites};

fn main() {
    let list = Arc::new(List::parse(include_str!("../lists/core.txt")).expect("lists/core.txt"));
    let scripts = suites::core();
    for name in list.scripts() {
        assert!(
            scripts.iter().any(|s| s.name == name),
            "lists/core.txt names {name}, which is not there"
        );
    }
    let mut trials = Vec::new();
    for mode in Mode::all() {
        for script in &scripts {
            let (list, script) = (list.clone(), script.clone());
            let name = format!("{}/{}", mode.name(), script.name);
            trials.push(Trial::test(name, move || {
                let result = check(&script, &list, mode);
                if result.complaints.is_empty() {
                    Ok(())
                } else {
                    Err(result.complaints.join("\n").into())
                }
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
