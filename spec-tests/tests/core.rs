//! The official core test suite. What does not pass yet stands in `lists/core.txt`.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use wharf_spec_tests::list::List;
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
    let trials = scripts
        .into_iter()
        .map(|script| {
            let list = list.clone();
            Trial::test(script.name.clone(), move || {
                let result = check(&script, &list);
                if result.complaints.is_empty() {
                    Ok(())
                } else {
                    Err(result.complaints.join("\n").into())
                }
            })
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
