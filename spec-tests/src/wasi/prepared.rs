//! What a case finds when it starts, and whether it ended as it has to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use super::manifest::{Case, DirSpec, Ending};

/// Fresh directories for one run of a case. They are removed with it.
#[derive(Debug)]
pub struct Prepared {
    /// The granted directories on the host, in the order of the case's.
    pub dirs: Vec<PathBuf>,
    _root: TempDir,
}

impl Prepared {
    /// Makes them.
    ///
    /// # Errors
    /// If the host can't make what the case needs.
    pub fn new(case: &Case) -> io::Result<Prepared> {
        let root = tempfile::tempdir()?;
        let mut dirs = Vec::new();
        for (i, spec) in case.dirs.iter().enumerate() {
            // Not directly in the root, so that what leads out of it is still ours.
            let dir = root.path().join(i.to_string()).join("granted");
            fs::create_dir_all(&dir)?;
            fill(&dir, spec)?;
            dirs.push(dir);
        }
        Ok(Prepared { dirs, _root: root })
    }
}

fn fill(dir: &Path, spec: &DirSpec) -> io::Result<()> {
    for folder in &spec.folders {
        fs::create_dir_all(dir.join(folder))?;
    }
    for (path, text) in &spec.files {
        fs::write(dir.join(path), text)?;
    }
    for (path, target) in &spec.links {
        symlink(target, &dir.join(path))?;
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(not(unix))]
fn symlink(_target: &str, _path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What came out of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit status; none if there is no such number, as after a signal. A trap is anything but 0.
    pub status: Option<u8>,
}

/// Nothing if the case passed, otherwise what was wrong.
///
/// # Errors
/// A text for people.
pub fn judge(case: &Case, output: &Output) -> Result<(), String> {
    let mut wrong = Vec::new();
    match case.ending {
        Ending::Status(expected) if output.status != Some(expected) => {
            let got = output
                .status
                .map_or("none".to_string(), |status| status.to_string());
            wrong.push(format!("expected exit status {expected}, got {got}"));
        }
        Ending::Trap if output.status == Some(0) => wrong.push("expected a trap".to_string()),
        _ => {}
    }
    if output.stdout != case.stdout {
        wrong.push(if case.stdout.is_empty() {
            output.stdout.trim_end().to_string()
        } else {
            format!("expected on stdout {:?}, got {:?}", case.stdout, output.stdout)
        });
    }
    if let Some(stderr) = &case.stderr
        && !output.stderr.starts_with(stderr.as_str())
    {
        wrong.push(format!("expected on stderr {stderr:?}, got {:?}", output.stderr));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    if !output.stderr.is_empty() {
        wrong.push(format!("stderr: {}", output.stderr.trim_end()));
    }
    Err(wrong.join("\n"))
}
