//! Tests of folders of the host that guests can add only so much to.
#![cfg(unix)]

use super::*;
use crate::stream::{OutputStream, StreamError};
use bytes::Bytes;
use std::fs;
use tempfile::TempDir;

const READ: DescriptorFlags = DescriptorFlags::READ;
const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

struct Folder {
    temp: TempDir,
    dir: Dir,
    budget: HostDirBudget,
}

fn granted(temp: &TempDir, budget: &HostDirBudget) -> Dir {
    let dir = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
    let node = DirNode::limited(dir, budget.clone());
    Dir::preopened(node, DirPerms::all(), FilePerms::all())
}

/// A folder with a file `there` of 100 bytes.
fn folder(bytes: u64, entries: u64) -> Folder {
    let temp = TempDir::new().unwrap();
    fs::write(temp.path().join("there"), [1; 100]).unwrap();
    let budget = HostDirBudget::new(HostDirLimits { bytes, entries });
    let dir = granted(&temp, &budget);
    Folder { temp, dir, budget }
}

fn at(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: true }
}

impl Folder {
    fn open(&self, path: &str, open: OpenFlags) -> FsResult<File> {
        Ok(self.dir.open_at(at(path), open, READ | WRITE)?.file()?.clone())
    }

    fn create(&self, path: &str) -> File {
        self.open(path, OpenFlags::CREATE).unwrap()
    }

    #[track_caller]
    fn left(&self, bytes: u64, entries: u64) {
        assert_eq!(self.budget.left(), HostDirLimits { bytes, entries });
    }

