//! The packages under `wit/` resolve, and say the same as the official ones.

use std::path::{Path, PathBuf};

use wit_component::{OutputToString, WitPrinter};
use wit_parser::{PackageId, Resolve};

const PACKAGES: [&str; 7] = ["cli", "clocks", "filesystem", "http", "io", "random", "sockets"];

/// Packages that have a version of their own, and are not part of WASI 0.2 yet.
const DRAFTS: [(&str, &str); 3] = [
    ("config", "0.2.0-rc.1"),
    ("keyvalue", "0.2.0-draft2"),
    ("logging", "0.1.0-draft"),
];

fn wit_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// Everything in a package, without comments, in a fixed order.
fn print(resolve: &Resolve, package: PackageId) -> String {
    let mut printer = WitPrinter::new(OutputToString::default());
    printer.emit_docs(false);
    printer.print(resolve, package, &[]).unwrap();
    let mut parts: Vec<String> = Vec::new();
    // Interfaces and worlds come in the order of the files, which does not matter; what is inside does.
    for line in printer.output.to_string().lines() {
        if line.starts_with("interface ") || line.starts_with("world ") || parts.is_empty() {
            parts.push(String::new());
        }
        let part = parts.last_mut().unwrap();
        part.push_str(line);
        part.push('\n');
    }
    parts.sort();
    parts.concat()
}

fn all_features() -> Resolve {
    Resolve {
        all_features: true,
        ..Resolve::default()
    }
}

fn find(resolve: &Resolve, name: &str) -> PackageId {
    find_version(resolve, name, "0.2.12")
}

fn find_version(resolve: &Resolve, name: &str, version: &str) -> PackageId {
    let found = resolve
        .package_names
        .iter()
        .find(|(n, _)| n.namespace == "wasi" && n.name == name);
    let (full, id) = found.unwrap_or_else(|| panic!("package wasi:{name} is missing"));
    assert_eq!(full.to_string(), format!("wasi:{name}@{version}"));
    *id
}

#[test]
fn packages_resolve() {
    for mut resolve in [Resolve::default(), all_features()] {
        let (ours, _) = resolve.push_dir(wit_dir()).unwrap();
        for name in PACKAGES {
            find(&resolve, name);
        }
        for (name, version) in DRAFTS {
            find_version(&resolve, name, version);
        }
        for world in ["imports", "command", "proxy", "cloud"] {
            resolve.select_world(&[ours], Some(world)).unwrap();
        }
    }
}

#[test]
#[ignore = "needs the official packages in WASI_WIT_DIR: `.ci/run wit` fetches them and runs this"]
fn packages_equal_the_official_ones() {
    let dir = std::env::var_os("WASI_WIT_DIR").expect("WASI_WIT_DIR");
    let mut official = all_features();
    for name in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http"] {
        let path = Path::new(&dir).join(format!("{name}.wit"));
        let path = if path.exists() {
            path
        } else {
            path.with_extension("")
        };
        official.push_path(&path).unwrap();
    }
    let mut ours = all_features();
    ours.push_dir(wit_dir()).unwrap();
    for name in PACKAGES {
        assert_eq!(
            print(&ours, find(&ours, name)),
            print(&official, find(&official, name)),
            "package wasi:{name}"
        );
    }
}

/// Compares drafts with those in folders of `WASI_DRAFTS_DIR`.
fn compare_drafts(names: &[&str]) {
    let dir = std::env::var_os("WASI_DRAFTS_DIR").expect("WASI_DRAFTS_DIR");
    let mut ours = all_features();
    ours.push_dir(wit_dir()).unwrap();
    for (name, version) in DRAFTS.into_iter().filter(|(name, _)| names.contains(name)) {
        let mut official = all_features();
        official.push_path(Path::new(&dir).join(name)).unwrap();
        assert_eq!(
            print(&ours, find_version(&ours, name, version)),
            print(&official, find_version(&official, name, version)),
            "package wasi:{name}"
        );
    }
}

#[test]
#[ignore = "needs the official packages in WASI_DRAFTS_DIR: `.ci/run wit` fetches them and runs this"]
fn drafts_equal_the_official_ones() {
    compare_drafts(&["config", "logging"]);
}

#[test]
#[ignore = "needs a folder keyvalue in WASI_DRAFTS_DIR: no crate has 0.2.0-draft2, its repository WebAssembly/wasi-keyvalue does"]
fn the_draft_of_keyvalue_equals_the_official_one() {
    compare_drafts(&["keyvalue"]);
}
