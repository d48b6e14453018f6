//! Runs the cases of `examples/guests/*/cases.toml` with the `wharf` binary, in each tier; the format is described in
//! `examples/guests/README.md`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;

#[derive(Deserialize)]
struct CaseFile {
    case: Vec<Case>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    guest: String,
    #[serde(default)]
    large: bool,
    #[serde(default = "run")]
    kind: String,
    invoke: Option<String>,
    #[serde(default)]
    before: Vec<Vec<String>>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    stdin_file: Option<String>,
    #[serde(default)]
    dirs: Vec<String>,
    #[serde(default)]
    flags: Vec<String>,
    stdout: Option<String>,
    stdout_file: Option<String>,
    #[serde(default)]
    stderr_contains: Vec<String>,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    files: Vec<Written>,
    #[serde(default)]
    absent: Vec<Absent>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    dir: usize,
    path: String,
    text: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Absent {
    dir: usize,
    path: String,
}

fn run() -> String {
    "run".to_string()
}

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guests")
}

fn main() {
    let mut folders: Vec<PathBuf> = fs::read_dir(guests())
        .expect("examples/guests can be read")
        .map(|entry| entry.expect("examples/guests can be read").path())
        .filter(|path| path.join("cases.toml").is_file())
        .collect();
    folders.sort();
    let required = std::env::var_os("WHARF_REQUIRE_GUESTS").is_some_and(|v| v == "1");
    let mut trials = Vec::new();
    for folder in folders {
        let file = folder.join("cases.toml");
        let text = fs::read_to_string(&file).expect("a case file can be read");
        let cases: CaseFile = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let guest = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for case in cases.case {
            let missing = case.large && !guests().join(&case.guest).is_file();
            for tier in TIERS {
                let case = case.clone();
                let name = match missing {
                    true => format!(
                        "{tier}/{guest}/{} (not built: run examples/guests/build.sh {guest})",
                        case.name
                    ),
                    false => format!("{tier}/{guest}/{}", case.name),
                };
                trials.push(
                    Trial::test(name, move || check(&case, tier)).with_ignored_flag(missing && !required),
                );
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// What `--tier` takes.
const TIERS: [&str; 4] = ["off", "tiered", "sync", "eager"];

fn check(case: &Case, tier: &str) -> Result<(), Failed> {
    let guest = guests().join(&case.guest);
    if !guest.is_file() {
        return Err(format!("{} is missing", guest.display()).into());
    }
    let temporary = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.arg("run").args(["--tier", tier]).args(&case.flags);
    if tier == "off" {
        // What `wharf inspect` finds to be the least must be enough, together with what the case grants.
        let least = Command::new(env!("CARGO_BIN_EXE_wharf"))
            .args(["inspect", "--policy"])
            .arg(&guest)
            .output()?;
        let policy = temporary.path().join("least.toml");
        fs::write(&policy, least.stdout)?;
        command.arg("--policy").arg(policy);
    }
    if tier == "eager" {
        // All functions are compiled for the first case of a guest; the others find them here.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests-cache");
        command.arg(format!("--cache={}", cache.display()));
    }
    let mut copies = Vec::new();
    for (i, dir) in case.dirs.iter().enumerate() {
        let (fixture, rest) = dir.split_once("::").ok_or("dirs: expected FIXTURE::GUEST")?;
        let copy = temporary.path().join(i.to_string());
        fs::create_dir(&copy)?;
        if !fixture.is_empty() {
            copy_folder(&guests().join(fixture), &copy)?;
        }
        command.arg("--dir").arg(format!("{}::{rest}", copy.display()));
        copies.push(copy);
    }
    for (key, value) in &case.env {
        command.arg("--env").arg(format!("{key}={value}"));
    }
    match (case.kind.as_str(), &case.invoke) {
        ("run", None) => {}
        ("invoke", Some(call)) => {
            command.arg("--invoke").arg(call);
        }
        _ => return Err("kind must be \"run\", or \"invoke\" with the key `invoke`".into()),
    }
    command.arg(&guest).arg("--");
    for args in &case.before {
        let mut before = Command::new(command.get_program());
        let output = before.args(command.get_args()).args(args).output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{args:?}: {}\nstderr:\n{stderr}", output.status).into());
        }
    }
    command.args(&case.args);

    let stdin = match &case.stdin_file {
        Some(file) => fs::read(guests().join(file))?,
        None => case.stdin.clone().into_bytes(),
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut pipe = child.stdin.take().ok_or("no pipe to the guest")?;
    let writer = std::thread::spawn(move || {
        // A guest that ends without reading its input closes the pipe: no failure.
        let _ = pipe.write_all(&stdin);
    });
    let output = child.wait_with_output()?;
    writer.join().map_err(|_| "the writing thread panicked")?;

    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut complaints = Vec::new();
    if output.status.code() != Some(case.exit) {
        complaints.push(format!(
            "expected exit status {}, got {}",
            case.exit, output.status
        ));
    }
    let expected = match (&case.stdout, &case.stdout_file) {
        (Some(text), _) => Some(text.clone().into_bytes()),
        (None, Some(file)) => Some(fs::read(guests().join(file))?),
        (None, None) => None,
    };
    if let Some(expected) = expected
        && expected != output.stdout
    {
        complaints.push(format!(
            "expected on stdout:\n{}\ngot:\n{}",
            String::from_utf8_lossy(&expected),
            String::from_utf8_lossy(&output.stdout)
        ));
    }
    for text in &case.stderr_contains {
        if !stderr.contains(text.as_str()) {
            complaints.push(format!("expected on stderr: {text}"));
        }
    }
    for written in &case.files {
        let copy = copies.get(written.dir).ok_or("files: no such dir")?;
        match fs::read(copy.join(&written.path)) {
            Ok(bytes) if bytes == written.text.as_bytes() => {}
            Ok(bytes) => complaints.push(format!(
                "{} holds {:?} instead of {:?}",
                written.path,
                String::from_utf8_lossy(&bytes),
                written.text
            )),
            Err(e) => complaints.push(format!("{}: {e}", written.path)),
        }
    }
    for gone in &case.absent {
        let copy = copies.get(gone.dir).ok_or("absent: no such dir")?;
        if copy.join(&gone.path).symlink_metadata().is_ok() {
            complaints.push(format!("{} is there, but should not be", gone.path));
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(format!("{}\nstderr:\n{stderr}", complaints.join("\n")).into())
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
