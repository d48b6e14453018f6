//! The conformance suite for WASI 0.2 in `wasi/`, on Wharf with strict directories, as the text of WASI wants them. What uses directories
//! runs with the default, too. What does not pass stands in `lists/wasi.txt`.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use wharf_spec_tests::wasi::{
    Case, Manifest, NOT_BUILT, Runner, Served, judge, judge_answer, load, load_served, plain_request,
    suite_dir,
};

fn main() {
    let mut known = known_failures();
    let engine = wharf::Engine::default();
    let runner = Arc::new(Runner::new(engine.clone(), true));
    let by_default = Arc::new(Runner::new(engine, false));
    // Reported as ignored, so that nobody takes their absence for a pass.
    let optional = std::env::var_os("WHARF_REQUIRE_GUESTS").is_none_or(|v| v != "1");
    let mut trials = Vec::new();
    for manifest in load(&suite_dir()).expect("the manifests of the suite can be read") {
        if let Some(need) = Runner::missing(&manifest) {
            let names = manifest.cases.iter().map(|case| &case.name);
            trials.extend(ignored(&manifest.package, names, &format!("needs {need}")));
        } else if optional && manifest.built && !manifest.component.is_file() {
            let names = manifest.cases.iter().map(|case| &case.name);
            trials.extend(ignored(&manifest.package, names, NOT_BUILT));
        } else {
            trials.extend(commands(&runner, &by_default, manifest, &mut known));
        }
    }
    for served in load_served(&suite_dir()).expect("the manifests of what is served can be read") {
        if optional && served.built && !served.component.is_file() {
            let names = served.cases.iter().map(|case| &case.name);
            trials.extend(ignored(&served.package, names, NOT_BUILT));
        } else {
            trials.extend(answers(&runner, served));
        }
    }
    assert!(
        known.is_empty(),
        "lists/wasi.txt names what is not there: {known:?}"
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Cases that are not run, and why.
fn ignored<'a>(package: &str, cases: impl Iterator<Item = &'a String>, why: &str) -> Vec<Trial> {
    cases
        .map(|case| Trial::test(format!("{package}/{case} ({why})"), || Ok(())).with_ignored_flag(true))
        .collect()
}

/// The cases of a component that is run. Those known to fail are taken out of the list;
/// where directories are granted, only with the default for them.
fn commands(
    strict: &Arc<Runner>,
    by_default: &Arc<Runner>,
    manifest: Manifest,
    known: &mut BTreeMap<String, String>,
) -> Vec<Trial> {
    let manifest = Arc::new(manifest);
    let listed = (strict.clone(), manifest.clone());
    let mut trials = vec![Trial::test(
        format!("{}/(every case is listed)", manifest.package),
        move || every_case_is_listed(&listed.0, &listed.1),
    )];
    for case in &manifest.cases {
        let name = format!("{}/{}", manifest.package, case.name);
        let mut known = known.remove(&name).is_some();
        if !case.dirs.is_empty() {
            let name = format!("{name} (directories by default)");
            trials.push(trial(name, by_default, &manifest, case, known));
            known = false;
        }
        if !manifest.lenient_directories || case.dirs.is_empty() {
            trials.push(trial(name, strict, &manifest, case, known));
        }
    }
    trials
}

/// The same of a component that serves.
fn answers(runner: &Arc<Runner>, served: Served) -> Vec<Trial> {
    let served = Arc::new(served);
    let listed = (runner.clone(), served.clone());
    let mut trials = vec![Trial::test(
        format!("{}/(every case is listed)", served.package),
        move || {
            let answer = listed.0.answer(&listed.1.component, &plain_request("--list"))?;
            let cases = listed.1.cases.iter().map(|case| case.name.as_str());
            same(answer.body.lines().collect(), cases.collect())
        },
    )];
    for case in &served.cases {
        let name = format!("{}/{}", served.package, case.name);
        let (runner, served, case) = (runner.clone(), served.clone(), case.clone());
        trials.push(Trial::test(name, move || {
            let answer = runner.answer(&served.component, &case.request)?;
            verdict(judge_answer(&case, &answer), false)
        }));
    }
    trials
}

/// A case on one of the runners.
fn trial(name: String, runner: &Arc<Runner>, manifest: &Arc<Manifest>, case: &Case, known: bool) -> Trial {
    let (runner, manifest, case) = (runner.clone(), manifest.clone(), case.clone());
    Trial::test(name, move || {
        let output = in_time({
            let case = case.clone();
            move || runner.run(&manifest, &case)
        })?;
        verdict(judge(&case, &output), known)
    })
}

/// A guest that hangs is a failure of its case, and not of all that come after it.
fn in_time<T: Send + 'static>(run: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    // It ends with the process, whatever it does.
    thread::spawn(move || drop(sender.send(run())));
    match receiver.recv_timeout(LONGEST) {
        Ok(result) => result,
        Err(_) => Err("it did not end in time, or panicked".into()),
    }
}

/// Much longer than any case takes.
const LONGEST: Duration = Duration::from_secs(300);

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
