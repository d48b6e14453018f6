//! Attempts to leave a granted directory: on the host, and in memory.

use super::*;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const READ: DescriptorFlags = DescriptorFlags::READ;
const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

fn at(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: true }
}

fn link(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: false }
}

fn grant(path: &Path) -> Dir {
    let dir = cap_std::fs::Dir::open_ambient_dir(path, cap_std::ambient_authority()).unwrap();
    Dir::preopened(dir, DirPerms::all(), FilePerms::all())
}

/// A directory `inside` that is granted, with `file` and `sub/file`, next to `outside/file`, which is not.
fn sandbox() -> (TempDir, Dir) {
    let temp = TempDir::new().unwrap();
    for dir in ["inside/sub", "outside"] {
        fs::create_dir_all(temp.path().join(dir)).unwrap();
    }
    for (file, text) in [
        ("inside/file", "inside"),
        ("inside/sub/file", "inside"),
        ("outside/file", "secret"),
    ] {
        fs::write(temp.path().join(file), text).unwrap();
    }
    let dir = grant(&temp.path().join("inside"));
    (temp, dir)
}

fn memory() -> Dir {
    let memory = MemoryDir::new(MemoryDirLimits::default());
    memory.write_file("file", "inside").unwrap();
    memory.write_file("sub/file", "inside").unwrap();
    Dir::preopened(memory.root(), DirPerms::all(), FilePerms::all())
}

/// Every operation that takes one path.
fn all_operations(dir: &Dir, path: &str) -> Vec<FsResult<()>> {
    let now = NewTimestamp::Now;
    let mut answers = Vec::new();
    for how in [
        OpenFlags::empty(),
        OpenFlags::CREATE,
        OpenFlags::DIRECTORY,
        OpenFlags::TRUNCATE,
    ] {
        for flags in [READ, WRITE, READ | WRITE] {
            for target in [at(path), link(path)] {
                answers.push(dir.open_at(target, how, flags).map(drop));
            }
        }
    }
    for target in [at(path), link(path)] {
        answers.push(dir.stat_at(target).map(drop));
        answers.push(dir.metadata_hash_at(target).map(drop));
        answers.push(dir.set_times_at(target, now, now));
    }
    answers.extend([
        dir.create_directory_at(path),
        dir.symlink_at("file", path),
        dir.readlink_at(path).map(drop),
        dir.rename_at("file", dir, path),
        dir.rename_at(path, dir, "new"),
        dir.link_at(link("file"), dir, path),
        dir.link_at(link(path), dir, "new"),
        dir.unlink_file_at(path),
        dir.remove_directory_at(path),
    ]);
    answers
}

#[test]
fn a_zero_byte_is_refused_everywhere() {
    for dir in [sandbox().1, memory()] {
        for path in [
            "\0",
            "file\0",
            "\0file",
            "sub\0/file",
            "sub/fi\0le",
            "../outside\0/file",
        ] {
            for answer in all_operations(&dir, path) {
                assert_eq!(answer, Err(ErrorCode::Invalid), "{path:?}");
            }
        }
        assert!(matches!(dir.symlink_at("fi\0le", "new"), Err(ErrorCode::Invalid)));
        assert!(dir.stat_at(at("file")).is_ok());
    }
}

#[test]
fn long_names_and_paths_are_refused() {
    let name = "n".repeat(256);
    let deep = format!("{}file", "sub/../".repeat(1000));
    let endless = "x/".repeat(1 << 20);
    for dir in [sandbox().1, memory()] {
        for path in [&name, &format!("sub/{name}"), &"x".repeat(1 << 20)] {
            for answer in all_operations(&dir, path) {
                assert!(
                    matches!(answer, Err(ErrorCode::NameTooLong | ErrorCode::NoEntry)),
                    "{} bytes: {answer:?}",
                    path.len()
                );
            }
        }
        for path in [&deep, &endless] {
            for answer in all_operations(&dir, path) {
                assert!(
                    answer.is_err() || path == &deep,
                    "{} bytes: {answer:?}",
                    path.len()
                );
            }
        }
    }
}

