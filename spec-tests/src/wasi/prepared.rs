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
        unix::symlink(target, dir.join(path))?;
    }
    for path in &spec.pipes {
        unix::pipe(&dir.join(path))?;
    }
    for path in &spec.sockets {
        unix::socket(&dir.join(path))?;
    }
    for name in &spec.raw_names {
        unix::raw_name(dir, name)?;
    }
    Ok(())
}

/// What only Unix hosts have.
#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::process::Command;
    use std::{fs, io};

    pub(super) use std::os::unix::fs::symlink;

    /// The standard library has no function for that.
    pub(super) fn pipe(path: &Path) -> io::Result<()> {
        match Command::new("mkfifo").arg(path).status()?.success() {
            true => Ok(()),
            false => Err(io::Error::other("mkfifo failed")),
        }
    }

    /// The socket's name stays when nobody listens any more.
    pub(super) fn socket(path: &Path) -> io::Result<()> {
        UnixListener::bind(path).map(drop)
    }

    pub(super) fn raw_name(dir: &Path, name: &[u8]) -> io::Result<()> {
        fs::write(dir.join(OsStr::from_bytes(name)), "")
    }
}

#[cfg(not(unix))]
mod unix {
    use std::io::{self, ErrorKind};
    use std::path::Path;

    pub(super) fn symlink(_target: &str, _path: std::path::PathBuf) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn pipe(_path: &Path) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn socket(_path: &Path) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn raw_name(_dir: &Path, _name: &[u8]) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn case(stdout: &str, ending: Ending) -> Case {
        Case {
            name: "a".into(),
            checks: String::new(),
            args: Vec::new(),
            env: Default::default(),
            config: Default::default(),
            stdin: String::new(),
            dirs: Vec::new(),
            net: Vec::new(),
            stdout: stdout.into(),
            stderr: None,
            ending,
        }
    }

    fn output(stdout: &str, status: Option<u8>) -> Output {
        Output {
            stdout: stdout.into(),
            stderr: "a message".into(),
            status,
        }
    }

    #[test]
    fn a_case_has_to_end_as_its_manifest_says() {
        let silent = case("", Ending::Status(0));
        assert!(judge(&silent, &output("", Some(0))).is_ok());
        assert!(judge(&silent, &output("", Some(1))).is_err());
        assert!(judge(&silent, &output("", None)).is_err());
        let wrong = judge(&silent, &output("a.rs:1: not true", Some(1))).unwrap_err();
        assert!(wrong.contains("a.rs:1") && wrong.contains("a message"), "{wrong}");
        // A trap before the guest told that it comes, or a check that failed after it did not, is no pass.
        let trap = case("about to trap\n", Ending::Trap);
        assert!(judge(&trap, &output("about to trap\n", Some(134))).is_ok());
        assert!(judge(&trap, &output("about to trap\n", None)).is_ok());
        assert!(judge(&trap, &output("about to trap\n", Some(0))).is_err());
        assert!(judge(&trap, &output("", Some(134))).is_err());
        assert!(judge(&trap, &output("about to trap\na.rs:1: no trap", Some(1))).is_err());
    }

    #[test]
    fn directories_are_made_as_the_case_says() {
        let mut case = case("", Ending::Status(0));
        case.dirs = vec![DirSpec {
            guest: "work".into(),
            folders: vec!["d/e".into()],
            files: [("d/f".to_string(), "text".to_string())].into(),
            ..DirSpec::default()
        }];
        let prepared = Prepared::new(&case).unwrap();
        let dir = prepared.dirs[0].clone();
        assert!(dir.join("d/e").is_dir());
        assert_eq!(fs::read_to_string(dir.join("d/f")).unwrap(), "text");
        drop(prepared);
        assert!(!dir.exists());
    }
}
