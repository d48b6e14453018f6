//! Runs the conformance suite for WASI 0.2 on any runtime and prints a table; `spec-tests/wasi/README.md` describes it.

use std::process::ExitCode;
use std::time::Duration;

use wharf_spec_tests::wasi::{NotRun, Template, judge, judge_answer, load, load_served, suite_dir};

const USAGE: &str = "usage: wasi [--command TEMPLATE] [--preset wharf|wasmtime] [--serve TEMPLATE] [--strict TEMPLATE] [--dir TEMPLATE] [--dir-read-only TEMPLATE] [--env TEMPLATE]
            [--config TEMPLATE] [--net NAME=TEMPLATE]... [--need NAME=TEMPLATE]... [--without NAME]... [--timeout SECONDS] [--quiet] [CASE...]
CASE is the beginning of a case's name, such as `filesystem/open`. The templates are described in spec-tests/wasi/README.md.";

struct Options {
    template: Template,
    quiet: bool,
    wanted: Vec<String>,
}

impl Options {
    /// Whether a case was asked for.
    fn wants(&self, name: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|wanted| name.starts_with(wanted.as_str()))
    }
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn options(args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        template: Template::default(),
        quiet: false,
        wanted: Vec::new(),
    };
    let mut args = args;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value\n{USAGE}"));
        let template = &mut options.template;
        match arg.as_str() {
            "--preset" => preset(template, &value()?)?,
            "--command" => template.command = value()?,
            "--serve" => template.serve = value()?,
            "--strict" => template.strict = value()?,
            "--dir" => template.dir = value()?,
            "--dir-read-only" => template.dir_read_only = value()?,
            "--env" => template.env = value()?,
            "--config" => template.config = value()?,
            "--net" => set(&mut template.net, &value()?)?,
            "--need" => set(&mut template.needs, &value()?)?,
            "--without" => {
                let name = value()?;
                template.needs.retain(|(known, _)| *known != name);
            }
            "--timeout" => {
                let seconds = value()?.parse().map_err(|e| format!("--timeout: {e}"))?;
                template.timeout = Duration::from_secs(seconds);
            }
            "--quiet" => options.quiet = true,
            _ if arg.starts_with('-') => return Err(USAGE.to_string()),
            _ => options.wanted.push(arg),
        }
    }
    Ok(options)
}

/// Takes `NAME=TEMPLATE` into a list, instead of what it had for the name.
fn set(list: &mut Vec<(String, String)>, value: &str) -> Result<(), String> {
    let (name, flags) = value.split_once('=').ok_or("expected NAME=TEMPLATE")?;
    list.retain(|(known, _)| known != name);
    list.push((name.to_string(), flags.to_string()));
    Ok(())
}

/// The templates for a runtime whose flags are known.
fn preset(template: &mut Template, name: &str) -> Result<(), String> {
    *template = match name {
        "wharf" => Template::default(),
        "wasmtime" => Template {
            command: "wasmtime run {dirs} {env} {config} {net} {needs} {component} {args}".into(),
            serve: "wasmtime serve -S cli --addr {addr} {component}".into(),
            dir_read_only: String::new(),
            net: vec![
                ("loopback".into(), "-S inherit-network".into()),
                // Beside the one before.
                ("any-address".into(), String::new()),
                ("localhost".into(), "-S allow-ip-name-lookup".into()),
                // Whoever has the interface may send.
                ("http-loopback".into(), String::new()),
                ("https-loopback".into(), String::new()),
            ],
            config: "-S config-var={name}={value}".into(),
            needs: vec![
                ("http".into(), "-S http".into()),
                ("config".into(), "-S config".into()),
                ("keyvalue".into(), "-S keyvalue".into()),
            ],
            ..Template::default()
        },
        _ => return Err(format!("no such preset: {name}")),
    };
    Ok(())
}

/// Whether everything passed.
fn run(options: &Options) -> Result<bool, String> {
    let mut rows = Vec::new();
    for manifest in load(&suite_dir())? {
        let mut row = Row::default();
        for case in &manifest.cases {
            let name = format!("{}/{}", manifest.package, case.name);
            if options.wants(&name) {
                let run = options.template.run(&manifest, case);
                let result = run.map(|output| judge(case, &output));
                row.add(options, &name, &case.checks, result);
            }
        }
        rows.push((manifest.package, row));
    }
    for served in load_served(&suite_dir())? {
        let mut row = Row::default();
        for case in &served.cases {
            let name = format!("{}/{}", served.package, case.name);
            if options.wants(&name) {
                let answer = options.template.answer(&served, &case.request);
                let result = answer.map(|answer| judge_answer(case, &answer));
                row.add(options, &name, &case.checks, result);
            }
        }
        rows.push((served.package, row));
    }
    println!("\n| Package | Passed | Failed | Skipped |\n|---|---:|---:|---:|");
    let mut all = Row::default();
    for (package, row) in &rows {
        println!(
            "| {package} | {} | {} | {} |",
            row.passed, row.failed, row.skipped
        );
        all.passed += row.passed;
        all.failed += row.failed;
        all.skipped += row.skipped;
    }
    println!("| all | {} | {} | {} |", all.passed, all.failed, all.skipped);
    Ok(all.failed == 0)
}

#[derive(Default)]
struct Row {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Row {
    /// Counts a case and tells what was wrong with it.
    fn add(
        &mut self,
        options: &Options,
        name: &str,
        checks: &str,
        result: Result<Result<(), String>, NotRun>,
    ) {
        match result {
            Ok(Ok(())) => self.passed += 1,
            Ok(Err(why)) | Err(NotRun::Failed(why)) => {
                self.failed += 1;
                if !options.quiet {
                    println!(
                        "FAILED  {name}: {checks}\n        {}",
                        why.replace('\n', "\n        ")
                    );
                }
            }
            Err(NotRun::Skipped(why)) => {
                self.skipped += 1;
                if !options.quiet {
                    println!("skipped {name}: {why}");
                }
            }
        }
    }
}
