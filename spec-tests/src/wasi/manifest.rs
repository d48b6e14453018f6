//! The manifests: one file for each component, described in the suite's README.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The cases of one component.
#[derive(Debug)]
pub struct Manifest {
    /// The name of the manifest, which is that of the WASI package it is about.
    pub package: String,
    /// The component's file.
    pub component: PathBuf,
    /// Whether the file is too large to be in the repository, and there only where it was built.
    pub built: bool,
    /// Whether its guest changes directories through descriptors that it opened without `mutate-directory`, as wasi-libc does.
    pub lenient_directories: bool,
    /// What not every runtime has, but its cases need, such as `http`.
    pub needs: Vec<String>,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// A directory that a case is granted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirSpec {
    /// Its name for the guest.
    pub guest: String,
    /// Whether nothing in it may be changed.
    #[serde(default)]
    pub read_only: bool,
    /// What is in it: folders, which are made first,
    #[serde(default)]
    pub folders: Vec<String>,
    /// files with their text,
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// symbolic links with their targets,
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// pipes,
    #[serde(default)]
    pub pipes: Vec<String>,
    /// sockets,
    #[serde(default)]
    pub sockets: Vec<String>,
    /// and empty files whose names are these bytes.
    #[serde(default)]
    pub raw_names: Vec<Vec<u8>>,
}

/// How a case has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Status(u8),
    /// With a trap; runtimes have different statuses for that, but not 0.
    Trap,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, the guest's first argument.
    pub name: String,
    /// What it checks, for people.
    pub checks: String,
    /// Arguments behind the name.
    pub args: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Text on standard input, which is at its end after that.
    pub stdin: String,
    /// Granted directories.
    pub dirs: Vec<DirSpec>,
    /// Settings of `wasi:config`; there must be no others.
    pub config: BTreeMap<String, String>,
    /// What of the network is granted: names that the runner knows, such as `loopback`.
    pub net: Vec<String>,
    /// What has to be on standard output at the end.
    pub stdout: String,
    /// What has to be on standard error at the end, if that matters.
    pub stderr: Option<String>,
    /// How it has to end.
    pub ending: Ending,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    component: String,
    #[serde(default)]
    built: bool,
    #[serde(default)]
    lenient_directories: bool,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    defaults: Defaults,
    case: Vec<RawCase>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default)]
    dirs: Vec<DirSpec>,
    #[serde(default)]
    net: Vec<String>,
    #[serde(default)]
    config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    name: String,
    checks: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    config: Option<BTreeMap<String, String>>,
    #[serde(default)]
    stdin: String,
    dirs: Option<Vec<DirSpec>>,
    net: Option<Vec<String>>,
    #[serde(default)]
    stdout: String,
    stdout_times: Option<usize>,
    stderr: Option<String>,
    #[serde(default)]
    exit: u8,
    #[serde(default)]
    trap: bool,
}

/// Reads all manifests of the suite, in the order of their names.
///
/// # Errors
/// A text that names the file, if one can't be read or is not well formed.
pub fn load(suite: &Path) -> Result<Vec<Manifest>, String> {
    read(&suite.join("cases"), |package, text| parse(package, suite, text))
}

/// What all manifests of a folder are, by their files' names without the extension, and their text.
///
/// # Errors
/// A text that names the file, if one can't be read or `parse` fails.
pub(super) fn read<T>(
    folder: &Path,
    parse: impl Fn(String, &str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let named = |e: &dyn std::fmt::Display, path: &Path| format!("{}: {e}", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| named(&e, folder))? {
        let path = entry.map_err(|e| named(&e, folder))?.path();
        if path.extension().is_some_and(|ext| ext == "toml") {
            files.push(path);
        }
    }
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = fs::read_to_string(file).map_err(|e| named(&e, file))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            parse(name.into_owned(), &text).map_err(|e| named(&e, file))
        })
        .collect()
}

/// The file of a component. What is too large to be committed is with the other guests of that size.
pub(super) fn component(suite: &Path, name: &str, built: bool) -> PathBuf {
    let folder = match built {
        true => suite.join("../../examples/guests/build"),
        false => suite.join("components"),
    };
    folder.join(name).with_extension("wasm")
}

fn parse(package: String, suite: &Path, text: &str) -> Result<Manifest, String> {
    let raw: RawManifest = toml::from_str(text).map_err(|e| e.to_string())?;
    let Defaults { dirs, net, config } = raw.defaults;
    let cases = raw.case.into_iter().map(|case| Case {
        stdout: if case.trap && case.stdout.is_empty() {
            // Told by the guest just before the call that has to trap.
            "about to trap\n".to_string()
        } else {
            case.stdout.repeat(case.stdout_times.unwrap_or(1))
        },
        name: case.name,
        checks: case.checks,
        args: case.args,
        env: case.env,
        config: case.config.unwrap_or_else(|| config.clone()),
        stdin: case.stdin,
        dirs: case.dirs.unwrap_or_else(|| dirs.clone()),
        net: case.net.unwrap_or_else(|| net.clone()),
        stderr: case.stderr,
        ending: if case.trap {
            Ending::Trap
        } else {
            Ending::Status(case.exit)
        },
    });
    Ok(Manifest {
        package,
        component: component(suite, &raw.component, raw.built),
        built: raw.built,
        lenient_directories: raw.lenient_directories,
        needs: raw.needs,
        cases: cases.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_where_a_case_says_nothing() {
        let text = r#"
            component = "wasi-x"
            [defaults]
            dirs = [{ guest = "work" }]
            net = ["loopback"]
            [[case]]
            name = "a"
            checks = "x"
            [[case]]
            name = "b"
            checks = "y"
            dirs = []
            net = []
            trap = true
        "#;
        let manifest = parse("x".into(), Path::new("/suite"), text).unwrap();
        assert_eq!(manifest.component, Path::new("/suite/components/wasi-x.wasm"));
        let [a, b] = &manifest.cases[..] else { panic!() };
        assert_eq!((a.dirs.len(), a.net.len(), a.ending), (1, 1, Ending::Status(0)));
        assert!(!manifest.built);
        let built = parse(
            "x".into(),
            Path::new("/suite"),
            "component = 'x'\nbuilt = true\ncase = []",
        )
        .unwrap();
        assert!(built.component.ends_with("examples/guests/build/x.wasm"));
        assert_eq!((b.dirs.len(), b.net.len(), b.ending), (0, 0, Ending::Trap));
        assert_eq!(b.stdout, "about to trap\n");
        assert!(
            parse(
                "x".into(),
                Path::new(""),
                "component = 'x'\nnonsense = 1\ncase = []"
            )
            .is_err()
        );
    }

    #[test]
    fn the_suite_is_well_formed() {
        for manifest in load(&super::super::suite_dir()).unwrap() {
            let mut names: Vec<_> = manifest.cases.iter().map(|case| &case.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), manifest.cases.len(), "{}", manifest.package);
            let there = manifest.built || manifest.component.is_file();
            assert!(there, "{}", manifest.component.display());
        }
    }
}