#[test]
fn deep_trees_are_no_deeper_than_a_path() {
    for dir in [sandbox().1, memory()] {
        // As deep as one wants, step by step.
        let mut here = dir.clone();
        for _ in 0..300 {
            here.create_directory_at("d").unwrap();
            let below = here.open_at(at("d"), OpenFlags::DIRECTORY, READ).unwrap();
            here = below.dir().unwrap().clone();
        }
        // No step leads back.
        assert_eq!(here.stat_at(at("..")).map(drop), Err(ErrorCode::NotPermitted));
        assert_eq!(
            here.stat_at(at("../../file")).map(drop),
            Err(ErrorCode::NotPermitted)
        );
        let path = vec!["d"; 300].join("/");
        assert!(dir.stat_at(at(&path)).is_ok());
        assert!(
            dir.stat_at(at(&format!("{path}/{}", vec![".."; 301].join("/"))))
                .is_err()
        );
        // Moving a directory below itself would cut it off.
        assert_eq!(dir.rename_at("d", &here, "d").map(drop), Err(ErrorCode::Invalid));
        assert_eq!(
            dir.rename_at("d", &dir, "d/d/x").map(drop),
            Err(ErrorCode::Invalid)
        );
    }
}

#[test]
fn chains_of_links_end() {
    for dir in [sandbox().1, memory()] {
        dir.symlink_at("file", "l0").unwrap();
        for i in 1..100 {
            dir.symlink_at(&format!("l{}", i - 1), &format!("l{i}")).unwrap();
        }
        assert!(dir.stat_at(at("l5")).is_ok());
        assert_eq!(dir.stat_at(at("l99")).map(drop), Err(ErrorCode::Loop));
        dir.symlink_at("b/x", "a").unwrap();
        dir.symlink_at("a/x", "b").unwrap();
        assert_eq!(dir.stat_at(at("a")).map(drop), Err(ErrorCode::Loop));
        // Each link stands for many names; what they stand for together is still bounded.
        dir.symlink_at(&"./".repeat(2000), "dots").unwrap();
        let path = format!("{}file", "dots/".repeat(60));
        assert_eq!(dir.stat_at(at(&path)).map(drop), Err(ErrorCode::Loop));
    }
}

#[test]
fn links_made_by_the_guest_do_not_lead_out_of_memory() {
    let dir = memory();
    for (target, name) in [
        ("..", "up"),
        ("sub/../..", "up2"),
        ("../file", "side"),
        ("up/up", "twice"),
    ] {
        dir.symlink_at(target, name).unwrap();
        for answer in [
            dir.stat_at(at(name)).map(drop),
            dir.open_at(at(name), OpenFlags::CREATE, READ | WRITE).map(drop),
            dir.open_at(at(&format!("{name}/x")), OpenFlags::CREATE, READ | WRITE)
                .map(drop),
            dir.create_directory_at(&format!("{name}/x")),
        ] {
            assert_eq!(answer, Err(ErrorCode::NotPermitted), "{name}");
        }
    }
    assert_eq!(dir.symlink_at("/etc", "etc"), Err(ErrorCode::NotPermitted));
    for path in ["/", "/file", "..", "sub/../..", "sub/../../file"] {
        for answer in all_operations(&dir, path) {
            assert_eq!(answer, Err(ErrorCode::NotPermitted), "{path}");
        }
    }
}