    /// Bytes of all files.
    fn total(&self) -> u64 {
        let entries = fs::read_dir(self.temp.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum()
    }
}

#[test]
fn what_is_added_is_limited() {
    let folder = folder(10, 10);
    let file = folder.create("a");
    assert_eq!(file.write(b"12345678", 0), Ok(8));
    // What fits is written.
    assert_eq!(file.write(b"abcd", 8), Ok(2));
    folder.left(0, 9);
    for result in [file.append(b"x"), file.write(b"x", 10), file.write(b"x", 1 << 40)] {
        assert_eq!(result, Err(ErrorCode::InsufficientSpace));
    }
    for size in [11, u64::MAX] {
        assert_eq!(file.set_size(size), Err(ErrorCode::InsufficientSpace));
        assert_eq!(file.allocate(0, size), Err(ErrorCode::InsufficientSpace));
    }
    // Inside of what is there, also in files of others.
    assert_eq!(file.write(b"ABC", 7), Ok(3));
    assert_eq!(file.write(b"", 10), Ok(0));
    let there = folder.open("there", OpenFlags::empty()).unwrap();
    assert_eq!(there.write(&[2; 100], 0), Ok(100));
    assert_eq!(there.write(b"x", 100), Err(ErrorCode::InsufficientSpace));
    assert_eq!(fs::read(folder.temp.path().join("a")).unwrap(), b"1234567ABC");
    assert_eq!(folder.total(), 110);
}

#[test]
fn a_stream_ends_where_the_limit_is() {
    let folder = folder(1000, 10);
    let file = folder.create("a");
    let mut stream = FileOutputStream::new(file.handle().clone(), WriteMode::Append);
    stream.write(Bytes::from(vec![0; 999])).unwrap();
    let Err(StreamError::LastOperationFailed(error)) = stream.write(Bytes::from_static(b"ab")) else {
        panic!("expected an error");
    };
    assert_eq!(stream_error_code(&error), Some(ErrorCode::InsufficientSpace));
    assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
    folder.left(0, 9);
}

#[test]
fn holes_count_in_full() {
    let folder = folder(1 << 20, 10);
    let file = folder.create("sparse");
    assert_eq!(file.write(b"x", (1 << 20) - 1), Ok(1));
    folder.left(0, 9);
    file.set_size(0).unwrap();
    file.set_size(1 << 20).unwrap();
    folder.left(0, 9);
    // The hole was paid for.
    assert_eq!(file.write(&[1; 5000], 0), Ok(5000));
    folder.left(0, 9);
}

#[test]
fn what_is_made_shorter_or_removed_gives_back() {
    let folder = folder(50, 2);
    let file = folder.create("a");
    file.write(&[0; 50], 0).unwrap();
    file.set_size(20).unwrap();
    folder.left(30, 1);
    drop(file);
    drop(folder.open("a", OpenFlags::TRUNCATE).unwrap());
    folder.left(50, 1);
    let file = folder.create("a");
    file.write(&[0; 50], 0).unwrap();
    drop(file);
    folder.left(0, 1);
    folder.dir.unlink_file_at("a").unwrap();
    folder.left(50, 2);
    // What was there before counts as well: the folder holds no more than at first and the limit together.
    folder.dir.unlink_file_at("there").unwrap();
    folder.left(150, 3);
    assert_eq!(folder.dir.unlink_file_at("there"), Err(ErrorCode::NoEntry));
    folder.left(150, 3);
}

#[test]
fn a_removed_file_counts_while_it_is_open() {
    let folder = folder(100, 2);
    let file = folder.create("a");
    let other = folder.open("a", OpenFlags::empty()).unwrap();
    file.write(&[0; 60], 0).unwrap();
    folder.dir.unlink_file_at("a").unwrap();
    folder.left(40, 2);
    file.write(&[0; 60], 60).unwrap();
    folder.left(0, 2);
    drop(file);
    assert_eq!(other.append(b"x"), Err(ErrorCode::InsufficientSpace));
    folder.left(0, 2);
    // A stream holds it as well.
    let stream = FileOutputStream::new(other.handle().clone(), WriteMode::Append);
    drop(other);
    folder.left(0, 2);
    drop(stream);
    folder.left(100, 2);
}

#[test]
fn a_file_counts_once_whatever_its_names() {
    let folder = folder(100, 4);
    folder.create("a").write(&[0; 80], 0).unwrap();
    let link = |from: &str, to: &str| {
        let target = PathTarget {
            path: from,
            follow: false,
        };
        folder.dir.link_at(target, &folder.dir, to)
    };
    link("a", "b").unwrap();
    link("a", "c").unwrap();
    folder.left(20, 1);
    folder.dir.unlink_file_at("a").unwrap();
    // Two names of one file: this does nothing.
    folder.dir.rename_at("b", &folder.dir, "c").unwrap();
    folder.left(20, 2);
    folder.dir.unlink_file_at("b").unwrap();
    folder.left(20, 3);
    folder.dir.unlink_file_at("c").unwrap();
    folder.left(100, 4);
}

#[test]
fn what_is_replaced_gives_back() {
    let folder = folder(100, 4);
    folder.create("a").write(&[0; 30], 0).unwrap();
    folder.create("b").write(&[0; 40], 0).unwrap();
    folder.left(30, 2);
    folder.dir.rename_at("a", &folder.dir, "b").unwrap();
    folder.left(70, 3);
    folder.dir.rename_at("b", &folder.dir, "c").unwrap();
    folder.left(70, 3);
}

#[test]
fn names_are_limited() {
    let folder = folder(100, 3);
    folder.dir.create_directory_at("d").unwrap();
    folder.dir.symlink_at("there", "l").unwrap();
    folder.create("d/f");
    folder.left(100, 0);
    assert_eq!(folder.dir.create_directory_at("e"), Err(ErrorCode::Quota));
    assert_eq!(folder.dir.symlink_at("there", "m"), Err(ErrorCode::Quota));
    assert_eq!(
        folder.dir.link_at(at("there"), &folder.dir, "m"),
        Err(ErrorCode::Quota)
    );
    let open = |path: &str, flags| folder.open(path, flags).map(drop);
    assert_eq!(open("g", OpenFlags::CREATE), Err(ErrorCode::Quota));
    assert_eq!(
        open("g", OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
        Err(ErrorCode::Quota)
    );
    // What is there, or not reached, is said as ever.
    assert_eq!(folder.dir.create_directory_at("d"), Err(ErrorCode::Exist));
    assert_eq!(open("there", OpenFlags::CREATE), Ok(()));
    assert_eq!(open("l", OpenFlags::CREATE), Ok(()));
    assert_eq!(
        open("there", OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
        Err(ErrorCode::Exist)
    );
    assert_eq!(open("../x", OpenFlags::CREATE), Err(ErrorCode::NotPermitted));
    assert_eq!(folder.dir.remove_directory_at("d"), Err(ErrorCode::NotEmpty));
    folder.dir.unlink_file_at("d/f").unwrap();
    folder.dir.remove_directory_at("d").unwrap();
    folder.dir.unlink_file_at("l").unwrap();
    folder.left(100, 3);
}

#[test]
fn a_link_to_nothing_makes_a_file_that_counts() {
    let folder = folder(100, 2);
    folder.dir.symlink_at("later", "l").unwrap();
    folder.create("l");
    folder.left(100, 0);
    assert!(folder.temp.path().join("later").is_file());
}

#[test]
fn what_others_do_counts_nothing() {
    let folder = folder(100, 2);
    let path = folder.temp.path().join("a");
    let file = folder.create("a");
    file.write(&[0; 50], 0).unwrap();
    fs::write(&path, [0; 500]).unwrap();
    folder.left(50, 1);
    file.append(&[0; 10]).unwrap();
    folder.left(40, 1);
    fs::write(&path, []).unwrap();
    folder.left(40, 1);
    fs::remove_file(&path).unwrap();
    drop(file);
    folder.left(40, 1);
}

#[test]
fn budgets_are_shared_or_kept_apart() {
    let folder = folder(100, 10);
    let same = granted(&folder.temp, &folder.budget);
    let budget = HostDirBudget::new(HostDirLimits::default());
    let other = granted(&folder.temp, &budget);
    folder.create("a").write(&[0; 60], 0).unwrap();
    let file = same.open_at(at("b"), OpenFlags::CREATE, WRITE).unwrap();
    assert_eq!(file.file().unwrap().write(&[0; 60], 0), Ok(40));
    assert_eq!(
        folder.dir.rename_at("a", &other, "c"),
        Err(ErrorCode::CrossDevice)
    );
    assert_eq!(
        folder.dir.link_at(at("a"), &other, "c"),
        Err(ErrorCode::CrossDevice)
    );
    folder.dir.rename_at("a", &same, "c").unwrap();
    assert_eq!(budget.left(), HostDirLimits::default());
}

#[test]
fn a_folder_that_is_opened_has_the_same_budget() {
    let folder = folder(10, 10);
    folder.dir.create_directory_at("d").unwrap();
    let opened = folder.dir.open_at(at("d"), OpenFlags::DIRECTORY, READ).unwrap();
    let file = opened
        .dir()
        .unwrap()
        .open_at(at("f"), OpenFlags::CREATE, WRITE)
        .unwrap();
    assert_eq!(file.file().unwrap().write(&[0; 20], 0), Ok(10));
    folder.left(0, 8);
}

#[cfg(target_os = "linux")]
#[test]
fn devices_do_not_count() {
    let budget = HostDirBudget::new(HostDirLimits { bytes: 0, entries: 0 });
    let dir = cap_std::fs::Dir::open_ambient_dir("/dev", cap_std::ambient_authority()).unwrap();
    let dir = Dir::preopened(DirNode::limited(dir, budget), DirPerms::all(), FilePerms::all());
    let open = |path| dir.open_at(at(path), OpenFlags::empty(), WRITE).unwrap();
    assert_eq!(open("null").file().unwrap().write(b"gone", 0), Ok(4));
    // The device that is always full: what a full disk does.
    let full = open("full").file().unwrap().clone();
    assert_eq!(full.write(b"x", 0), Err(ErrorCode::InsufficientSpace));
}
