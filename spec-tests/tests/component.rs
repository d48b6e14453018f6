//! The official component tests, where they are found, and Wharf's own. What does not pass yet stands in
//! `lists/component.txt`.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use wharf_spec_tests::check;
use wharf_spec_tests::list::List;
use wharf_spec_tests::mode::Mode;
use wharf_spec_tests::suites::{self, Script};

fn main() {
    let list = Arc::new(List::parse(include_str!("../lists/component.txt")).expect("lists/component.txt"));
    let modes = Mode::all();
    let trials_of = |script: Script| {
        let trial = |mode: &Mode| trial(*mode, script.clone(), list.clone());
        modes.iter().map(trial).collect::<Vec<_>>()
    };
    let mut trials: Vec<Trial> = suites::own()
        .expect("spec-tests/own can be read")
        .into_iter()
        .flat_map(trials_of)
        .collect();
    match suites::component_dir() {
        Some(dir) => {
            let scripts = suites::component(&dir).expect("the official component tests can be read");
            for name in list.scripts().filter(|n| !n.starts_with("own/")) {
                assert!(
                    scripts.iter().any(|s| s.name == name),
                    "lists/component.txt names {name}, which is not there"
                );
            }
            trials.extend(scripts.into_iter().flat_map(trials_of));
        }
        // Reported as ignored, so that nobody takes their absence for a pass.
        None => trials.extend(suites::COMPONENT_SUITES.iter().map(|suite| {
            Trial::test(
                format!("{suite} (not found: run spec-tests/fetch-component-tests.sh)"),
                || Ok(()),
            )
            .with_ignored_flag(true)
        })),
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A script in a mode.
fn trial(mode: Mode, script: Script, list: Arc<List>) -> Trial {
    let name = format!("{}/{}", mode.name(), script.name);
    Trial::test(name, move || {
        let result = check(&script, &list, mode);
        if result.complaints.is_empty() {
            Ok(())
        } else {
            Err(result.complaints.join("\n").into())
        }
    })
}
