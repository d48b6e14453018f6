//! The conformance suite for WASI 0.2 in `wasi/`, on Wharf with strict directories, as the text of WASI wants them. What uses directories
//! runs with the default, too, and what does not pass then stands in `lists/wasi.txt`.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use wharf_spec_tests::wasi::{
    Case, Manifest, Runner, judge, judge_answer, load, load_served, plain_request, suite_dir,
};

fn main() {
    let mut known = known_failures();
    let engine = wharf::Engine::default();
    let runner = Arc::new(Runner::new(engine.clone(), true));
    let by_default = Arc::new(Runner::new(engine, false));
    let mut trials = Vec::new();
    for manifest in load(&suite_dir()).expect("the manifests of the suite can be read") {
        let manifest = Arc::new(manifest);
        if let Some(need) = Runner::missing(&manifest) {
            // Reported as ignored, so that nobody takes their absence for a pass.
            trials.extend(manifest.cases.iter().map(|case| {
                let name = format!("{}/{} (needs {need})", manifest.package, case.name);
                Trial::test(name, || Ok(())).with_ignored_flag(true)
            }));
            continue;
        }
        let listed = (runner.clone(), manifest.clone());
        trials.push(Trial::test(
            format!("{}/(every case is listed)", manifest.package),
            move || every_case_is_listed(&listed.0, &listed.1),
        ));
        for case in &manifest.cases {
            let name = format!("{}/{}", manifest.package, case.name);
            if !case.dirs.is_empty() {
                let known = known.remove(&name).is_some();
                let name = format!("{name} (directories by default)");
                trials.push(trial(name, &by_default, &manifest, case, known));
            }
            trials.push(trial(name, &runner, &manifest, case, false));
        }
    }
    let served = Arc::new(load_served(&suite_dir()).expect("the manifest of what is served can be read"));
    let listed = (runner.clone(), served.clone());
    trials.push(Trial::test(
        format!("{}/(every case is listed)", served.package),
        move || {
            let answer = listed.0.answer(&listed.1.component, &plain_request("--list"))?;
            let cases = listed.1.cases.iter().map(|case| case.name.as_str());
            same(answer.body.lines().collect(), cases.collect())
        },
    ));
    for case in &served.cases {
        let name = format!("{}/{}", served.package, case.name);
        let (runner, served, case) = (runner.clone(), served.clone(), case.clone());
        trials.push(Trial::test(name, move || {
            let answer = runner.answer(&served.component, &case.request)?;
            verdict(judge_answer(&case, &answer), false)
        }));
    }
    assert!(
        known.is_empty(),
        "lists/wasi.txt names what is not there: {known:?}"
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A case on one of the runners.
fn trial(name: String, runner: &Arc<Runner>, manifest: &Arc<Manifest>, case: &Case, known: bool) -> Trial {
    let (runner, manifest, case) = (runner.clone(), manifest.clone(), case.clone());
    Trial::test(name, move || {
        let output = runner.run(&manifest, &case)?;
        verdict(judge(&case, &output), known)
    })
}

/// What passes must not be listed as what does not.
fn verdict(result: Result<(), String>, known: bool) -> Result<(), Failed> {
    match (result, known) {
        (Ok(()), false) | (Err(_), true) => Ok(()),
        (Err(wrong), false) => Err(wrong.into()),
        (Ok(()), true) => Err("listed in lists/wasi.txt as not passing, but passes".into()),
    }
}

/// The manifest has all cases of the component, and no others.
fn every_case_is_listed(runner: &Runner, manifest: &Manifest) -> Result<(), Failed> {
    let Some(case) = manifest.cases.first() else {
        return Err("no cases".into());
    };
    let mut case = case.clone();
    case.name = "--list".to_string();
    let output = runner.run(manifest, &case)?;
    let listed = manifest.cases.iter().map(|case| case.name.as_str());
    same(output.stdout.lines().collect(), listed.collect())
}

/// The cases of a component and those of its manifest are the same.
fn same(mut there: Vec<&str>, mut listed: Vec<&str>) -> Result<(), Failed> {
    there.sort_unstable();
    listed.sort_unstable();
    if there == listed {
        Ok(())
    } else {
        let only = |a: &[&str], b: &[&str]| {
            a.iter()
                .filter(|name| !b.contains(name))
                .map(|s| s.to_string())
                .collect::<Vec<_>>()
        };
        Err(format!(
            "only in the component: {:?}; only in the manifest: {:?}",
            only(&there, &listed),
            only(&listed, &there)
        )
        .into())
    }
}

/// Lines of `PACKAGE/CASE REASON`.
fn known_failures() -> BTreeMap<String, String> {
    include_str!("../lists/wasi.txt")
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, reason) = line.split_once(' ').expect("lists/wasi.txt: PACKAGE/CASE REASON");
            (name.to_string(), reason.trim().to_string())
        })
        .collect()
}
