//! Folders that have no more room: because of a limit, of a full disk, or of the size that a file may have.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program as a core module: the C library of the component makes "I/O error" of every reason.
fn guest() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/guests/core-module/rust-core.wasm");
    path.to_str().unwrap().to_owned()
}

/// The status of a run, and standard error.
fn ended(output: &Output) -> (Option<i32>, String) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked"), "{stderr}");
    (output.status.code(), stderr)
}

fn wharf(flags: &[&str], args: &[&str]) -> (Option<i32>, String) {
    let guest = guest();
    let output = Command::new(env!("CARGO_BIN_EXE_wharf"))
        .arg("run")
        .args(flags)
        .args([&guest, "--"])
        .args(args)
        .output()
        .unwrap();
    ended(&output)
}

/// A folder with a file `in` of 10 000 bytes.
fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in"), [b'x'; 10_000]).unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

fn length(folder: &TempDir, file: &str) -> u64 {
    fs::metadata(folder.path().join(file)).unwrap().len()
}

#[test]
fn a_folder_takes_as_much_as_its_limit() {
    let (folder, path) = folder();
    let grant = format!("{path}::/data::max=15K");
    let (status, stderr) = wharf(&["--dir", &grant], &["copy", "/data/in", "/data/once"]);
    assert_eq!(status, Some(0), "{stderr}");
    // Each run has the whole limit.
    let (status, stderr) = wharf(&["--dir", &grant], &["copy", "/data/in", "/data/twice"]);
    assert_eq!(status, Some(0), "{stderr}");
    let grant = format!("{path}::/data::max=4000");
    let (status, stderr) = wharf(&["--dir", &grant], &["copy", "/data/in", "/data/much"]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("o space left"), "{stderr}");
    assert_eq!(length(&folder, "much"), 4000);
    // In place of what is there.
    let (status, stderr) = wharf(&["--dir", &grant], &["copy", "/data/in", "/data/once"]);
    assert_eq!(status, Some(0), "{stderr}");
    let grant = format!("{path}::/data::max-entries=0");
    let (status, stderr) = wharf(&["--dir", &grant], &["copy", "/data/in", "/data/other"]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("uota"), "{stderr}");
}

#[test]
fn a_policy_limits_a_folder() {
    let (folder, _) = folder();
    let policy = folder.path().join("policy.toml");
    fs::write(
        &policy,
        "[[dir]]\nguest = \"/data\"\nhost = \".\"\nmax-bytes = \"2K\"\n",
    )
    .unwrap();
    let policy = policy.to_str().unwrap();
    let (status, stderr) = wharf(&["--policy", policy], &["copy", "/data/in", "/data/out"]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("o space left"), "{stderr}");
    assert_eq!(length(&folder, "out"), 2048);
}

/// Runs `copy` after a shell command that the folder is an argument of.
#[cfg(target_os = "linux")]
fn copy_after(program: &[&str], prepare: &str, path: &str) -> Output {
    let (first, rest) = program.split_first().unwrap();
    let script =
        format!("{prepare} && exec \"$1\" run --dir \"$0::/data\" \"$2\" -- copy /data/in /data/out");
    Command::new(first)
        .args(rest)
        .args(["sh", "-c", &script, path, env!("CARGO_BIN_EXE_wharf"), &guest()])
        .output()
        .unwrap()
}

/// The system kills a process that writes more than a file may have, unless it has said that it does not want that.
#[test]
#[cfg(target_os = "linux")]
fn a_file_that_may_not_be_that_large_is_an_error() {
    let (folder, path) = folder();
    let output = copy_after(&["env"], "ulimit -f 8", &path);
    let (status, stderr) = ended(&output);
    assert_eq!(status, Some(1), "{}: {stderr}", output.status);
    assert!(stderr.contains("too large"), "{stderr}");
    // Shells count in different units.
    assert!([8 * 512, 8 * 1024].contains(&length(&folder, "out")));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let program = ["unshare", "--mount", "--map-root-user"];
    let mount = |size: &str| format!("mount -t tmpfs -o size={size} tmpfs \"$0\"");
    let probe = tempfile::tempdir().unwrap();
    let works = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &mount("8k")])
        .arg(probe.path())
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let (_folder, path) = folder();
    // The file that is copied is put on the small disk first.
    let prepare = format!(
        "cp \"$0/in\" /tmp/wharf-in-$$ && {} && mv /tmp/wharf-in-$$ \"$0/in\"",
        mount("16k")
    );
    let (status, stderr) = ended(&copy_after(&program, &prepare, &path));
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.contains("o space left"), "{stderr}");
}