/// Links of `/proc` lead to what is open, not along a path.
#[test]
#[cfg(target_os = "linux")]
fn magic_links_lead_nowhere() {
    let (temp, dir) = sandbox();
    let proc = grant(Path::new("/proc"));
    let open = fs::File::open(temp.path().join("outside/file")).unwrap();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&open);
    for path in [
        "self/root".to_owned(),
        "self/root/etc/passwd".to_owned(),
        "self/cwd".to_owned(),
        "self/cwd/Cargo.toml".to_owned(),
        "self/exe".to_owned(),
        format!("self/fd/{fd}"),
        format!("self/task/{}/fd/{fd}", std::process::id()),
        format!("{}/root", std::process::id()),
    ] {
        let opened = proc.open_at(at(&path), OpenFlags::empty(), READ);
        assert!(opened.is_err(), "{path}");
        assert!(proc.stat_at(at(&path)).is_err(), "{path}");
    }
    // And a link to them from elsewhere.
    std::os::unix::fs::symlink(format!("/proc/self/fd/{fd}"), temp.path().join("inside/magic")).unwrap();
    assert_eq!(
        dir.open_at(at("magic"), OpenFlags::empty(), READ).map(drop),
        Err(ErrorCode::NotPermitted)
    );
}

/// What is mounted below a granted directory belongs to it; its own `..` still does not lead out.
#[test]
#[cfg(target_os = "linux")]
fn mount_points_are_no_way_out() {
    let root = grant(Path::new("/"));
    let proc = root.open_at(at("proc"), OpenFlags::DIRECTORY, READ).unwrap();
    let proc = proc.dir().unwrap();
    assert_eq!(proc.stat_at(at("..")).map(drop), Err(ErrorCode::NotPermitted));
    assert_eq!(
        proc.stat_at(at("sys/../../etc")).map(drop),
        Err(ErrorCode::NotPermitted)
    );
    assert!(root.stat_at(at("proc/../etc")).is_ok());
}

/// While one thread exchanges a directory for a link that leads out, no operation of another one gets there.
#[test]
#[cfg(target_os = "linux")]
fn links_exchanged_during_a_call_do_not_lead_out() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (temp, dir) = sandbox();
    let inside = temp.path().join("inside");
    fs::create_dir(inside.join("swap")).unwrap();
    fs::write(inside.join("swap/file"), "inside").unwrap();
    std::os::unix::fs::symlink("../outside", inside.join("way-out")).unwrap();
    let done = AtomicBool::new(false);
    let (mut opened, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let swap = || {
                rustix::fs::renameat_with(
                    rustix::fs::CWD,
                    inside.join("swap"),
                    rustix::fs::CWD,
                    inside.join("way-out"),
                    rustix::fs::RenameFlags::EXCHANGE,
                )
            };
            while !done.load(Ordering::Relaxed) {
                swap().unwrap();
            }
        });
        for i in 0..3000 {
            match dir.open_at(at("swap/file"), OpenFlags::empty(), READ) {
                Ok(file) => {
                    opened += 1;
                    assert_eq!(file.file().unwrap().read(100, 0).unwrap().0, b"inside");
                }
                Err(_) => refused += 1,
            }
            // Nor does anything change there.
            let name = format!("swap/{}", i % 7);
            let _ = dir.open_at(at(&name), OpenFlags::CREATE, READ | WRITE);
            let _ = dir.create_directory_at("swap/d");
            let _ = dir.symlink_at("file", "swap/l");
            let _ = dir.link_at(link("sub/file"), &dir, "swap/h");
            let _ = dir.rename_at("swap/h", &dir, "swap/g");
            let _ = dir.unlink_file_at("swap/g");
            let _ = dir.open_at(at("swap"), OpenFlags::DIRECTORY, READ).map(|swap| {
                let mut entries = swap.dir().unwrap().entries().unwrap();
                while let Ok(Some(_)) = entries.next_entry(true) {}
                // Whatever it is, it is inside.
                let _ = swap.dir().unwrap().unlink_file_at("file-of-nobody");
                assert!(swap.dir().unwrap().stat_at(at("../outside")).is_err());
            });
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(opened + refused == 3000);
    let outside: Vec<_> = fs::read_dir(temp.path().join("outside")).unwrap().collect();
    assert_eq!(outside.len(), 1);
    assert_eq!(fs::read(temp.path().join("outside/file")).unwrap(), b"secret");
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2);
}
