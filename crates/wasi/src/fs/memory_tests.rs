//! Tests of directories in memory: their limits, and that everything else is as on the host.

use super::*;
use crate::stream::{InputStream, OutputStream, StreamError};
use bytes::Bytes;

const READ: DescriptorFlags = DescriptorFlags::READ;
const WRITE: DescriptorFlags = DescriptorFlags::WRITE;

fn at(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: true }
}

fn link(path: &str) -> PathTarget<'_> {
    PathTarget { path, follow: false }
}

fn limits(bytes: u64, entries: u64) -> MemoryDirLimits {
    MemoryDirLimits { bytes, entries }
}

fn granted(memory: &MemoryDir) -> Dir {
    Dir::preopened(memory.root(), DirPerms::all(), FilePerms::all())
}

fn small(bytes: u64, entries: u64) -> Dir {
    granted(&MemoryDir::new(limits(bytes, entries)))
}

fn create(dir: &Dir, path: &str) -> FsResult<File> {
    Ok(dir
        .open_at(at(path), OpenFlags::CREATE, READ | WRITE)?
        .file()?
        .clone())
}

#[test]
fn bytes_are_limited() {
    let dir = small(10, 100);
    let file = create(&dir, "a").unwrap();
    assert_eq!(file.write(b"12345678", 0), Ok(8));
    // What fits is written.
    assert_eq!(file.write(b"abcd", 8), Ok(2));
    assert_eq!(file.append(b"x"), Err(ErrorCode::InsufficientSpace));
    assert_eq!(file.write(b"x", 1 << 40), Err(ErrorCode::InsufficientSpace));
    assert_eq!(file.set_size(11), Err(ErrorCode::InsufficientSpace));
    assert_eq!(file.set_size(u64::MAX), Err(ErrorCode::InsufficientSpace));
    assert_eq!(file.allocate(0, 11), Err(ErrorCode::InsufficientSpace));
    assert_eq!(file.allocate(u64::MAX, 2), Err(ErrorCode::FileTooLarge));
    assert_eq!(file.write(b"x", u64::MAX), Err(ErrorCode::FileTooLarge));
    assert_eq!(dir.symlink_at("t", "l"), Err(ErrorCode::InsufficientSpace));
    // Inside of what is there.
    assert_eq!(file.write(b"ABC", 7), Ok(3));
    assert_eq!(file.read(100, 0).unwrap().0, b"1234567ABC");
    file.set_size(4).unwrap();
    file.allocate(0, 9).unwrap();
    assert_eq!(file.read(100, 0).unwrap().0, b"1234\0\0\0\0\0");
    dir.symlink_at("t", "l").unwrap();
    assert_eq!(file.append(b"x"), Err(ErrorCode::InsufficientSpace));
    dir.unlink_file_at("l").unwrap();
    assert_eq!(file.append(b"x"), Ok(1));
}

#[test]
fn a_file_takes_space_until_it_is_closed_and_has_no_name() {
    let dir = small(10, 100);
    let file = create(&dir, "a").unwrap();
    file.write(&[1; 10], 0).unwrap();
    dir.link_at(link("a"), &dir, "b").unwrap();
    dir.unlink_file_at("a").unwrap();
    let clone = file.clone();
    drop(file);
    dir.unlink_file_at("b").unwrap();
    let other = create(&dir, "c").unwrap();
    assert_eq!(other.write(b"x", 0), Err(ErrorCode::InsufficientSpace));
    assert_eq!(clone.read(2, 0).unwrap().0, [1; 2]);
    assert_eq!(clone.metadata().unwrap().stat.link_count, 0);
    drop(clone);
    assert_eq!(other.write(b"x", 0), Ok(1));
}

#[test]
fn entries_are_limited() {
    let dir = small(100, 3);
    create(&dir, "a").unwrap();
    dir.create_directory_at("d").unwrap();
    dir.link_at(link("a"), &dir, "d/b").unwrap();
    assert_eq!(create(&dir, "c").unwrap_err(), ErrorCode::Quota);
    assert_eq!(dir.create_directory_at("c"), Err(ErrorCode::Quota));
    assert_eq!(dir.symlink_at("a", "c"), Err(ErrorCode::Quota));
    assert_eq!(dir.link_at(link("a"), &dir, "c"), Err(ErrorCode::Quota));
    create(&dir, "a").unwrap();
    dir.rename_at("a", &dir, "c").unwrap();
    dir.rename_at("c", &dir, "d/b").unwrap();
    dir.unlink_file_at("d/b").unwrap();
    dir.remove_directory_at("d").unwrap();
    for name in ["x", "y"] {
        create(&dir, name).unwrap();
    }
    assert_eq!(create(&dir, "z").map(drop), Err(ErrorCode::Quota));
}

#[test]
fn streams_end_at_the_limit() {
    let dir = small(5, 10);
    let file = create(&dir, "a").unwrap();
    let mut out = FileOutputStream::new(file.handle().clone(), WriteMode::Append);
    out.write(Bytes::from_static(b"123")).unwrap();
    let Err(StreamError::LastOperationFailed(error)) = out.write(Bytes::from_static(b"456")) else {
        panic!()
    };
    assert_eq!(stream_error_code(&error), Some(ErrorCode::InsufficientSpace));
    assert!(matches!(out.check_write(), Err(StreamError::Closed)));
    let mut input = FileInputStream::new(file.handle().clone(), 1);
    assert_eq!(input.read(2).unwrap(), "23");
    assert_eq!(input.read(100).unwrap(), "45");
    assert!(matches!(input.read(1), Err(StreamError::Closed)));
}

#[test]
fn the_embedder_fills_and_reads_it() {
    let memory = MemoryDir::new(limits(100, 10));
    memory.write_file("a/b/c.txt", "first").unwrap();
    memory.write_file("a/b/c.txt", "second").unwrap();
    assert_eq!(memory.write_file("a", "x"), Err(ErrorCode::IsDirectory));
    assert_eq!(
        memory.write_file("a/b/c.txt/d", "x"),
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(memory.write_file("../x", "x"), Err(ErrorCode::NotPermitted));
    assert_eq!(memory.write_file("/x", "x"), Err(ErrorCode::NotPermitted));
    assert_eq!(
        memory.write_file("large", [0; 200]),
        Err(ErrorCode::InsufficientSpace)
    );
    assert_eq!(memory.read_file("none"), Err(ErrorCode::NoEntry));
    assert_eq!(memory.read_file("a"), Err(ErrorCode::IsDirectory));
    let dir = Dir::preopened(memory.root(), DirPerms::READ, FilePerms::READ);
    let opened = dir.open_at(at("a/b/c.txt"), OpenFlags::empty(), READ).unwrap();
    assert_eq!(opened.file().unwrap().read(100, 0).unwrap().0, b"second");
    // A view for reading only, of what changes.
    assert_eq!(create(&dir, "new").map(drop), Err(ErrorCode::ReadOnly));
    assert_eq!(dir.unlink_file_at("a/b/c.txt"), Err(ErrorCode::ReadOnly));
    memory.write_file("a/b/c.txt", "third!").unwrap();
    assert_eq!(opened.file().unwrap().read(100, 0).unwrap().0, b"third!");
}

#[test]
fn directories_do_not_mix() {
    let (one, two) = (small(100, 10), small(100, 10));
    create(&one, "a").unwrap();
    assert_eq!(one.rename_at("a", &two, "a"), Err(ErrorCode::CrossDevice));
    assert_eq!(one.link_at(link("a"), &two, "a"), Err(ErrorCode::CrossDevice));
    let temp = tempfile::TempDir::new().unwrap();
    let host = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
    let host = Dir::preopened(host, DirPerms::all(), FilePerms::all());
    create(&host, "h").unwrap();
    assert_eq!(one.rename_at("a", &host, "a"), Err(ErrorCode::CrossDevice));
    assert_eq!(host.rename_at("h", &one, "h"), Err(ErrorCode::CrossDevice));
    assert_eq!(host.link_at(link("h"), &one, "h"), Err(ErrorCode::CrossDevice));
    let same = |a: &Dir, b: &Dir| {
        Descriptor::Dir(a.clone())
            .is_same_object(&Descriptor::Dir(b.clone()))
            .unwrap()
    };
    assert!(same(&one, &one));
    assert!(!same(&one, &two));
    assert_ne!(one.metadata_hash_at(at(".")), two.metadata_hash_at(at(".")));
}

#[test]
fn a_removed_directory_takes_nothing_more() {
    let dir = small(100, 10);
    dir.create_directory_at("d").unwrap();
    let opened = dir.open_at(at("d"), OpenFlags::DIRECTORY, READ).unwrap();
    let opened = opened.dir().unwrap();
    let mut entries = opened.entries().unwrap();
    dir.remove_directory_at("d").unwrap();
    assert_eq!(create(opened, "x").map(drop), Err(ErrorCode::NoEntry));
    assert_eq!(opened.create_directory_at("x"), Err(ErrorCode::NoEntry));
    create(&dir, "f").unwrap();
    assert_eq!(dir.rename_at("f", opened, "f"), Err(ErrorCode::NoEntry));
    assert_eq!(dir.link_at(link("f"), opened, "f"), Err(ErrorCode::NoEntry));
    assert!(entries.next_entry(false).unwrap().is_none());
    assert!(opened.metadata_at(at(".")).is_ok());
}

#[test]
fn a_listing_survives_changes() {
    let dir = small(100, 100);
    for i in 0..10 {
        create(&dir, &i.to_string()).unwrap();
    }
    let mut entries = dir.entries().unwrap();
    let mut seen = Vec::new();
    while let Some(entry) = entries.next_entry(true).unwrap() {
        assert_eq!(entry.inode, dir.metadata_hash_at(at(&entry.name)).unwrap().0);
        dir.unlink_file_at(&entry.name).unwrap();
        seen.push(entry.name);
    }
    assert_eq!(seen.len(), 10);
}

#[test]
fn times_are_kept() {
    let dir = small(100, 100);
    let file = create(&dir, "a").unwrap();
    let made = file.metadata().unwrap().stat;
    assert!(made.modified.unwrap().seconds > 1_500_000_000);
    let stamp = |seconds| {
        NewTimestamp::Timestamp(Datetime {
            seconds,
            nanoseconds: 7,
        })
    };
    file.set_times(stamp(1), NewTimestamp::NoChange).unwrap();
    dir.set_times_at(at("a"), NewTimestamp::NoChange, stamp(2))
        .unwrap();
    let stat = dir.stat_at(at("a")).unwrap();
    assert_eq!(
        (stat.accessed.unwrap().seconds, stat.modified.unwrap().seconds),
        (1, 2)
    );
    file.write(b"x", 0).unwrap();
    assert!(dir.stat_at(at("a")).unwrap().modified.unwrap().seconds > 1_500_000_000);
    let bad = NewTimestamp::Timestamp(Datetime {
        seconds: 0,
        nanoseconds: u32::MAX,
    });
    assert_eq!(file.set_times(bad, bad), Err(ErrorCode::Invalid));
    dir.set_times(stamp(3), stamp(4)).unwrap();
    assert_eq!(dir.stat_at(at(".")).unwrap().modified.unwrap().seconds, 4);
}

/// Numbers that look random, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// None ends in a slash or a dot behind a name: about those, systems disagree.
const PATHS: [&str; 22] = [
    "a",
    "b",
    "d",
    "d/a",
    "d/e",
    "d/e/f",
    "l",
    "d/l",
    "e/../a",
    "d/../b",
    ".",
    "..",
    "../a",
    "./a",
    "d//a",
    "/a",
    "",
    "a/b",
    "l/a",
    "d/../../a",
    "d/e/..",
    "l/..",
];

const TARGETS: [&str; 10] = [
    "a", "d", "d/a", "../a", "..", "l", "d/l", "nothing", "/etc", "./e",
];

/// What an operation answered, as far as it is the same on every file system.
fn step(dir: &Dir, numbers: &mut Numbers) -> (String, String) {
    let (path, other) = (numbers.one_of(&PATHS), numbers.one_of(&PATHS));
    let follow = numbers.below(2) == 0;
    let target = PathTarget { path, follow };
    let of = |stat: DescriptorStat| match stat.kind {
        DescriptorType::RegularFile => format!("{:?} {} {}", stat.kind, stat.size, stat.link_count),
        kind => format!("{kind:?}"),
    };
    let number = numbers.below(14);
    let answer = match number {
        0 => format!("{:?}", dir.create_directory_at(path)),
        1 => format!("{:?}", dir.unlink_file_at(path)),
        2 => format!("{:?}", dir.remove_directory_at(path)),
        // With two paths, which of several errors comes first is up to the system.
        3 => format!("{}", dir.rename_at(path, dir, other).is_ok()),
        4 => format!("{}", dir.link_at(link(path), dir, other).is_ok()),
        5 => format!("{:?}", dir.symlink_at(numbers.one_of(&TARGETS), path)),
        6 => format!("{:?}", dir.readlink_at(path)),
        7 => format!("{:?}", dir.stat_at(target).map(of)),
        8 => {
            let opened = dir.open_at(target, OpenFlags::DIRECTORY, READ);
            let list = |opened: Descriptor| -> FsResult<Vec<String>> {
                let mut entries = opened.dir()?.entries()?;
                let mut names = Vec::new();
                while let Some(entry) = entries.next_entry(false)? {
                    names.push(format!("{} {:?}", entry.name, entry.kind));
                }
                names.sort();
                Ok(names)
            };
            format!("{:?}", opened.and_then(list))
        }
        _ => {
            let flags = numbers.one_of(&[READ, WRITE, READ | WRITE]);
            let how = numbers.one_of(&[
                OpenFlags::empty(),
                OpenFlags::CREATE,
                OpenFlags::TRUNCATE,
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                OpenFlags::CREATE | OpenFlags::TRUNCATE,
            ]);
            let opened = dir.open_at(target, how, flags);
            let (offset, what) = (numbers.below(20) as u64, numbers.below(5));
            let used = opened.and_then(|opened| {
                let Descriptor::File(file) = &opened else {
                    return Ok("a directory".to_owned());
                };
                let done = match what {
                    0 => file.write(b"hello", offset).map(|n| n.to_string()),
                    1 => file.append(b"end").map(|n| n.to_string()),
                    2 => file.set_size(offset).map(|()| String::new()),
                    3 => file.read(10, offset).map(|read| format!("{read:?}")),
                    _ => Ok(String::new()),
                };
                Ok(format!("{done:?} {}", of(opened.stat()?)))
            });
            format!("{how:?} {flags:?} {used:?}")
        }
    };
    (format!("{number} {path:?} {other:?} {follow}"), answer)
}

/// Random operations on a directory of the host and on one in memory have the same answers.
#[test]
#[cfg(target_os = "linux")]
fn the_host_and_memory_agree() {
    for seed in 1..=40u64 {
        let temp = tempfile::TempDir::new().unwrap();
        let host = cap_std::fs::Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        let host = Dir::preopened(host, DirPerms::all(), FilePerms::all());
        let memory = small(1 << 20, 1000);
        let (mut one, mut two) = (
            Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        );
        let mut past = Vec::new();
        for _ in 0..400 {
            let (what, answer) = step(&host, &mut one);
            let (_, in_memory) = step(&memory, &mut two);
            past.push(format!("{what}: {answer}"));
            assert_eq!(answer, in_memory, "seed {seed}: {what}\n{}", past.join("\n"));
        }
    }
}

/// Whatever guests do, what is counted is what is there, and no more than the limits.
#[test]
fn limits_hold_whatever_happens() {
    for seed in 1..=40u64 {
        let memory = MemoryDir::new(limits(30, 6));
        let dir = granted(&memory);
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // Some stay open for a while, also when they have no names any more.
        let mut open = Vec::new();
        for _ in 0..400 {
            step(&dir, &mut numbers);
            let target = at(numbers.one_of(&PATHS));
            if let Ok(opened) = dir.open_at(target, OpenFlags::empty(), READ) {
                open.push(opened);
            }
            if let Some(opened) = open.last().filter(|_| numbers.below(3) == 0) {
                let (path, other) = (numbers.one_of(&PATHS), numbers.one_of(&PATHS));
                match opened {
                    Descriptor::Dir(below) => {
                        let _ = below.create_directory_at(path);
                        let _ = below.rename_at(path, &dir, other);
                        let _ = dir.rename_at(path, below, other);
                    }
                    Descriptor::File(file) => drop(file.read(10, 0)),
                }
            }
            if open.len() > 5 {
                open.remove(numbers.below(5));
            }
            memory.check();
        }
        drop(open);
        memory.check();
    }
}
